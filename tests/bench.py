"""Measured figures and the ratios that matter: `make bench`. Never asserted.

Later work adds rows to ROWS. A ratio compares two figures of the same session, so a
slow machine does not change what it says.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = [sys.executable]
CHROMOLIB = [*PYTHON, "-m", "chromolib"]


def seconds(command, *, repeats=3):
    """Median wall time of a command that must succeed."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def start_up(_):
    """The command line's help against a bare Python."""
    return seconds([*CHROMOLIB, "--help"]), seconds([*PYTHON, "-c", "pass"])


def audit(_):
    """All claims of all papers against the command line's start."""
    return seconds([*CHROMOLIB, "claims"]), seconds([*CHROMOLIB, "--help"])


def fresh_run(out):
    """A smoke run of one study against a start of Keras alone."""
    run = [
        *CHROMOLIB,
        "run",
        "chu",
        "--profile",
        "smoke",
        "--force",
        "-p",
        f"out={out}",
    ]
    return seconds(run), seconds([*PYTHON, "-c", "import keras"])


def reused_run(out):
    """The same run fresh against found complete."""
    run = [*CHROMOLIB, "run", "chu", "--profile", "smoke", "-p", f"out={out}"]
    return seconds([*run, "--force"]), seconds(run)


ROWS = (start_up, audit, fresh_run, reused_run)


def main():
    """Print a row a benchmark: both figures and their ratio."""
    names = [row.__name__ for row in ROWS]
    parser = argparse.ArgumentParser(description="Measure; nothing is asserted.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    chosen = parser.parse_args().rows or names
    sys.stdout.write(f"{'row':<12}{'seconds':>9}{'against':>9}{'ratio':>8}  what\n")
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if row.__name__ in chosen:
                first, second = row(pathlib.Path(folder) / "run")
                line = f"{row.__name__:<12}{first:>9.2f}{second:>9.2f}"
                line += f"{first / second:>8.1f}"
                sys.stdout.write(f"{line}  {row.__doc__}\n")


if __name__ == "__main__":
    main()
