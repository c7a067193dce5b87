"""The rows of a plan on a Dask cluster that exists: each by a worker that fits.

`run_plan(root, rows, address, ...)` -> outcomes and reasons by row, as `sweep.run_plan`

# Strategy: Dask carries rows to workers and notices which of them die; who gets a row
# is decided here, so that a worker with other packages, or without the shared folder,
# gets none. A row goes to one worker, as a child process that claims it. Rows of
# workers that vanished, and of a scheduler that restarted, go out again: complete ones
# are found, and one that is still in work waits for its claim.
"""

import collections
import contextlib
import dataclasses
import gc
import logging
import pathlib
import secrets
import time

import chromolib
from chromolib import files
from chromolib.runs import execute, folder, results, sweep

EXTRA = "--cluster needs Dask; install it: pip install -e '.[cluster]'"
CONNECT = 10  # seconds to find a scheduler
RESTART = 600  # seconds to find it again
LOOK = 0.5  # seconds between looks at what ended and who is there
LOSSES = 3  # workers that a row may lose before it fails itself


class ClusterError(RuntimeError):
    """A cluster that cannot be used; the message says why."""


class _LostError(Exception):
    """The scheduler is gone."""


def run_plan(root, rows, address, *, force, cell_limit, bar, log):
    """Outcomes of the rows of a plan by their numbers, and the reasons of failures.

    `log` gets a line for each worker that is refused, and when the scheduler is lost.
    """
    how = {"force": force, "cell_limit": cell_limit}
    work = _Work(root, rows, how, bar, log)
    client = connect(address, CONNECT)
    with _seen_by_all(root) as token:
        while True:
            try:
                with client:
                    work.carry_out(client, token)
                return dict(sorted(work.outcomes.items())), work.failed
            except _LostError:
                log(f"the scheduler at {address} is gone; waiting until it is back")
                client = connect(address, RESTART)


def facts(root, token):
    """What a worker has: its lock file, its packages, and whether it sees the root."""
    lock = pathlib.Path(chromolib.__file__).parent.parent / "requirements.lock"
    return {
        "lock": files.sha256(lock) if lock.is_file() else None,
        "versions": results.versions(),
        "shared": (pathlib.Path(root) / token).is_file(),
    }


def carry_out(job, topic, number):
    """Carry out a row on a worker: how it ended, and why if it failed."""
    import distributed

    worker = distributed.get_worker()

    def progress(done, total):
        worker.log_event(topic, {"row": number, "done": done, "total": total})

    try:
        sweep.watch(job, progress, [])
    except folder.ClaimedError:
        return "claimed", ""
    except (OSError, RuntimeError, ValueError) as error:
        return "failed", str(error)
    return "complete", ""


@contextlib.contextmanager
def _seen_by_all(root):
    """A file that every worker must see, by its place in the repository."""
    token = pathlib.Path("data") / "runs" / f".shared-{secrets.token_hex(4)}"
    (root / token).parent.mkdir(parents=True, exist_ok=True)
    (root / token).touch()
    try:
        yield token.as_posix()
    finally:
        (root / token).unlink(missing_ok=True)


def connect(address, patience):
    """A client of the scheduler there, within so many seconds."""
    try:
        import distributed
    except ImportError:
        raise ClusterError(EXTRA) from None
    for name in ("distributed", "distributed.client"):  # we say in a line what is wrong
        logging.getLogger(name).setLevel(logging.CRITICAL)
    until = time.monotonic() + patience
    while True:
        try:
            return distributed.Client(address, timeout=CONNECT)
        except (OSError, ValueError) as error:
            over = isinstance(error, ValueError) or time.monotonic() > until
        gc.collect()  # a client that failed ends its loop here, not as the next starts
        if over:
            raise ClusterError(
                f"no Dask cluster at {address}; start one by `dask scheduler` and "
                "`dask worker`, and take the address it prints"
            )


