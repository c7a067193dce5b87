"""Rows on a Dask cluster: real processes on loopback, some of them killed."""

import signal
import socket
import subprocess
import sys

import pytest
from sweeping import SLOW, chromolib, complete, seeds, start, wait_for
from toys import CLOSE, LIGHT, RECORD

from chromolib.runs import cluster


@pytest.fixture
def dask(tmp_path):
    """Starts a scheduler or a worker in a folder; ends what still runs at the end."""
    running = []

    def begin(kind, *words, cwd=tmp_path):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen(command, cwd=cwd, **quiet))
        return running[-1]

    begin.running = running
    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def scheduler(dask, port):
    return dask("scheduler", "--host", f"tcp://127.0.0.1:{port}", "--no-dashboard")


def worker(dask, port, **more):
    words = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60")
    return dask("worker", f"tcp://127.0.0.1:{port}", *words, **more)


def test_rows_survive_a_dead_worker_and_a_new_scheduler(toy, dask, port):
    repo = toy(LIGHT, SLOW, RECORD, CLOSE)
    seeds(repo, 4)
    (repo / "hold").touch()
    first = scheduler(dask, port)
    workers = [worker(dask, port) for _ in range(3)]
    sweep = start(repo, "--cluster", f"tcp://127.0.0.1:{port}")
    dask.running.append(sweep)
    wait_for(repo, "begun-*", 3)
    workers[0].send_signal(signal.SIGKILL)
    worker(dask, port)
    wait_for(repo, "begun-*", 4)
    first.send_signal(signal.SIGKILL)
    first.wait()
    scheduler(dask, port)
    for _ in range(3):
        worker(dask, port)
    wait_for(repo, "begun-*", 5)  # old workers may end what they have
    (repo / "hold").unlink()
    out, errors = sweep.communicate()
    assert sweep.returncode == 0, errors
    assert "Estimates of 4 rows of 4" in out
    assert out.count("fresh") == 4
    assert "is gone; waiting until it is back" in errors
    ended = [path.name.split("-")[1] for path in repo.glob("ended-*")]
    assert sorted(ended) == ["0", "1", "2", "3"], "each row once"
    assert len(complete(repo)) == 4
    assert all(len(name) == 12 for name in complete(repo)), "nothing half, no claim"
    assert not list(repo.glob("data/runs/.shared-*"))


def test_a_worker_with_another_lock_file_is_refused_by_name(toy, dask, port):
    repo = toy(LIGHT, RECORD, "assert seed", CLOSE)
    seeds(repo, 2)
    other = repo / "other"
    other.mkdir()
    (other / "chromolib").symlink_to(repo / "chromolib")
    (other / "requirements.lock").write_text("another")
    scheduler(dask, port)
    worker(dask, port, cwd=other)
    address = f"tcp://127.0.0.1:{port}"
    done = chromolib(repo, "sweep", "plan.csv", "--cluster", address)
    assert done.returncode == 1
    refusal, error = done.stderr.splitlines()[-2:]
    assert refusal.startswith("worker tcp://127.0.0.1:")
    assert refusal.endswith(
        "requirements.lock differs; install from the same lock file"
    )
    assert error.startswith("error: no worker fits; tcp://127.0.0.1:")
    worker(dask, port)
    done = chromolib(repo, "sweep", "plan.csv", "--cluster", address)
    assert "1 row of 2 failed; row 1: toy: cell 5 failed: Assertion" in done.stderr
    assert len(list(repo.glob("data/runs/toy/*/manifest.json"))) == 1


def test_what_no_worker_may_be(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    here = cluster.facts(repo, "requirements.lock")
    assert here["shared"]
    assert not cluster.unfit(here, here)
    assert "does not see this rep" in cluster.unfit(cluster.facts(repo, "token"), here)
    older = here | {"versions": here["versions"] | {"keras": "3.0"}}
    assert cluster.unfit(older, here).startswith("it has keras 3.0, here is ")
    failed = ModuleNotFoundError("No module named 'chromolib'")
    assert "cannot import chromolib (No module" in cluster.unfit(failed, here)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "ftp://x:1"])
def test_no_cluster_at_the_address_is_one_line(address, port, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 0.2)
    address = address.format(port=port)
    with pytest.raises(cluster.ClusterError, match="no Dask cluster at") as error:
        cluster.connect(address, 0)
    assert len(str(error.value).splitlines()) == 1


def test_without_dask_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(cluster.ClusterError, match=r"pip install -e '\.\[cluster\]'"):
        cluster.connect("tcp://127.0.0.1:1", 0)
