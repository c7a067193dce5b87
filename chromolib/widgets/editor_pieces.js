// The pieces of a karyotype: what an action does to them, how they look, and which
// karyotype they make up.
const DEBRIS = "debris";
const AS_LONG = 1.3; // times as long as wide: a rounder piece has no axis

// --- the karyotype in words, as chromolib.cyto writes it

const counted = ({classes}, labels) =>
  Object.fromEntries(classes.map(name => [name, labels.filter(l => l === name).length]));

const written = (state, copies) => {
  const [low, high] = state.near, sex = copies.X + copies.Y;
  const count = state.classes.reduce((sum, name) => sum + copies[name], 0);
  if (count < low || count > high)
    return ["", `${count} chromosomes; a karyotype is written for ${low} to ${high}`];
  if (!copies.X) return ["", "no X chromosome"];
  if (sex > state["most sex"])
    return ["", `no valid ISCN: ${sex} sex chromosomes; ${state["most sex"]} are the most that are known`];
  const changes = state.classes.slice(0, 22).flatMap(name =>
    Array(Math.abs(copies[name] - 2)).fill((copies[name] > 2 ? "+" : "-") + name));
  return [[count, "X".repeat(copies.X) + "Y".repeat(copies.Y), ...changes].join(","), ""];
};

const described = (state, copies) => {
  const sex = "X".repeat(copies.X) + "Y".repeat(copies.Y);
  const odd = state.classes.slice(0, 22).filter(name => copies[name] !== 2);
  const person = state.people[sex] || `sex chromosomes ${sex}`;
  const normal = (sex === "XX" || sex === "XY") && !odd.length;
  const words = odd.map(name => {
    const text = `${state.copies[copies[name]] || `${copies[name]} copies of`} ${name}`;
    const known = state.trisomies[name];
    return known && copies[name] === 3 ? `${text} (${known} syndrome)` : text;
  });
  return [normal ? `normal ${person}` : person, ...words].join(", ");
};

const uneven = (state, copies) => {
  const [usual] = [{X: 2, Y: 0}, {X: 1, Y: 1}]
    .map(sex => ({...Object.fromEntries(state.classes.map(name => [name, 2])), ...sex}))
    .map(one => [one, state.classes.reduce((sum, n) => sum + Math.abs(copies[n] - one[n]), 0)])
    .reduce((best, next) => (next[1] < best[1] ? next : best));
  const repeated = sign =>
    state.classes.flatMap(n => Array(Math.max(0, sign * (copies[n] - usual[n]))).fill(n));
  return {missing: repeated(-1), extra: repeated(1)};
};

// --- outlines, in pixels of the field

const upright = ({turn, mirror}, [x, y]) => {
  const a = turn * Math.PI / 180, u = x * Math.cos(a) - y * Math.sin(a);
  return [mirror ? -u : u, x * Math.sin(a) + y * Math.cos(a)];
};

const asFound = ({turn, mirror}, [u, v]) => {
  const a = turn * Math.PI / 180, x = mirror ? -u : u;
  return [x * Math.cos(a) + v * Math.sin(a), v * Math.cos(a) - x * Math.sin(a)];
};

const bounds = points => {
  const [x, y] = [0, 1].map(k => points.map(point => point[k]));
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
};

