// One view, two hosts. A view is a function show(host, el); host.ask(kind, about) gives
// a promise of an answer. In JupyterLab the kernel answers; a published page has no
// kernel, and answers what was asked ahead when the page was made.
const fromKernel = model => {
  const waiting = new Map();
  let count = 0;
  const hear = ({id, answer, error}) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (asked) error ? asked.reject(new Error(error)) : asked.resolve(answer);
  };
  model.on("msg:custom", hear);
  const ask = (kind, about) =>
    new Promise((resolve, reject) => {
      waiting.set(++count, {resolve, reject});
      model.send({id: count, kind, about});
    });
  return {state: model.get("state"), ask, kernel: true};
};

const fromPage = (state, answers) => ({
  state,
  kernel: false,
  ask: async (kind, about) => {
    const found = answers[`${kind} ${JSON.stringify(about)}`];
    if (found === undefined) throw new Error("only JupyterLab answers this");
    return found;
  },
});

// make("p", {className: "note"}, "text", child, …): an element; text is never markup
const make = (tag, facts = {}, ...inside) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts))
    if (name.startsWith("aria-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  made.append(...inside);
  if (tag === "img") made.classList.add("dark-light"); // a dark theme leaves it as it is
  return made;
};

export default {render: ({model, el}) => show(fromKernel(model), el)};