class _Work:
    """The rows that are not complete, and which worker has which."""

    def __init__(self, root, rows, how, bar, log):
        self.root, self.rows, self.how, self.bar, self.log = root, rows, how, bar, log
        self.topic = f"chromolib-{secrets.token_hex(4)}"
        self.outcomes, self.failed, self.refused, self.fit = {}, {}, {}, set()
        self.losses, self.started, self.out = collections.Counter(), {}, {}
        self.tasks = {
            row.number: (bar.add_task(row.label, total=None, unit="cells"), row.label)
            for row in rows
        }
        self.waiting = collections.deque(row for row in rows if not self._found(row))

    def carry_out(self, client, token):
        """Carry out what is left; _LostError when the scheduler goes."""
        self.waiting.extend(row for row, _ in self.out.values())
        self.out, self.fit, self.refused = {}, set(), {}
        client.subscribe_topic(self.topic, self._progress)
        while self.waiting or self.out:
            present = self._present(client)
            self._check(client, present, token)
            self._take_back(present)
            self._hand_out(client, present)
            self._collect()

    def _found(self, row):
        """Whether a row is complete, and so done with."""
        outcome = execute.find(self.root, row.study, row.resolved)
        if outcome is None or (self.how["force"] and row.number not in self.started):
            return False
        if begun := self.started.get(row.number):
            seconds = time.monotonic() - begun
            outcome = dataclasses.replace(outcome, state="fresh", seconds=seconds)
        self.outcomes[row.number] = outcome
        sweep.finish(self.bar, *self.tasks[row.number], outcome)
        return True

    def _progress(self, event):
        _, said = event
        place = {"completed": said["done"], "total": said["total"]}
        task, label = self.tasks[said["row"]]
        self.bar.update(task, description=label, **place)

    def _present(self, client):
        """Address -> what the scheduler knows of a worker."""
        try:
            if client.status == "running":
                return client.scheduler_info()["workers"]
        except (OSError, KeyError):
            pass
        raise _LostError

    def _check(self, client, present, token):
        """Ask new workers for their facts; refuse by name those that do not fit."""
        new = [a for a in present if a not in self.fit and a not in self.refused]
        if new:
            root, how = str(self.root), {"workers": new, "on_error": "return"}
            try:
                answers = client.run(facts, root, token, **how)
            except OSError:
                raise _LostError from None
            wanted = facts(root, token)
            wanted["lock"] = files.sha256(self.root / "requirements.lock")
            for address, answer in answers.items():
                if reason := unfit(answer, wanted):
                    self.refused[address] = reason
                    self.log(f"worker {address} is refused: {reason}")
                else:
                    self.fit.add(address)
        if present and not self.out and not self.fit & set(present):
            raise ClusterError(f"no worker fits; {_first(self.refused)}")

    def _take_back(self, present):
        """Rows of workers that are gone wait again."""
        for future, (row, address) in list(self.out.items()):
            if address not in present or future.status in ("cancelled", "lost"):
                future.cancel()
                del self.out[future]
                self.losses[row.number] += 1
                if self.losses[row.number] < LOSSES:
                    self.waiting.append(row)
                else:
                    self._fail(row, f"its worker died, {LOSSES} times; see its log")

    def _hand_out(self, client, present):
        """Give each worker that fits as many rows as it takes at a time."""
        busy = collections.Counter(address for _, address in self.out.values())
        for address in self.fit & set(present):
            gpus = present[address]["resources"].get("GPU")
            for _ in range(int(gpus or present[address]["nthreads"]) - busy[address]):
                if not self.waiting:
                    return
                row = self.waiting.popleft()
                self.started.setdefault(row.number, time.monotonic())
                job = sweep.job(self.root, row.study, row.resolved, self.how)
                future = client.submit(
                    carry_out,
                    job,
                    self.topic,
                    row.number,
                    workers=[address],
                    resources={"GPU": 1} if gpus else None,
                    key=f"{self.topic}-{row.number}-{secrets.token_hex(4)}",
                )
                self.out[future] = row, address

    def _collect(self):
        """Take what ended; a row that another is at waits."""
        import distributed

        with contextlib.suppress(TimeoutError, distributed.CancelledError):
            if self.out:
                how = {"timeout": LOOK, "return_when": "FIRST_COMPLETED"}
                distributed.wait(list(self.out), **how)
            else:
                time.sleep(LOOK)
        for future in [f for f in self.out if f.status in ("finished", "error")]:
            row, _ = self.out.pop(future)
            state, reason = (
                future.result()
                if future.status == "finished"
                else ("failed", str(future.exception()).split("\n")[0])
            )
            if state == "claimed":
                task, label = self.tasks[row.number]
                self.bar.update(task, description=f"{label}, in work elsewhere")
                self.waiting.append(row)
                time.sleep(LOOK)
            elif state == "failed":
                self._fail(row, reason)
            elif not self._found(row):
                self._fail(row, "its result is not in the shared folder; run it again")

    def _fail(self, row, reason):
        self.failed[row.number] = reason
        sweep.fail(self.bar, *self.tasks[row.number])
        if execute.FULL in reason:
            self.waiting.clear()


def unfit(there, here):
    """Why a worker may not have rows; nothing if it may."""
    if not isinstance(there, dict):
        return f"it cannot import chromolib ({there})"
    if not there["shared"]:
        return "it does not see this repository; put it in a folder that all share"
    if there["lock"] != here["lock"]:
        return "its requirements.lock differs; install from the same lock file"
    for name in sorted(here["versions"] | there["versions"]):
        ours, its = (facts["versions"].get(name, "none") for facts in (here, there))
        if ours != its:
            return f"it has {name} {its}, here is {ours}; install from one lock file"
    return ""


def _first(refused):
    return next(
        (f"{address}: {why}" for address, why in refused.items()), "none is left"
    )
