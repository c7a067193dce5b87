"""Rows of `bench.py` about many runs and many images."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import nbformat
from nbformat import v4
from toys import CLOSE, LIGHT, RECORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOY = {"profile": "smoke", "source": "synthetic", "data": "", "seed": 0, "out": ""}
ROWS = 4  # of a plan


def cluster_row(_):
    """Seconds a row of nothing through Dask on loopback, against without Dask."""
    with tempfile.TemporaryDirectory() as folder, _cluster() as address:
        root = _repository(pathlib.Path(folder))

        def sweep(*words):
            shutil.rmtree(root / "data" / "runs", ignore_errors=True)
            command = [sys.executable, "-m", "chromolib", "sweep", "plan.csv", *words]
            started = time.perf_counter()
            subprocess.run(command, cwd=root, check=True, capture_output=True)
            return (time.perf_counter() - started) / ROWS

        sweep("--cluster", address)  # what a worker imports once is no overhead
        rounds = [(sweep("--cluster", address), sweep()) for _ in range(3)]
        return tuple(map(min, zip(*rounds, strict=True)))


def _repository(root):
    """A repository with a study that records a number, and a plan of some rows."""
    for folder in ("notebooks", "data/claims"):
        (root / folder).mkdir(parents=True)
    (root / "chromolib").symlink_to(ROOT / "chromolib")
    shutil.copy(ROOT / "requirements.lock", root)
    source = "\n".join(f"{name} = {value!r}" for name, value in TOY.items())
    first = v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    cells = [first, *map(v4.new_code_cell, (LIGHT, RECORD, CLOSE))]
    notebook = v4.new_notebook(cells=cells)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata.kernelspec = kernel
    nbformat.write(notebook, root / "notebooks" / "toy.ipynb")
    lines = "".join(f"toy,{seed}\n" for seed in range(ROWS))
    (root / "plan.csv").write_text("study,seed\n" + lines)
    return root


@contextlib.contextmanager
def _cluster():
    """The address of a Dask scheduler with one worker."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{found.getsockname()[1]}"
    worker = (address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    commands = [("scheduler", "--host", address, "--no-dashboard"), ("worker", *worker)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind, *words in commands
    ]
    try:
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()
