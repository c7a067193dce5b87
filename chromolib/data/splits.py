"""Who is in training and who in test: cut between groups, saved, repeated exactly."""

import base64
import dataclasses
import fractions
import hashlib
import itertools
import json
import zlib

import numpy as np
from sklearn import model_selection

from chromolib import files
from chromolib.data import adapters

HEAD = ("source", "protocol", "unit", "seed")  # of a split and its file
PROTOCOLS = ("clean", "published")
PARTS = ("train", "valid", "test", "out")  # as files say it; "out": in no part


class SplitError(ValueError):
    """A division that cannot be made, or that belongs to other data."""


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One division of a source's images; `part` says where each image is."""

    source: str
    protocol: str
    unit: str
    part: np.ndarray  # (n,) a word of PARTS
    seed: int = 0

    def __post_init__(self):
        _check_protocol(self.protocol)
        unknown = sorted(set(self.part) - set(PARTS))
        if unknown:
            raise SplitError(f"unknown part {unknown[0]!r}; known: {', '.join(PARTS)}")
        for part in ("train", "test"):
            if part not in self.part:
                raise SplitError(f"the {part} part is empty; take another share")

    @property
    def train(self):
        """Indices of the images to learn from."""
        return np.flatnonzero(self.part == "train")

    @property
    def validation(self):
        """Indices of the images to choose by, when to stop for example."""
        return np.flatnonzero(self.part == "valid")

    @property
    def test(self):
        """Indices of the images to judge by."""
        return np.flatnonzero(self.part == "test")


def divide(images, *, protocol, test, validation=0.0, seed=0, stratify=None):
    """One split with these shares in test and validation, classes as even as can be.

    `clean` keeps every group whole; `published` shuffles images as the papers do.
    `stratify` has a word for each image; by default its own label or status.
    """
    if not (test >= 0 and validation >= 0 and test + validation < 1):
        raise SplitError(f"test={test} and validation={validation} leave no training")
    part = np.full(len(images), "train", dtype="<U5")
    strata = _strata(images, stratify)
    rest = np.arange(len(images))
    for name, share in (("test", test), ("valid", validation)):
        if share:
            share_of_rest = share * len(images) / len(rest)
            group, labels = images.group[rest], strata[rest]
            taken = _share(group, labels, share_of_rest, protocol, seed)
            part[rest[taken]] = name
            rest = rest[~taken]
    return Split(images.source, protocol, images.unit, part, seed)


def folds(images, count, *, protocol="clean", seed=0):
    """`count` splits for cross-validation of whole groups; each tests another part."""
    for test in _cut(images.group, _strata(images), count, protocol, seed):
        part = np.where(test, "test", "train")
        yield Split(images.source, protocol, images.unit, part, seed)


def shipped(images):
    """The split that came with the source, in folders train, valid and test."""
    part = images.extra.get("part", np.full(len(images), ""))
    part = np.where(part == "", "out", part)
    return Split(images.source, "published", "image", part)


def _check_protocol(protocol):
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise SplitError(f"protocol {protocol!r}; known: {known}")


def _strata(images, stratify=None):
    if stratify is not None:
        if len(stratify) != len(images):
            raise SplitError(f"stratify has {len(stratify)} words, not {len(images)}")
        return np.asarray(stratify, dtype=str)
    status = images.extra.get("status", images.label)
    return np.where(images.label == "", status, images.label)


def _share(groups, strata, share, protocol, seed):
    """A mask over that share: so many of so many folds, of at most twenty."""
    units = len(groups) if protocol == "published" else len(np.unique(groups))
    most = max(2, min(20, units))
    taken = fractions.Fraction(share).limit_denominator(most)
    least = fractions.Fraction(1, most)
    taken = min(max(taken, least), 1 - least)
    masks = _cut(groups, strata, taken.denominator, protocol, seed)
    return np.any(masks[: taken.numerator], axis=0)


