"""What the command line prints, and how it stops."""

import contextlib
import logging
import pathlib
import sys

import rich.console
import rich.markup
import rich.progress
import rich.table

WIDE = 120  # columns where there is no terminal to ask


def stop(message, code):
    """Say why on stderr and leave with that code."""
    sys.stderr.write(message + "\n")
    sys.exit(code)


def console(*, stderr=False):
    """Where words go: as wide as the terminal, or `WIDE` where there is none."""
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else WIDE
    return rich.console.Console(
        stderr=stderr, width=width, highlight=False, emoji=False
    )


def say(text):
    """Print a line as it is."""
    console().print(text, markup=False, emoji=False, soft_wrap=True)


@contextlib.contextmanager
def bar():
    """A line of progress for each run, on stderr, so that stdout stays a result."""
    columns = (
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=console(stderr=True)) as bar:
        try:
            yield bar
        except KeyboardInterrupt:
            bar.stop()
            logging.disable()  # what the dying kernel's client has to say helps nobody
            stop("interrupted; finished runs are kept, the same command goes on", 130)


def table(frame):
    """Print a frame in columns."""
    grid = rich.table.Table(box=None, padding=(0, 2, 0, 0))
    for name in frame.columns:
        grid.add_column(str(name), overflow="fold")
    for row in frame.itertuples(index=False):
        grid.add_row(*(rich.markup.escape(str(cell)) for cell in row))
    console().print(grid)


def near(path):
    """A path as seen from the working directory, where it lies below it."""
    with contextlib.suppress(ValueError):
        return path.relative_to(pathlib.Path.cwd())
    return path


def made(out):
    """Make the folder of results before any work is done for them."""
    from chromolib.data import store

    try:
        pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = store.shown(pathlib.PurePath(out).name)
        raise store.StoreError(f"{name} cannot be made: {error.strerror}") from None
