"""`chromolib data …`: what sources there are, what is in them, other formats."""

import pathlib
import time

import typer

from chromolib import streams
from chromolib.cli import show

app = typer.Typer(
    help="Real images: which sources are here, what is wrong in them, other formats.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ROOT = typer.Option(
    None,
    "--data",
    help="Data root; without it $CHROMOLIB_DATA, else data/raw. For folder, voc, "
    "yolo, coco, csv, cellfolders, pictures: the folder or zip itself.",
)


@app.command("list")
def listed(data: str = ROOT):
    """Which sources are here, which are missing, and how to get them."""
    import pandas as pd

    from chromolib.data import cards
    from chromolib.runs import inputs, repository

    root = repository.root()
    rows = cards.found(root / "data" / "cards", inputs.data_root(root, data))
    table = pd.DataFrame(rows)
    show.table(table[["source", "found", "kind", "unit", "licence"]])
    for row in rows:
        if row["found"] == "missing":
            show.say(f"\n{row['source']}: {row['title']}")
            show.say(f"  where: {row['where']}")
            show.say(f"  terms: {row['licence']}")
            show.say(f"  put it under the data root as {row['folder']}/ or .zip")
            show.say(f"  layout: {row['layout']}")


@app.command()
def check(
    source: str = typer.Argument(..., help="`chromolib data list` names them."),
    data: str = ROOT,
):
    """Read every byte of a source; print counts, classes, groups and every problem.

    Exit code 1 where a problem is an error: a study refuses such a source unless told
    on_error=skip.
    """
    from chromolib.data import check as tables
    from chromolib.data import sources, store
    from chromolib.runs import inputs, repository

    root = inputs.data_root(repository.root(), data)
    sources.locate(source, root)
    with show.bar() as bar:
        images = sources.inspect(source, root, progress=show.counter(bar, source))
    show.table(tables.counts(images).map(store.shown))
    show.say("")
    show.table(tables.classes(images).map(store.shown))
    problems = tables.problems(images)
    for row in problems.itertuples():
        show.say(f"\n{row.level}: {row.reason} ({row.files:,})")
        show.say(
            f"  remedy: {row.remedy}" if row.level == "error" else f"  {row.remedy}"
        )
        show.say("\n".join(f"    {name}" for name in row.which))
    errors = int(problems[problems["level"] == "error"]["files"].sum())
    repaired = int(problems["files"].sum()) - errors
    show.say(f"\n{errors:,} errors, {repaired:,} repaired")
    raise typer.Exit(1 if errors else 0)


@app.command()
def view(
    source: str = typer.Argument(..., help="`chromolib data list` names them."),
    out: str = typer.Option(..., help="The HTML file to write; must not exist."),
    data: str = ROOT,
    most: int = typer.Option(40, min=1, help="Images to show, the first ones."),
):
    """One HTML file with a source's pictures and boxes: how many against 46, and which
    classes are missing or extra. For your own eyes, not for publication.

    Files with errors are left out; `chromolib data check` lists them.
    """
    from chromolib.data import sources, view
    from chromolib.runs import inputs, repository

    place = view.vacant(out)
    root = inputs.data_root(repository.root(), data)
    sources.locate(source, root)
    with show.bar() as bar:
        images = sources.inspect(source, root, progress=show.counter(bar, source))
    view.write(place, images, most=most)
    show.say(f"{show.near(place)}: {view.EYES[0].lower()}{view.EYES[1:]}.")


@app.command()
def convert(
    source: str = typer.Argument(..., help="A folder or zip of images with boxes."),
    out: str = typer.Argument(..., help="The folder to write, new or empty."),
    given: str = typer.Option(..., "--from", help="voc, yolo, coco or csv"),
    wanted: str = typer.Option(..., "--to", help="voc, yolo, coco or csv"),
    images: bool = typer.Option(False, help="Copy the images as well."),
    skip: bool = typer.Option(False, help="Leave out images whose boxes have errors."),
):
    """Write the boxes of one format in another, and say what that one cannot hold."""
    from chromolib.data import decode, store
    from chromolib.data.formats import convert as conversion

    files = store.open_at(source)
    if pathlib.Path(out).resolve().is_relative_to(pathlib.Path(source).resolve()):
        raise conversion.ConvertError("out lies in the source itself; name another")
    try:
        report = conversion.convert(
            files,
            given,
            wanted,
            pathlib.Path(out),
            sizes=lambda name: decode.size(files.read(name)),
            images=images,
            skip=skip,
        )
    except OSError as error:
        name = store.shown(pathlib.PurePath(out).name)
        reason = f"{name} cannot be written: {error.strerror or error}"
        raise conversion.ConvertError(reason) from None
    show.say(str(report))


@app.command()
def leaks(
    source: str = typer.Argument(..., help="`chromolib data list` names them."),
    data: str = ROOT,
    external: str = typer.Option("", help="A second source: are its images new?"),
    external_data: str = typer.Option("", help="Its data root."),
    skip: bool = typer.Option(False, help="Leave out files with errors."),
    edited: str = typer.Option(
        "", help="structural or numerical: edit its chromosomes first, with shams."
    ),
    seed: int = typer.Option(
        0, min=0, max=streams.LARGEST, help="Which random split, and which edits."
    ),
    out: str = typer.Option("", help="A folder for the tables and a manifest."),
):
    """Split a source by image and by group, and measure what either gives away."""
    from chromolib.data import leakage
    from chromolib.runs import inputs, probing, repository

    if out:
        show.made(out)
    started, root = time.monotonic(), repository.root()
    values = {
        "source": source,
        "external": external,
        "on_error": "skip" if skip else "refuse",
    }
    values |= {"data": data or "", "external_data": external_data}
    images = inputs.read(root, values)
    if edited:
        images = probing.edited(root, images, edited, seed=seed)
    surveyed = probing.leaks(images, seed=seed)
    shown = leakage.frame(surveyed.leaks).drop(columns=["meaning", "kind"])
    show.table(shown.map(show.number))
    for sentence in surveyed.unasked:
        show.say(f"not asked: {sentence}")
    if out:
        place = pathlib.Path(out)
        probing.write(root, surveyed, images, place, started=started)
        show.say(f"\nResults: {show.near(place)}")
