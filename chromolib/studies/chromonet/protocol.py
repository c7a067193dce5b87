"""Who trains, who validates and who tests: as the paper did it, and cleanly.

`published(images, *, seed)`, `clean(images, *, seed)` -> Split, as `models.protocols`
`SPLITS` protocol -> that function

In the paper the test images also choose the epoch (section 4.3, figures 5 to 8).
"""

import dataclasses
import functools

from chromolib.models import augment, layers, protocols

SOURCES = 193  # of section 4.1
COUNTS = {  # images of section 4.5
    "train": {"normal": 660, "abnormal": 603},
    "test": {"normal": 286, "abnormal": 254},
}
TOTAL = {"normal": 946, "abnormal": 857}

# Section 4.2 names small rotations, both flips, low-level zoom and panning, mild shear
# and shift, and no number; section 4.3 loads images with Keras' ImageDataGenerator,
# which makes all of them at once. Chosen: what leaves nearly every chromosome inside
# its picture.
MOVEMENT = augment.SMALL


def augmentation(seed):
    """The paper's augmentation as one layer."""
    flips = {"mirror": ("horizontal", "vertical")}
    return augment.pipeline(
        {layers.Orientation: flips, layers.Movement: MOVEMENT}, seed=seed
    )


PAPER = protocols.Paper(TOTAL, COUNTS, augmentation)


def _divided(
    divide, images, *, seed, count=SOURCES, share=1.0, labels="true", even=False
):
    """A protocol on so many sources, for a share of the paper's counts of images.

    With `even` the rarer label has as many copies as the other (section 4.5).
    """
    paper = PAPER.shared(share, count)
    if even:
        most = max(paper.parts["train"].values())
        train = dict.fromkeys(paper.parts["train"], most)
        paper = dataclasses.replace(paper, parts=paper.parts | {"train": train})
    return divide(images, paper, seed=seed, labels=labels)


SPLITS = {
    name: functools.partial(_divided, divide)
    for name, divide in protocols.SPLITS.items()
}
published, clean = SPLITS["published"], SPLITS["clean"]
