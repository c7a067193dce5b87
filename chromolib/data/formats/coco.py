"""COCO: one JSON file for many images; boxes are x, y, width and height.

Several files, one for each split, are read as one; each speaks of its own folder. An
object marked `iscrowd` stands for a group: it is read as one box, and listed.
"""

import collections
import json
import posixpath

import numpy as np

from chromolib.data.formats import common

UNHELD = None  # JSON holds any text
FILE = "annotations.json"
LISTS = ("images", "annotations", "categories")
KNOWN = {"id", "image_id", "category_id", "bbox", "area", "segmentation"}
KNOWN |= {"iscrowd", "score"}
CROWDS, FIELDS = "marks of a group (iscrowd)", "other fields of objects"

JSON = ("the JSON cannot be read", "write the annotation again")
OTHER = ("a JSON file that is not COCO: it is not read", "take it out of the source")
NONE = ("no COCO file", "add the JSON file with the annotations")
ENTRY = (
    "an entry of the COCO file lacks an id or a name, or shares its id with another",
    "write the annotation again",
)
UNKNOWN = (
    "an object belongs to an image or a category that the file does not list",
    "add the image or the category, or remove the object",
)
NEGATIVE = ("a box has a negative width or height", "correct the box")
OUTLINE = ("an outline has not three pairs of numbers", "correct the segmentation")
MASK = (
    "outline of several parts, or a mask: only the box is kept",
    "nothing, as long as boxes are enough",
)
CROWD = (
    "an object marked iscrowd stands for a group: it is read as one box",
    "remove it if a group must not count as one chromosome",
)
SAME = ("two categories have one name: they are read as one", "nothing, if so meant")
ORDERS = (
    "the files order their classes differently: the order of the first counts",
    "nothing; a class is known by its name",
)


def dataset(store):
    """The COCO files of a store, each relative to its folder."""
    known, problems, images = common.index(store), [], {}
    claimed, order, lost = collections.Counter(), [], collections.Counter()
    for file in common.ending(store, ".json"):
        try:
            head = _head(common.content(store, file))
            classes = _categories(head["categories"])
        except _Left:
            problems.append(common.problem("repaired", OTHER, file))
            continue
        except common.Malformed as error:
            problems.append(common.problem("error", error.what, file))
            order.append(())
            continue
        order.append(tuple(dict.fromkeys(classes.values())))
        if len(order[-1]) < len(classes):
            problems.append(common.problem("repaired", SAME, file))
        found, said = _images(known, file, head, classes, lost)
        problems += said
        claimed.update(found.keys())
        images |= {k: v for k, v in found.items() if v is not None}
    if not order:
        problems.append(common.problem("error", NONE, FILE))
    for name in [name for name, times in claimed.items() if times > 1]:
        images.pop(name, None)
        problems.append(common.problem("error", common.TWICE, name))
    problems += common.unannotated(known.names - set(claimed))
    classes = tuple(dict.fromkeys(name for names in order for name in names))
    if len({names for names in order if names}) > 1:
        problems.append(common.problem("repaired", ORDERS, FILE))
    images = dict(sorted(images.items()))
    return common.Dataset(images, classes, common.collected(problems), dict(lost))


def write(dataset, sizes, folder):
    """One JSON file for all images."""
    number = {name: i + 1 for i, name in enumerate(dataset.classes)}
    images, objects = [], []
    for i, (name, annotated) in enumerate(dataset.images.items(), 1):
        size = {"width": annotated.width, "height": annotated.height}
        images.append({"id": i, "file_name": name, **size})
        for found in common.objects(annotated.boxes):
            ids = {"id": len(objects) + 1, "image_id": i}
            objects.append(ids | _entry(number[found.label], found))
    categories = [{"id": i, "name": name} for name, i in number.items()]
    parts = dict(zip(LISTS, (images, objects, categories), strict=True))
    text = json.dumps(parts, indent=1, allow_nan=False)
    common.save(folder, FILE, text + "\n")


class _Left(ValueError):
    """JSON that is well formed and of another kind."""


