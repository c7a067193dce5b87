"""Several runs: one after the other with their cells counted, or some at a time."""

import concurrent.futures
import dataclasses
import subprocess
import sys
import threading
import time

import pandas as pd

from chromolib.runs import execute, results


def run_all(root, items, *, jobs, force, cell_limit, bar):
    """Outcomes of (study, values) pairs, in their order; the first failure is raised.

    What has finished stays finished, so the next call goes on from there.
    """
    if jobs > 1 and len(items) > 1:
        return _in_parallel(root, items, jobs, force, cell_limit, bar)
    return [
        _one(root, study, values, force, cell_limit, bar) for study, values in items
    ]


def summary(outcomes):
    """One row a run: what varied, how it came about, and its first estimate."""
    varied = [
        name
        for name in outcomes[0].given
        if len({repr(outcome.given.get(name)) for outcome in outcomes}) > 1
    ]
    return pd.DataFrame([_line(outcome, varied) for outcome in outcomes]).fillna("")


def _line(outcome, varied):
    first = results.read_estimates(outcome.folder / "estimates.csv")[0]
    return {
        "study": outcome.study,
        **{name: str(outcome.given.get(name, "")) for name in varied},
        "run": f"{outcome.state}, {outcome.seconds:.0f} s",
        f"{first.quantity}, {first.protocol}": str(first),
    }


def _one(root, study, values, force, cell_limit, bar):
    task = bar.add_task(study, total=None)
    outcome = execute.run(
        root,
        study,
        values,
        force=force,
        cell_limit=cell_limit,
        progress=lambda done, of: bar.update(task, completed=done, total=of),
    )
    return _finish(bar, task, outcome)


def _in_parallel(root, items, jobs, force, cell_limit, bar):
    """Each run in a process of its own: a kernel and Papermill want a main thread."""
    children, lock = set(), threading.Lock()

    def one(study, values):
        task, started = bar.add_task(study, total=None), time.monotonic()
        found = execute.find(root, study, values)
        if found and not force:
            return _finish(bar, task, found)
        child = subprocess.Popen(
            _command(study, values, force, cell_limit),
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with lock:
            children.add(child)
        errors = child.communicate()[1]
        if child.returncode:
            raise execute.RunError(errors.strip().removeprefix("error: "))
        outcome, seconds = execute.find(root, study, values), time.monotonic() - started
        return _finish(
            bar, task, dataclasses.replace(outcome, state="fresh", seconds=seconds)
        )

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, *item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in children:
                child.terminate()
            raise


def _command(study, values, force, cell_limit):
    command = [sys.executable, "-m", "chromolib", "run", study]
    command += [part for k, v in values.items() for part in ("-p", f"{k}={v}")]
    command += ["--force"] if force else []
    return command + (["--cell-limit", str(cell_limit)] if cell_limit else [])


def _finish(bar, task, outcome):
    note = "reused" if outcome.state == "reused" else f"{outcome.seconds:.0f} s"
    bar.update(task, description=f"{outcome.study} · {note}", completed=1, total=1)
    return outcome
