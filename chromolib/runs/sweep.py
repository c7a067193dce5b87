"""Several runs: one after the other with their cells counted, or some at a time."""

import concurrent.futures
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import pandas as pd

from chromolib.runs import execute, folder, results

CHILD = [sys.executable, "-c", "from chromolib.runs import sweep; sweep.child()"]
CELLS = re.compile(r"(\d+) (\d+)\n")  # what a child writes: cells done, of how many


def run_all(root, items, *, jobs, force, cell_limit, bar):
    """Outcomes of (study, values) pairs, in their order; the first failure is raised.

    What has finished stays finished, so the next call goes on from there. When all
    have, what dead runs left behind is cleaned up.
    """
    how = {"force": force, "cell_limit": cell_limit}
    if jobs > 1 and len(items) > 1:
        outcomes = _in_parallel(root, items, jobs, how, bar)
    else:
        outcomes = [_in_turn(root, study, values, how, bar) for study, values in items]
    parents = {outcome.folder.parent for outcome in outcomes}
    for parent in parents.union((root / "data" / "runs").glob("*/")):
        folder.clean(parent)
    return outcomes


def summary(outcomes):
    """One row a run: what varied, how it came about, and its first estimate."""
    varied = [
        name
        for name in outcomes[0].given
        if len({repr(outcome.given.get(name)) for outcome in outcomes}) > 1
    ]
    return pd.DataFrame([_line(outcome, varied) for outcome in outcomes]).fillna("")


def child():
    """Carry out the run that stdin describes, and write the cells done to stdout."""
    job = json.load(sys.stdin)
    root, study, values = pathlib.Path(job.pop("root")), job.pop("study"), job.pop("of")

    def progress(done, total):
        sys.stdout.write(f"{done} {total}\n")
        sys.stdout.flush()

    try:
        execute.run(root, study, values, progress=progress, **job)
    except (OSError, RuntimeError, ValueError) as error:  # what ours are
        sys.exit(str(error))


def _line(outcome, varied):
    estimates = results.read_estimates(outcome.folder / "estimates.csv")
    row = {"study": outcome.study}
    row |= {name: str(outcome.given.get(name, "")) for name in varied}
    row["run"] = f"{outcome.state}, {outcome.seconds:.0f} s"
    for first in estimates[:1]:
        row[f"{first.quantity}, {first.protocol}"] = str(first)
    return row


def _in_turn(root, study, values, how, bar):
    task = bar.add_task(study, total=None, unit="cells")

    def progress(done, total):
        bar.update(task, completed=done, total=total)

    outcome = execute.run(root, study, values, progress=progress, **how)
    return _finish(bar, task, outcome)


def _in_parallel(root, items, jobs, how, bar):
    """Each run in a process of its own: a kernel and Papermill want a main thread."""
    children = []

    def in_a_child(study, values):
        task, started = bar.add_task(study, total=None, unit="cells"), time.monotonic()
        outcome = execute.find(root, study, values)
        if how["force"] or not outcome:
            job = {"root": str(root), "study": study, "of": values} | how
            _watch(job, children, lambda k, n: bar.update(task, completed=k, total=n))
            outcome = execute.find(root, study, values)
            seconds = time.monotonic() - started
            outcome = dataclasses.replace(outcome, state="fresh", seconds=seconds)
        return _finish(bar, task, outcome)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(in_a_child, *item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in children:
                process.terminate()
            raise


def _watch(job, children, progress):
    """Start a child for a job and follow it to its end; its failure is raised."""
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            CHILD, cwd=job["root"], stdin=pipe, stdout=pipe, stderr=errors, text=True
        )
        children.append(process)
        json.dump(job, process.stdin)
        process.stdin.close()
        for line in process.stdout:
            if cells := CELLS.fullmatch(line):
                progress(int(cells[1]), int(cells[2]))
        if process.wait():
            errors.seek(0)  # before our line stands what a kernel's libraries say
            raise execute.RunError((errors.read().strip().splitlines() or ["?"])[-1])


def _finish(bar, task, outcome):
    note = ", reused" if outcome.state == "reused" else ""
    bar.update(task, description=outcome.study + note, completed=1, total=1)
    return outcome
