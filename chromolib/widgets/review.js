// A person's marks: agree, wrong or unsure and a comment on each image. A kernel keeps
// them in a file; a page keeps them in its browser. Both give and take them as CSV.
const COLUMNS = ["image", "reviewer", "mark", "comment", "truth", "label"];

const readCsv = text => {
  const rows = [[""]];
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const row = rows[rows.length - 1], sign = text[i];
    if (quoted && sign === '"' && text[i + 1] === '"') row[row.length - 1] += text[i++];
    else if (sign === '"' && (quoted || row[row.length - 1] === "")) quoted = !quoted;
    else if (sign === "," && !quoted) row.push("");
    else if (sign === "\n" && !quoted) rows.push([""]);
    else if (sign !== "\r" || quoted) row[row.length - 1] += sign;
  }
  return rows.filter(row => row.join("") !== "").map(row => row.map(unguarded));
};
// a spreadsheet would run a comment that begins as a formula does
const guarded = text => /^'*[=+\-@\t]/.test(text) ? `'${text}` : text;
const unguarded = text => /^'+[=+\-@\t]/.test(text) ? text.slice(1) : text;
const writeCsv = rows => rows.map(row => row.map(guarded).map(cell =>
  /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell).join(",")).join("\n") + "\n";

// Cohen's kappa of two lists of words
const kappa = (first, second) => {
  const n = first.length, share = (list, word) => list.filter(one => one === word).length / n;
  const same = first.filter((word, k) => word === second[k]).length / n;
  const chance = [...new Set([...first, ...second])]
    .reduce((sum, word) => sum + share(first, word) * share(second, word), 0);
  return chance === 1 ? NaN : (same - chance) / (1 - chance);
};

const review = host => {
  const {state} = host, {columns, classes} = state, key = `chromolib review ${state.key}`;
  const rowOf = new Map(columns.name.map((name, row) => [name, row]));
  let all = host.kernel ? state.marks : {}; // reviewer -> image -> {mark, comment}
  if (!host.kernel)
    try { all = JSON.parse(localStorage.getItem(key)) ?? {}; } catch { /* none kept */ }
  const who = make("input", {value: state.reviewer || Object.keys(all)[0] || "reviewer 1",
    onchange: () => { who.value = who.value.trim() || "reviewer 1"; self.changed(); tell(); }});
  const told = make("p", {role: "status"});
  const own = () => (all[who.value] ??= {});
  const keep = async images => {
    tell();
    try {
      if (!host.kernel) return localStorage.setItem(key, JSON.stringify(all));
      const rows = images.map(image => ({image, reviewer: who.value, ...own()[image]}));
      await host.ask("mark", rows);
    } catch (error) { told.textContent = `Not kept: ${error.message}`; }
  };
  const tell = () => {
    const lines = Object.entries(all).map(([name, marks]) => [name, Object.keys(marks).length])
      .filter(pair => pair[1]).map(([name, n]) => `${name}: ${n} marked`);
    const names = Object.keys(all).filter(name => name !== who.value);
    for (const name of names) {
      const both = Object.keys(own()).filter(image => own()[image].mark && all[name][image]?.mark);
      if (both.length < 2) continue;
      const value = kappa(both.map(image => own()[image].mark), both.map(image => all[name][image].mark));
      lines.push(`agreement with ${name} on ${both.length} images: kappa ` +
        (Number.isNaN(value) ? "undefined, both always say the same" : value.toFixed(2)));
    }
    told.textContent = lines.join("; ");
  };
  const self = {
    changed: () => {},
    of: row => own()[columns.name[row]]?.mark ?? "",
    set: (row, mark, comment = own()[columns.name[row]]?.comment ?? "") => {
      const image = columns.name[row];
      if (mark || comment) own()[image] = {mark, comment};
      else delete own()[image];
      keep([image]);
      self.changed(row);
    },
    buttons: row => {
      const comment = make("input", {value: own()[columns.name[row]]?.comment ?? "",
        placeholder: "comment", onchange: () => self.set(row, self.of(row), comment.value)});
      const box = make("div", {className: "marks", role: "group", "aria-label": "Your mark"},
        ...Object.entries(MARKS).map(([sign, word]) => {
          const made = make("button", {type: "button", title: `key ${sign}`,
            onclick: () => self.set(row, self.of(row) === word ? "" : word)}, word);
          made.setAttribute("aria-pressed", self.of(row) === word);
          return made;
        }), make("label", {}, "Comment", comment));
      return box;
    },
  };
  const rows = () => Object.entries(all).flatMap(([reviewer, marks]) =>
    Object.entries(marks).map(([image, {mark, comment}]) => [image, reviewer, mark, comment,
      classes[columns.truth?.[rowOf.get(image)]] ?? "", classes[columns.label?.[rowOf.get(image)]] ?? ""]));
  const save = () => {
    const link = make("a", {download: "marks.csv", href: URL.createObjectURL(
      new Blob([writeCsv([COLUMNS, ...rows()])], {type: "text/csv"}))});
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const load = async file => {
    const [head = [], ...lines] = readCsv(await file.text());
    const at = Object.fromEntries(COLUMNS.map(name => [name, head.indexOf(name)]));
    const lacking = COLUMNS.slice(0, 3).filter(name => at[name] < 0);
    const strange = lines.find(line => !rowOf.has(line[at.image]));
    const odd = lines.find(line => line[at.mark] && !Object.values(MARKS).includes(line[at.mark]));
    const problem = lacking.length ? `it has no column ${lacking.join(", ")}`
      : strange ? `image “${strange[at.image]}” is not in this set; marks of another set?`
        : odd ? `mark “${odd[at.mark]}” is none of ${Object.values(MARKS).join(", ")}` : "";
    if (problem) return void (told.textContent = `${file.name} was not taken: ${problem}`);
    const before = who.value;
    for (const line of lines) {
      who.value = line[at.reviewer];
      own()[line[at.image]] = {mark: line[at.mark], comment: line[at.comment] ?? ""};
    }
    for (const name of new Set(lines.map(line => line[at.reviewer]))) {
      who.value = name;
      await keep(Object.keys(own()));
    }
    who.value = before;
    self.changed();
    tell();
  };
  const file = make("input", {type: "file", accept: ".csv",
    onchange: () => file.files[0] && load(file.files[0])});
  self.el = make("section", {className: "review", "aria-label": "Review"},
    make("label", {}, "Reviewer", who),
    make("button", {type: "button", onclick: save}, "Save marks as CSV"),
    make("label", {}, "Take marks from", file), told);
  tell();
  return self;
};
