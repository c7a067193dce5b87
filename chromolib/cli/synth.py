"""The synthetic lab: `chromolib data synth`, `data calibrate`, `data exam`."""

import pathlib

import typer

from chromolib import records, streams
from chromolib.cli import show

EXAM = 502  # the seed of cells that teach; no other set holds their patients


def synth(
    out: str = typer.Option(..., help="The folder to write, new or empty."),
    cells: int = typer.Option(200, help="How many cells to draw."),
    abnormal: float = typer.Option(
        0.3,
        help="Chance of each patient, of whom two cells are drawn, to be abnormal; "
        "of few patients all or none may be.",
    ),
    seed: int = typer.Option(
        0, min=0, max=streams.LARGEST, help="The same seed gives the same files."
    ),
    what: str = typer.Option("metaphases", help="metaphases, karyograms or singles"),
    look: str = typer.Option(
        "", help="g, q or field (G-bands as in metaphases); else what is usual."
    ),
    size: int = typer.Option(0, help="Pixels on a side; 0 is the usual size."),
    workers: int = typer.Option(1, help="Processes; the files do not depend on it."),
):
    """Draw synthetic cells: images with boxes in VOC, YOLO and COCO, and their ISCN."""
    from chromolib.synth import write

    order = write.Order(cells, abnormal, seed, what, look, size)
    place = pathlib.Path(out)
    with show.bar() as bar:
        progress = show.counter(bar, what, total=cells)
        try:
            report = write.write(place, order, workers=workers, progress=progress)
        except KeyboardInterrupt:
            bar.stop()
            show.stop("interrupted; nothing was written", 130)
    show.say(f"{report}\nSynthetic, in {show.near(place)}: no patient is in it.")


def calibrate(
    source: str = typer.Argument(..., help="pki3, bioimlab or tseng2023."),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    fit: bool = typer.Option(False, help="Fit the look's bands to the source first."),
    out: str = typer.Option(..., help="A folder for the tables and a manifest."),
):
    """Measure real training cells and synthetic ones alike, and compare them."""
    from chromolib.studies.synthetic import calibration

    root, images = _read(source, data, out)
    if fit:
        calibration.fit(root, images, log=show.say)
    compared = calibration.compare(root, images, pathlib.Path(out))
    overall = compared[compared["class"] == "all"]
    columns = ["quantity", "real_value", "synthetic_value", "distance"]
    show.table(overall[columns].map(show.number))
    show.say(f"\nResults: {show.near(pathlib.Path(out))}")


def exam(
    source: str = typer.Argument(..., help="pki3 or bioimlab."),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    cells: int = typer.Option(400, min=1, help="Synthetic cells to learn from."),
    seeds: int = typer.Option(3, min=1, help="Repetitions of every training."),
    fit: bool = typer.Option(True, help="Bands fitted to training cells; else not."),
    alone: bool = typer.Option(False, help="Only what synthetic cells alone teach."),
    final: bool = typer.Option(False, help="Judge by the test part, kept for the end."),
    workers: int = typer.Option(2, min=1, help="Threads that prepare images."),
    out: str = typer.Option(..., help="A folder for results; started again, goes on."),
):
    """What synthetic cells teach a small network about real ones, and what tells them
    apart."""
    from chromolib.studies.synthetic import calibration, experiment
    from chromolib.synth import lab, singles

    root, images = _read(source, data, out)
    look = calibration.look_of(source)
    drawn = lab.cells(cells, look=look, seed=EXAM, fit=fit)
    estimates = experiment.run(
        root,
        images,
        singles.images(drawn),
        pathlib.Path(out),
        ks=() if alone else experiment.KS,
        seeds=tuple(range(seeds)),
        final=final,
        workers=workers,
        log=show.say,
    )
    for estimate in estimates:
        conditions = records.write_conditions(estimate.conditions)
        show.say(f"{estimate.quantity} {estimate.model} {estimate} {conditions}")
    show.say(f"\nResults: {show.near(pathlib.Path(out))}")


def _read(source, data, out):
    """The repository, and the images of a source; the folder for results exists."""
    from chromolib.runs import inputs, repository

    show.made(out)
    root = repository.root()
    values = {"source": source, "on_error": "skip", "data": data or ""}
    return root, inputs.read(root, values)["source"]
