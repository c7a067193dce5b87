"""Every image behind every number: filter, sort, look closely, mark.

`inspect(predictions, images, real=...)` -> a view, for JupyterLab and for a page
"""

import collections
import dataclasses
import itertools

import numpy as np

from chromolib import plots, records
from chromolib.widgets import host, links, reviewing, subject

IN_PAGE = 480  # pixels of the longer side of a picture in a page
PAGE_BYTES, PAGE_MOST = 600_000, 140  # of pictures in a page
EXAMPLE_BYTES = 300_000  # of typical pictures in a page
PAGE_CELLS, LEAST_CELL = 2, 4  # whole cells in a page; chromosomes that make one
STILL = 12  # images of the figure without scripts


def inspect(
    predictions=None,
    images=None,
    *,
    found=None,
    boxes=None,
    other=None,
    saliency=None,
    facts=None,
    marks=None,
    reviewer="",
    real,
    allow=False,
):
    """Images to filter, sort, see large and mark, with what a model says of them.

    `images`: an ImageSet, or ink from 0 to 1, (n, h, w) or (n, h, w, 1), in the order
    of the predictions. `boxes` are true ones and `found` those of a detector, an image
    each; `other`: predictions of a second model; `saliency(rows)` -> a map each;
    `facts`: name -> a text for each image; `marks`: the csv that keeps what a person
    marks. A page holds a part of the images, JupyterLab all. Real images are refused
    unless allowed.
    """
    whole = _subject(
        predictions,
        images,
        found=found,
        boxes=boxes,
        other=other,
        saliency=saliency,
        facts=facts,
    )
    plots.refuse_real(whole.source, real=real, allow=allow)
    kept = reviewing.of_set(marks, whole.name) if marks else {}

    def answer(kind, about):
        if kind == "mark":
            return reviewing.keep(marks, about, whole.name)
        return whole.answer(kind, about)

    part, told = _part(whole)
    scripts, still = ("review", "inspect"), _still(part, allow=allow)
    mine = {"marks": {}, "reviewer": reviewer}
    paged = host.View(
        scripts, part.state(told) | mine, part.answer, still=still, ahead=_ahead(part)
    )
    state = whole.state(_title(whole)) | mine | {"marks": kept}
    return host.View(scripts, state, answer, still=still, paged=paged)


def _subject(predictions, images, **given):
    """The checked subject of a view, from what a caller may give."""
    if images is None:
        raise ValueError("no images to inspect; give an ImageSet or an array of ink")
    named = isinstance(images, records.ImageSet)
    if named and predictions is not None:
        images = _in_order(images, predictions.image)
    if named and given["boxes"] is None:
        given["boxes"] = _several(images.boxes)
    facts = given["facts"] or {}
    given["facts"] = {name: np.asarray(texts, str) for name, texts in facts.items()}
    _check(len(images), predictions, given)
    about = images if named and predictions is None else predictions
    return subject.Subject(
        pixels=images.pixels if named else images,
        name=_names(images if named else predictions, len(images)),
        about=about,
        predictions=predictions,
        rows=np.arange(len(images)),
        source=about.source if about is not None else "images",
        **given,
    )


def _several(boxes):
    """Boxes of fields; a single one around a cut-out chromosome shows nothing."""
    return boxes if boxes and max(map(len, boxes)) > 1 else None


def _names(known, count):
    """The name of each image; its number where nobody says."""
    if known is None:
        return np.arange(count).astype(str)
    return known.name if isinstance(known, records.ImageSet) else known.image


def _check(count, predictions, given):
    """Refuse what does not belong to these images."""
    if not count:
        raise ValueError("no image to inspect; an empty choice was given")
    columns = {"predictions": predictions, **given["facts"]}
    columns |= {name: given[name] for name in ("boxes", "found", "other")}
    for name, values in columns.items():
        if values is not None and len(values) != count:
            raise ValueError(f"{len(values)} {name} of {count} images; give one each")
    if (other := given["other"]) is None:
        return
    if predictions is None or tuple(other.classes) != tuple(predictions.classes):
        raise ValueError("other= is a second model's predictions of the same classes")
    if (other.image != predictions.image).any():
        raise ValueError("other= was asked of other images, or in another order")


