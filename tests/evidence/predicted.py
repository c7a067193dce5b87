"""Predictions drawn for tests: cells, some harder than others, of a few classes."""

import numpy as np

from chromolib import records

CLASSES = ("1", "2", "X")


def predictions(seed=0, /, *, cells=12, size=6, skill=1.5, classes=CLASSES, **words):
    """Cells of `size` images whose model is right more often the higher its skill."""
    rng = np.random.default_rng(seed)
    group = np.repeat([f"cell {i}" for i in range(cells)], size)
    truth = rng.integers(len(classes), size=len(group))
    logits = rng.normal(size=(len(group), len(classes)))
    easy = skill + np.repeat(rng.normal(size=cells), size)
    logits[np.arange(len(group)), truth] += easy
    probability = np.exp(1.5 * logits)
    return records.Predictions(
        **{
            "image": [f"{i}.png" for i in range(len(group))],
            "group": group,
            "truth": np.array(classes)[truth],
            "probability": probability / probability.sum(1, keepdims=True),
            "classes": classes,
            "source": "synthetic",
        }
        | words
    )
