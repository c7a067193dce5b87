"""Pascal VOC: one XML file an image, as LabelImg writes it.

Coordinates are pixel edges, half-open: `xmax - xmin` is the width.
"""

import collections
import html
import posixpath
import re

import defusedxml
from defusedxml import ElementTree

from chromolib.data.formats import common

UNHELD = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TAGS = 1_000_000  # a tree of more would need more memory than an annotation is worth
CORNERS = ("xmin", "ymin", "xmax", "ymax")
USUAL = {"pose": ("", "Unspecified"), "truncated": ("", "0"), "difficult": ("", "0")}
DETAILS = "values of pose, truncated and difficult"

XML = ("not well-formed XML", "write the annotation again")
FORBIDDEN = (
    "the XML holds a document type or entities, which no annotation needs",
    "take them out",
)
OTHER = ("an XML file, but no VOC annotation", "take it out of the source")
SEVERAL = ("several images for this annotation", "keep them in folders of their own")
RENAMED = (
    "the file name inside the annotation is of no image here: the annotation's own "
    "name counts",
    "nothing, if the images were renamed",
)
CANDIDATES = (
    "the file name inside the annotation is of another image than its own name",
    "correct the file name inside, or the name of the annotation",
)


def dataset(store):
    """The VOC annotations of a store, each with the image of the same stem."""
    known, problems = common.index(store), []
    found, details = collections.defaultdict(list), collections.Counter()
    for name in common.ending(store, ".xml"):
        near, image = _nearest(known, name), None
        try:
            root = _tree(common.content(store, name))
            image, renamed = _image(known, near, _text(root, "filename"))
            annotated = _annotated(name, root)
        except common.Malformed as error:
            problems.append(common.problem("error", error.what, name))
            for each in near if image is None else [image]:
                found[each].append(None)
            continue
        found[image].append(annotated)
        details[image] += _details(root)
        if renamed:
            problems.append(common.problem("repaired", RENAMED, name))
    twice = [name for name, each in found.items() if len(each) > 1]
    problems += [common.problem("error", common.TWICE, name) for name in twice]
    problems += common.unannotated(known.names - set(found))
    single = {k: v[0] for k, v in sorted(found.items()) if len(v) == 1 and v[0]}
    lost = {DETAILS: sum(details[name] for name in single)}
    return common.Dataset(single, (), common.collected(problems), lost)


def write(dataset, sizes, folder):
    """One XML file beside each image; sizes are the ones the dataset claims."""
    for name, annotated in dataset.images.items():
        width, height = annotated.width, annotated.height
        lines = [
            "<annotation>",
            f"  <filename>{_escaped(posixpath.basename(name))}</filename>",
            f"  <size><width>{width}</width><height>{height}</height></size>",
            *map(_written, common.objects(annotated.boxes)),
            "</annotation>\n",
        ]
        path = posixpath.splitext(name)[0] + ".xml"
        common.save(folder, path, "\n".join(lines))


def _tree(data):
    if data.count(b"<") > TAGS:
        raise common.Malformed(*common.MANY)
    try:
        root = ElementTree.fromstring(data, forbid_dtd=True)
    except defusedxml.DefusedXmlException as error:
        raise common.Malformed(*FORBIDDEN) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise common.Malformed(*XML) from error
    if root.tag != "annotation":
        raise common.Malformed(*OTHER)
    return root


def _text(element, tag):
    found = element.find(tag)
    return "" if found is None else found.text or ""


def _nearest(known, name):
    """Images of the stem of an annotation: beside it, one folder aside, anywhere."""
    here = posixpath.dirname(name)
    stems = known.stem.get(common.stem_of(name), ())
    found = [(_distance(here, posixpath.dirname(image)), image) for image in stems]
    return [image for far, image in found if far == min(found)[0]]


def _distance(here, there):
    """0 for one folder, 1 for siblings, 2 where any other one part differs, else 3."""
    here, there = here.split("/"), there.split("/")
    if len(here) != len(there):
        return 3
    pairs = zip(here, there, strict=True)
    differ = [i for i, (a, b) in enumerate(pairs) if a != b]
    if len(differ) < 2:
        return 0 if not differ else 1 if differ[0] == len(here) - 1 else 2
    return 3


def _image(known, near, written):
    """The image of an annotation, and whether the name inside is of none at all."""
    base = common.last_part(written.strip())
    named = [image for image in near if posixpath.basename(image) == base]
    if len(named or near) > 1:
        raise common.Malformed(*SEVERAL)
    if not near:
        raise common.Malformed(*common.NO_IMAGE)
    if base and not named and base in known.base:
        raise common.Malformed(*CANDIDATES)
    return (named or near)[0], bool(base) and not named


def _annotated(name, root):
    size = root.find("size")
    sides = (None, None)
    if size is not None:
        sides = [common.whole(_text(size, tag)) for tag in ("width", "height")]
    found = common.boxes([_object(element) for element in root.iterfind("object")])
    return common.Annotated(name, found, *sides)


def _object(element):
    box = element.find("bndbox")
    if box is None:
        raise common.Malformed(*common.NUMERIC)
    corners = tuple(common.number(_text(box, tag)) for tag in CORNERS)
    return common.Object(common.label(_text(element, "name")), corners)


def _details(root):
    return sum(
        _text(element, tag).strip() not in usual
        for element in root.iterfind("object")
        for tag, usual in USUAL.items()
    )


def _escaped(text):
    return html.escape(text, quote=False).replace("\r", "&#13;")


def _written(found):
    corners = "".join(
        f"<{tag}>{common.plain(value)}</{tag}>"
        for tag, value in zip(CORNERS, found.box, strict=True)
    )
    return (
        f"  <object><name>{_escaped(found.label)}</name><pose>Unspecified</pose>"
        f"<truncated>0</truncated><difficult>0</difficult>"
        f"<bndbox>{corners}</bndbox></object>"
    )
