// A finished karyotype, corrected by a person. What was done is a list of actions; the
// pieces are the machine's with these actions done to them, so that undoing an action
// is leaving it out. The picture of a piece is a window on the field.
const PATIENCE = 30000; // ms that a kernel may take to save
const LEAST = 6; // square pixels of a piece that a cut may leave
const HELP = [
  "Mouse: drag a chromosome to its place, or click it and then the place.",
  "Touch: tap a chromosome, then tap the place; the chosen one can also be dragged.",
  "Keyboard: Tab reaches the karyogram, arrow keys go from one chromosome to the next. " +
    "M carries the chosen one: arrow keys to the place, Enter puts it there, Escape lets go. " +
    "T turns it over, F mirrors it, S splits, J joins, D makes it debris; a place takes it " +
    "back. Ctrl+Z undoes, Ctrl+Y does again.",
  "To split, draw a line over the large picture, or set it with the two sliders.",
];

const begun = state => {
  const saved = state.saved || {actions: [], time: ""};
  const name = `chromolib correcting ${state.machine.image} ${state.of}`;
  const draft = kept(name);
  if (draft?.base === saved.time && Array.isArray(draft.actions))
    try {
      replayed(state, draft.actions);
      return {name, base: saved.time, saved: saved.actions, actions: draft.actions};
    } catch { /* a draft of another version */ }
  replayed(state, saved.actions);
  return {name, base: saved.time, saved: saved.actions, actions: saved.actions};
};

