"""Detectors that look twice: where something is, then what it is and where exactly.

`TwoStage`: proposals are the second stage's anchors. Faster R-CNN (Ren et al. 2015) and
R-FCN (Dai et al. 2016) differ in how a proposal is read, which is a layer of `second`.
"""

import keras
from keras import ops

from chromolib.detect import boxes as geometry
from chromolib.detect import detector, rois, suppress, targets

FIRST, SECOND = (1, 1, 1, 1), (0.1, 0.1, 0.2, 0.2)  # variances of offsets


class TwoStage(detector.Detector):
    """A proposal network and a second one that reads its maps inside proposals.

    `first` gives proposals' logits and offsets and the maps; `second` takes maps and
    boxes. `settings`: `positive` and `negative` overlaps of an anchor, `sampled`
    anchors with `anchor_share` positive, `candidates` compared by overlap `alike` for
    `proposals`, of which and of truth `rois` are learned from, `positive_share` of them
    positive at overlap `least`.
    """

    PARTS = ("proposal_box", "proposal_loss", "box_loss", "class_loss")

    def __init__(self, first, second, *, anchors, settings, **words):
        super().__init__(first, **words)
        self.second, self.anchors, self.settings = second, anchors, settings

    def raw(self, images, truth, *, training):
        """Both stages; in learning and testing the second on sampled proposals."""
        first = self.first(images, training=training)
        boxes = self._propose(first)
        raw = {"offsets": first["offsets"], "logits": first["logits"]}
        if truth is not None:
            count = ops.shape(images)[0]
            sizes = self.anchors.shape[0], boxes.shape[1] + truth["labels"].shape[1]
            drawn = self.draw(count, sum(sizes), training=training)
            raw["drawn"] = drawn[:, : sizes[0]]
            boxes, more = self._sampled(boxes, truth, drawn[:, sizes[0] :])
            raw |= more
        logits, offsets = self.second(
            {"maps": first["maps"], "boxes": boxes}, training=training
        )
        return raw | {"boxes": boxes, "names": logits, "moves": offsets}

    def _propose(self, first):
        """The best boxes of the first stage (n, proposals, 4); no slope passes here."""
        offsets, logits = map(ops.stop_gradient, (first["offsets"], first["logits"]))
        boxes = geometry.decode(offsets, self.anchors, FIRST)
        return suppress.best(
            geometry.clip(boxes, self.size),
            ops.sigmoid(logits)[..., None],
            threshold=self.settings["alike"],
            before=self.settings["candidates"],
            most=self.settings["proposals"],
            by_class=False,
        )["boxes"]

    def _sampled(self, boxes, truth, drawn):
        """Proposals and truth, as many as a step learns from, and what each shows."""
        labels = truth["labels"]
        boxes = ops.concatenate([boxes, ops.cast(truth["boxes"], "float32")], 1)
        real = ops.min(boxes[..., 2:] - boxes[..., :2], -1) > 0
        quality = targets.quality(boxes, truth["boxes"], labels)
        index, positive = targets.match(
            quality, quality >= self.settings["least"], force=False
        )
        chosen, weight = targets.sample(
            ops.logical_and(positive, real),
            ops.logical_and(ops.logical_not(positive), real),
            drawn,
            size=self.settings["rois"],
            share=self.settings["positive_share"],
        )
        label = ops.where(
            positive, targets.taken_labels(labels, index), len(self.classes)
        )
        wanted = targets.taken(ops.cast(truth["boxes"], "float32"), index)
        return targets.taken(boxes, chosen), {
            "label": targets.taken_labels(label, chosen),
            "wanted": targets.taken(wanted, chosen),
            "weight": weight,
        }

    def losses_of(self, raw, truth):
        """The two losses of each stage."""
        return self._proposal_losses(raw, truth) | self._second_losses(raw)

    def _proposal_losses(self, raw, truth):
        s = self.settings
        quality = targets.quality(self.anchors, truth["boxes"], truth["labels"])
        index, positive = targets.match(
            quality, targets.overlap(quality, least=s["positive"])
        )
        far = ops.max(quality, 2) < s["negative"]
        negative = ops.logical_and(far, ops.logical_not(positive))
        chosen, weight = targets.sample(
            *(positive, negative, raw["drawn"]),
            size=s["sampled"],
            share=s["anchor_share"],
        )
        boxes = targets.taken(ops.cast(truth["boxes"], "float32"), index)
        wanted = geometry.encode(boxes, self.anchors, FIRST)
        away = detector.smooth(raw["offsets"] - wanted, 1 / 9)
        is_one = ops.cast(positive, "float32")
        wrong = detector.binary(is_one, raw["logits"])
        away, wrong, is_one = (
            ops.take_along_axis(each, chosen, axis=1) * weight
            for each in (away, wrong, is_one)
        )
        return {
            "proposal_box": detector.normalised(away * is_one, is_one),
            "proposal_loss": ops.sum(wrong) / ops.maximum(ops.sum(weight), 1.0),
        }

    def _second_losses(self, raw):
        weight, label = raw["weight"], raw["label"]
        positive = weight * ops.cast(label < len(self.classes), "float32")
        wanted = geometry.encode(raw["wanted"], raw["boxes"], SECOND)
        away = detector.smooth(raw["moves"] - wanted)
        wrong = detector.cross_entropy(label, raw["names"]) * weight
        return {
            "box_loss": detector.normalised(away * positive, positive),
            "class_loss": ops.sum(wrong) / ops.maximum(ops.sum(weight), 1.0),
        }

    def decode(self, raw):
        """The proposals moved, and softmax without background."""
        boxes = geometry.decode(raw["moves"], raw["boxes"], SECOND)
        real = ops.min(raw["boxes"][..., 2:] - raw["boxes"][..., :2], -1) > 0
        scores = ops.softmax(raw["names"])[..., :-1]
        return geometry.clip(boxes, self.size), ops.where(real[..., None], scores, 0.0)


class Align(keras.layers.Layer):
    """Maps inside boxes, one map of `bins` x `bins` a box; positions stay single."""

    def __init__(self, stride, bins, **words):
        super().__init__(dtype="float32", **words)
        self.stride, self.bins = stride, bins

    def call(self, maps, boxes):
        """Values (n, R, bins, bins, C)."""
        return rois.align(maps, boxes, stride=self.stride, bins=self.bins)

    def compute_output_shape(self, maps_shape, boxes_shape):
        """As many as there are boxes."""
        return (*boxes_shape[:2], self.bins, self.bins, maps_shape[-1])


class Vote(Align):
    """Position-sensitive maps inside boxes."""

    def call(self, maps, boxes):
        """Values (n, R, C)."""
        return rois.vote(maps, boxes, stride=self.stride, bins=self.bins)

    def compute_output_shape(self, maps_shape, boxes_shape):
        """The maps of one part."""
        return (*boxes_shape[:2], maps_shape[-1] // self.bins**2)
