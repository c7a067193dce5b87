"""YOLO: one text file an image, coordinates as shares, class names in `data.yaml`.

A label file lies beside its image, or in `labels/` where the image is in `images/`.
Paths inside `data.yaml` are private to the machine that wrote it: never followed.
"""

import collections
import posixpath
import re

import numpy as np
import yaml

from chromolib.data import store
from chromolib.data.formats import common

UNHELD = re.compile("[\x00-\x1f\x7f-\x9f]")
YAML, LINES = ("data.yaml", "data.yml"), "classes.txt"
LIMIT = 2**16  # bytes of all that name classes; 200 names take four thousand
FOLDER = "images"
UNREADABLE = (yaml.YAMLError, ArithmeticError, LookupError, RecursionError, ValueError)

NO_CLASSES = (
    "no data.yaml and no classes.txt: a class index has no name",
    "add data.yaml with the names of the classes",
)
BAD_YAML = ("data.yaml cannot be read", "write it again, or give a classes.txt")
BAD_NAMES = (
    "the class names are missing, incomplete, repeated or not text",
    "list every class once, in the order of the indices",
)
DISAGREE = ("two files name the classes differently", "keep one of them")
LONG = (
    "the files that name the classes, equal ones once, hold more than 64 KiB",
    "keep one data.yaml with the names of the classes",
)
ALPHABETIC = (
    "class order is alphabetical, an index is not a chromosome number: names are "
    "taken from data.yaml",
    "nothing; never read an index as a chromosome",
)
COUNT = (
    "the number of classes is not that of their names: the names count",
    "correct nc in data.yaml",
)
OUTLINED = (
    "outline drawn instead of a box: its bounding box is used",
    "nothing; the outline is kept beside the box",
)
COLUMNS = ("a row is neither a box (5 or 6 columns) nor an outline", "correct the row")
NO_CLASS = ("a class index has no name", "correct the index or add the class")
SHARED = ("two images share one label file", "keep one of the images")


def dataset(files):
    """The label files of a store, each with its image."""
    stored = common.index(files)
    classes, prefix, problems = _classes(files)
    if not classes:
        return common.Dataset({}, problems=tuple(problems))
    labels = {n for n in common.ending(files, ".txt") if _base(n) != LINES}
    pairs = {name: labels.intersection(_candidates(name)) for name in stored.names}
    used = collections.Counter(file for some in pairs.values() for file in some)
    images = {}
    for name, candidates in sorted(pairs.items()):
        if len(candidates) != 1 or used[min(candidates)] > 1:
            what = (common.NO_ANNOTATION, SHARED, common.TWICE)[min(len(candidates), 2)]
            problems.append(store.error(what, name))
            continue
        file = min(candidates)
        try:
            data = common.content(files, file, limit=common.SINGLE)
            boxes = _boxes(common.text(data), classes)
        except common.Malformed as failure:
            problems.append(store.error(failure.what, file))
            continue
        images[name] = common.Annotated(file, boxes, fraction=True)
        if boxes.polygon:
            problems.append(store.repaired(OUTLINED, file))
    unused = [file for file in labels - set(used) if _is_label(files, file)]
    problems += [store.error(common.NO_IMAGE, file) for file in unused]
    prefix = prefix if all(n.startswith(f"{prefix}/") for n in stored.names) else ""
    return common.Dataset(images, classes, common.collected(problems), prefix=prefix)


def image_folder(names):
    """The folder that images of these names are put into, "" where they have one."""
    return "" if all(FOLDER in name.split("/")[:-1] for name in names) else FOLDER


def write(dataset, sizes, folder):
    """`data.yaml`, and a label file for each image, `images/` mirrored as `labels/`."""
    head = {"nc": len(dataset.classes), "names": list(dataset.classes)}
    if dataset.prefix:
        head["image_folder"] = dataset.prefix  # ours: what to take off the names again
    text = yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)
    common.save(folder, YAML[0], text)
    number = {name: i for i, name in enumerate(dataset.classes)}
    for name, annotated in dataset.images.items():
        size = np.array(sizes(name), float)
        rows = [_row(number[o.label], o, size) for o in common.objects(annotated.boxes)]
        path = _candidates(posixpath.join(dataset.prefix, name))[0]
        common.save(folder, path, "".join(rows))


def holds_outline(drawn):
    """Whether a row can hold the outline and the box: the box bounds the outline."""
    if drawn.outline is None:
        return False
    bounds = (*drawn.outline.min(0), *drawn.outline.max(0))
    return len(drawn.outline) > 2 and np.allclose(bounds, drawn.box, 1e-9, 1e-9)


def _base(name):
    return posixpath.basename(name).lower()


