"""The report that a person reviews: one file, its pictures inside, for a phone too.

`write(out, items, rows, cases, refused, left)` -> `report.html`; beyond `PAGE`
images it goes on in `report-2.html`

# Strategy: each field is in the page once; the picture of a chromosome is a window on
# it. Colours are of Okabe and Ito, and no colour alone says anything.
"""

import base64
import datetime
import html
import io
import json

import PIL.Image

import chromolib
from chromolib import files
from chromolib.data import store
from chromolib.karyotype import fields, picture

PAGE = 50  # images
QUALITY = 85  # of the JPEG of a field
AROUND = 8  # pixels of the field around a chromosome
STYLE = """
body{font:16px/1.45 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;
max-width:72rem;padding:0 1rem 3rem}
.use,.refer{border:2px solid #111;padding:.4rem .7rem;margin:.7rem 0}
.use{background:#f0e442}.refer{border-left-width:.8rem;border-color:#d55e00}
.wide{overflow-x:auto}table{border-collapse:collapse}caption{text-align:left}
td,th{border-bottom:1px solid #bbb;padding:.25rem .6rem .25rem 0;text-align:left;
vertical-align:top}img,svg.field{max-width:100%;height:auto}
figure{margin:1rem 0}figcaption{color:#333}
svg.one{width:4rem;height:4.5rem;background:#eee}td span{white-space:nowrap}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));
gap:1rem}polygon{fill:none;stroke:#0072b2;stroke-width:2}
polygon.touching{stroke:#e69f00;stroke-dasharray:6 3}
polygon.overlap{stroke:#d55e00;stroke-width:3;stroke-dasharray:2 3}
text{font:bold 15px sans-serif;fill:#111;stroke:#fff;stroke-width:4;
paint-order:stroke;text-anchor:middle}
@media(max-width:40rem){tr:first-child{display:none}tr{display:block;
border-bottom:1px solid #bbb;padding:.4rem 0}td{display:block;border:0;padding:0}
td:not([data-name=""])::before{content:attr(data-name) ": ";color:#333}
td[data-name=picture]{float:right}td[data-name=picture]::before{content:""!important}}
summary{cursor:pointer;padding:.5rem 0;font-weight:bold}
"""
FOUND = "Every object that was found, with its name. Solid line: alone; "
FOUND += "dashed: touching; dotted: overlapping."


def write(out, items, rows, cases, refused, left):
    """The report of all results in a folder; its first page."""
    starts = range(0, max(len(items), 1), PAGE)
    pages = [_page_name(k) for k in range(len(starts))]
    for k, start in enumerate(starts):
        with (
            files.replacing(out / pages[k]) as partial,
            partial.open("w", encoding="utf-8") as page,
        ):
            page.write(_head(f"Karyotypes, page {k + 1}" if k else "Karyotypes"))
            page.write("" if k else _summary(rows, cases, refused, left))
            page.write(_contents(rows, pages))
            for number, item in enumerate(items[start : start + PAGE], start):
                page.write(_section(out, item, f"m{number}"))
            page.write("</body></html>\n")
    return out / pages[0]


def _page_name(k):
    return f"report-{k + 1}.html" if k else "report.html"


def _head(title):
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="use"><strong>{picture.USE}.</strong> No patient may depend on '
        "what stands here; a person has to look at every karyogram.</p>"
    )


