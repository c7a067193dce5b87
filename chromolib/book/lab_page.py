"""The book's page on the synthetic lab: its pictures, and what was measured on them.

`page(root)` -> Markdown. The words stand in `book/synthetic_text.md`, where a comment
such as `<!-- number pki3 gap -->` holds the place of what is drawn or read from
results here. What was not measured says so, and how to measure it.
"""

import dataclasses
import pathlib
import re

from chromolib import plots, tables
from chromolib.book import lab_pictures, lab_tables
from chromolib.studies.synthetic import calibration, questions

FOLDER = "synthetic"  # of the pictures, beside the page
CALIBRATED = tuple(calibration.LOOK_OF)
EXAMINED = ("pki3", "bioimlab")
TITLES = {
    "pki3": "g after pki3",
    "bioimlab": "q after bioimlab",
    "tseng2023": "field after tseng2023",
}
SHOWN = ("1", "9", "17", "Y")  # classes whose profiles are drawn
PARTS = {
    "test": "the test part, looked at once",
    "valid": "groups held out of the training part; the test part waits",
}
WIDE = 4.8  # inches: letters stay readable on a phone
MEASURE = {
    "calibration": "calibrate {0} --out data/results/synthetic/calibration/{0}",
    "exam": "exam {0} --final --out data/results/synthetic/exam/{0}",
}


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the page is built: what was measured, and where figures go."""

    results: lab_tables.Results
    folder: pathlib.Path
    pictures: dict

    def figure(self, name, caption, alt):
        """The Markdown of a figure in the folder."""
        return (
            f"```{{figure}} {FOLDER}/{name}\n:name: fig-lab-{name.rpartition('.')[0]}\n"
            f":alt: {alt}\n\n{caption}\n```"
        )

    def save(self, ax, name):
        """Write a figure into the folder."""
        plots.save(ax.figure, self.folder / name)


def page(root, *, results=None, book=None):
    """The page as Markdown; its figures are drawn beside it."""
    folder = (book or root / "book") / FOLDER
    found = lab_tables.Results(results or root / "data" / "results" / "synthetic")
    place = Place(found, folder, lab_pictures.draw(folder))
    text = (root / "book" / "synthetic_text.md").read_text(encoding="utf-8")
    return re.sub(
        r"<!-- (\w+)(.*?) -->",
        lambda held: PUT[held[1]](place, *held[2].split()),
        text,
    )


def _picture(place, name):
    one = place.pictures[name]
    return place.figure(one.file, one.caption, one.alt)


def _number(place, source, quantity):
    return lab_tables.number(place.results, source, quantity)


def _calibration(place):
    return _tabs(place, CALIBRATED, _nearness)


def _nearness(place, source):
    compared = place.results.calibration(source)
    if compared is None:
        return _missing("calibration", source)
    known = lab_tables.overall(compared, source)
    classes = lab_tables.by_class(compared, source)
    caption = (
        f"Synthetic against real ({source}), all classes together; "
        "distances in real spreads of cells"
    )
    by_class = f"Synthetic against real ({source}): distances, class by class"
    parts = [
        _apart(place, compared, source),
        _profiles(place, source),
        _greys(place, source),
        _folded("All numbers behind the figure", _html(known, caption)),
        _folded("Class by class", _html(classes, by_class)),
    ]
    return "\n\n".join(part for part in parts if part)


def _apart(place, compared, source):
    rows = lab_tables.distances(compared)
    ax = plots.axis(height=1.2 + 0.24 * len(rows), width=WIDE)
    place.save(plots.apart(rows, ax=ax), f"apart-{source}.svg")
    caption = (
        "Synthetic means (orange squares) from real ones (blue circles), in spreads "
        "between real cells. Look for squares outside of the grey bar. "
        f"Source: {_sizes(compared, source)}; 95 % intervals over groups."
    )
    alt = (
        f"Dot plot, a row a quantity, synthetic against real of {source}: how far each "
        "synthetic mean is from the real one, with a grey bar of one real spread."
    )
    return place.figure(f"apart-{source}.svg", caption, alt)


def _sizes(compared, source):
    row = compared[compared["class"] == "all"].iloc[0]
    sizes = [
        f"{row[f'{side}_n']:,.0f} of {row[f'{side}_groups']:,.0f} groups"
        for side in ("real", "synthetic")
    ]
    what = "fields" if calibration.look_of(source) == "field" else "chromosomes"
    return f"{source}, training part, {sizes[0]}, and synthetic, {sizes[1]} ({what})"


def _profiles(place, source):
    sides = [lab_tables.curves(place.results, source, name) for name in SHOWN]
    if None in sides:
        return f"No curves are drawn: those of {source} or of the lab are not recorded."
    axes = plots.grid(2, 2, width=WIDE, height=3.8, sharey=True)
    for ax, name, both in zip(axes, SHOWN, sides, strict=True):
        plots.profile(both, name, ax=ax)
    for ax in axes[::2]:
        ax.set(ylabel="stain over mean")
    plots.stamp(axes[1], plots.BOTH)
    place.save(plots.above(axes[0]), f"profiles-{source}.svg")
    how = "fitted to these" if source in EXAMINED else "taken from look g"
    caption = (
        f"Mean stain along chromosomes {', '.join(SHOWN)}, short arm left; shaded is "
        f"one spread. The synthetic means were {how}, so look at the spreads. "
        f"Source: {source}, training part, and synthetic."
    )
    alt = (
        f"Curves of stain along a chromosome, real of {source} in blue and synthetic "
        f"in dashed orange, for classes {', '.join(SHOWN)}."
    )
    return place.figure(f"profiles-{source}.svg", caption, alt)


def _greys(place, source):
    sides = lab_tables.greys(place.results, source)
    if sides is None:
        return ""
    ax = plots.axis(height=2.6, width=WIDE)
    place.save(plots.grey(sides, ax=ax), f"grey-{source}.svg")
    caption = (
        "How deep the pixels of chromosomes are stained. Look for shades that one of "
        f"the two has and the other has not. Source: {source}, training part, and "
        "synthetic; 95 % intervals over groups."
    )
    alt = (
        f"Histogram of grey levels inside chromosomes, real of {source} in blue, "
        "synthetic in dashed orange."
    )
    return place.figure(f"grey-{source}.svg", caption, alt)


def _exam(place):
    return _tabs(place, EXAMINED, _examined)


def _examined(place, source):
    rows = questions.ways(place.results, source)
    if rows is None:
        return _missing("exam", source)
    ax = plots.axis(height=3.6, width=WIDE)
    place.save(plots.learned(rows, ax=ax), f"exam-{source}.svg")
    judged = f"Judged on {_part(rows)}"
    size = f"{rows['n'].max():,} real chromosomes of {rows['groups'].max():,} groups"
    caption = (
        "Share of real chromosomes named right, over the real cells learned from. Look "
        "how far right the blue line has to go to reach the orange band. "
        f"{judged}. Source: {source}, {size}; 95 % intervals over groups."
    )
    alt = (
        f"Accuracy on real chromosomes of {source} over the number of real cells "
        "learned from: real only, synthetic then real, and synthetic only as a band."
    )
    table = questions.exam(rows)
    title = f"Share named right of {size} ({source}), taught by real or synthetic cells"
    parts = [place.figure(f"exam-{source}.svg", caption, alt), questions.worth(rows)]
    return "\n\n".join([*parts, _html(table, title)])


def _told(place):
    return _tabs(place, EXAMINED, _judged)


def _judged(place, source):
    found = place.results.exam(source)
    if found is None:
        return _missing("exam", source)
    found = found[found["quantity"].isin(["told apart", "AUC"])]
    if not len(found):
        return _missing("exam", source)
    caption = (
        f"Synthetic told from real ({source}): share right, one half is guessing; the "
        f"{questions.MOST} traits that tell most alone"
    )
    return _html(questions.told(found), caption) + f"\n\nJudged on {_part(found)}."


def _rounds(place):
    found = place.results.rounds()
    if found is None:
        return "No round is recorded here."
    caption = "Rounds of mending: how often a judge told synthetic from real"
    return _folded("The rounds", _html(questions.rounds(found), caption))


def _part(rows):
    """On whom it was judged."""
    return " and ".join(PARTS.get(one, one) for one in dict.fromkeys(rows["part"]))


def _tabs(place, sources, body):
    """A tab a source; without scripts and on a phone as well."""
    items = [
        f"`````{{tab-item}} {TITLES[source]}\n{body(place, source)}\n`````"
        for source in sources
    ]
    return "``````{tab-set}\n" + "\n\n".join(items) + "\n``````"


def _folded(title, body):
    return f"````{{dropdown}} {title}\n{body}\n````"


def _missing(what, source):
    command = f"chromolib data {MEASURE[what].format(source)}"
    return f"Not measured here for {source}. This measures it: `{command}`."


def _html(frame, caption):
    return tables.show(frame, caption)._repr_html_()


PUT = {
    "picture": _picture,
    "number": _number,
    "calibration": _calibration,
    "exam": _exam,
    "told": _told,
    "rounds": _rounds,
}