def _cut(groups, strata, count, protocol, seed):
    """Masks of `count` test parts that together hold every image once."""
    _check_protocol(protocol)
    groups = np.arange(len(groups)) if protocol == "published" else groups
    units = len(np.unique(groups))
    if units < 2:
        raise SplitError("a single group cannot be divided; add groups")
    if not 2 <= count <= units:
        raise SplitError(f"{count} parts of {units} groups; take 2 to {units}")
    strata = _without_rare(strata, count)
    plain = len(np.unique(strata)) == 1
    kind = {
        ("clean", True): model_selection.GroupKFold,
        ("clean", False): model_selection.StratifiedGroupKFold,
        ("published", True): model_selection.KFold,
        ("published", False): model_selection.StratifiedKFold,
    }[protocol, plain](count, shuffle=True, random_state=seed)
    if protocol == "published":
        folds = kind.split(groups, strata)
    else:
        folds = kind.split(groups, strata, groups)
    return [np.isin(np.arange(len(groups)), test) for _, test in folds]


def _without_rare(strata, count):
    """Strata with those too rare for every part thrown together."""
    words, which, size = np.unique(strata, return_inverse=True, return_counts=True)
    rare = size < count
    together = "rare" if size[rare].sum() >= count else words[size.argmax()]
    return np.where(rare[which], together, words[which])


# Strategy: a clean split is a list of group ids, which a person can read. A published
# one cuts through groups, so it is a code for each image in the order of their names,
# with a hash of these names: small even for 10^5 images, and it refuses other data.


def save(split, images, path):
    """The split as a small JSON, from which `load` makes exactly the same split."""
    content = {key: getattr(split, key) for key in HEAD}
    content["images"] = _names_hash(images)
    if split.protocol == "clean":
        ids, used = _ids(images), [part for part in PARTS if part in split.part]
        content["groups"] = {
            part: sorted(set(ids[split.part == part])) for part in used
        }
    else:
        order = np.argsort(images.name)
        codes = np.array([PARTS.index(word) for word in split.part[order]], np.uint8)
        packed = zlib.compress(codes.tobytes(), 9)
        content["codes"] = base64.b85encode(packed).decode()
    files.write_text(path, json.dumps(content, indent=1) + "\n")


UNREADABLE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError),
    *(RecursionError, zlib.error),
)


def load(path, images):
    """The split of a file, on the images it was made for; others are refused."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        same = content["images"] == _names_hash(images)
        head = {key: content[key] for key in HEAD}
        part = _decoded(content, images) if same else None
    except UNREADABLE as error:
        reason = type(error).__name__
        raise SplitError(f"{path.name} is no split file ({reason})") from None
    if not same:
        raise SplitError(
            f"{path.name} was made for other images of {head['source']!r}; "
            "use the same source with nothing added, or make a new split"
        )
    return Split(part=part, **head)


def _decoded(content, images):
    part = np.full(len(images), "out", dtype="<U5")
    if content["protocol"] == "clean":
        groups, ids = content["groups"], _ids(images)
        named = list(itertools.chain.from_iterable(groups.values()))
        if len(set(named)) < len(named) or not groups.keys() <= set(PARTS):
            raise ValueError("a group in two parts, or a part of another name")
        for name, members in groups.items():
            part[np.isin(ids, members)] = name
        return part
    stream = zlib.decompressobj()  # never unpacks more than the codes of these images
    codes = stream.decompress(base64.b85decode(content["codes"]), len(images) + 1)
    codes = np.frombuffer(codes, np.uint8)
    if len(codes) != len(images) or codes.max(initial=0) >= len(PARTS):
        raise ValueError("codes of other images")
    part[np.argsort(images.name)] = np.array(PARTS)[codes]
    return part


def _ids(images):
    """Group ids as they may be shown: a lab's own are hashed, public ones are plain."""
    if images.source not in adapters.GENERIC:
        return images.group
    hashes = [hashlib.sha256(name.encode()).hexdigest()[:12] for name in images.group]
    return np.array(hashes, dtype=str)


def _names_hash(images):
    return hashlib.sha256("\0".join(sorted(images.name)).encode()).hexdigest()[:16]
