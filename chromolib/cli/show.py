"""What the command line prints, and how it stops."""

import contextlib
import dataclasses
import datetime
import itertools
import logging
import math
import pathlib
import sys
import threading
import time

import rich.console
import rich.markup
import rich.progress
import rich.table

from chromolib import records

WIDE = 120  # columns where there is no terminal to ask
ALMOST = 0.9995  # shares beyond would be rounded to 1
EVERY = 30  # seconds between lines of progress in a log


def stop(message, code):
    """Say why on stderr and leave with that code."""
    sys.stderr.write(plain(message) + "\n")
    sys.exit(code)


def console(*, stderr=False):
    """Where words go: as wide as the terminal, or `WIDE` where there is none."""
    width = None if (sys.stderr if stderr else sys.stdout).isatty() else WIDE
    return rich.console.Console(
        stderr=stderr, width=width, highlight=False, emoji=False
    )


def say(text):
    """Print a line as it is."""
    console().print(plain(text), markup=False, emoji=False, soft_wrap=True)


def plain(text):
    """The text with its control characters written out, its lines as they are."""
    from chromolib.data import store

    return "\n".join(map(store.shown, str(text).split("\n")))


@dataclasses.dataclass
class Task:
    """Something that takes its time, and how far it is."""

    description: str
    total: int | None
    unit: str
    started: float
    completed: int = 0


class Log:
    """Progress in plain lines, for a log: what starts, where it is, what ended.

    It is called as `rich.progress.Progress` is.
    """

    def __init__(self, write, clock=time.monotonic):
        self._write, self._clock = write, clock
        self._running, self._numbers = {}, itertools.count()
        self._over = threading.Event()

    def add_task(self, description, *, total, unit=""):
        """Say that a task starts; gives its number."""
        number = next(self._numbers)
        self._running[number] = Task(description, total, unit, self._clock())
        self._write(f"{description}: started")
        return number

    def update(self, number, **changes):
        """Note how far a task is; say when it is done, once."""
        task = self._running.get(number)
        if task is None:
            return
        self._running[number] = task = dataclasses.replace(task, **changes)
        if task.completed == task.total:
            del self._running[number]
            self._write(f"{task.description}: done after {self._elapsed(task)}")

    def tick(self):
        """Say where every running task is."""
        for task in list(self._running.values()):
            of = f"{task.completed} of {task.total} {task.unit}".strip()
            where = "running" if task.total is None else of
            self._write(f"{task.description}: {where} after {self._elapsed(task)}")

    def stop(self):
        """Say no more."""
        self._over.set()

    def __enter__(self):
        threading.Thread(target=self._repeat, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _repeat(self):
        while not self._over.wait(EVERY):
            self.tick()

    def _elapsed(self, task):
        return datetime.timedelta(seconds=int(self._clock() - task.started))


def _moving():
    columns = (
        rich.progress.TextColumn("{task.description}", markup=False),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    return rich.progress.Progress(*columns, console=console(stderr=True))


def line(text):
    """Say something beside a bar, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def bar():
    """Progress on stderr, so that stdout stays a result: a bar a task, or a log."""
    with _moving() if sys.stderr.isatty() else Log(line) as bar:
        try:
            yield bar
        except KeyboardInterrupt:
            bar.stop()
            logging.disable()  # what the dying kernel's client has to say helps nobody
            stop("interrupted; finished runs are kept, the same command goes on", 130)


def counter(bar, description, *, total=None):
    """A new task of a bar: a function of how much is done, and of how much."""
    task = bar.add_task(description, total=total)
    return lambda done, of: bar.update(task, completed=done, total=of)


def table(frame):
    """Print a frame in columns."""
    grid = rich.table.Table(box=None, padding=(0, 2, 0, 0))
    for name in frame.columns:
        grid.add_column(str(name), overflow="fold")
    for row in frame.itertuples(index=False):
        grid.add_row(*(rich.markup.escape(plain(cell)) for cell in row))
    console().print(grid)


def number(cell):
    """A cell as a table on a terminal shows it: rounded, empty where nothing is.

    Files keep every digit.
    """
    if isinstance(cell, float) and math.isnan(cell):
        return ""
    if isinstance(cell, float) and ALMOST < cell < 1:
        return ">0.999"
    return records.digits(cell)


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
