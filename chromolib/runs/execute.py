"""One study, executed by Papermill: complete, or a reason in one line."""

import asyncio
import dataclasses
import errno
import os
import pathlib
import re
import signal
import time

from chromolib.runs import folder, identity, parameters, repository

CELL_LIMIT = {"smoke": 300, "quick": 1800, "full": 86_400}  # seconds a cell may take
DIED = {
    True: "the kernel was killed for want of memory; try a smaller profile",
    False: "the kernel died, perhaps for want of memory; try a smaller profile",
}  # whether Linux counted a process killed for memory -> the reason
NEVER = "the kernel died before its first cell, twice; try fewer runs at a time"
FULL = "no space left on the disk; free some and start again"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class RunError(RuntimeError):
    """A run that did not finish; the message is one line with the remedy."""


class _DeadKernelError(Exception):
    """A kernel that ended by itself."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A finished run and how it came about."""

    study: str
    given: dict  # the values of its parameters
    folder: pathlib.Path
    state: str  # "fresh" or "reused"
    seconds: float

    @property
    def notebook(self):
        """The executed notebook: the page of this run."""
        return self.folder / f"{self.study}.ipynb"


def run(
    root, study, values, *, force=False, cell_limit=None, progress=lambda done, of: None
):
    """Execute a study; a complete run of the same identity is reused unless forced."""
    started = time.monotonic()
    run_id = identity.of(root, study, values)
    finished = find(root, study, values, run_id)
    if finished and not force:
        return finished
    target = folder.place(root, study, run_id, values["out"])
    outcome = Outcome(study, values, target, "fresh", 0.0)
    try:
        folder.check(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        working = _working(target)
        _papermill(root, study, values, working, cell_limit, progress)
        _collect(target, run_id, working, outcome.notebook)
    except OSError as error:
        raise RunError(disk(study, error)) from error
    return dataclasses.replace(outcome, seconds=time.monotonic() - started)


def find(root, study, values, run_id=None):
    """The complete run with these values, or None."""
    run_id = run_id or identity.of(root, study, values)
    target = folder.place(root, study, run_id, values["out"])
    outcome = Outcome(study, values, target, "reused", 0.0)
    whole = folder.complete(target, run_id) and outcome.notebook.is_file()
    return outcome if whole else None


def place(root, study, values):
    """Where the run with these values is found once complete."""
    return folder.place(root, study, identity.of(root, study, values), values["out"])


def disk(name, error):
    """Why something could not be written, in one line with the remedy."""
    file = pathlib.Path(error.filename or "the run's folder").name
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{name}: {FULL}"
    return f"{name}: cannot write {file}: {error.strerror}; check its folder's rights"


def _papermill(root, study, values, working, cell_limit, progress):
    """Execute the notebook; a kernel that dies before its first cell gets a successor.

    Of kernels that start together some die, for they meet on a port.
    """
    total = len(identity.code(repository.notebook(root, study))) + 2  # both parameters
    limit = cell_limit or CELL_LIMIT[values["profile"]]
    killed_before = _killed_for_memory()
    for last in (False, True):
        cells = []
        progress(0, total)

        def executed(cells=cells, **_):
            cells.append(None)
            progress(len(cells), total)

        try:
            _execute(root, study, values, working, limit, executed)
            return
        except _DeadKernelError as error:
            if cells or last:
                reason = DIED[_killed_for_memory() > killed_before] if cells else NEVER
                raise RunError(_failed(study, working, reason)) from error


def _execute(root, study, values, working, limit, executed):
    import papermill
    from nbclient import exceptions

    paths = {
        k: str(pathlib.Path(v).absolute())
        for k, v in values.items()
        if parameters.is_path(k, v)
    }
    os.environ[folder.REPLACE] = "1"  # here a finished run is only run again if forced
    try:
        papermill.execute_notebook(
            repository.notebook(root, study),
            working,
            parameters=values | paths,
            progress_bar=False,
            cwd=root,
            execution_timeout=limit,
            extra_arguments=["--log-level=CRITICAL"],
            shutdown_kernel="immediate",  # else it may complain of sockets
            on_notebook_start=_keep_ctrl_c,
            on_cell_executed=executed,
        )
    except papermill.PapermillExecutionError as error:
        raise RunError(_failed(study, working, _cell_error(error))) from error
    except exceptions.CellTimeoutError as error:
        reason = f"a cell ran longer than {limit} s; allow more with --cell-limit"
        raise RunError(_failed(study, working, reason)) from error
    except RuntimeError as error:  # nbclient's own, or of a kernel that never answered
        raise _DeadKernelError from error
    except BaseException:
        working.unlink(missing_ok=True)
        raise
    finally:
        del os.environ[folder.REPLACE]


def _keep_ctrl_c(**_):
    """Let Ctrl-C interrupt this process: nbclient would only kill the kernel."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)


def _working(target):
    """Where Papermill writes meanwhile; files that dead processes left are removed."""
    folder.remove_dead(target.parent.glob(".*.partial.ipynb"))
    return target.parent / f".{target.name}.{os.getpid()}.partial.ipynb"


def _collect(target, run_id, working, notebook):
    """The executed notebook joins the numbers the kernel wrote."""
    if not folder.complete(target, run_id):
        raise RunError(_failed(notebook.stem, working, "it ended without run.close()"))
    os.replace(working, notebook)
    target.with_name(f"{target.name}.failed.ipynb").unlink(missing_ok=True)


def _failed(study, working, reason):
    """Keep the executed part for the reader; say where and why."""
    failed = working.name[1:].replace(f".{os.getpid()}.partial", ".failed")
    if working.exists():
        os.replace(working, working.with_name(failed))
    where = os.path.relpath(working.with_name(failed))
    return f"{study}: {reason} (executed part: {where})"


def _cell_error(error):
    lines = ANSI.sub("", error.evalue).strip().splitlines() or [""]
    if "No space left" in lines[0]:
        return FULL
    return f"cell {error.exec_count} failed: {error.ename}: {lines[0]}"


def _killed_for_memory():
    """How many processes Linux has killed for memory so far; 0 elsewhere."""
    try:
        lines = pathlib.Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
