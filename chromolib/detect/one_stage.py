"""Detectors that look once: every anchor says at once what it shows and where.

`Ranked`: class or background by softmax, shifts from anchors (SSD, Liu et al. 2016)
`Scored`: whether there is one, which, and where, in cells (YOLO)
"""

from keras import ops

from chromolib.detect import boxes as geometry
from chromolib.detect import detector, oriented, targets

VARIANCE = (0.1, 0.1, 0.2, 0.2)  # of SSD: what makes offsets as large as logits


class Ranked(detector.Detector):
    """SSD: the loss of all positive anchors and of the hardest of the others."""

    PARTS = ("box_loss", "class_loss")

    def __init__(self, first, *, anchors, least, hard, turned, **words):
        super().__init__(first, **words)
        self.anchors, self.least, self.hard = anchors, least, hard
        self.turned = turned  # whether boxes lie at an angle

    def raw(self, images, targets, *, training):
        """Offsets and logits of each anchor; the last class is background."""
        return self.first(images, training=training)

    def losses_of(self, raw, truth):
        """Where and what, for each positive anchor."""
        quality = targets.quality(self.anchors, truth["boxes"], truth["labels"])
        index, positive = targets.match(
            quality, targets.overlap(quality, least=self.least)
        )
        away = detector.smooth(raw["offsets"] - self._wanted(truth, index))
        label = targets.taken_labels(truth["labels"], index)
        label = ops.where(positive, label, len(self.classes))
        wrong = detector.cross_entropy(label, raw["logits"])
        negative = ops.logical_and(
            ops.logical_not(positive), ops.max(quality, 2) < self.least
        )
        count = self.hard * ops.maximum(ops.sum(ops.cast(positive, "int32"), 1), 5)
        hard = targets.hardest(ops.stop_gradient(wrong), negative, count)
        weight = ops.cast(positive, "float32")
        return {
            "box_loss": detector.normalised(away * weight, positive),
            "class_loss": detector.normalised(wrong * (weight + hard), positive),
        }

    def _wanted(self, truth, index):
        if self.turned:
            return oriented.encode(
                targets.taken(truth["oriented"], index), self.anchors
            )
        boxes = targets.taken(ops.cast(truth["boxes"], "float32"), index)
        return geometry.encode(boxes, self.anchors, VARIANCE)

    def decode(self, raw):
        """Each anchor's box, and softmax without background."""
        scores = ops.softmax(raw["logits"])[..., :-1]
        if self.turned:
            return oriented.decode(raw["offsets"], self.anchors), scores
        boxes = geometry.decode(raw["offsets"], self.anchors, VARIANCE)
        return geometry.clip(boxes, self.size), scores

    def overlap(self, a, b):
        """Of boxes at an angle how alike two are, else how much they overlap."""
        return oriented.alike(a, b) if self.turned else super().overlap(a, b)

    def record(self, boxes, names, scores):
        """With an outline where boxes lie at an angle."""
        if self.turned:
            return oriented.record(boxes, names, scores, self.size)
        return super().record(boxes, names, scores)


class Scored(detector.Detector):
    """YOLO: shifts within a cell, sizes by shape, and whether there is a chromosome.

    `version` 2 and 3 have sigmoid shifts and exponential sizes and one shape a box; 5
    has wider shifts, bounded sizes, several shapes and cells a box, and learns boxes by
    their complete overlap. `softmax` is how 2 names classes.
    """

    PARTS = ("box_loss", "class_loss", "there_loss")

    def __init__(
        self, first, *, anchors, strides, version, softmax, ignore, gains, **words
    ):
        super().__init__(first, **words)
        self.anchors, self.strides, self.version = anchors, strides, version
        self.softmax, self.ignore, self.gains = softmax, ignore, gains

    def raw(self, images, targets, *, training):
        """Four numbers of the box, one of being there, and the classes', per anchor."""
        return {"all": self.first(images, training=training)}

    def _split(self, raw):
        return raw["all"][..., :4], raw["all"][..., 4], raw["all"][..., 5:]

    def _boxes(self, offsets):
        middle, sides = geometry.centred(self.anchors)
        inner = ops.sigmoid(offsets[..., :2])
        if self.version == 5:
            shift, scale = 2 * inner - 1, (2 * ops.sigmoid(offsets[..., 2:])) ** 2
        else:
            largest = geometry.LARGEST
            shift = inner - 0.5
            scale = ops.exp(ops.clip(offsets[..., 2:], -largest, largest))
        return geometry.cornered(middle + shift * self.strides[:, None], sides * scale)

    def losses_of(self, raw, truth):
        """Where and which for each positive anchor; whether for all but the close."""
        offsets, there, logits = self._split(raw)
        found = self._boxes(offsets)
        labels, boxes = truth["labels"], ops.cast(truth["boxes"], "float32")
        rule = targets.near if self.version == 5 else targets.cell
        eligible = rule(self.anchors, self.strides, boxes, labels)
        quality = targets.quality(self.anchors, boxes, labels)
        index, positive = targets.match(quality, eligible, force=self.version == 5)
        weight = ops.cast(positive, "float32")
        wanted = targets.taken(boxes, index)
        overlap = geometry.ciou(found, wanted)
        present = ops.stop_gradient(ops.clip(overlap, 0.0, 1.0)) * weight
        away = 1 - overlap if self.version == 5 else self._away(offsets, wanted)
        wrong = self._wrong(targets.taken_labels(labels, index), logits)
        unsure = detector.binary(present, there)
        if self.ignore < 1:
            close = targets.quality(ops.stop_gradient(found), boxes, labels)
            far = ops.max(close, 2) < self.ignore
            unsure = unsure * ops.cast(ops.logical_or(positive, far), "float32")
        each = {"box_loss": away * weight, "class_loss": wrong * weight}
        each["there_loss"] = unsure
        return {
            name: gain * detector.normalised(each[name], positive)
            for name, gain in zip(self.PARTS, self.gains, strict=True)
        }

    def _away(self, offsets, wanted):
        """Squared errors of shift and log size (Redmon and Farhadi 2017)."""
        middle, sides = geometry.centred(self.anchors)
        centre, size = geometry.centred(wanted)
        shift = (centre - middle) / self.strides[:, None] + 0.5
        log = ops.log(ops.maximum(size, 1e-3) / sides)
        error = ops.sigmoid(offsets[..., :2]) - ops.clip(shift, 0.0, 1.0)
        return ops.sum(ops.square(error) + ops.square(offsets[..., 2:] - log), -1)

    def _wrong(self, label, logits):
        if self.softmax:
            return detector.cross_entropy(label, logits)
        wanted = ops.one_hot(ops.maximum(label, 0), len(self.classes))
        return ops.sum(detector.binary(wanted, logits), -1)

    def decode(self, raw):
        """Boxes, and being there times the class."""
        offsets, there, logits = self._split(raw)
        classes = ops.softmax(logits) if self.softmax else ops.sigmoid(logits)
        boxes = geometry.clip(self._boxes(offsets), self.size)
        return boxes, ops.sigmoid(there)[..., None] * classes
