"""Learned segmentation: what every pixel of a field is, and the chromosomes of that.

`unet(side, seed=)` -> network: ground, inside or edge? (Ronneberger et al. 2015)
`targets(images, side)` -> ink and kinds of drawn metaphases, whose masks are known
`learned(ink, kinds, *, steps, seed)` -> a network that has learned
`instances(network, ink)` -> (labels, score) of one square: 1.. where a chromosome lies

# Strategy: two chromosomes that touch are one piece of ink but two insides, with an
edge between. So the network tells edge from inside; insides are numbered and grow back
over their edges. Of two that cross the upper one is whole, as it lies on the slide.
"""

import keras
import numpy as np
from scipy import ndimage
from skimage import segmentation

from chromolib import streams
from chromolib.detect import blocks, squares
from chromolib.models import augment, fused, layers

GROUND, INSIDE, EDGE = range(3)
DEPTH = 3  # times that maps are halved
TILE, BATCH = 192, 8  # pixels of a side, and tiles of a step
CONTACT = 4.0  # more weight where two chromosomes touch
# Chosen on fields of Tseng that validate:
SURE, INK = 0.4, 0.5  # probability of an inside, and of anything but ground
SMALLEST, LEAST = 12, 0.35  # pixels of an inside; of the usual area, of a whole one


def unet(side, *, seed=0, width=8):
    """Logits of each pixel's kind, (n, side, side, 3), for ink in [0, 1].

    The weights are of any side.
    """
    make, entry = blocks.Maker(seed), keras.Input((side, side, 1), name="ink")
    settings = {
        layers.Brightness: {"factor": 0.2},
        layers.Blur: {"factor": 1.0, "rate": 0.5},
        layers.Noise: {"factor": 0.05},
    }
    x, around = augment.pipeline(settings, seed=seed)(entry), []
    for level in range(DEPTH):
        x = make.conv(make.conv(x, width << level), width << level)
        around.append(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = make.conv(make.conv(x, width << DEPTH), width << DEPTH)
    for level in reversed(range(DEPTH)):
        x = keras.layers.UpSampling2D(2)(x)
        x = keras.layers.Concatenate()([make.conv(x, width << level), around[level]])
        x = make.conv(x, width << level)
    return keras.Model(entry, make.out(x, 3, size=1), name="unet")


def targets(images, side):
    """(n, side, side) ink as uint8, and the kind of each pixel, of drawn fields."""
    ink, kinds = [], []
    for grey, boxes in zip(images.pixels, images.boxes, strict=True):
        drawn = np.zeros(grey.shape, np.int32)
        corner = np.round(boxes.xyxy[:, :2]).astype(int)
        pairs = zip(corner, boxes.mask, strict=True)
        for k, ((x, y), mask) in enumerate(pairs, 1):  # lowest first
            drawn[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = k
        ink.append(squares.square(grey, side).ink)
        kinds.append(_kinds(_sized(drawn, side)))
    return np.array(ink), np.array(kinds)


def _sized(drawn, side):
    """Numbered pixels at another size, without numbers between two."""
    at = ((np.arange(side) + 0.5) * len(drawn) / side).astype(int)
    return drawn[np.ix_(at, at)]


def _kinds(drawn):
    """Ground, inside or edge, by the numbers of neighbours."""
    alike = ndimage.minimum_filter(drawn, 3) == ndimage.maximum_filter(drawn, 3)
    kinds = np.where(alike, INSIDE, EDGE)
    kinds[drawn == 0] = GROUND
    return kinds.astype(np.uint8)


def learned(ink, kinds, *, steps, seed, rate=3e-3):
    """A network of these fields that has seen tiles of them, any way round."""
    network = unet(min(TILE, ink.shape[1]), seed=seed)
    network.compile(
        fused.adamw(keras.optimizers.schedules.CosineDecay(rate, steps), clipnorm=10.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    network.optimizer.build(network.trainable_variables)
    rng = streams.stream(seed, "tiles")
    for _ in range(steps):
        network.train_on_batch(*_tiles(ink, kinds, rng))
    whole = unet(ink.shape[1], seed=seed)
    whole.set_weights(network.get_weights())
    return whole


def _tiles(ink, kinds, rng):
    """Tiles of fields drawn at random, their kinds, and what each pixel weighs."""
    side = min(TILE, ink.shape[1])
    seen, told = [], []
    for which in rng.integers(len(ink), size=BATCH):
        y, x = rng.integers(ink.shape[1] - side + 1, size=2)
        place = slice(y, y + side), slice(x, x + side)
        turns, turned = int(rng.integers(4)), int(rng.integers(2))
        for parts, one in ((seen, ink), (told, kinds)):
            tile = np.rot90(one[which][place], turns)
            parts.append(tile[:, ::-1] if turned else tile)
    told = np.array(told)
    contact = ndimage.minimum_filter(told, (0, 5, 5)) != GROUND  # no ground about
    weight = 1 + CONTACT * ((told == EDGE) & contact)
    return squares.seen(np.array(seen))[..., None], told, weight.astype("f")


def instances(network, ink):
    """Numbers of the chromosomes on a square of ink, and how sure each inside is."""
    chance = keras.ops.softmax(network(squares.seen(ink)[None, ..., None]))
    chance = keras.ops.convert_to_numpy(chance)[0]
    number, count = ndimage.label(chance[..., INSIDE] > SURE)
    area = np.bincount(number.ravel(), minlength=count + 1)
    number[(area < SMALLEST)[number]] = 0
    labels = segmentation.watershed(
        -chance[..., INSIDE], number, mask=chance[..., GROUND] < 1 - INK
    )
    area = np.bincount(labels.ravel())[1:]
    if area.any():
        small = 1 + np.flatnonzero(area < LEAST * np.median(area[area > 0]))
        labels[np.isin(labels, small)] = 0
    labels, _, _ = segmentation.relabel_sequential(labels)
    count = int(labels.max())
    score = ndimage.mean(1 - chance[..., GROUND], labels, range(1, count + 1))
    return labels, np.asarray(score, float).reshape(count)