def _candidates(image):
    """Where the label file of an image may lie, best first."""
    beside = posixpath.splitext(image)[0] + ".txt"
    parts = beside.split("/")
    folders = [i for i, part in enumerate(parts[:-1]) if part == FOLDER]
    if not folders:
        return [beside]
    parts[folders[-1]] = "labels"
    return ["/".join(parts), beside]


def _is_label(files, file):
    """Whether a text file without an image is an annotation, and not a README."""
    if "labels" in file.split("/")[:-1]:
        return True
    try:
        data = common.content(files, file, limit=common.SINGLE)
        rows = common.text(data).splitlines()
        return len([common.number(v) for v in rows[0].split()]) > 4 if rows else False
    except common.Malformed:
        return False


def _classes(files):
    """The class names, our folder of images, and problems; no names after an error.

    Equal files are read as one: exports copy theirs into every folder. What differs is
    bounded as a whole, because 64 KiB of YAML take a second and 22 MiB.
    """
    named = [name for name in files.names if _base(name) in (*YAML, LINES)]
    if not named:
        return (), "", [store.error(NO_CLASSES, YAML[0])]
    heads, problems = {}, []
    for file in named:
        try:
            head = _head(files, file, heads)
        except common.Malformed as failure:
            return (), "", [store.error(failure.what, file)]
        if not head[2]:
            problems.append(store.repaired(COUNT, file))
    names, folder, _ = next(iter(heads.values()))
    if _alphabetical(names):
        problems.append(store.repaired(ALPHABETIC, named[0]))
    return names, folder, problems


def _head(files, file, heads):
    """What one file says of the classes; `heads` holds what those before it said."""
    data = common.content(files, file, limit=LIMIT)
    key = data, _base(file) == LINES
    if key in heads:
        return heads[key]
    if sum(len(data) for data, _ in (*heads, key)) > LIMIT:
        raise common.Malformed(*LONG)
    head = (_lines if key[1] else _yaml)(common.text(data))
    _check(head[0])
    if heads and head[0] != next(iter(heads.values()))[0]:
        raise common.Malformed(*DISAGREE)
    heads[key] = head
    return head


def _lines(text):
    lines = text.rstrip("\r\n").split("\n")
    return tuple(line.removesuffix("\r") for line in lines), "", True


def _yaml(text):
    """The names, our folder of images, and whether the stated number is theirs."""
    try:
        # Every scalar stays the text it is: `No` is a name, `010` is not 8, and no
        # merge or tag is obeyed. PyYAML's loader in C takes tabs that this one refuses,
        # is not everywhere, and has no bound on nesting: 64 KiB of "[" take it 12 s.
        head = yaml.BaseLoader(text).get_single_data()
    except UNREADABLE as failure:
        raise common.Malformed(*BAD_YAML) from failure
    names = head.get("names") if isinstance(head, dict) else None
    if isinstance(names, dict):
        if sorted(names) != sorted(map(str, range(len(names)))):
            raise common.Malformed(*BAD_NAMES)
        names = [names[str(i)] for i in range(len(names))]
    if not isinstance(names, list):
        raise common.Malformed(*BAD_NAMES)
    folder = FOLDER if head.get("image_folder") == FOLDER else ""
    return tuple(names), folder, head.get("nc", str(len(names))) == str(len(names))


def _check(names):
    for name in names:
        common.label(name)
    if len(set(names)) < len(names) or not names:
        raise common.Malformed(*BAD_NAMES)


def _alphabetical(names):
    """Whether classes stand as 1, 10, 11, 2: sorted as text, not as numbers."""
    numbers = [int(name) for name in names if re.fullmatch("[0-9]{1,9}", name)]
    return list(names) == sorted(names) and numbers != sorted(numbers)


def _boxes(text, classes):
    rows = [row for row in text.splitlines() if row.strip()]
    if len(rows) > common.MOST:
        raise common.Malformed(*common.MANY)
    return common.boxes([_object(row.split(), classes) for row in rows])


def _object(row, classes):
    outlined = len(row) >= 7 and len(row) % 2 == 1
    if not outlined and len(row) not in (5, 6):
        raise common.Malformed(*COLUMNS)
    index = common.whole(row[0])
    if index >= len(classes):
        raise common.Malformed(*NO_CLASS)
    if outlined:
        points, box = common.outline(row[1:])
        return common.Object(classes[index], box, 1.0, points)
    x, y, width, height, *score = map(common.number, row[1:])
    if width < 0 or height < 0:
        raise common.Malformed(*common.NEGATIVE)
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return common.Object(classes[index], box, *score)


def _row(index, drawn, size):
    if holds_outline(drawn):
        values = (drawn.outline / size).reshape(-1)
    else:
        low, high = np.reshape(drawn.box, (2, 2)) / size
        values = [*((low + high) / 2), *(high - low)]
        values += [drawn.score] if drawn.score != 1 else []
    return " ".join([str(index), *(str(common.plain(v)) for v in values)]) + "\n"
