"""A finished karyotype, opened so that a person corrects it, and what came of that.

`open_at(path, images=)` -> View: in JupyterLab it saves beside the machine's files
`page(path, out, images=)` -> the same as one HTML file, for a browser and no kernel
`counts(out)` -> a row a corrected karyogram: how many corrections of each kind

# Strategy: the picture of a piece is a window on the field, turned upright; cutting and
joining change its outline. So the browser can do everything, and Python only reads,
checks, draws the corrected karyogram and writes. A corrected json is the machine's with
other chromosomes, `actions` as they were done, and `corrections`, how many of each
kind. Opened again, the actions are done again, so that each can be undone.
"""

import hashlib
import html
import json
import math
import pathlib

import numpy as np
import pandas as pd
import PIL.Image
from scipy import ndimage

import chromolib
from chromolib import files, records
from chromolib.cyto import diagnose, grammar, iscn
from chromolib.data import compose, store
from chromolib.imaging import axis
from chromolib.karyotype import fields, picture
from chromolib.widgets import host, links

FORMAT = 1  # counts up when older actions no longer mean the same
ENDING = ".corrected.json"
MARGIN = 2  # pixels of ground around a piece, as in the view
QUALITY = 90  # of the JPEG of a field
KINDS = {
    "move": "moves",
    "join": "joins",
    "split": "splits",
    "delete": "deletions",
    "turn": "turns",
}
NEEDED = {"image": str, "size": list, "flags": dict, "made": dict, "chromosomes": list}
EYES = "It holds the picture of a cell: for your own eyes, unless the cell is drawn"


class CorrectingError(ValueError):
    """Files that cannot be corrected: the file, the reason and a remedy."""


def open_at(path, images=None):
    """The karyotype of a json, to be corrected; the last value of a cell.

    Its picture is sought beside the json, or in `images`, the folder, zip or picture
    that `chromolib karyotype` was given.
    """
    path = pathlib.Path(path).absolute()
    machine = _machine(path)
    ink, karyogram = _field(path, machine, images).ink, _karyogram(path)
    target = path.with_name(path.stem + ENDING)
    state = {
        "machine": machine,
        "turns": _turns(ink, machine["chromosomes"], karyogram),
        "picture": links.link(
            PIL.Image.fromarray(compose.rendered(ink)), "jpeg", quality=QUALITY
        ),
        "saved": _saved(target, machine),
        "file": target.name,
        "version": chromolib.__version__,
        "format": FORMAT,
        "of": _fingerprint(machine),
        "kinds": KINDS,
        "use": picture.USE,
        **_words(),
    }

    def answer(kind, about):
        if kind != "save":
            raise ValueError(f"{kind}: no such question; known: save")
        return _save(target, ink, **about)

    return host.View(
        ("editor_pieces", "editor"), state, answer, still=_still(machine, karyogram)
    )


def page(path, out, images=None):
    """The view as a file of its own, marked as what it is; the path it has."""
    path, out = pathlib.Path(path), pathlib.Path(out)
    view = open_at(path, images)
    title = html.escape(f"Correct {store.shown(view.state['machine']['image'])}")
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title></head><body><h1>{title}</h1>"
        f"<p><strong>{picture.USE}.</strong> {EYES}.</p>{view.page()}</body></html>\n"
    )
    try:
        files.write_text(out, text)
    except OSError as failure:
        raise fields.OutError(
            f"{out.name} cannot be written: {failure.strerror or failure}; "
            "name a file in another folder"
        ) from None
    return out


def counts(out):
    """The corrections of every karyogram that a person went through, 0 among them."""
    out, rows = pathlib.Path(out), []
    for path in sorted(out.rglob(f"*{ENDING}")):
        held = _read(path)
        made = held.get("corrections")
        if not isinstance(made, dict) or made.keys() != set(KINDS.values()):
            raise CorrectingError(
                f"{store.shown(path.name)} is no corrected karyotype; rename it"
            )
        words = {name: held.get(name, "") for name in ("image", "case", "karyotype")}
        rows.append(words | made | {"corrections": sum(made.values())})
    return pd.DataFrame(
        rows, columns=["image", "case", "karyotype", *KINDS.values(), "corrections"]
    )


def _words():
    """What the view needs to put a karyotype into words as Python does."""
    return {
        "rows": compose.ROWS,
        "classes": records.CLASSES,
        "near": diagnose.NEAR,
        "most sex": grammar.SEX_MOST,
        "people": iscn.PEOPLE,
        "copies": iscn.COPIES,
        "trisomies": iscn.TRISOMIES,
    }


