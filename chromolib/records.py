"""The nouns: frozen records, checked when they are made and trusted afterwards."""

import dataclasses
import math
import typing

import numpy as np

CLASSES = (*map(str, range(1, 23)), "X", "Y")
LEVELS = ("repaired", "error")
MOST = 6  # digits of a number that is written
DRAWN = ("polygon", "mask", "axis")  # what may be known of a box besides
COLUMNS = {"probability": float, "uncertainty": float, "refer": bool}
COLUMNS |= dict.fromkeys(("image", "group", "truth", "label", "assigned", "cell"), str)
WORDS = ("source", "study", "model", "weights", "protocol", "profile", "seed")
WORDS += ("conditions",)  # what passes from Predictions into every Estimate


def read_conditions(text):
    """The conditions of a csv cell, "k=v;k=v", as a dict; a bare word has no value."""
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {name: value for name, _, value in pairs}


def write_conditions(conditions):
    """What `read_conditions` reads."""
    return ";".join(f"{k}={v}" if v else k for k, v in conditions.items())


def _plain(record):
    """Conditions as text, so that a record read from a file equals the one written."""
    conditions = {str(k): str(v) for k, v in record.conditions.items()}
    object.__setattr__(record, "conditions", conditions)


def stated(one):
    """Whose images an Estimate is of, and first weights if not random: for captions."""
    given = "" if one.weights in ("", "none") else f"weights {one.weights}"
    return ", ".join(filter(None, (one.source, given)))


@dataclasses.dataclass(frozen=True, order=True)
class Problem:
    """Something wrong with a file: what, and what to do about it.

    `repaired`: put right as documented, counted and listed; a study goes on. `error`:
    the file is left out, and a study refuses the source unless told to skip.
    """

    level: str
    reason: str
    file: str  # relative to the source, never a path of the machine
    remedy: str

    def __post_init__(self):
        if self.level not in LEVELS:
            raise ValueError(f"level {self.level!r}; known: {', '.join(LEVELS)}")
        if not (self.file and self.reason and self.remedy):
            raise ValueError("a problem names its file, the reason and a remedy")


