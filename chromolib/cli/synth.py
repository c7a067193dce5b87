"""`chromolib data synth`: synthetic images with boxes, outlines and karyotypes."""

import pathlib

import typer

from chromolib.cli import show


def synth(
    out: str = typer.Option(..., help="The folder to write, new or empty."),
    cells: int = typer.Option(200, help="How many cells to draw."),
    abnormal: float = typer.Option(0.3, help="Share of patients with an abnormality."),
    seed: int = typer.Option(0, help="The same seed gives the same files."),
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
        task = bar.add_task(what, total=cells)

        def progress(done, total):
            bar.update(task, completed=done, total=total)

        try:
            report = write.write(place, order, workers=workers, progress=progress)
        except KeyboardInterrupt:
            bar.stop()
            show.stop("interrupted; nothing was written", 130)
    show.say(f"{report}\nSynthetic, in {show.near(place)}: no patient is in it.")
