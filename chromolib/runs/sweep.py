"""Several runs: one after the other with their cells counted, or some at a time.

`run_all(root, items, ...)` -> outcomes in their order; the first failure is raised
`run_plan(root, rows, ...)` -> outcomes, and the reasons of what failed, by row
`estimates(path, rows, outcomes)` writes all their estimates as one csv

# Strategy: of several runs each is a child process, as a kernel and Papermill want a
# main thread, with a folder of its own for Jupyter's files. A child claims its run, so
# that other sweeps leave it alone, and ends when its parent does, its kernel with it.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import pandas as pd

from chromolib.runs import execute, folder, identity, results

CHILD = [sys.executable, "-c", "from chromolib.runs import sweep; sweep.child()"]
CELLS = re.compile(r"(\d+) (\d+)\n")  # what a child writes: cells done, of how many
CLAIMED = 75  # a child's exit code where another is at its run
SETTINGS = "CHROMOLIB_DATA", "KERAS_BACKEND"  # of the environment, that a run heeds
AGAIN = 1  # seconds until a run that another is at is looked at again


class SweepError(RuntimeError):
    """Rows of a plan are not complete; the message says how many and why."""


def run_all(root, items, *, jobs, force, cell_limit, bar):
    """Outcomes of (study, values) pairs, in their order; the first failure is raised.

    What has finished stays finished, so the next call goes on from there. When all
    have, what dead runs left behind is cleaned up.
    """
    how = {"force": force, "cell_limit": cell_limit}
    if jobs > 1 and len(items) > 1:
        named = [(study, study, values) for study, values in items]
        done, failed = _side_by_side(jobs, _Pool(root, named, how, bar, stop=True))
        for error in failed.values():
            raise error
        outcomes = [done[i] for i in range(len(items))]
    else:
        outcomes = [_in_turn(root, study, values, how, bar) for study, values in items]
    clean(root, outcomes)
    return outcomes


def run_plan(root, rows, *, jobs, force, cell_limit, bar):
    """Outcomes of the rows of a plan by their numbers, and the reasons of failures.

    A row that fails stops no other, unless the disk is full.
    """
    how = {"force": force, "cell_limit": cell_limit}
    items = [(row.label, row.study, row.resolved) for row in rows]
    done, failed = _side_by_side(jobs, _Pool(root, items, how, bar, stop=False))
    reasons = {rows[i].number: str(error) for i, error in failed.items()}
    return {rows[i].number: outcome for i, outcome in sorted(done.items())}, reasons


def clean(root, outcomes):
    """Remove what dead runs left behind, when all that were asked for are complete."""
    parents = {outcome.folder.parent for outcome in outcomes}
    for parent in parents.union((root / "data" / "runs").glob("*/")):
        folder.clean(parent)


def summary(outcomes):
    """One row a run: what varied, how it came about, and its first estimate."""
    varied = [
        name
        for name in outcomes[0].given
        if len({repr(outcome.given.get(name)) for outcome in outcomes}) > 1
    ]
    return pd.DataFrame([_line(outcome, varied) for outcome in outcomes]).fillna("")


def estimates(path, rows, outcomes):
    """Write the estimates of complete rows as one csv: their row and parameters first.

    A parameter that an estimate has a column for stands there alone.
    """
    names = dict.fromkeys(name for row in rows for name in row.given)
    names = [name for name in names if name not in results.FIELDS]
    items, beside = [], []
    for row in rows:
        if outcome := outcomes.get(row.number):
            found = results.read_estimates(outcome.folder / "estimates.csv")
            values = {name: row.resolved.get(name, "") for name in names}
            items += found
            beside += [{"row": row.number} | values] * len(found)
    try:
        results.estimates(path, items, beside=beside)
    except OSError as error:
        raise execute.RunError(execute.disk(path.name, error)) from error


def child():
    """Carry out the run that stdin describes, and write the cells done to stdout."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    root, study, values = pathlib.Path(job.pop("root")), job.pop("study"), job.pop("of")

    def progress(done, total):
        sys.stdout.write(f"{done} {total}\n")
        sys.stdout.flush()

    try:
        with folder.claimed(execute.place(root, study, values)):
            execute.run(root, study, values, progress=progress, **job)
    except folder.ClaimedError:
        sys.exit(CLAIMED)
    except OSError as error:
        sys.exit(execute.disk(study, error))
    except (RuntimeError, ValueError) as error:  # what ours are
        sys.exit(str(error))


