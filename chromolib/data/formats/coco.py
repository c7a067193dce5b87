"""COCO: one JSON file for many images; boxes are x, y, width and height.

Several files, one for each split, are read as one; each speaks of its own folder. An
object marked `iscrowd` stands for a group: it is read as one box, and listed.
"""

import collections
import json
import posixpath

import numpy as np

from chromolib.data import store
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


def dataset(files):
    """The COCO files of a store, each relative to its folder."""
    return common.from_tables(files, ".json", _read, none=NONE, default=FILE)


def write(dataset, sizes, folder):
    """One JSON file for all images."""
    number = {name: i + 1 for i, name in enumerate(dataset.classes)}
    images, objects = [], []
    for i, (name, annotated) in enumerate(dataset.images.items(), 1):
        size = {"width": annotated.width, "height": annotated.height}
        images.append({"id": i, "file_name": name, **size})
        for drawn in common.objects(annotated.boxes):
            ids = {"id": len(objects) + 1, "image_id": i}
            objects.append(ids | _entry(number[drawn.label], drawn))
    categories = [{"id": i, "name": name} for name, i in number.items()]
    lists = dict(zip(LISTS, (images, objects, categories), strict=True))
    text = json.dumps(lists, indent=1, allow_nan=False)
    common.save(folder, FILE, text + "\n")


def _read(stored, file, data):
    """Image name -> Annotated or None, the classes, the problems and what is lost."""
    head = _head(data)
    categories = _unique(head["categories"], "name")
    names = {i: common.label(entry["name"]) for i, entry in categories.items()}
    classes = tuple(dict.fromkeys(names.values()))
    problems = [store.repaired(SAME, file)] if len(classes) < len(names) else []
    lost = collections.Counter()
    try:
        entries, objects = _unique(head["images"], "file_name"), _by_image(head)
    except common.Malformed as failure:
        return {}, classes, [*problems, store.error(failure.what, file)], lost
    if objects.keys() - entries.keys():
        problems.append(store.error(UNKNOWN, file))
    images = {}
    for i, entry in entries.items():
        path = posixpath.dirname(file), entry["file_name"]
        name, in_place = common.locate(stored, *path)
        if name is None:
            problems.append(common.missing(*path, file))
            continue
        repairs, again = [] if in_place else [common.MOVED], name in images
        images[name] = None
        try:
            if again:
                raise common.Malformed(*common.TWICE)
            images[name] = _annotated(file, entry, objects[i], names, repairs)
        except common.Malformed as failure:
            problems.append(store.error(failure.what, name))
            continue
        lost.update(_lost(objects[i]))
        problems += [store.repaired(what, name) for what in repairs]
    return images, classes, problems, lost


def _pairs(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _constant(name):
    raise ValueError(f"{name} is no number")


def _head(data):
    try:
        text = data.decode(json.detect_encoding(data))
        head = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as failure:
        raise common.Malformed(*JSON) from failure
    if not isinstance(head, dict) or not head.keys() & set(LISTS):
        raise common.Unrelated(*OTHER)
    if not all(isinstance(head.get(key), list) for key in LISTS):
        raise common.Malformed(*ENTRY)
    return head


def _id(value):
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise common.Malformed(*ENTRY)
    return value


def _unique(entries, key):
    """Entries by their id; each also has a name."""
    by_id = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
            raise common.Malformed(*ENTRY)
        if by_id.setdefault(_id(entry.get("id")), entry) is not entry:
            raise common.Malformed(*ENTRY)
    return by_id


def _by_image(head):
    """The objects of each image; their ids, where they have any, are unique."""
    by_image, ids = collections.defaultdict(list), set()
    for entry in head["annotations"]:
        if not isinstance(entry, dict):
            raise common.Malformed(*ENTRY)
        by_image[_id(entry.get("image_id"))].append(entry)
        if "id" in entry and _id(entry["id"]) in ids:
            raise common.Malformed(*ENTRY)
        ids.add(entry.get("id"))
    return by_image


def _annotated(file, entry, objects, names, repairs):
    claims = [entry.get(key) for key in ("width", "height")]
    if claims != [None, None]:
        claims = [common.whole(_number(value)) for value in claims]
    boxes = common.boxes([_object(each, names, repairs) for each in objects])
    return common.Annotated(file, boxes, *claims)


def _object(entry, names, repairs):
    category = _id(entry.get("category_id"))
    if category not in names:
        raise common.Malformed(*UNKNOWN)
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise common.Malformed(*common.NUMERIC)
    x, y, width, height = (_number(value) for value in box)
    if width < 0 or height < 0:
        raise common.Malformed(*common.NEGATIVE)
    if _is_crowd(entry):
        repairs.append(CROWD)
    outline = _outline(entry.get("segmentation"), repairs)
    score = _number(entry.get("score", 1.0))
    box = (x, y, x + width, y + height)
    return common.Object(names[category], box, score, outline)


def _is_crowd(entry):
    return entry.get("iscrowd") not in (None, 0)


def _number(value):
    """A number that is written as one."""
    return common.number(None if isinstance(value, str) else value)


def _outline(value, repairs):
    """A single outline; of several parts or of a mask only the box is kept."""
    if value in (None, []):
        return None
    if not isinstance(value, list) or len(value) > 1:
        repairs.append(MASK)
        return None
    points = value[0]
    if not isinstance(points, list) or len(points) < 6 or len(points) % 2:
        raise common.Malformed(*OUTLINE)
    return common.outline([_number(v) for v in points])[0]


def _lost(objects):
    fields = sum(len(entry.keys() - KNOWN) for entry in objects)
    return {CROWDS: sum(map(_is_crowd, objects)), FIELDS: fields}


def _entry(category, drawn):
    x0, y0, x1, y1 = drawn.box
    area, outline = (x1 - x0) * (y1 - y0), []
    if drawn.outline is not None:
        x, y = np.asarray(drawn.outline).T
        area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2  # the shoelace formula
        outline = [[common.plain(v) for v in np.asarray(drawn.outline).reshape(-1)]]
    entry = {
        "category_id": category,
        "bbox": [common.plain(v) for v in (x0, y0, x1 - x0, y1 - y0)],
        "area": common.plain(area),
        "segmentation": outline,
        "iscrowd": 0,
    }
    return entry if drawn.score == 1 else entry | {"score": common.plain(drawn.score)}
