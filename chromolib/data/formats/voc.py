"""Pascal VOC: one XML file an image, as LabelImg writes it.

Coordinates are pixel edges, half-open: `xmax - xmin` is the width.
"""

import collections
import html
import posixpath
import re

import defusedxml
from defusedxml import ElementTree

from chromolib.data import store
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


def dataset(files):
    """The VOC annotations of a store, each with the image of the same stem."""
    stored, problems = common.index(files), []
    by_image, details = collections.defaultdict(list), collections.Counter()
    for file in common.ending(files, ".xml"):
        near, image = _nearest(stored, file), None
        try:
            root = _tree(common.content(files, file, limit=common.SINGLE))
            image, renamed = _image(stored, near, root.findtext("filename", ""))
            annotated = _annotated(file, root)
        except common.Malformed as failure:
            problems.append(store.error(failure.what, file))
            for name in near if image is None else [image]:
                by_image[name].append(None)
            continue
        by_image[image].append(annotated)
        details[image] += _details(root)
        if renamed:
            problems.append(store.repaired(RENAMED, file))
    twice = [name for name, claims in by_image.items() if len(claims) > 1]
    problems += [store.error(common.TWICE, name) for name in twice]
    problems += common.unannotated(stored, by_image)
    single = {k: v[0] for k, v in sorted(by_image.items()) if len(v) == 1 and v[0]}
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
    except defusedxml.DefusedXmlException as failure:
        raise common.Malformed(*FORBIDDEN) from failure
    except (ElementTree.ParseError, ValueError, LookupError) as failure:
        raise common.Malformed(*XML) from failure
    if root.tag != "annotation":
        raise common.Malformed(*OTHER)
    return root


def _nearest(stored, file):
    """Images of the stem of an annotation: beside it, one folder aside, anywhere."""
    images = stored.stem.get(common.stem_of(file), ())
    distances = [_distance(file, image) for image in images]
    pairs = zip(distances, images, strict=True)
    return [image for distance, image in pairs if distance == min(distances)]


def _distance(file, image):
    """0 in one folder, 1 in siblings, 2 where any other one folder differs, else 3."""
    folders = [posixpath.dirname(name).split("/") for name in (file, image)]
    if len(folders[0]) != len(folders[1]):
        return 3
    differ = [one != other for one, other in zip(*folders, strict=True)]
    if sum(differ) == 1:
        return 1 if differ[-1] else 2
    return 3 if any(differ) else 0


def _image(stored, near, written):
    """The image of an annotation, and whether the name inside is of none at all."""
    base = common.last_part(written.strip())
    named = [image for image in near if posixpath.basename(image) == base]
    if len(named or near) > 1:
        raise common.Malformed(*SEVERAL)
    if not near:
        raise common.Malformed(*common.NO_IMAGE)
    if base and not named and base in stored.base:
        raise common.Malformed(*CANDIDATES)
    return (named or near)[0], bool(base) and not named


def _annotated(file, root):
    size = root.find("size")
    sides = (None, None)
    if size is not None:
        sides = [common.whole(size.findtext(tag, "")) for tag in ("width", "height")]
    boxes = common.boxes([_object(element) for element in root.iterfind("object")])
    return common.Annotated(file, boxes, *sides)


def _object(element):
    box = element.find("bndbox")
    if box is None:
        raise common.Malformed(*common.NUMERIC)
    corners = tuple(common.number(box.findtext(tag, "")) for tag in CORNERS)
    return common.Object(common.label(element.findtext("name", "")), corners)


def _details(root):
    return sum(
        element.findtext(tag, "").strip() not in usual
        for element in root.iterfind("object")
        for tag, usual in USUAL.items()
    )


def _escaped(text):
    return html.escape(text, quote=False).replace("\r", "&#13;")


def _written(drawn):
    corners = "".join(
        f"<{tag}>{common.plain(value)}</{tag}>"
        for tag, value in zip(CORNERS, drawn.box, strict=True)
    )
    return (
        f"  <object><name>{_escaped(drawn.label)}</name><pose>Unspecified</pose>"
        f"<truncated>0</truncated><difficult>0</difficult>"
        f"<bndbox>{corners}</bndbox></object>"
    )