def job(root, study, values, how):
    """What a child has to know, on this machine or on another one."""
    settings = {name: os.environ[name] for name in SETTINGS if name in os.environ}
    of = {"root": str(root), "study": study, "of": values} | how
    return {"settings": settings, "of": of}


def watch(job, progress, children):
    """Start a child for a job and follow it to its end; its failure is raised."""
    pipe, of = subprocess.PIPE, job["of"]
    with (
        tempfile.TemporaryDirectory(prefix="chromolib-") as own,
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            CHILD,
            cwd=of["root"],
            env=os.environ | job["settings"] | {"JUPYTER_RUNTIME_DIR": own},
            stdin=pipe,
            stdout=pipe,
            stderr=errors,
            text=True,
        ) as process,
    ):
        children.append(process)
        with contextlib.suppress(BrokenPipeError):  # it says itself why it ended
            process.stdin.write(json.dumps(of) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            if cells := CELLS.fullmatch(line):
                progress(int(cells[1]), int(cells[2]))
        code = process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it never read goes
            process.stdin.close()
        if code:
            errors.seek(0)  # before our line stands what a kernel's libraries say
            said = errors.read().strip().splitlines()
            reason = said[-1] if said and code > 0 else f"the run was ended ({code})"
            raise (folder.ClaimedError if code == CLAIMED else execute.RunError)(reason)


def finish(bar, task, label, outcome):
    """Say on a bar that a run is complete; gives the outcome."""
    note = ", reused" if outcome.state == "reused" else ""
    bar.update(task, description=label + note, completed=1, total=1)
    return outcome


def fail(bar, task, label):
    """Say on a bar that a run failed."""
    bar.update(task, description=f"{label}, failed", completed=1, total=1)


def _end_with_parent():
    """Wait until the parent's end of the pipe closes; a kernel ends with us."""
    sys.stdin.read()
    os._exit(1)


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
    return finish(bar, task, study, outcome)


def _side_by_side(jobs, pool):
    """Outcomes and failures of a pool's items, by their place in its list."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as threads:
        try:
            for future in [threads.submit(pool.carry_out) for _ in range(jobs)]:
                future.result()
        except BaseException:
            pool.end()
            raise
    return pool.outcomes, pool.failed


class _Pool:
    """Runs that several threads carry out; with `stop`, one failure ends all."""

    def __init__(self, root, items, how, bar, *, stop):
        self.root, self.items, self.how, self.bar = root, items, how, bar
        self.stop, self.waiting = stop, collections.deque(range(len(items)))
        self.tasks, self.children, self.outcomes, self.failed = {}, [], {}, {}

    def end(self):
        """Begin no more runs and end those that are in work."""
        self.waiting.clear()
        for process in self.children:
            process.terminate()

    def carry_out(self):
        """Carry out runs until none waits."""
        while (i := self._next()) is not None:
            label, study, values = self.items[i]
            if i not in self.tasks:
                self.tasks[i] = self.bar.add_task(label, total=None, unit="cells")
            task = self.tasks[i]
            try:
                outcome = self._in_a_child(task, label, study, values)
                self.outcomes[i] = finish(self.bar, task, label, outcome)
            except folder.ClaimedError:
                self.bar.update(task, description=f"{label}, in work elsewhere")
                self.waiting.append(i)
                time.sleep(AGAIN)
            except (OSError, RuntimeError, ValueError) as error:
                self.failed[i] = error
                fail(self.bar, task, label)
                if self.stop or execute.FULL in str(error):
                    self.end()

    def _next(self):
        with contextlib.suppress(IndexError):
            return self.waiting.popleft()
        return None

    def _in_a_child(self, task, label, study, values):
        """The outcome of a run: found, or by a process of its own."""
        started, run_id = time.monotonic(), identity.of(self.root, study, values)
        outcome = execute.find(self.root, study, values, run_id)
        if outcome and not self.how["force"]:
            return outcome
        if folder.is_claimed(folder.place(self.root, study, run_id, values["out"])):
            raise folder.ClaimedError

        def progress(done, total):
            self.bar.update(task, description=label, completed=done, total=total)

        watch(job(self.root, study, values, self.how), progress, self.children)
        outcome = execute.find(self.root, study, values, run_id)
        if outcome is None:
            raise execute.RunError(
                f"{study}: its files changed meanwhile; run it again"
            )
        seconds = time.monotonic() - started
        return dataclasses.replace(outcome, state="fresh", seconds=seconds)