def _pairs(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _constant(name):
    raise ValueError(f"{name} is no number")


def _head(data):
    try:
        text = data.decode(json.detect_encoding(data))
        head = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise common.Malformed(*JSON) from error
    if not isinstance(head, dict) or not head.keys() & set(LISTS):
        raise _Left
    if not all(isinstance(head.get(key), list) for key in LISTS):
        raise common.Malformed(*ENTRY)
    return head


def _id(value):
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise common.Malformed(*ENTRY)
    return value


def _unique(entries, key):
    """Entries by their id; each also has a name."""
    found = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
            raise common.Malformed(*ENTRY)
        if found.setdefault(_id(entry.get("id")), entry) is not entry:
            raise common.Malformed(*ENTRY)
    return found


def _categories(entries):
    found = _unique(entries, "name")
    return {i: common.label(entry["name"]) for i, entry in found.items()}


def _images(known, file, head, classes, lost):
    """Image name -> Annotated, or None where it has an error; and the problems."""
    folder, problems, images = posixpath.dirname(file), [], {}
    try:
        entries, objects = _unique(head["images"], "file_name"), _by_image(head)
    except common.Malformed as error:
        return {}, [common.problem("error", error.what, file)]
    if objects.keys() - entries.keys():
        problems.append(common.problem("error", UNKNOWN, file))
    for i, entry in entries.items():
        written = entry["file_name"]
        name, there = common.locate(known, folder, written)
        if name is None:
            problems.append(common.missing(folder, written, file))
            continue
        said, again = [] if there else [common.MOVED], name in images
        images[name] = None
        try:
            if again:
                raise common.Malformed(*common.TWICE)
            images[name] = _annotated(file, entry, objects[i], classes, said)
        except common.Malformed as error:
            problems.append(common.problem("error", error.what, name))
            continue
        lost.update(_lost(objects[i]))
        problems += [common.problem("repaired", what, name) for what in said]
    return images, problems


def _by_image(head):
    """The objects of each image; their ids, where they have any, are unique."""
    found, ids = collections.defaultdict(list), set()
    for entry in head["annotations"]:
        if not isinstance(entry, dict):
            raise common.Malformed(*ENTRY)
        found[_id(entry.get("image_id"))].append(entry)
        if "id" in entry and _id(entry["id"]) in ids:
            raise common.Malformed(*ENTRY)
        ids.add(entry.get("id"))
    return found


def _annotated(file, entry, objects, classes, said):
    claims = [entry.get(key) for key in ("width", "height")]
    if claims != [None, None]:
        claims = [common.whole(_number(value)) for value in claims]
    found = [_object(each, classes, said) for each in objects]
    return common.Annotated(file, common.boxes(found), *claims)


def _object(entry, classes, said):
    category = _id(entry.get("category_id"))
    if category not in classes:
        raise common.Malformed(*UNKNOWN)
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise common.Malformed(*common.NUMERIC)
    x, y, width, height = (_number(value) for value in box)
    if width < 0 or height < 0:
        raise common.Malformed(*NEGATIVE)
    if entry.get("iscrowd") not in (None, 0):
        said.append(CROWD)
    outline = _outline(entry.get("segmentation"), said)
    score = _number(entry.get("score", 1.0))
    box = (x, y, x + width, y + height)
    return common.Object(classes[category], box, score, outline)


def _number(value):
    """A number that is written as one."""
    return common.number(None if isinstance(value, str) else value)


def _outline(value, said):
    """A single outline; of several parts or of a mask only the box is kept."""
    if value in (None, []):
        return None
    if not isinstance(value, list) or len(value) > 1:
        said.append(MASK)
        return None
    points = value[0]
    if not isinstance(points, list) or len(points) < 6 or len(points) % 2:
        raise common.Malformed(*OUTLINE)
    return common.outline([_number(v) for v in points])[0]


def _lost(objects):
    crowds = sum(entry.get("iscrowd") not in (None, 0) for entry in objects)
    return {CROWDS: crowds, FIELDS: sum(len(entry.keys() - KNOWN) for entry in objects)}


def _entry(category, found):
    x0, y0, x1, y1 = found.box
    area, outline = (x1 - x0) * (y1 - y0), []
    if found.outline is not None:
        x, y = np.asarray(found.outline).T
        area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2  # the shoelace formula
        outline = [[common.plain(v) for v in np.asarray(found.outline).reshape(-1)]]
    entry = {
        "category_id": category,
        "bbox": [common.plain(v) for v in (x0, y0, x1 - x0, y1 - y0)],
        "area": common.plain(area),
        "segmentation": outline,
        "iscrowd": 0,
    }
    return entry if found.score == 1 else entry | {"score": common.plain(found.score)}