@dataclasses.dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes on one image, in pixels, half-open: width is `x1 - x0`, never `+ 1`.

    Where chromosomes lie over each other, the lowest comes first.
    """

    xyxy: np.ndarray  # (n, 4)
    label: np.ndarray  # (n,) text
    score: np.ndarray | None = None  # (n,); 1.0 for ground truth
    # Of each box, or empty; None where a box has none:
    polygon: tuple = ()  # outline (k, 2)
    mask: tuple = ()  # bool, fills the box; whole also where another lies over it
    axis: tuple = ()  # (k, 2) x, y along the chromosome, from the p end

    def __post_init__(self):
        xyxy = np.asarray(self.xyxy, np.float64).reshape(-1, 4)
        label = np.asarray(self.label, dtype=str).reshape(-1)
        score = np.ones(len(xyxy)) if self.score is None else np.asarray(self.score)
        sizes = {len(xyxy), len(label), len(score)}
        sizes |= {len(getattr(self, name)) or len(xyxy) for name in DRAWN}
        if len(sizes) > 1:
            raise ValueError(
                f"boxes, labels, scores, outlines, masks and axes differ: {sizes}"
            )
        if not np.isfinite(xyxy).all():
            raise ValueError("a box has a coordinate that is not a number")
        if (xyxy[:, 2:] < xyxy[:, :2]).any():
            raise ValueError("boxes need x0 <= x1 and y0 <= y1; was this xywh?")
        for box, mask in zip(xyxy, self.mask, strict=False):
            _fills(mask, box)
        for axis in self.axis:
            _line(axis)
        for name, value in (("xyxy", xyxy), ("label", label), ("score", score)):
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.xyxy)

    def take(self, which):
        """The chosen boxes, by mask or by index."""
        index = np.arange(len(self))[which]
        drawn = {
            name: tuple(getattr(self, name)[i] for i in index)
            for name in DRAWN
            if getattr(self, name)
        }
        return Boxes(self.xyxy[index], self.label[index], self.score[index], **drawn)


def _fills(mask, box):
    """Refuse a mask of another kind or size than its box."""
    if mask is None:
        return
    size = np.round(box[2:]).astype(int) - np.round(box[:2]).astype(int)
    if mask.dtype != bool or mask.shape != tuple(size[::-1]):
        raise ValueError(
            f"a mask is {mask.dtype} {mask.shape}, its box {tuple(size.tolist())}; "
            "a mask is bool and (height, width) of the box with its corners rounded"
        )


def _line(axis):
    """Refuse an axis that is no line of points."""
    if axis is None:
        return
    if axis.ndim != 2 or axis.shape[1:] != (2,) or len(axis) < 2:
        raise ValueError(f"an axis has shape {axis.shape}, not (k, 2) with k > 1")
    if not np.isfinite(axis).all():
        raise ValueError("an axis has a coordinate that is not a number")


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Images of one source with all that a split, a study or a probe asks of them.

    `group` is the unit of independence: patient or case where known, else cell, else
    source image. `pixels[i]` is a grey image, (height, width) uint8.
    """

    source: str
    name: np.ndarray  # (n,) unique, relative to the source
    label: np.ndarray  # (n,) "" where the image has no label of its own
    group: np.ndarray  # (n,)
    unit: str  # what a group is: "case", "cell", ...
    pixels: typing.Any  # a sequence with take(); see data.pixels
    cell: np.ndarray | None = None  # (n,); the group where nothing finer is known
    boxes: tuple | None = None  # (n,) Boxes
    extra: dict = dataclasses.field(default_factory=dict)  # name -> (n,) text
    problems: tuple = ()  # what was repaired or left out while reading
    fingerprint: str = ""  # a hash of every byte that was read
    provenance: str = "real"

    def __post_init__(self):
        if self.cell is None:
            object.__setattr__(self, "cell", self.group)
        columns = {"name": self.name, "label": self.label, "group": self.group}
        columns |= {"cell": self.cell, **self.extra}
        for name, values in columns.items():
            if len(values) != len(self.name):
                raise ValueError(f"{name} has {len(values)} of {len(self.name)} values")
        if len(self.pixels) != len(self.name):
            raise ValueError("there are not as many images as names")
        if self.boxes is not None and len(self.boxes) != len(self.name):
            raise ValueError("there are not as many sets of boxes as names")
        if len(np.unique(self.name)) < len(self.name):
            raise ValueError("two images have one name")
        if not all(self.group):
            raise ValueError("an image belongs to no group; groups are what splits cut")

    def __len__(self):
        return len(self.name)

    @property
    def origin(self):
        """What every number made of these carries: the source, and whether edited."""
        edited = self.provenance not in ("real", self.source)
        return f"{self.source} ({self.provenance})" if edited else self.source

    def take(self, which):
        """The chosen images, by mask or by index; pixels are shared, not copied."""
        index = np.arange(len(self))[which]
        return dataclasses.replace(
            self,
            name=self.name[index],
            label=self.label[index],
            group=self.group[index],
            cell=self.cell[index],
            pixels=self.pixels.take(index),
            boxes=None if self.boxes is None else tuple(self.boxes[i] for i in index),
            extra={key: values[index] for key, values in self.extra.items()},
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of images beside what they are: one row an image.

    `group` is the unit of independence, as in ImageSet. The words from `source` on pass
    into every Estimate made of these rows.
    """

    image: np.ndarray  # (n,) unique
    group: np.ndarray  # (n,)
    truth: np.ndarray  # (n,) one of `classes`
    label: np.ndarray | None = None  # (n,); the most probable class unless given
    probability: np.ndarray | None = None  # (n, classes); None: the model has none
    uncertainty: np.ndarray | None = None  # (n,); 1 - highest probability unless given
    refer: np.ndarray | None = None  # (n,) bool: shown to an expert
    assigned: np.ndarray | None = None  # (n,) label where cells are named as a whole
    cell: np.ndarray | None = None  # (n,) within its group; the group unless given
    classes: tuple = CLASSES
    source: str = ""
    study: str = ""
    model: str = ""
    weights: str = ""
    protocol: str = ""
    profile: str = ""
    seed: int = 0
    conditions: dict = dataclasses.field(default_factory=dict)  # what else was varied

    def __post_init__(self):
        _plain(self)
        if not self.source:
            raise ValueError("predictions without a source; give source='synthetic', …")
        columns = {name: getattr(self, name) for name in COLUMNS}
        columns = {k: v for k, v in columns.items() if v is not None}
        if self.probability is not None:
            given = _probable(self.probability, self.classes)
            label = np.array(self.classes)[given.argmax(1)]
            columns = {"label": label, "uncertainty": 1 - given.max(1)} | columns
        elif self.label is None:
            raise ValueError("predictions have neither label nor probability; give one")
        columns = {"cell": self.group} | columns
        columns = {
            k: np.asarray(columns[k], COLUMNS[k]) for k in COLUMNS if k in columns
        }
        _rows(columns, self.classes)
        for name, values in columns.items():
            object.__setattr__(self, name, values)

    def __len__(self):
        return len(self.image)

    @property
    def words(self):
        """What every Estimate made of these carries: source, study, model, …"""
        return {name: getattr(self, name) for name in WORDS}

    def take(self, which):
        """The chosen rows, by mask or by index."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        columns = {k: v[which] for k, v in columns.items() if v is not None}
        return dataclasses.replace(self, **columns)


def _probable(given, classes):
    """What is a probability of each class; all else is refused."""
    given = np.asarray(given, np.float64)
    if given.ndim != 2 or given.shape[1] != len(classes):
        raise ValueError(
            f"probability has shape {given.shape}, not (n, {len(classes)}); give one "
            "column a class, for a sigmoid's p both 1 - p and p"
        )
    wrong = ~((given >= 0).all(1) & (np.abs(given.sum(1) - 1) < 1e-3))
    if wrong.any():
        raise ValueError(
            f"probability of row {wrong.argmax()} is negative, not a number or sums to "
            f"{given[wrong.argmax()].sum():.4g}, not 1, as of {wrong.sum()} of "
            f"{len(given)} rows; give what comes out of the softmax, not what goes in"
        )
    return given


def _rows(columns, classes):
    """Refuse columns that do not describe the same images."""
    image = columns["image"].tolist()
    for name, values in columns.items():
        if len(values) != len(image) or not image:
            raise ValueError(
                f"{name} has {len(values)} values for {len(image)} images; there is at "
                "least one image, and each has one of each"
            )
    if len(set(image)) < len(image):
        twice = next(name for name in image if image.count(name) > 1)
        raise ValueError(f"image {twice!r} is predicted twice; keep one prediction")
    if "" in columns["group"]:
        raise ValueError("an image belongs to no group; groups are what is resampled")
    if not np.isfinite(columns.get("uncertainty", 0)).all():
        raise ValueError("an uncertainty is not a number; leave that image out")
    for name in ("truth", "label", "assigned"):
        odd = set(columns.get(name, ())) - set(classes)
        if odd:
            raise ValueError(f"{name} {str(min(odd))!r} is none of {classes}")


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A measured number that says how sure it is, of how many, and from what.

    `low` and `high` bound a 95 % interval; `groups` counts the independent units
    (patients, cells, source images) among the `n` items measured.
    """

    study: str
    quantity: str
    value: float
    low: float
    high: float
    n: int
    groups: int
    source: str
    protocol: str
    model: str = ""
    weights: str = ""
    profile: str = ""
    seed: int = 0
    conditions: dict = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self):
        _plain(self)
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"{self.quantity}: {self.value} lies outside its own interval "
                f"[{self.low}, {self.high}]"
            )
        if not 0 < self.groups <= self.n:
            raise ValueError(
                f"{self.quantity}: {self.groups} groups among {self.n} items; "
                "groups count the independent units, at least one, at most n"
            )
        if not self.source:
            raise ValueError(f"{self.quantity}: an estimate names its source")

    @property
    def interval(self):
        """The interval in words."""
        return f"{digits(self.low)} to {digits(self.high)}"

    def __str__(self):
        """The value with its interval, as text shows it."""
        return f"{digits(self.value)} [{digits(self.low)}, {digits(self.high)}]"


def digits(value, *, significant=3):
    """A number as a reader wants it: three significant digits, no trailing noise.

    Numbers close to one keep the digits that tell them from one, up to `MOST`.
    """
    if isinstance(value, str) or value is None:
        return value or ""
    value = 0.0 if abs(value) < 1e-12 else value  # decimals are not exact
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    if 0.99 < value < 1:
        significant = min(math.ceil(-math.log10(1 - value)) + 1, MOST)
    return f"{value:.{significant}g}" if value < 1000 else f"{value:,.0f}"
