"""Boxes that a laboratory has drawn on its metaphases: VOC, YOLO, COCO or csv.

`read(path, items)` -> Drawn; `fitted(drawn, field)` -> the Boxes of one field
"""

import collections
import dataclasses
import pathlib
import posixpath

import numpy as np

from chromolib.data import decode, formats, listing, store
from chromolib.data.formats import common, fit
from chromolib.karyotype import fields

ENDINGS = {".xml": "voc", ".json": "coco", ".txt": "yolo", ".csv": "csv"}


@dataclasses.dataclass(frozen=True, eq=False)
class Drawn:
    """What the annotations say of some pictures."""

    form: str  # of ENDINGS
    annotated: dict  # Item's name -> common.Annotated
    problems: tuple


def read(path, items):
    """The annotations at a path, a file or a folder, of these pictures.

    Pictures that lie in the folder are found as the format says; others by base name.
    """
    path = pathlib.Path(path).absolute()
    given = fields.opened(path)
    texts = [name for name in given.names if not decode.is_image(name)]
    within = all(item.path.absolute().is_relative_to(path) for item in items)
    shorten = str if within else posixpath.basename
    whole = {shorten(name): name for name in texts}
    keys = {item.name: shorten(_key(item, path, within)) for item in items}
    _refuse_twins([*map(shorten, texts), *keys.values()])
    forms = _forms(whole, path)
    sizes = {key: given.size(name) for key, name in whole.items()}
    sizes |= dict.fromkeys(keys.values(), 0)
    files = store.Store(
        given.title, dict(sorted(sizes.items())), (), lambda key: given.read(whole[key])
    )
    several = {form: formats.FORMATS[form].dataset(files) for form in forms}
    form = max(forms, key=lambda form: len(several[form].images))
    dataset = several[form]
    found = {name: dataset.images.get(key) for name, key in keys.items()}
    _refuse_useless(found, dataset)
    return Drawn(form, found, dataset.problems)


def _key(item, path, within):
    """A picture's name as seen from the annotations; of a zip's, the one in the zip."""
    place = item.path.absolute()
    inside = within and place != path
    return place.relative_to(path).as_posix() if inside else item.key


def _forms(names, path):
    """The formats that files could be of; a folder may hold a stray file."""
    endings = {pathlib.PurePosixPath(name).suffix.lower() for name in names}
    forms = [form for ending, form in ENDINGS.items() if ending in endings]
    if forms:
        return forms
    raise fields.FieldsError(
        f"{store.shown(path.name)} holds no boxes; name a file or folder of VOC, YOLO, "
        "COCO or csv annotations: --boxes"
    )


def _refuse_useless(found, dataset):
    """Refuse annotations that are of no picture for one reason, or of no chromosome."""
    stems = {common.stem_of(name) for name in found}
    for one in dataset.problems:
        whole = one.level == "error" and common.stem_of(one.file) not in stems
        if whole and not any(found.values()):
            raise fields.FieldsError(f"{one.file}: {one.reason}; {one.remedy}: --boxes")
    labels = common.labels(found.values()).union(dataset.classes)
    if listing.from_zero(labels):
        raise fields.FieldsError(f"boxes: {'; '.join(listing.FROM_ZERO)}")


def _refuse_twins(names):
    twins = [name for name, n in collections.Counter(names).items() if n > 1]
    if twins:
        raise fields.FieldsError(
            f"two files are called {store.shown(min(twins))}; name a --boxes folder "
            "that holds pictures and annotations"
        )


def fitted(drawn, field):
    """The boxes on a field as it was read, with the names of classes or without."""
    item = field.item
    annotated = drawn.annotated.get(item.name)
    if annotated is None:
        what = common.NO_ANNOTATION
        for one in drawn.problems:
            if common.stem_of(one.file) == common.stem_of(item.key):
                what = one.reason, one.remedy
        raise fields.Refused(item.key, *what)
    how = {"stored": field.decoded.stored, "turn": field.decoded.turn}
    boxes, problems = fit.fit(annotated, file=annotated.file, **how)
    for one in problems:
        if one.level == "error":
            raise fields.Refused(item.key, f"boxes: {one.reason}", one.remedy)
    if not listing.promised(common.labels(drawn.annotated.values())):
        return dataclasses.replace(boxes, label=np.full(len(boxes), ""))
    label = [listing.chromosome(name) or "" for name in boxes.label]
    strange = [
        said for said, name in zip(boxes.label, label, strict=True) if said and not name
    ]
    if strange:
        shown = store.shown(str(strange[0]))
        reason = f"boxes: a karyotype counts 24 classes, and {shown!r} is none"
        raise fields.Refused(item.key, reason, "take that box out, or name it")
    return dataclasses.replace(boxes, label=label)