def _summary(rows, cases, refused, left):
    """What was done, by what, and what was not."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    look = sum(one["refer"] for one in rows)
    many = "1 metaphase" if len(rows) == 1 else f"{len(rows):,} metaphases"
    text = f"<p>{many}, {look:,} to be looked at first. "
    text += f"{left:,} more were left out, not the best of their case. " if left else ""
    text += f"chromolib {chromolib.__version__}, {now}.</p>"
    if refused:
        problems = [(one.file, one.reason, one.remedy) for one in refused]
        text += "<h2>Refused</h2>" + _table(("file", "reason", "remedy"), problems)
    if len(cases):
        text += "<h2>Cases</h2>" + _table(cases.columns, map(_plain, cases.to_numpy()))
    return text


def _plain(cells):
    """Yes and no, and shares with two digits."""
    for one in cells:
        number = f"{one:.2f}" if isinstance(one, float) else one
        yield ("no", "yes")[one] if isinstance(one, bool) else number


def _contents(rows, pages):
    """A line for each metaphase, with a link to it."""
    if not rows:
        return ""
    lines = []
    for k, one in enumerate(rows):
        page = "" if len(pages) == 1 else pages[k // PAGE]
        link = f'<a href="{page}#m{k}">{_escaped(one["image"])}</a>'
        cells = one["count"], one["karyotype"] or "none", f"{one['confidence']:.2f}"
        cells += ("look" if one["refer"] else "", one["reason"])
        lines.append((link, *map(_breakable, cells)))
    names = "metaphase", "count", "karyotype", "confidence", "refer", "why"
    return "<h2>Metaphases</h2>" + _table(names, lines, escaped=True)


def _section(out, item, anchor):
    """One metaphase: what is said of it, field and karyogram, every chromosome."""
    path = out / f"{item.name}.json"
    one = json.loads(path.read_text(encoding="utf-8"))
    said = one["karyotype"] or "no karyotype"
    picture = _data(path.with_suffix(".png").read_bytes(), "png")
    words = f"Karyogram of {one['image']}, {said}: " + ", ".join(_copies(one))
    text = f'<section id="{anchor}"><h2>{_escaped(one["image"])}</h2>'
    text += f"<p><strong>{_escaped(said)}</strong> {_escaped(one['name'])}</p>"
    if one["refer"]:
        why = _escaped(one["reason"])
        text += f'<p class="refer"><strong>Look at it:</strong> {why}</p>'
    text += f"<p>{_escaped(_flags(one))}</p>"
    text += f'<div class="pair"><figure>{_field(item, one, anchor)}'
    text += f"<figcaption>{FOUND}</figcaption></figure><figure>"
    text += f'<img src="{picture}" alt="{_escaped(words)}">'
    text += "<figcaption>The karyogram; homologues from left to right by number."
    text += "</figcaption></figure></div>"
    text += "<details><summary>Every chromosome, and what else it may be</summary>"
    rows = [_line(each, anchor) for each in one["chromosomes"]]
    names = "", "number", "name", "probability", "or", "flags"
    return (
        text + _table(names, rows, escaped=True) + f"</details>{_made(one)}</section>"
    )


def _copies(one):
    """ "1 twice, …": which classes the karyogram shows, and how often."""
    labels = [each["label"] for each in one["chromosomes"]]
    return [f"{name} x {labels.count(name)}" for name in dict.fromkeys(labels)]


def _flags(one):
    flags, quality = one["flags"], one["quality"]
    sure = f"{one['confidence']:.2f} confidence in the karyotype"
    words = [f"{one['count']} chromosomes", f"{sure} if each is one and whole"]
    words += [f"about {one['expected wrong']:.0f} names or places may be wrong"]
    words += [f"{flags[name]} {name}" for name in ("touching", "overlap")]
    for name in ("missing", "extra"):
        if flags[name]:
            words.append(f"{name}: {', '.join(flags[name])}")
    words += [f"debris {flags['debris']}", f"nuclei {flags['nuclei']}"]
    words += [f"sharpness {quality['sharpness']}"]
    return "; ".join([*words, f"about {quality['bands']} bands a haploid set"]) + "."


def _field(item, one, anchor):
    """The field with the outline of every object."""
    width, height = one["size"]
    encoded = io.BytesIO()
    grey = PIL.Image.fromarray(fields.read(item).grey)
    grey.save(encoded, "JPEG", quality=QUALITY)
    label = f"Metaphase {one['image']} with {one['count']} outlined objects"
    text = f'<svg class="field" role="img" aria-label="{_escaped(label)}" '
    text += f'viewBox="0 0 {width} {height}" width="{width}">'
    text += f'<image id="i{anchor}" href="{_data(encoded.getvalue(), "jpeg")}" '
    text += f'width="{width}" height="{height}"/>'
    for each in one["chromosomes"]:
        x0, y0, x1, y1 = each["box"]
        text += _outline(each)
        text += f'<text x="{(x0 + x1) / 2:.0f}" y="{(y0 + y1) / 2 + 5:.0f}">'
        text += f"{_escaped(each['label'])}</text>"
    return text + "</svg>"


def _outline(each):
    points = " ".join(f"{x:g},{y:g}" for x, y in each["outline"])
    kind = next((one for one in each["flags"] if one in ("touching", "overlap")), "")
    return f'<polygon class="{kind}" points="{points}"/>'


def _line(each, anchor):
    """The line of one chromosome, its picture a window on the field."""
    x0, y0, x1, y1 = each["box"]
    view = f"{x0 - AROUND:g} {y0 - AROUND:g} "
    view += f"{x1 - x0 + 2 * AROUND:g} {y1 - y0 + 2 * AROUND:g}"
    label = f"number {each['number']}, named {each['label']}"
    window = f'<svg class="one" role="img" aria-label="{label}" viewBox="{view}">'
    window += f'<use href="#i{anchor}"/>{_outline(each)}</svg>'
    others = [
        f"<span>{o['label']} ({o['probability']:.2f})</span>"
        for o in each["alternatives"]
    ]
    name = each["label"] + (" (given)" if each["named by"] == "laboratory" else "")
    cells = each["number"], name, f"{each['probability']:.2f}"
    flags = _escaped(", ".join(each["flags"]))
    return (window, *map(_escaped, cells), ", ".join(others), flags)


def _made(one):
    made = one["made"]
    words = (
        f"Found by {made['found by']}",
        f"named by {made['model']} ({made['model sha256'][:12]})",
        f"which was trained on {made['trained on']}",
        f"referred below a confidence of {made['sure']}",
        f"a copy more or fewer costs {made['penalty']}",
        *(f"repaired: {each}" for each in made["repairs"]),
        f"chromolib {made['chromolib']}, {made['time']}, {made['seconds']} s",
    )
    return f"<p><small>{_escaped('; '.join(words))}. {made['use']}.</small></p>"


def _table(names, rows, *, escaped=False):
    clean = str if escaped else _breakable
    head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in names)
    lines = []
    for row in rows:
        pairs = zip(names, map(clean, row), strict=True)
        cells = (f'<td data-name="{_escaped(n)}">{cell}</td>' for n, cell in pairs)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _breakable(text):
    """Text that may go on in the next line after a comma, as long karyotypes must."""
    return _escaped(text).replace(",", ",<wbr>")


def _escaped(text):
    return html.escape(store.shown(text))


def _data(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