// twice the area, its middle, and how it spreads
const moments = outline => {
  let [area, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  outline.forEach(([a, b], i) => {
    const [c, d] = outline[(i + 1) % outline.length], cross = a * d - c * b;
    area += cross;
    x += (a + c) * cross / 3;
    y += (b + d) * cross / 3;
    xx += (a * a + a * c + c * c) * cross / 6;
    yy += (b * b + b * d + d * d) * cross / 6;
    xy += (a * d + 2 * a * b + 2 * c * d + c * b) * cross / 12;
  });
  const [mx, my] = [x / area, y / area];
  return {area, xx: xx / area - mx * mx, yy: yy / area - my * my, xy: xy / area - mx * my};
};

// the turn that lays the long axis upright, of two the nearer to the one before
const laid = (outline, before) => {
  const {xx, yy, xy} = moments(outline);
  const [mean, apart] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
  if (!(mean + apart > AS_LONG ** 2 * (mean - apart))) return before || 0;
  const along = Math.atan2(2 * xy, xx - yy) / 2;
  const turn = Math.atan2(Math.cos(along), Math.sin(along)) * 180 / Math.PI;
  const off = (((turn - (before || 0)) % 360) + 540) % 360 - 180;
  return Math.round(10 * (Math.abs(off) > 90 ? turn + 180 : turn)) / 10;
};

// what lies on either side of a line through two points
const halves = (outline, [[ax, ay], [bx, by]]) => {
  const side = ([x, y]) => (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  return [-1, 1].map(sign => outline.flatMap((here, i) => {
    const next = outline[(i + 1) % outline.length];
    const [s, t] = [sign * side(here), sign * side(next)];
    const met = here.map((value, k) => Math.round(100 * (value + (next[k] - value) * s / (s - t))) / 100);
    return [...(s >= 0 ? [here] : []), ...(s * t < 0 ? [met] : [])];
  }));
};

// one closed line around two: over to the nearest point of the other, and back
const joined = (one, other) => {
  if (moments(one).area * moments(other).area < 0) other = [...other].reverse();
  let [best, i, j] = [Infinity, 0, 0];
  one.forEach((a, k) => other.forEach((b, l) => {
    const far = Math.hypot(a[0] - b[0], a[1] - b[1]);
    if (far < best) [best, i, j] = [far, k, l];
  }));
  return [...one.slice(0, i + 1), ...other.slice(j), ...other.slice(0, j + 1), ...one.slice(i)];
};

// --- actions

const asMade = state => state.machine.chromosomes.map(({label, outline}, k) => ({
  id: k + 1, from: k, label, outline, turn: state.turns[k] ?? laid(outline, 0), mirror: false, cut: false,
}));

const found = (pieces, id) => {
  const piece = pieces.find(one => one.id === id);
  if (!piece) throw new Error(`no piece ${id}`);
  return piece;
};

const last = (pieces, piece, facts) => [...pieces.filter(one => one !== piece), {...piece, ...facts}];
const put = (pieces, piece, ...others) => pieces.flatMap(one => (one === piece ? others : [one]));
const parted = (piece, outline, facts) =>
  ({...piece, outline, turn: laid(outline, piece.turn), cut: true, ...facts});

const DO = {
  move: (pieces, piece, {to}) => last(pieces, piece, {label: to}),
  delete: (pieces, piece) => last(pieces, piece, {label: DEBRIS}),
  turn: (pieces, piece, {how}) => put(pieces, piece, how === "mirror"
    ? {...piece, mirror: !piece.mirror} : {...piece, turn: (piece.turn + 180) % 360}),
  split: (pieces, piece, {line, into}) => {
    const [one, other] = halves(piece.outline, line);
    return put(pieces, piece, parted(piece, one), parted(piece, other, {id: into}));
  },
  join: (pieces, piece, action) => {
    const other = found(pieces, action.with);
    const rest = pieces.filter(one => one !== other);
    return put(rest, piece, parted(piece, joined(piece.outline, other.outline)));
  },
};

const replayed = (state, actions) => actions.reduce((pieces, action) => {
  if (!DO[action.kind] || (action.kind === "move" && !state.classes.includes(action.to)))
    throw new Error(`no such action: ${action.kind} ${action.to ?? ""}`);
  return DO[action.kind](pieces, found(pieces, action.piece), action);
}, asMade(state));

// the machine's json with other chromosomes
const corrected = (state, pieces, actions, time) => {
  const {machine, kinds} = state;
  const placed = state.rows.flat().flatMap(name => pieces.filter(one => one.label === name));
  const chromosomes = placed.map((piece, k) => told(machine, piece, k + 1));
  const copies = counted(state, placed.map(one => one.label));
  const [karyotype, reason] = written(state, copies);
  const flagged = name => chromosomes.filter(one => one.flags.includes(name)).length;
  return {
    ...machine,
    count: placed.length,
    karyotype,
    name: karyotype && described(state, copies),
    copies,
    flags: {
      ...machine.flags, ...uneven(state, copies),
      touching: flagged("touching"), overlap: flagged("overlap"),
      debris: (machine.flags.debris || 0) + pieces.length - placed.length,
    },
    chromosomes,
    corrections: Object.fromEntries(Object.entries(kinds).map(
      ([kind, name]) => [name, actions.filter(one => one.kind === kind).length])),
    actions,
    corrected: {time, chromolib: state.version, format: state.format, of: state.of, reason},
  };
};

const told = (machine, piece, number) => {
  const {karyogram, ...each} = machine.chromosomes[piece.from];
  const chances = [{label: each.label, probability: each.probability}, ...each.alternatives];
  const moved = piece.label !== each.label || piece.cut;
  const gone = [...(moved ? ["doubtful"] : []),
    ...(piece.cut ? ["touching", "overlap", "maybe not whole", "no long axis"] : [])];
  return {
    ...each,
    number,
    label: piece.label,
    "named by": moved ? "person" : each["named by"],
    probability: chances.find(one => one.label === piece.label)?.probability ?? 0,
    alternatives: chances.filter(one => one.label !== piece.label),
    flags: each.flags.filter(flag => !gone.includes(flag)),
    box: piece.cut ? bounds(piece.outline) : each.box,
    outline: piece.outline,
    turn: piece.turn,
    mirror: piece.mirror,
    piece: piece.id,
  };
};

// --- pictures, neighbours, memory

const path = (context, outline) => {
  context.beginPath();
  outline.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
};

// a window on the field, `scale` pixels to one of it; gives its size in the field
const drawPiece = (canvas, image, piece, scale, margin = 2) => {
  const [x0, y0, x1, y1] = bounds(piece.outline.map(point => upright(piece, point)));
  const [wide, tall] = [x1 - x0 + 2 * margin, y1 - y0 + 2 * margin];
  Object.assign(canvas, {width: Math.ceil(wide * scale), height: Math.ceil(tall * scale)});
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.translate(margin - x0, margin - y0);
  if (piece.mirror) context.scale(-1, 1);
  context.rotate(piece.turn * Math.PI / 180);
  path(context, piece.outline);
  context.clip();
  const [left, top, right, bottom] = bounds(piece.outline), size = [right - left, bottom - top];
  context.drawImage(image, left, top, ...size, left, top, ...size);
  return [wide, tall];
};

// the nearest element above or below, and the next one to either side
const towards = (all, from, key) => {
  const at = all.indexOf(from), aside = {ArrowLeft: -1, ArrowRight: 1}[key];
  if (aside) return all[at + aside] || from;
  const here = from.getBoundingClientRect(), up = key === "ArrowUp" ? -1 : 1;
  const cost = one => {
    const box = one.getBoundingClientRect(), along = up * (box.bottom - here.bottom);
    return along > 3 ? along + 2 * Math.abs(box.left + box.right - here.left - here.right) : Infinity;
  };
  const best = all.reduce((a, b) => (cost(b) < cost(a) ? b : a));
  return cost(best) < Infinity ? best : from;
};

// what the browser keeps; a browser that keeps nothing is no reason to stop
const kept = name => {
  try { return JSON.parse(localStorage.getItem(name)); } catch { return null; }
};
const keep = (name, value) => {
  try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* nor a quota */ }
};
