// Every image behind every number: a list that is filtered and sorted, one image large
// beside what is known of it, its cell as a karyogram, and a person's own marks.
const PAGE = 40, KEPT = 600; // thumbnails shown at a time, and remembered
const FEW = 16; // images for which the list need not be tall
const MARKS = {a: "agree", w: "wrong", u: "unsure"};

const show = (host, el) => {
  const {state} = host, {columns, classes} = state;
  const name = code => classes[code] ?? "";
  const right = row => columns.truth[row] === columns.label[row];
  const says = (row, other) => name((other ? state.other : columns).label[row]);
  const sure = row => columns.sure?.[row] ?? null;
  const marks = review(host);
  let rows = [], page = 0, at = null, zoom = 1, asked = 0;

  // the parts of the view
  const live = make("p", {role: "status", className: "note"});
  const grid = make("div", {role: "listbox", className: "grid", "aria-label": "Images"});
  grid.classList.toggle("few", columns.name.length <= FEW);
  if (classes.some(label => label.length > 4)) el.style.setProperty("--tile", "7em");
  const large = make("section", {className: "large", "aria-label": "Chosen image"});
  const cell = make("section", {className: "cell", "aria-label": "Its cell"});
  const pager = make("div", {className: "pager"});
  const controls = filters(state, marks, () => filter());
  const keys = "Keys in the list: arrows, Home, End, Page Up and Down choose; " +
    "a, w, u mark agree, wrong, unsure; + and − zoom.";
  el.replaceChildren(make("div", {className: "chromolib-view inspect"},
    make("p", {className: "what"}, state.title), controls.el, live,
    make("div", {className: "pair"},
      make("div", {}, grid, pager, make("p", {className: "note"}, keys)), large),
    cell, marks.el));

  const thumbs = new Map();
  const pictures = async wanted => {
    const missing = wanted.filter(row => !thumbs.has(row));
    if (missing.length) {
      const found = host.kernel
        ? await host.ask("thumbs", missing)
        : await Promise.all(missing.map(row => host.ask("picture", row)));
      missing.forEach((row, k) => thumbs.set(row, found[k]));
      for (const old of thumbs.keys()) {
        if (thumbs.size <= KEPT) break;
        if (!wanted.includes(old)) thumbs.delete(old);
      }
    }
    return wanted.map(row => thumbs.get(row));
  };

  const words = row => {
    const said = [columns.name[row]];
    if (columns.label) said.push(right(row) ? `${name(columns.truth[row])}, right`
      : `${name(columns.truth[row])}, named ${says(row)}`);
    else if (columns.truth && name(columns.truth[row])) said.push(name(columns.truth[row]));
    if (state.other) said.push(`${state.other.model}: ${says(row, true)}`);
    if (sure(row) !== null) said.push(`probability ${sure(row).toFixed(2)}`);
    const mark = marks.of(row);
    if (mark) said.push(`marked ${mark}`);
    return said.join("; ");
  };
  const short = row => {
    if (!columns.label) return (columns.truth && name(columns.truth[row])) || columns.name[row];
    const other = state.other && says(row) !== says(row, true) ? ` | ${says(row, true)}` : "";
    return (right(row) ? `✓ ${says(row)}` : `✗ ${name(columns.truth[row])} → ${says(row)}`) + other;
  };
  const tile = (row, choose) => {
    const image = make("img", {alt: "", draggable: false});
    const made = make("button", {type: "button", className: "tile", title: words(row)},
      image, make("span", {}, short(row), marks.of(row) ? ` · ${marks.of(row)}` : ""));
    made.classList.toggle("error", Boolean(columns.label) && !right(row));
    made.setAttribute("aria-label", words(row));
    made.onclick = () => choose(row);
    return made;
  };
  const fill = async (tiles, wanted, still) => {
    let found = [];
    try { found = await pictures(wanted); } catch (error) { live.textContent = error.message; }
    if (still()) found.forEach((one, k) => {
      if (one?.url) tiles[k].firstChild.src = one.url;
      else tiles[k].firstChild.replaceWith(make("em", {}, one?.error ?? "no picture"));
    });
  };

  const filter = () => {
    rows = controls.rows();
    page = 0;
    const of = columns.name.length.toLocaleString("en");
    live.textContent = rows.length ? `${rows.length.toLocaleString("en")} of ${of} images`
      : `No image of ${of} is left; widen the filter.`;
    draw();
    rows.length ? choose(rows[0]) : (large.replaceChildren(), cell.replaceChildren());
  };
  const draw = () => {
    const shown = rows.slice(page * PAGE, (page + 1) * PAGE), mine = ++asked;
    const tiles = shown.map(row => tile(row, choose));
    tiles.forEach((made, k) => {
      made.setAttribute("role", "option");
      made.dataset.row = shown[k];
    });
    grid.replaceChildren(...tiles);
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    const turn = (text, step) => make("button", {type: "button", onclick: () => go(step),
      disabled: page + step < 0 || page + step >= pages}, text);
    pager.replaceChildren(turn("Earlier", -1), `page ${page + 1} of ${pages}`, turn("Later", 1));
    mark_chosen();
    return fill(tiles, shown, () => mine === asked);
  };
  const go = step => { page += step; draw(); choose(rows[page * PAGE]); };
  const mark_chosen = focus => {
    for (const made of grid.children) {
      const chosen = Number(made.dataset.row) === at;
      made.setAttribute("aria-selected", chosen);
      made.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) made.focus();
    }
  };
  const choose = (row, focus = false) => {
    const place = rows.indexOf(row), before = columns.cell?.[at];
    at = row;
    if (place >= 0 && Math.floor(place / PAGE) !== page) {
      page = Math.floor(place / PAGE);
      draw();
    }
    mark_chosen(focus);
    enlarge();
    if (columns.cell && (before !== columns.cell[at] || !cell.childElementCount)) arrange();
    else cell.querySelectorAll("[data-row]").forEach(pick_piece);
  };
  grid.onkeydown = event => {
    const place = rows.indexOf(at), across = Math.max(1,
      Math.floor(grid.clientWidth / (grid.firstChild?.offsetWidth || 1)));
    const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across,
      PageUp: -PAGE, PageDown: PAGE, Home: -rows.length, End: rows.length}[event.key];
    if (step) choose(rows[Math.min(rows.length - 1, Math.max(0, place + step))], true);
    else if (MARKS[event.key]) marks.set(at, MARKS[event.key]);
    else if (event.key === "+" || event.key === "-") magnify(event.key === "+" ? 1 : -1);
    else return;
    event.preventDefault();
  };
  marks.changed = () => { draw(); enlarge(); };

  // one image, large
  const magnify = step => {
    zoom = Math.min(8, Math.max(1, zoom + step));
    large.style.setProperty("--zoom", zoom);
    const said = large.querySelector("output");
    if (said) said.textContent = `${zoom} ×`;
  };
  const enlarge = async () => {
    const row = at;
    let picture, detail;
    try {
      [picture, detail] = await Promise.all([host.ask("picture", row), host.ask("detail", row)]);
    } catch (error) {
      if (row === at) large.replaceChildren(make("p", {role: "alert"},
        `${columns.name[row]} cannot be shown: ${error.message}`), marks.buttons(row));
      return;
    }
    if (row !== at) return;
    const image = make("img", {src: picture.url, alt: `Picture: ${words(row)}`});
    const stage = make("div", {className: "stage"}, image);
    stage.style.setProperty("--wide", picture.width);
    stage.style.setProperty("--tall", picture.height);
    const window_ = make("div", {className: "window", tabIndex: 0, role: "group",
      "aria-label": "Enlarged image; scroll to move it"}, stage);
    const bar = make("div", {className: "bar"},
      make("button", {type: "button", onclick: () => magnify(-1), "aria-label": "Smaller"}, "−"),
      make("output", {}, `${zoom} ×`),
      make("button", {type: "button", onclick: () => magnify(1), "aria-label": "Larger"}, "+"));
    if (detail.saliency) {
      const map = make("img", {src: detail.saliency, alt: "", className: "map", hidden: true});
      stage.append(map);
      bar.append(make("label", {}, make("input", {type: "checkbox",
        onchange: event => { map.hidden = !event.target.checked; }}), "where it looks"));
    }
    const parts = [window_, bar];
    if (detail.truth) parts.push(boxes(state, detail, picture, stage, bar));
    parts.push(marks.buttons(row), facts(row, detail));
    if (detail.probability) parts.push(chances(detail.probability));
    large.replaceChildren(...parts);
    beside(row, detail, large);
  };
  const facts = (row, detail) => {
    const list = make("dl");
    const all = {image: columns.name[row], ...state.words, ...detail.facts};
    if (columns.truth) all.truth = name(columns.truth[row]);
    if (columns.label) all[`named by ${state.words.model || "the network"}`] = says(row);
    if (state.other) all[`named by ${state.other.model}`] = says(row, true);
    if (columns.assigned) all["named jointly"] = name(columns.assigned[row]);
    if (columns.refer) all["to an expert"] = columns.refer[row] ? "yes" : "no";
    for (const [key, value] of Object.entries(all))
      if (value !== "") list.append(make("dt", {}, key), make("dd", {}, String(value)));
    return list;
  };
  const chances = probability => {
    const table = make("table", {}, make("caption", {}, "Probability"));
    for (const [label, p] of probability) {
      const bar = make("span", {className: "share"});
      bar.style.width = `${Math.round(6 * p * 100) / 100}em`;
      table.append(make("tr", {}, make("th", {scope: "row"}, label),
        make("td", {}, bar, ` ${p.toFixed(p < 0.0995 ? 3 : 2)}`)));
    }
    return table;
  };
  // typical images of the classes in question, and what in the set is most alike
  const beside = async (row, detail, into) => {
    for (const label of detail.between ?? []) {
      const typical = await host.ask("examples", label).catch(() => ({}));
      if (row !== at) return;
      if (!typical.pictures?.length) continue;
      const line = make("div", {className: "typical"});
      typical.pictures.forEach(url => line.append(make("img", {src: url,
        alt: `A typical ${label}`})));
      if (typical.bands) line.append(ideogram(label, typical.bands));
      line.append(make("p", {}, `Typical of ${label}: surest and right`));
      into.append(line);
    }
    const near = await host.ask("near", row).catch(() => []);
    if (row !== at || !near.length) return;
    const tiles = near.map(one => tile(one, chosen => choose(chosen)));
    into.append(make("div", {className: "near"}, make("p", {}, "Most alike in the set:"), ...tiles));
    await fill(tiles, near, () => row === at);
  };

  // the whole cell
  const pick_piece = made => made.setAttribute("aria-pressed", Number(made.dataset.row) === at);
  let by = columns.assigned ? "assigned" : "label";
  const arrange = () => {
    const own = columns.cell[at];
    const members = columns.name.map((_, row) => row).filter(row => columns.cell[row] === own);
    if (!state.places || members.length < 2) return cell.replaceChildren();
    const choice = make("select", {onchange: event => { by = event.target.value; arrange(); }},
      ...["truth", "label", "assigned"].filter(key => columns[key]).map(key => make("option",
        {value: key, selected: key === by}, {truth: "true class", label: "each alone",
          assigned: "the cell jointly"}[key])));
    const wrong = members.filter(row => columns[by][row] !== columns.truth[row]).length;
    const lines = state.places.map(line => make("div", {className: "line"},
      ...line.map(label => {
        const here = members.filter(row => name(columns[by][row]) === label);
        const tiles = here.map(row => {
          const made = tile(row, choose), truth = name(columns.truth[row]);
          made.lastChild.textContent = truth === label ? "" : `is ${truth}`;
          made.classList.toggle("error", truth !== label);
          made.dataset.row = row;
          pick_piece(made);
          return made;
        });
        return make("div", {className: "place"}, make("div", {className: "pieces"}, ...tiles),
          make("b", {}, label));
      })));
    cell.replaceChildren(make("p", {}, make("label", {}, "Cell ", make("b", {},
      state.cells[own]), " arranged by ", choice),
      ` ${members.length === state.sizes[own] ? "" : `${members.length} of its `}` +
      `${state.sizes[own]} chromosomes, ${wrong} in a wrong place.`), ...lines);
    const tiles = [...cell.querySelectorAll(".tile")];
    fill(tiles, tiles.map(made => Number(made.dataset.row)), () => columns.cell[at] === own);
  };
  filter();
};

