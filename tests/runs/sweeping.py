"""Plans of toy runs, and commands that carry them out."""

import subprocess
import sys
import time

import pytest

# It says that it began, waits while there is a file `hold`, and says that it ended.
SLOW = """import os, pathlib, time

pathlib.Path(f"begun-{seed}-{os.getpid()}").touch()
while pathlib.Path("hold").exists():
    time.sleep(0.05)
pathlib.Path(f"ended-{seed}-{os.getpid()}").touch()"""


def chromolib(repo, *words, **more):
    command = [sys.executable, "-m", "chromolib", *words]
    return subprocess.run(command, cwd=repo, capture_output=True, text=True, **more)


def start(repo, *words):
    command = [sys.executable, "-m", "chromolib", "sweep", "plan.csv", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=repo, stdout=pipe, stderr=pipe, text=True)


def written(repo, text):
    path = repo / "plan.csv"
    path.write_text(text)
    return path


def seeds(repo, count):
    return written(repo, "study,seed\n" + "".join(f"toy,{i}\n" for i in range(count)))


def wait_for(repo, pattern, count=1):
    for _ in range(12_000):  # ten minutes: a busy machine starts kernels slowly
        if len(found := list(repo.glob(pattern))) >= count:
            return found
        time.sleep(0.05)
    return pytest.fail(f"{pattern} never came")


def complete(repo):
    """Names of what lies among the runs of the toy, hidden things too."""
    return sorted(path.name for path in (repo / "data/runs/toy").iterdir())
