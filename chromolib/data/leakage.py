"""How much of a test set has already been seen, before any pixel is looked at."""

import numpy as np

from chromolib import records

# Strategy: a source image has several copies (or a cell several chromosomes). The
# published protocol shuffles the copies and cuts; the clean one shuffles the sources,
# cuts there, and lets the copies follow. Both are drawn many times from counts alone.


def siblings(
    *, study, sources, images, train, protocol, draws, rng, profile, seed, condition=""
):
    """Share of test images whose source also has an image in training, on average.

    The interval says how far the simulation may be off (95 %, normal); a single split
    may fall further away.
    """
    sources, images = int(sources), int(images)
    owner = np.arange(images) % sources  # copies as even as they can be
    split = SPLITS[protocol]
    shares = np.array([_seen(owner, split(owner, train, rng)) for _ in range(draws)])
    value, margin = float(shares.mean()), 1.96 * shares.std() / np.sqrt(draws)
    return records.Estimate(
        study=study,
        quantity="test images with a sibling in training",
        value=value,
        low=max(0.0, float(value - margin)),
        high=min(1.0, float(value + margin)),
        n=images,
        groups=sources,
        source="printed counts",
        protocol=protocol,
        profile=profile,
        seed=seed,
        condition=condition,
    )


def by_image(owner, train, rng):
    """Training images when every image is drawn on its own."""
    chosen = np.zeros(len(owner), bool)
    chosen[rng.permutation(len(owner))[: round(train * len(owner))]] = True
    return chosen


def by_source(owner, train, rng):
    """Training images when whole sources are drawn."""
    sources = owner.max() + 1
    return by_image(np.arange(sources), train, rng)[owner]


SPLITS = {"published": by_image, "clean": by_source}


def _seen(owner, training):
    known = np.zeros(owner.max() + 1, bool)
    known[owner[training]] = True
    return known[owner[~training]].mean()