// what a person may ask for: the controls, and the rows that they leave
const filters = (state, marks, changed) => {
  const {columns, classes} = state, tests = {}, box = make("div", {className: "filters"});
  const all = columns.name.map((_, row) => row);
  const choice = (label, options, test) => {
    const made = make("select", {"aria-label": label, onchange: () => {
      tests[label] = made.value === "" ? null : row => test(row, made.value);
      changed();
    }}, make("option", {value: ""}, "all"),
    ...options.map(([value, text]) => make("option", {value}, text)));
    if (options.length > 1) box.append(make("label", {}, label, made));
  };
  const used = key => [...new Set(columns[key])].filter(code => classes[code])
    .sort((a, b) => a - b).map(code => [code, classes[code]]);
  if (columns.truth) choice("Class", used("truth"), (row, code) => columns.truth[row] == code);
  if (columns.label) {
    choice("Named", used("label"), (row, code) => columns.label[row] == code);
    choice("Right or wrong", [["right", "right"], ["wrong", "wrong"]],
      (row, word) => (columns.truth[row] === columns.label[row]) === (word === "right"));
  }
  if (state.other) choice("Two models", [["differ", "differ"], ["agree", "agree"]],
    (row, word) => (columns.label[row] !== state.other.label[row]) === (word === "differ"));
  for (const [label, {values, code}] of Object.entries(state.facts))
    choice(label, values.map((text, k) => [k, text]), (row, k) => code[row] == k);
  choice("Marked", [["none", "not yet"], ...Object.values(MARKS).map(word => [word, word])],
    (row, word) => (marks.of(row) || "none") === word);
  if (columns.sure) {
    const said = make("output", {}, "1.00");
    const slider = make("input", {type: "range", min: 0, max: 1, step: 0.01, value: 1,
      oninput: () => {
        const most = Number(slider.value);
        said.textContent = most.toFixed(2);
        tests.sure = most >= 1 ? null : row => columns.sure[row] <= most;
        changed();
      }});
    box.append(make("label", {}, "Probability at most", slider, said));
  }
  const text = make("input", {type: "search", placeholder: "part of a name or group",
    oninput: () => {
      const part = text.value.toLowerCase();
      tests.text = part && (row => columns.name[row].toLowerCase().includes(part) ||
        (state.groups?.[columns.group[row]] ?? "").toLowerCase().includes(part));
      changed();
    }});
  box.append(make("label", {}, "Search", text));
  const unsure = row => columns.sure?.[row] ?? 1;
  const wrong = row => columns.label && columns.truth[row] !== columns.label[row];
  const orders = {
    "as they are": null,
    ...(columns.sure && {
      "least sure first": (a, b) => unsure(a) - unsure(b),
      "surest mistakes first": (a, b) => wrong(b) - wrong(a) || unsure(b) - unsure(a),
    }),
    ...(columns.truth && {"by class": (a, b) => columns.truth[a] - columns.truth[b]}),
  };
  const order = make("select", {"aria-label": "Order", onchange: changed},
    ...Object.keys(orders).map(key => make("option", {value: key}, key)));
  box.append(make("label", {}, "Order", order));
  const rows = () => {
    const kept = all.filter(row => Object.values(tests).every(test => !test || test(row)));
    return orders[order.value] ? kept.sort(orders[order.value]) : kept;
  };
  return {el: box, rows};
};