async function show(host, el) {
  const {state} = host, {machine} = state, image = new Image();
  image.src = state.picture;
  const root = make("div", {className: "chromolib-view chromolib-editor"});
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's letters stay its own
  el.replaceChildren(root);
  let work;
  try {
    await image.decode();
    work = begun(state);
  } catch (error) {
    const why = `${state.file} does not fit (${error.message}); rename it, and the correction begins anew`;
    root.append(make("p", {role: "alert"}, why));
    return;
  }
  let {actions, saved, base} = work, undone = [], mode = "", chosen = null, cutting = [0, 0];
  let pieces = replayed(state, actions);
  const button = (text, title, onclick) => make("button", {type: "button", title, onclick}, text);

  // what stands on the page from the beginning, so that nothing jumps
  const head = make("p", {className: "iscn"}), note = make("p", {className: "counts"});
  const said = make("p", {className: "said", role: "status", "aria-live": "polite"});
  const undoing = button("Undo", "Ctrl+Z", () => step(true));
  const redoing = button("Redo", "Ctrl+Y", () => step(false));
  const saving = button(host.kernel ? "Save" : "Download", state.file, () => save());
  const done = make("span", {className: "done"});
  const sheet = make("div", {className: "sheet", role: "group", "aria-label": "Karyogram"});
  const facts = make("p", {className: "facts"});
  const large = make("canvas", {className: "large", role: "img", width: 560, height: 440});
  const field = make("canvas", {className: "field", role: "img", width: machine.size[0], height: machine.size[1]});
  const range = (name, most, k) => make("label", {}, name, make("input", {
    type: "range", min: -most, max: most, value: 0,
    oninput: event => { cutting[k] = Number(event.target.value); drawLarge(); },
  }));
  const place = range("Where", 100, 0), lean = range("Angle", 90, 1);
  const cut = make("div", {className: "cut"}, place, lean,
    button("Cut", "Cut along the line", () => split()), button("Cancel", "Escape", () => enter("")));
  const moving = make("select", {"aria-label": "Move to", onchange: () => {
    if (moving.value) moveTo(moving.value);
    moving.value = "";
  }}, make("option", {value: ""}, "Move to …"), ...state.classes.map(name => make("option", {value: name}, name)));
  const tools = make("div", {className: "bar", role: "group", "aria-label": "The chosen chromosome"},
    button("Turn", "T: the other end up", () => change({kind: "turn", how: "over"}, "turned over")),
    button("Mirror", "F", () => change({kind: "turn", how: "mirror"}, "mirrored")),
    button("Split", "S", () => enter(mode === "split" ? "" : "split")),
    button("Join", "J: with another", () => enter(mode === "join" ? "" : "join")),
    button("Debris", "D: it is no chromosome", () => moveTo(DEBRIS)), moving);
  root.append(head, note, make("div", {className: "bar"}, undoing, redoing, saving, done), said,
    make("div", {className: "desk"}, sheet, make("div", {className: "side"}, facts, tools, field, large, cut)),
    make("details", {}, make("summary", {}, "How to correct"), make("ul", {}, ...HELP.map(line => make("li", {}, line)))),
    make("p", {className: "note"}, `${state.use}. ${machine.image}, found by ${machine.made["found by"] ?? "?"}.`));

  // one button a piece, one place a class; pieces are drawn again only when they change
  const tall = pieces.map(one => bounds(one.outline.map(point => upright(one, point)))).map(box => box[3] - box[1]);
  const zoom = Math.min(2, 112 / Math.max(...tall)), sharp = zoom * Math.max(2, devicePixelRatio || 1);
  root.style.setProperty("--fit", zoom);
  const places = {}, tokens = new Map();
  const slot = (name, least) => {
    const room = make("div", {className: "room"}), label = button("", "", () => moveTo(name));
    room.style.minHeight = `calc(var(--zoom) * ${least}px)`;
    const made = make("div", {className: "slot", role: "group", onclick: event => {
      if (event.target === made || event.target === room) moveTo(name);
    }}, room, label);
    made.dataset.place = name;
    places[name] = {made, room, label};
    return made;
  };
  for (const row of [...state.rows, [DEBRIS]]) {
    const own = tall.filter((_, k) => row.includes(pieces[k].label));
    const least = Math.max(row.includes(DEBRIS) ? 48 / zoom : 24, ...own.map(high => high + 4));
    sheet.append(make("div", {className: "tier"}, ...row.map(name => slot(name, least))));
  }
  const token = piece => {
    const old = tokens.get(piece.id);
    if (old?.piece === piece) return old.made;
    const canvas = make("canvas"), made = old?.made || make("button", {type: "button", className: "piece"});
    const [wide, high] = drawPiece(canvas, image, piece, sharp);
    canvas.style.width = `calc(var(--zoom) * ${wide}px)`;
    canvas.style.height = `calc(var(--zoom) * ${high}px)`;
    made.replaceChildren(canvas);
    made.dataset.id = piece.id;
    tokens.set(piece.id, {piece, made});
    return made;
  };

  const one = () => pieces.find(piece => piece.id === chosen);
  const called = name => (name === DEBRIS ? "debris" : `place ${name}`);
  const say = text => { said.textContent = text; };
  const focus = () => tokens.get(chosen)?.made.focus();
  const all = () => [...sheet.querySelectorAll(".piece")], labels = Object.values(places).map(({label}) => label);

  const draw = () => {
    const had = document.activeElement?.closest(".piece") && root.contains(document.activeElement);
    const result = corrected(state, pieces, actions, "");
    const copies = {...result.copies, [DEBRIS]: pieces.length - result.count};
    const {missing, extra} = result.flags, {reason} = result.corrected;
    head.textContent = result.karyotype || "no valid karyotype";
    head.append(make("small", {}, result.karyotype ? result.name : reason));
    const uses = Object.entries(result.corrections).map(([name, n]) => `${n} ${n === 1 ? name.slice(0, -1) : name}`);
    note.textContent = [`${result.count} chromosomes`, missing.length ? `missing ${missing.join(", ")}` : "",
      extra.length ? `extra ${extra.join(", ")}` : "", `corrections: ${uses.join(", ")}`].filter(Boolean).join("; ");
    for (const [name, {room, label, made}] of Object.entries(places)) {
      const inside = pieces.filter(piece => piece.label === name);
      inside.forEach((piece, k) => {
        const here = token(piece), flags = machine.chromosomes[piece.from].flags.join(", ");
        here.setAttribute("aria-label", `${name}, ${k + 1} of ${inside.length}${flags && `, ${flags}`}`);
        here.setAttribute("aria-pressed", piece.id === chosen);
        here.tabIndex = piece.id === (chosen ?? pieces[0].id) ? 0 : -1;
      });
      room.replaceChildren(...inside.map(token));
      const odd = missing.includes(name) ? "missing" : extra.includes(name) ? "extra" : "";
      label.replaceChildren(name, make("small", {}, ` ×${copies[name]}${{missing: "−", extra: "+"}[odd] || ""}`));
      label.setAttribute("aria-label", `${called(name)}, ${copies[name]} there: put the chosen chromosome here`);
      label.tabIndex = -1;
      made.className = `slot ${odd}`;
      made.setAttribute("aria-label", `${called(name)}: ${copies[name]}`);
    }
    const fresh = JSON.stringify(actions) === JSON.stringify(saved);
    done.textContent = fresh ? (base ? `saved, ${base}` : "as the machine left it") : "not saved yet";
    [undoing.disabled, redoing.disabled] = [!actions.length, !undone.length];
    for (const each of [...tools.children]) each.disabled = !one();
    drawSide();
    if (had) focus();
  };

  const drawSide = () => {
    const piece = one(), context = field.getContext("2d");
    const each = piece && machine.chromosomes[piece.from];
    facts.textContent = !piece ? "Choose a chromosome, in the karyogram or in the field." : [
      `Piece ${piece.id}: ${piece.label}`, `the machine says ${each.label} (${each.probability.toFixed(2)})`,
      each.alternatives.length ? `or ${each.alternatives.map(o => `${o.label} (${o.probability.toFixed(2)})`).join(", ")}` : "",
      ...each.flags].filter(Boolean).join("; ");
    context.drawImage(image, 0, 0);
    for (const other of [...pieces.filter(p => p !== piece), ...(piece ? [piece] : [])]) {
      path(context, other.outline);
      context.strokeStyle = other === piece ? "#d55e00" : other.label === DEBRIS ? "#999" : "#0072b2";
      context.lineWidth = (other === piece ? 4 : 1.5) * machine.size[0] / 600;
      context.setLineDash(other.label === DEBRIS ? [4, 4] : []);
      context.stroke();
    }
    field.setAttribute("aria-label", `Metaphase ${machine.image}, ${pieces.length} pieces outlined` +
      (piece ? `; the chosen one, ${piece.label}, in a thick line` : ""));
    drawLarge();
  };

  // the chosen piece, large, with the line that would cut it
  const fitted = piece => {
    const box = bounds(piece.outline.map(point => upright(piece, point)));
    const scale = Math.min(large.width / (box[2] - box[0] + 8), large.height / (box[3] - box[1] + 8), 8);
    const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    return {middle, scale, half: [(box[2] - box[0]) / 2, (box[3] - box[1]) / 2]};
  };
  const line = piece => {
    const {middle: [x, y], half: [w, h]} = fitted(piece), [where, angle] = cutting;
    const [c, s] = [Math.cos(angle * Math.PI / 180), Math.sin(angle * Math.PI / 180)];
    const off = where / 100 * (w * Math.abs(s) + h * c), far = w + h;
    const [a, b] = [x - s * off, y + c * off];
    return [[a - c * far, b - s * far], [a + c * far, b + s * far]];
  };
  const drawLarge = () => {
    const piece = one(), context = large.getContext("2d");
    context.clearRect(0, 0, large.width, large.height);
    cut.style.visibility = mode === "split" && piece ? "visible" : "hidden";
    large.classList.toggle("cutting", mode === "split");
    large.setAttribute("aria-label", piece ? `Piece ${piece.id}, ${piece.label}, large` : "No chromosome chosen");
    if (!piece) return;
    const {middle, scale} = fitted(piece), small = make("canvas");
    drawPiece(small, image, piece, scale, 0);
    context.drawImage(small, (large.width - small.width) / 2, (large.height - small.height) / 2);
    if (mode !== "split") return;
    context.beginPath();
    for (const [x, y] of line(piece))
      context.lineTo(large.width / 2 + (x - middle[0]) * scale, large.height / 2 + (y - middle[1]) * scale);
    Object.assign(context, {strokeStyle: "#d55e00", lineWidth: 4});
    context.setLineDash([14, 8]);
    context.stroke();
  };

  // what a person does
  const enter = next => {
    mode = one() ? next : "";
    root.dataset.mode = mode;
    if (mode === "split") {
      [place, lean].forEach((each, k) => { each.lastChild.value = cutting[k] = 0; });
      drawLarge();
      place.lastChild.focus();
      say("A line over the large picture, or the sliders, say where; then Cut.");
    } else if (mode === "join") {
      say("Choose the piece to join it with; Escape lets go.");
      focus();
    } else if (mode === "carry") {
      places[one().label].label.focus();
      say("Arrow keys go to a place, Enter puts it there, Escape lets go.");
    } else {
      drawLarge();
      if (root.contains(document.activeElement)) focus();
    }
  };
  const choose = id => {
    if (mode === "join" && id !== chosen)
      return change({kind: "join", with: id}, "joined");
    if (mode) enter("");
    chosen = id;
    draw();
    focus();
  };
  const change = (action, words) => {
    const piece = one();
    if (!piece) return say("Choose a chromosome first.");
    const was = piece.label, next = {kind: action.kind, piece: piece.id, ...action};
    pieces = replayed(state, [...actions, next]);
    [actions, undone] = [[...actions, next], []];
    after(`Piece ${piece.id} of ${called(was)} ${words}`);
    focus();
  };
  const after = words => {
    keep(work.name, {base, actions});
    mode = root.dataset.mode = "";
    if (!pieces.some(piece => piece.id === chosen)) chosen = null;
    draw();
    say(`${words}: ${head.firstChild.textContent}`);
  };
  const moveTo = name => {
    const piece = one();
    if (!piece) return say("Choose a chromosome first, then its place.");
    if (piece.label === name) {
      enter("");
      return say(`It is in ${called(name)} already.`);
    }
    change(name === DEBRIS ? {kind: "delete"} : {kind: "move", to: name}, `put to ${called(name)}`);
  };
  const split = () => {
    const piece = one(), cutLine = line(piece).map(point => asFound(piece, point).map(v => Math.round(100 * v) / 100));
    if (halves(piece.outline, cutLine).some(half => half.length < 3 || Math.abs(moments(half).area) / 2 < LEAST))
      return say("The line misses the piece.");
    const into = machine.chromosomes.length + 1 + actions.filter(({kind}) => kind === "split").length;
    change({kind: "split", line: cutLine, into}, `split, the other part is piece ${into}`);
  };
  const step = back => {
    const [from, to] = back ? [actions, undone] : [undone, actions];
    if (!from.length) return;
    const [less, more] = [from.slice(0, -1), [...to, from.at(-1)]];
    [actions, undone] = back ? [less, more] : [more, less];
    pieces = replayed(state, actions);
    chosen = from.at(-1).piece;
    after(`${back ? "Undone" : "Done again"}, ${from.at(-1).kind} of piece ${chosen}`);
  };
  const save = async () => {
    const now = new Date().toISOString().slice(0, 19) + "Z", sent = actions;
    const result = corrected(state, pieces, sent, now);
    if (!result.count) return say("No chromosome is left to save; undo brings them back.");
    try {
      if (host.kernel) {
        done.textContent = "saving …";
        const late = new Promise((_, reject) => setTimeout(reject, PATIENCE, new Error("the kernel does not " +
          "answer; run the cell again, and what you did is there: this browser keeps it")));
        await Promise.race([host.ask("save", {result, base}), late]);
        base = now;
      } else {
        const text = JSON.stringify(result, null, 1) + "\n";
        const link = make("a", {download: state.file, href: URL.createObjectURL(new Blob([text], {type: "application/json"}))});
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), PATIENCE);
      }
      saved = sent;
      keep(work.name, {base, actions});
      draw();
      say(`${host.kernel ? "Saved" : "Downloaded"}: ${state.file}`);
    } catch (error) {
      draw();
      say(`Not saved: ${error.message}`);
    }
  };

  // pointers: a press that goes nowhere is a click; a finger drags only what is chosen,
  // so that it can still scroll the page
  let drag = null;
  const under = event => root.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-place]");
  sheet.addEventListener("pointerdown", event => {
    const piece = event.target.closest(".piece");
    if (!piece || event.button || (event.pointerType === "touch" && Number(piece.dataset.id) !== chosen)) return;
    drag = {piece, x: event.clientX, y: event.clientY, ghost: null};
    piece.setPointerCapture(event.pointerId);
  });
  sheet.addEventListener("pointermove", event => {
    if (!drag || (!drag.ghost && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < 6)) return;
    if (!drag.ghost) {
      const source = drag.piece.firstChild, box = source.getBoundingClientRect();
      drag.ghost = make("canvas", {className: "ghost", width: source.width, height: source.height});
      drag.ghost.getContext("2d").drawImage(source, 0, 0);
      Object.assign(drag.ghost.style, {width: `${box.width}px`, height: `${box.height}px`});
      root.append(drag.ghost);
      chosen = Number(drag.piece.dataset.id);
    }
    Object.assign(drag.ghost.style, {left: `${event.clientX}px`, top: `${event.clientY}px`});
    for (const {made} of Object.values(places)) made.classList.toggle("over", made === under(event));
  });
  const drop = event => {
    const held = drag, target = held?.ghost && event.type === "pointerup" && under(event);
    drag = null;
    if (!held?.ghost) return;
    held.ghost.remove();
    held.piece.dataset.dropped = "1"; // the click that follows is none
    setTimeout(() => delete held.piece.dataset.dropped);
    target ? moveTo(target.dataset.place) : draw();
  };
  for (const kind of ["pointerup", "pointercancel"]) sheet.addEventListener(kind, drop);
  sheet.addEventListener("click", event => {
    const piece = event.target.closest(".piece");
    if (piece && !piece.dataset.dropped) choose(Number(piece.dataset.id));
  });
  field.addEventListener("click", event => {
    const box = field.getBoundingClientRect(), context = field.getContext("2d");
    const at = [(event.clientX - box.left) * field.width / box.width, (event.clientY - box.top) * field.height / box.height];
    const hit = pieces.find(piece => (path(context, piece.outline), context.isPointInPath(...at)));
    if (hit) choose(hit.id);
  });
  let start = null;
  const onLarge = event => {
    const box = large.getBoundingClientRect(), {middle, scale} = fitted(one());
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2]
      .map((v, k) => v * large.width / box.width / scale + middle[k]);
  };
  large.addEventListener("pointerdown", event => {
    if (mode !== "split") return;
    large.setPointerCapture(event.pointerId);
    start = onLarge(event);
  });
  large.addEventListener("pointerup", () => { start = null; });
  large.addEventListener("pointermove", event => {
    if (!start) return;
    const end = onLarge(event), {middle, half: [w, h]} = fitted(one());
    let angle = Math.atan2(end[1] - start[1], end[0] - start[0]);
    if (Math.abs(angle) > Math.PI / 2) angle -= Math.sign(angle) * Math.PI;
    const [c, s] = [Math.cos(angle), Math.sin(angle)], reach = w * Math.abs(s) + h * c;
    const off = -s * ((start[0] + end[0]) / 2 - middle[0]) + c * ((start[1] + end[1]) / 2 - middle[1]);
    cutting = [Math.max(-100, Math.min(100, 100 * off / reach)), angle * 180 / Math.PI];
    [place, lean].forEach((each, k) => { each.lastChild.value = cutting[k]; });
    drawLarge();
  });

  const LETTERS = {
    t: () => change({kind: "turn", how: "over"}, "turned over"),
    f: () => change({kind: "turn", how: "mirror"}, "mirrored"),
    s: () => enter("split"),
    j: () => enter("join"),
    d: () => moveTo(DEBRIS),
    m: () => enter("carry"),
  };
  root.addEventListener("keydown", event => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, at = event.target;
    const held = event.ctrlKey || event.metaKey, piece = at.closest(".piece");
    let act = null;
    if (held && key === "z") act = () => (event.shiftKey ? redoing : undoing).click();
    else if (held && key === "y") act = () => redoing.click();
    else if (held || event.altKey) return;
    else if (key === "Escape" && mode) act = () => { enter(""); say("Let go."); };
    else if (key.startsWith("Arrow") && piece)
      act = () => {
        const next = towards(all(), piece, key);
        mode === "join" ? next.focus() : choose(Number(next.dataset.id));
      };
    else if (key.startsWith("Arrow") && labels.includes(at)) act = () => towards(labels, at, key).focus();
    else if (piece && LETTERS[key]) act = () => { if (mode !== "join") chosen = Number(piece.dataset.id); LETTERS[key](); };
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  draw();
  if (actions !== work.saved) say("What you did before and did not save is here again.");
}
