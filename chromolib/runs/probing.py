"""What a source of images contains and gives away, measured and written down."""

import functools

from chromolib import streams
from chromolib.data import cards, check, compose, edits, leakage, survey
from chromolib.runs import inputs, results

STUDY = "sources"
EDITS = {"structural": edits.structural, "numerical": edits.numerical}


class NotSingle(ValueError):
    """A source that holds no single chromosomes to edit."""


def leaks(images, *, seed=0):
    """A survey of what `inputs.read` returned, under both protocols."""
    return survey.leaks(
        images["source"],
        rng=functools.partial(streams.stream, seed),
        protocols=("published", "clean"),
        external=images.get("external"),
        seed=seed,
        study=STUDY,
        profile="full",
    )


def edited(root, images, kind, *, seed=0):
    """The source straightened, then edited with shams."""
    source = images["source"]
    card = cards.read(root / "data" / "cards", source.source)
    if "upright" not in card or kind not in EDITS:
        raise NotSingle(
            f"{source.source} cannot be edited {kind}: edits are "
            f"{' or '.join(EDITS)}, of sources of single chromosomes"
        )
    straight = compose.straightened(source, orient=not card["upright"])
    return {"source": EDITS[kind](straight, rng=streams.stream(seed, kind))}


def write(root, surveyed, images, folder, *, started):
    """Counts, classes, problems, leaks and manifest of a source in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source = images["source"]
    results.table(folder / "counts.csv", check.counts(source))
    results.table(folder / "classes.csv", check.classes(source))
    problems = check.problems(source).drop(columns="which")
    results.table(folder / "problems.csv", problems)
    results.table(folder / "leaks.csv", leakage.frame(surveyed.leaks))
    facts = {
        "study": STUDY,
        **results.provenance(root, started),
        "images": inputs.facts(images),
    }
    results.manifest(folder, facts)
    return folder
