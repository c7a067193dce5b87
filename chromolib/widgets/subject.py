"""Images with what is known of them, and the answers that a view of them asks for."""

import dataclasses
import functools
import hashlib

import numpy as np

from chromolib import records
from chromolib.data import compose, pixels
from chromolib.detect import scores
from chromolib.widgets import links

SMALL, LARGE = 96, 1600  # longer sides of pictures, in pixels
STEPS = np.arange(1, 20) / 20  # scores from which found boxes may be shown
NEAR, TYPICAL, CHANCES = 6, 3, 5
AT_ONCE = 2_000  # images that are read from their store to be compared
POINTS = 40  # of an outline
FEW = 60  # values of a fact that a filter lists
WORDS = ("model", "weights", "protocol", "source", "study", "profile", "seed")


@dataclasses.dataclass(frozen=True, eq=False)
class Subject:
    """Images with what is known of them; `rows` are those that a view sees."""

    pixels: object
    name: np.ndarray
    about: object  # Predictions, an ImageSet, or None: where labels and groups stand
    predictions: object
    found: object
    boxes: object
    other: object
    saliency: object
    facts: dict
    rows: np.ndarray
    source: str
    side: int = LARGE

    def answer(self, kind, about):
        """What a script may ask, by name."""
        ask = {
            "thumbs": self.thumbs,
            "picture": self.picture,
            "detail": self.detail,
            "examples": self.examples,
            "near": self.near,
        }
        return ask[kind](about)

    def grey(self, row):
        """The picture of a row, dark on light: an ImageSet's own, or made from ink."""
        image = np.asarray(self.pixels[int(row)])
        if image.dtype == np.uint8 and image.ndim == 2:
            return image
        ink = image.reshape(image.shape[:2])
        if ink.dtype != np.uint8:
            ink = np.round(255 * np.clip(ink, 0, 1)).astype(np.uint8)
        return 255 - ink

    def lacks(self, row):
        """Why the picture of a row cannot be had; "" if it can."""
        try:
            self.grey(row)
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    @functools.cached_property
    def classes(self):
        """Every label that occurs or may, in order."""
        if self.predictions is not None:
            return [str(name) for name in self.predictions.classes]
        labels = set(getattr(self.about, "label", ())) - {""}
        known = [name for name in records.CLASSES if name in labels]
        return known + sorted(map(str, labels - set(known)))

    @functools.cached_property
    def sure(self):
        """The probability of what each image was named; None where a model has none."""
        asked = self.predictions
        if asked is None or (asked.probability is None and asked.uncertainty is None):
            return None
        if asked.probability is None:
            return 1 - asked.uncertainty
        column = {name: k for k, name in enumerate(self.classes)}
        named = [column[name] for name in asked.label]
        return asked.probability[np.arange(len(named)), named]

    def state(self, title):
        """What the script needs before it asks anything."""
        state = {"title": title, "classes": self.classes, "facts": {}}
        state |= {"words": {}, "columns": self._columns()}
        if self.about is not None:
            state |= {"groups": _coded(self.about.group[self.rows])[0]}
            state["cells"] = _coded(self._whole[self.rows])[0]
            sizes = dict(zip(*np.unique(self._whole, return_counts=True), strict=True))
            state["sizes"] = [int(sizes[name]) for name in state["cells"]]
        if self.predictions is not None:
            state["words"] = {n: str(getattr(self.predictions, n)) for n in WORDS}
        if self.other is not None:
            label = self._codes(self.other.label)
            state["other"] = {"model": self.other.model or "other", "label": label}
        for name, values in self.facts.items():
            distinct, code = _coded(values[self.rows])
            if 1 < len(distinct) <= FEW:
                state["facts"][name] = {"values": distinct, "code": code}
        if len(set(self.classes) & set(records.CLASSES)) > len(records.CLASSES) / 2:
            state["places"] = compose.ROWS
        key = hashlib.sha256("\0".join(self.name[self.rows].tolist()).encode())
        return state | {"key": key.hexdigest()[:16], "scores": STEPS.tolist()}

    def _columns(self):
        """A list for each thing known of every row; names as places in a list."""
        seen, rows = self.predictions, self.rows
        columns = {"name": self.name[rows].tolist(), "truth": self._codes(self._truth)}
        if self.about is not None:
            columns["group"] = _coded(self.about.group[rows])[1]
            columns["cell"] = _coded(self._whole[rows])[1]
        if seen is not None:
            columns["label"] = self._codes(seen.label)
            columns["assigned"] = self._codes(seen.assigned)
            columns["refer"] = None if seen.refer is None else seen.refer[rows].tolist()
        if self.sure is not None:
            columns["sure"] = np.round(self.sure[rows], 4).tolist()
        return {name: values for name, values in columns.items() if values is not None}

    @property
    def _truth(self):
        """What each image is, where anybody says."""
        if self.predictions is not None:
            return self.predictions.truth
        return getattr(self.about, "label", None)

    @property
    def _whole(self):
        """The cell of each image by its full name."""
        group = self.about.group.astype(str)
        return np.char.strip(np.char.add(np.char.add(group, " "), self._cell))

    @property
    def _cell(self):
        own = np.asarray(self.about.cell, str)
        return np.where(own == self.about.group.astype(str), "", own)

    def _codes(self, labels):
        """Labels of the rows as places in `classes`, -1 where there is none."""
        if labels is None:
            return None
        place = {name: k for k, name in enumerate(self.classes)}
        return [place.get(name, -1) for name in np.asarray(labels, str)[self.rows]]

    def thumbs(self, rows):
        """Small pictures of several rows; of one that cannot be read, why."""
        return [
            {"error": why}
            if (why := self.lacks(self.rows[row]))
            else {"url": links.url(self.grey(self.rows[row]), SMALL)}
            for row in rows
        ]

    def picture(self, row):
        """One picture, as large as is of use."""
        grey = self.grey(self.rows[row])
        height, width = grey.shape
        return {"url": links.url(grey, self.side), "width": width, "height": height}

    def detail(self, row):
        """What is known of an image besides the columns."""
        i, seen = self.rows[row], self.predictions
        found = {"facts": {k: str(v[i]) for k, v in self.facts.items()}}
        if self.about is not None:
            found["facts"] |= {
                "group": str(self.about.group[i]),
                "cell": str(self._cell[i]),
            }
        if seen is not None and seen.probability is not None:
            best = np.argsort(-seen.probability[i])[:CHANCES]
            chance = [[self.classes[k], float(seen.probability[i, k])] for k in best]
            found["probability"] = chance
        found["between"] = self.between(row)
        if self.saliency is not None:
            found["saliency"] = links.heat(self.saliency([int(i)])[0])
        return found | self._boxes(i)

    def between(self, row):
        """The two classes in question: what it was named, and what it is or may be."""
        i, seen = self.rows[row], self.predictions
        if seen is None:
            return []
        names = [seen.label[i], seen.truth[i]]
        if seen.probability is not None:
            names += [self.classes[k] for k in np.argsort(-seen.probability[i])[:2]]
        return [str(name) for name in dict.fromkeys(names)][:2]

    def _boxes(self, i):
        if self.boxes is None or self.boxes[i] is None:
            return {}
        truth, found = self.boxes[i], None if self.found is None else self.found[i]
        found = None if found is None else found.take(found.score >= STEPS[0])
        size = self.grey(i).shape[::-1]
        said = {"size": list(size), "truth": _listed(truth), "told": []}
        if found is None:
            return said
        for least in STEPS:
            kept = np.flatnonzero(found.score >= least)
            right, wrong, missed = scores.fates(truth, found.take(kept))
            codes = np.full(len(found) + len(truth), "-")
            codes[kept[right]], codes[kept[wrong]] = "r", "w"
            codes[len(found) + missed] = "m"
            said["told"].append("".join(codes))
        return said | {"found": _listed(found)}

    def examples(self, label):
        """Typical images of a class, the surest that are right, and its ideogram."""
        good = np.asarray(self._truth) == label
        if self.predictions is not None:
            good &= self.predictions.label == label
        rows = np.flatnonzero(good)
        if self.sure is not None:
            rows = rows[np.argsort(-self.sure[rows], kind="stable")]
        found = {
            "pictures": [
                links.url(self.grey(row), SMALL)
                for row in rows[:TYPICAL]
                if not self.lacks(row)
            ]
        }
        if label in records.CLASSES:
            found["bands"] = links.ideogram(label)
        return found

    @functools.cached_property
    def _features(self):
        """Each picture shrunk, centred and of one length; None where it costs much."""
        stored = isinstance(self.pixels, pixels.OnDemand)
        if stored and len(self.rows) > AT_ONCE:
            return None
        small = np.stack([self._shrunk(row) for row in self.rows])
        small -= small.mean(1, keepdims=True)
        return small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)

    def _shrunk(self, row):
        try:
            return links.shrunk(self.grey(row))
        except (OSError, ValueError):  # nothing is like what cannot be read
            return np.zeros(np.prod(links.FEATURE), np.float32)

    def near(self, row):
        """The most alike of the other images."""
        if len(self.rows) < 2 or self._features is None:
            return []
        alike = self._features @ self._features[row]
        alike[row] = -np.inf
        count = min(NEAR, len(alike) - 1)
        best = np.argpartition(-alike, count - 1)[:count]
        return best[np.argsort(-alike[best])].tolist()


def _coded(values):
    """The distinct texts, and the place of each value among them."""
    distinct, code = np.unique(np.asarray(values, str), return_inverse=True)
    return distinct.tolist(), code.tolist()


def _listed(boxes):
    """Each box as corners, label and score, and the outline where there is one."""
    outlines = boxes.polygon or [None] * len(boxes)
    return [
        {
            "box": np.round(box, 1).tolist(),
            "label": str(name),
            "score": float(score),
            "outline": None if line is None else _fewer(line),
        }
        for box, name, score, line in zip(
            boxes.xyxy, boxes.label, boxes.score, outlines, strict=True
        )
    ]


def _fewer(line):
    """An outline of at most so many points."""
    return np.round(line[:: -(-len(line) // POINTS)], 1).ravel().tolist()
