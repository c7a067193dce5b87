"""`chromolib karyotype`: metaphases in, karyograms with a diagnosis out."""

import pathlib
import re

import typer

from chromolib.cli import show

UNLEARNED = "none"


def karyotype(
    images: list[str] = typer.Argument(..., help="Pictures, folders or zips of them."),
    out: str = typer.Option(..., help="A folder; started again, it goes on."),
    boxes: str = typer.Option(
        None, help="Boxes that you drew: VOC, YOLO or COCO. Their names are kept."
    ),
    rename: bool = typer.Option(False, help="Name anew what the boxes already name."),
    model: str = typer.Option(None, help="A .keras file; else the shipped one."),
    finder: str = typer.Option(
        None, help="A detector's .npz file; else the shipped one. none: segmentation."
    ),
    case: str = typer.Option(
        "", help="Pattern that finds the case in a file's name; else its folder."
    ),
    best: int = typer.Option(0, min=0, help="Only so many metaphases of each case."),
    sure: float = typer.Option(
        0.9, min=0, max=1, help="Below this confidence a person should look."
    ),
    correct: bool = typer.Option(
        False, help="Also a page for each, to correct it in a browser."
    ),
):
    """Find, name and arrange the chromosomes of metaphases: a karyogram, its ISCN and a
    report to review.

    Research use, not a medical device: no answer of it may serve a diagnosis.
    """
    from chromolib.karyotype import boxes as annotations
    from chromolib.karyotype import fields
    from chromolib.runs import backend, repository

    try:
        re.compile(case)
    except re.error as error:
        raise fields.FieldsError(f"--case {case!r} is no pattern: {error}") from None
    items = fields.listed(images, out, case=case)
    if not items:
        raise fields.FieldsError("no picture there; name pictures or a folder of them")
    drawn = annotations.read(boxes, items) if boxes else None
    fields.writable(out)
    backend.start()
    from chromolib.karyotype import folder, naming
    from chromolib.studies import predicting

    namer = naming.load(
        model or predicting.shipped(repository.root(), "shruti", of="metaphase")
    )
    how = {"drawn": drawn, "rename": rename, "best": best, "sure": sure}
    if boxes is None and finder != UNLEARNED:
        how["finder"] = _finder(finder)
    with show.bar() as bar:
        progress = show.counter(bar, "metaphases", total=len(items))
        done = folder.run(items, out, namer, **how, progress=progress)
    refused = [*done.refused, *(_pages(items, pathlib.Path(out)) if correct else ())]
    for one in refused:
        show.say(f"refused: {one}")
    left = f", {done.left:,} left out as not the best" if done.left else ""
    show.say(
        f"{done.done:,} metaphases done, {done.before:,} before, "
        f"{len(refused):,} refused{left}: {show.near(done.report)}\n"
        f"{namer.facts['use']}"
    )
    if refused:
        raise typer.Exit(1)


def _pages(items, out):
    """A page for each metaphase that is done, to correct it; what cannot be."""
    from chromolib.karyotype import correcting

    for item in items:
        path = out / f"{item.name}.json"
        try:
            if path.exists():
                correcting.page(path, path.with_suffix(".correct.html"), item.path)
        except ValueError as error:
            yield error


def _finder(file):
    """The detector in a file, or the shipped one: model, facts and its name."""
    from chromolib.detect import store
    from chromolib.runs import repository
    from chromolib.studies import predicting

    how = {"suffix": store.SUFFIX, "option": "--finder"}
    file = file or predicting.shipped(repository.root(), "hamza", **how)
    return *store.load(file), pathlib.Path(file).name