// found boxes against true ones, from a score on; the list and the picture are linked
const boxes = (state, detail, picture, stage, bar) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${detail.size[0]} ${detail.size[1]}`);
  svg.setAttribute("aria-hidden", "true");
  stage.append(svg);
  const list = make("ol", {className: "boxes"});
  const tally = make("output");
  const draw = k => {
    const codes = detail.told[k] ?? "", found = detail.found ?? [];
    const all = found.map((box, i) => [box, {r: "right", w: "wrong"}[codes[i]]])
      .concat(detail.truth.map((box, i) => [box, detail.found
        ? codes[found.length + i] === "m" && "missed" : "true"])).filter(pair => pair[1]);
    const counts = {}, alike = new Set(all.map(([one]) => one.label)).size < 2;
    svg.replaceChildren();
    list.replaceChildren(...all.map(([{box: [x0, y0, x1, y1], label, score, outline}, kind]) => {
      counts[kind] = (counts[kind] ?? 0) + 1;
      const shape = document.createElementNS(svg.namespaceURI, outline ? "polygon" : "rect");
      const place = outline ? {points: outline.join(" ")}
        : {x: x0, y: y0, width: x1 - x0, height: y1 - y0};
      for (const [key, value] of Object.entries(place)) shape.setAttribute(key, value);
      shape.setAttribute("class", kind);
      svg.append(shape);
      const lit = on => () => shape.classList.toggle("lit", on);
      const said = kind === "missed" || kind === "true" ? "" : score.toFixed(2);
      const text = [`${kind}:`, alike ? "" : label, said].filter(Boolean).join(" ");
      const entry = make("button", {type: "button", onfocus: lit(true), onblur: lit(false),
        onmouseenter: lit(true), onmouseleave: lit(false), className: kind}, text);
      shape.addEventListener("click", () => entry.focus());
      return make("li", {}, entry);
    }));
    tally.textContent = Object.entries(counts).map(([key, n]) => `${n} ${key}`).join(", ");
  };
  if (detail.told.length) {
    const slider = make("input", {type: "range", min: 0, max: detail.told.length - 1, step: 1,
      value: Math.floor(detail.told.length / 2), oninput: () => change()});
    const value = make("output");
    const change = () => { value.textContent = state.scores[slider.value].toFixed(2); draw(slider.value); };
    bar.append(make("label", {}, "Score from", slider, value));
    change();
  } else draw(0);
  return make("div", {}, make("p", {}, tally), list);
};

// a chromosome as textbooks draw it, from the tip of p to the tip of q
const ideogram = (label, {edges, shade, centromere}) => {
  const at = "http://www.w3.org/2000/svg", svg = document.createElementNS(at, "svg");
  const length = edges[edges.length - 1], tall = 90;
  svg.setAttribute("viewBox", `0 0 14 ${tall}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Ideogram of ${label}`);
  shade.forEach((dark, k) => {
    const band = document.createElementNS(at, "rect");
    const middle = edges[k] < centromere && edges[k + 1] >= centromere;
    const place = {x: 2, y: tall * edges[k] / length, width: middle ? 7 : 10,
      height: tall * (edges[k + 1] - edges[k]) / length,
      fill: `rgb(${[0, 0, 0].map(() => Math.round(255 * (1 - dark))).join()})`,
      stroke: "#555", "stroke-width": 0.4};
    for (const [key, value] of Object.entries(place)) band.setAttribute(key, value);
    svg.append(band);
  });
  return svg;
};
