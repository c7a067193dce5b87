"""Who trains, who validates and who tests: as the thesis did it, and cleanly.

`original(protocol, images, *, seed)` -> Split of the images as they were (section 4.1)
`processed(...)` -> Split with the copies of section 3.1.2 (section 4.2)
`first(...)` -> Split with the copies that were given up (section 5.2)

In the published order copies are made first, then divided by image. What is said of
both orders stands in `models.protocols`.
"""

from chromolib.models import augment, layers, protocols

SOURCES = {"normal": 105, "abnormal": 41}
# How many of each label a part has follows from the printed matrices for test images;
# for the others nothing is printed, and they are shared out as the whole is.
PLAIN = {
    "train": {"normal": 67, "abnormal": 25},
    "validation": {"normal": 17, "abnormal": 7},
    "test": {"normal": 21, "abnormal": 9},
}
COPIES = {
    "train": {"normal": 236, "abnormal": 206},
    "validation": {"normal": 60, "abnormal": 51},
    "test": {"normal": 80, "abnormal": 59},
}


def augmentation(seed):
    """Brightness by up to 25 %, noise on up to 5 % of the pixels, and blur.

    How strong the blur was is not printed. It is ink that becomes stronger or weaker
    here, so the ground stays white.
    """
    return augment.pipeline(
        {
            layers.Blur: {"factor": 1.0},
            layers.Brightness: {"factor": 0.25},
            layers.Noise: {"factor": 0.05},
        },
        seed=seed,
    )


def moving(seed):
    """The first augmentation: flips, quarter turns, rotation, crop, shear, and these.

    No strength is printed.
    """
    flips = {"turns": (0, 1, 2, 3), "mirror": ("horizontal", "vertical")}
    return augment.pipeline(
        {
            layers.Orientation: flips,
            layers.Movement: augment.SMALL | {"crop": 0.8},
            layers.Blur: {"factor": 1.0},
            layers.Brightness: {"factor": 0.25},
            layers.Noise: {"factor": 0.05},
        },
        seed=seed,
    )


PAPERS = {
    "original": protocols.Paper(SOURCES, PLAIN),
    "processed": protocols.Paper(SOURCES, COPIES, augmentation),
    "moved": protocols.Paper(SOURCES, COPIES, moving),
}


def divide(images, protocol, copies="processed", *, seed, share=1.0, labels="true"):
    """The Split of a protocol: "published" or "clean", with copies or "original"."""
    paper = PAPERS[copies].shared(share, round(share * sum(SOURCES.values())))
    return protocols.SPLITS[protocol](images, paper, seed=seed, labels=labels)