def _in_order(images, names):
    """A set in the order of predictions, which may be of a part of it."""
    place = {name: i for i, name in enumerate(images.name)}
    if lacking := [name for name in names if name not in place]:
        raise ValueError(
            f"{images.source} has no image {lacking[0]!r}; these predictions are of "
            "another set"
        )
    return images.take([place[name] for name in names])


def _part(whole):
    """The rows of a subject for a page, as many as its pictures have room for."""
    order, why = _for_a_page(whole)
    room, rows = PAGE_BYTES, []
    for row in order[:PAGE_MOST]:
        if whole.lacks(row):
            continue
        room -= len(links.url(whole.grey(row), IN_PAGE))
        if room < 0 and rows:
            break
        rows.append(row)
    if not rows:
        raise ValueError(f"no image of {whole.source}: {whole.lacks(order[0])}")
    part = dataclasses.replace(whole, rows=np.array(rows), side=IN_PAGE)
    if whole.saliency:
        maps = dict(zip(rows, whole.saliency(rows), strict=True))
        part = dataclasses.replace(part, saliency=lambda rows: [maps[i] for i in rows])
    if len(rows) == len(whole.name):
        return part, _title(whole)
    told = f"{len(rows):,} of {_title(whole)}: {why}"
    return part, f"{told}. The notebook shows all in JupyterLab."


def _title(whole):
    count = len(whole.name)
    return f"{count:,} image{'s' * (count > 1)} of {whole.source}"


def _for_a_page(whole):
    """Which rows go into a page, first things first, and the rule in words."""
    rng = np.random.default_rng(0)  # which images a page holds decides no number
    some, seen = rng.permutation(len(whole.name)), whole.predictions
    if seen is None:
        return some, "a random sample"
    sure = np.zeros(len(some)) if whole.sure is None else whole.sure
    wrong = seen.truth != seen.label
    worst = [row for row in np.argsort(-sure, kind="stable") if wrong[row]]
    turns = itertools.zip_longest(worst, np.argsort(sure, kind="stable"), some)
    order = [row for turn in turns for row in turn if row is not None]
    why = "the surest mistakes, the least sure, and some at random"
    cells = np.char.add(np.char.add(seen.group, " "), seen.cell)
    _, code, size = np.unique(cells, return_inverse=True, return_counts=True)
    if LEAST_CELL <= np.median(size) <= PAGE_MOST / PAGE_CELLS:
        mistakes = np.bincount(code, weights=wrong)
        first = np.argsort(-mistakes, kind="stable")[:PAGE_CELLS]
        order = [*np.flatnonzero(np.isin(code, first)), *order]
        why = f"the {len(first)} cells with most mistakes, {why}"
    return list(dict.fromkeys(map(int, order))), why


def _ahead(part):
    """All that a page may ask."""
    rows = range(len(part.rows))
    kinds = "picture", "detail", "near"
    asked = [(kind, row) for row in rows for kind in kinds]
    labels = collections.Counter(name for row in rows for name in part.between(row))
    room = EXAMPLE_BYTES
    for name, _ in labels.most_common():
        room -= sum(map(len, part.examples(name)["pictures"]))
        if room > 0:
            asked.append(("examples", name))
    return asked


def _still(part, *, allow):
    """A figure for readers whose browser runs no scripts."""
    chosen = part.rows[:: max(1, len(part.rows) // STILL)][:STILL]
    seen, labels = part.predictions, []
    for row in chosen:
        of = {"truth": seen.truth[row], "named": seen.label[row]} if seen else {}
        labels.append(of or {"image": part.name[row]})
    said = "; ".join(" ".join(map(str, label.values())) for label in labels)
    shown = plots.gallery(
        [1 - part.grey(row) / 255 for row in chosen],
        labels,
        axes=plots.grid(2, -(-len(chosen) // 2), height=3.6),
        source=part.source,
        real=False,
        allow=allow,
    )
    caption = f"Some of the images behind the numbers. Source: {part.source}."
    return plots.show(shown, caption, alt=f"Pictures: {said}.")._repr_html_()