def _read(path):
    """The dict that a json holds."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise CorrectingError(
            f"{path.name} cannot be read: {failure.strerror}; name a json that "
            "chromolib karyotype wrote"
        ) from None
    except ValueError:
        held = None
    return held if isinstance(held, dict) else {}


def _machine(path):
    """The machine's answer in a json; refuses what another tool wrote."""
    one, name = _read(path), store.shown(path.name)
    if path.name.endswith(ENDING):
        first = path.name.removesuffix(ENDING)
        raise CorrectingError(f"{name} is corrected already; open {first}.json")
    try:
        odd = [k for k, kind in NEEDED.items() if not isinstance(one.get(k), kind)]
        if odd:
            raise ValueError(f"without {', '.join(odd)} that can be understood")
        if not one["chromosomes"]:
            raise ValueError("it holds no chromosome")
        for each in one["chromosomes"]:
            _check(each, one["size"])
    except (KeyError, TypeError, ValueError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        raise CorrectingError(
            f"{name} is no answer of chromolib karyotype that can be corrected: "
            f"{store.shown(why)}; name the json beside a karyogram"
        ) from None
    return one


def _check(each, size):
    """Raises where a chromosome is none of the 24, or does not lie in the field."""
    if each["label"] not in records.CLASSES:
        raise ValueError(f"the label {each['label']!r} is none of 1 to 22, X and Y")
    outline = np.array(each["outline"], float)
    if outline.ndim != 2 or outline.shape[1] != 2 or len(outline) < 3:
        raise ValueError("an outline with fewer than three points")
    if not ((outline >= 0) & (outline <= size)).all():
        raise ValueError("an outline that leaves the picture")
    chances = [each, *each["alternatives"]]
    if not all(isinstance(one["probability"], int | float) for one in chances):
        raise ValueError("a probability that is no number")
    if not all(isinstance(flag, str) for flag in each["flags"]):
        raise ValueError("a flag that is no word")


def _field(path, machine, images):
    """The picture that the json is of."""
    key = pathlib.PurePosixPath(machine["image"])
    if key.is_absolute() or ".." in key.parts:
        raise CorrectingError(f"{path.name} names a picture outside of its folder")
    tried = [images] if images else [folder / key for folder in path.parents]
    for place in map(pathlib.Path, tried):
        place = place / key if place.is_dir() else place
        zipped = place.is_file() and store.exists(place)
        if place.is_file():
            name = str(key) if zipped else place.name
            item = fields.Item(fields.opened(place), name, place)
            field = fields.read(item)
            same = machine["made"].get("image sha256", field.sha256) == field.sha256
            if same and list(field.grey.shape[::-1]) == machine["size"]:
                return field
            raise CorrectingError(
                f"{store.shown(place.name)} is another picture than {path.name} was "
                "made of; name the folder of that one: images="
            )
    raise CorrectingError(
        f"{store.shown(key)}, the picture of {path.name}, is not there; say where it "
        "lies: images="
    )


def _fingerprint(machine):
    """What the actions of a corrected file are about: the machine's chromosomes."""
    text = json.dumps([machine["size"], machine["chromosomes"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _saved(target, machine):
    """The actions and the time of an earlier correction; None where there is none."""
    if not target.exists():
        return None
    held = _read(target)
    made, name = held.get("corrected"), store.shown(target.name)
    remedy = "rename it, and the correction begins anew"
    if not isinstance(made, dict) or not isinstance(held.get("actions"), list):
        raise CorrectingError(f"{name} is no corrected karyotype; {remedy}")
    if made.get("format") != FORMAT:
        version = store.shown(made.get("chromolib", "another version"))
        reason = f"was written by chromolib {version}, which counts actions otherwise"
        raise CorrectingError(f"{name} {reason}; {remedy}")
    if made.get("of") != _fingerprint(machine):
        reason = "corrects another answer than the machine's present one"
        raise CorrectingError(f"{name} {reason}; {remedy}")
    return {"actions": held["actions"], "time": made.get("time", "")}


def _turns(ink, chromosomes, karyogram):
    """By how many degrees each is turned to stand as in the machine's karyogram; None
    where it has no axis."""
    crops = [_framed(_cut(ink, each["outline"])) for each in chromosomes]
    turns = []
    for each, one in zip(chromosomes, axis.straighten_all(crops), strict=True):
        if not isinstance(one, axis.Straight):
            turns.append(None)
            continue
        x, y = one.axis[-1] - one.axis[0]
        over = _over(one.ink, karyogram, each.get("karyogram"))
        turns.append(round(math.degrees(math.atan2(x, y)) + 180 * over, 1))
    return turns


def _over(ink, karyogram, place):
    """Whether the machine's karyogram shows it the other end up."""
    if karyogram is None or np.shape(place) != (4,):
        return False
    x0, y0, x1, y1 = map(int, place)
    shown = 255.0 - karyogram[y0:y1, x0:x1]
    if not shown.size:
        return False
    drawn = 255.0 - compose.resized(compose.rendered(ink), *shown.shape)
    return bool((shown * drawn).sum() < (shown * drawn[::-1, ::-1]).sum())


def _cut(ink, outline):
    """The ink within an outline, in the smallest rectangle."""
    outline = np.array(outline, float)
    x0, y0 = np.floor(outline.min(0)).astype(int)
    x1, y1 = np.ceil(outline.max(0)).astype(int)
    part = ink[y0:y1, x0:x1]
    return part * _inside(outline - (x0, y0), part.shape)


def _inside(outline, shape):
    """Which pixels a closed line goes around; also where two joined outlines overlap,
    as a browser fills them."""
    y, x = (np.indices(shape) + 0.5)[:, None]
    (x0, y0), (x1, y1) = outline.T, np.roll(outline, -1, 0).T
    x0, y0, x1, y1 = (one[:, None, None] for one in (x0, y0, x1, y1))
    side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
    down = (y0 <= y) & (y1 > y) & (side > 0)
    up = (y0 > y) & (y1 <= y) & (side < 0)
    return down.sum(0) != up.sum(0)


def _framed(ink):
    """Ink as a picture, dark on white."""
    return compose.rendered(np.pad(ink, MARGIN))


def _upright(ink, each):
    """The picture of a piece as it stands in the view, dark on white."""
    turned = ndimage.rotate(_cut(ink, each["outline"]), -each["turn"], order=1)
    turned = turned[:, ::-1] if each["mirror"] else turned
    rows, columns = (np.flatnonzero((turned > 0).any(side)) for side in (1, 0))
    if len(rows):
        turned = turned[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _framed(turned)


def _save(target, ink, result, base):
    """Picture and json of a corrected karyotype, written whole or not at all."""
    for each in result["chromosomes"]:
        _check(each, result["size"])
    labels = [each["label"] for each in result["chromosomes"]]
    text, reason = diagnose.written(labels)
    if text != result["karyotype"] or len(labels) != result["count"]:
        raise ValueError(f"the view says {result['karyotype']!r}, not {text or reason}")
    made = _read(target).get("corrected") if target.exists() else {"time": base}
    if not isinstance(made, dict) or made.get("time") != base:
        raise ValueError(
            f"{target.name} was saved elsewhere since it was opened here; rename that "
            "file, then save"
        )
    crops = [_upright(ink, each) for each in result["chromosomes"]]
    image = pathlib.PurePosixPath(result["image"]).with_suffix("")
    caption = f"{image}, corrected: {text or 'no karyotype'}. {picture.USE}"
    drawn, places = picture.karyogram(crops, labels, caption)
    for each, place in zip(result["chromosomes"], places.tolist(), strict=True):
        each["karyogram"] = place
    try:
        with files.replacing(target.with_suffix(".png")) as partial:
            PIL.Image.fromarray(drawn).save(partial)
        whole = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        files.write_text(target, whole + "\n")
    except OSError as failure:
        raise OSError(
            f"{target.name} cannot be written: {failure.strerror or failure}; make its "
            "folder writable and save again, nothing is lost"
        ) from None
    return result["corrected"]["time"]


def _karyogram(path):
    """The machine's picture; None where it is gone."""
    try:
        with PIL.Image.open(path.with_suffix(".png")) as drawn:
            return np.asarray(drawn.convert("L"))
    except OSError:
        return None


def _still(machine, karyogram):
    """The machine's karyogram, for a reader whose browser runs no scripts."""
    said = machine.get("karyotype") or "no karyotype"
    words = html.escape(f"Karyogram of {store.shown(machine['image'])}: {said}")
    if karyogram is None:
        return f"<p>{words}</p>"
    shown = links.link(PIL.Image.fromarray(karyogram), "png")
    return f'<p>{words}</p><img style="max-width:100%" src="{shown}" alt="{words}">'
