"""A study ends complete, or with one line that says why; real kernels, toy studies."""

import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import nbclient
import nbformat
import pandas as pd
import pytest
from nbclient import exceptions
from nbformat import v4
from toys import BEGIN, CLOSE, LIGHT, RECORD

from chromolib.cli import show
from chromolib.runs import execute, folder, parameters, sweep


def resolved(repo, **given):
    return parameters.resolve(parameters.known(repo / "notebooks" / "toy.ipynb"), given)


def run(repo, cell_limit=None, **given):
    return execute.run(repo, "toy", resolved(repo, **given), cell_limit=cell_limit)


def files(repo):
    return sorted(p.name for p in (repo / "data" / "runs").rglob("*") if p.is_file())


def test_a_run_is_complete_reused_and_safe_to_open(toy, capfd):
    repo = toy(BEGIN, RECORD, CLOSE)
    first = run(repo, seed=7)
    assert first.state == "fresh"
    assert files(repo) == ["estimates.csv", "manifest.json", "toy.ipynb"]
    manifest = json.loads((first.folder / "manifest.json").read_text())
    assert manifest["parameters"]["seed"] == 7
    assert manifest["edited"] is False
    assert manifest["resumed"] is False
    assert {"commit", "dirty", "backend", "device", "peak_memory_mib"} <= set(manifest)
    assert {"keras", "numpy", "papermill"} <= set(manifest["versions"])
    assert str(repo) not in json.dumps(manifest)
    (row,) = pd.read_csv(first.folder / "estimates.csv").to_dict("records")
    assert (row["value"], row["condition"]) == (0.5, "'=cmd")
    page = nbformat.read(first.notebook, as_version=4)
    streams = [
        o for c in page.cells for o in c.get("outputs", []) if o.output_type == "stream"
    ]
    assert not streams, "the backend's greeting reached the notebook"
    assert capfd.readouterr().err == ""
    again = run(repo, seed=7)
    assert (again.state, again.folder) == ("reused", first.folder)


def test_a_cell_error_keeps_the_executed_part_and_no_result(toy):
    repo = toy("print('so far')", "1 / 0")
    with pytest.raises(
        execute.RunError, match=r"cell 4 failed: ZeroDivisionError.*failed"
    ) as e:
        run(repo)
    assert len(str(e.value).splitlines()) == 1
    (kept,) = (repo / "data/runs/toy").glob("*.failed.ipynb")
    assert "so far" in kept.read_text()
    assert files(repo) == [kept.name]


def test_an_error_after_begin_leaves_no_result_and_the_next_run_goes_on(toy):
    check = "import pathlib\n\nassert pathlib.Path('mended').exists()"
    repo = toy(LIGHT, "(run.folder / 'half.txt').touch()", check, CLOSE)
    with pytest.raises(execute.RunError, match="AssertionError"):
        run(repo)
    assert "manifest.json" not in files(repo)
    (repo / "mended").touch()
    outcome = run(repo)
    assert outcome.state == "fresh"
    assert files(repo) == ["estimates.csv", "half.txt", "manifest.json", "toy.ipynb"]
    assert json.loads((outcome.folder / "manifest.json").read_text())["resumed"] is True


def test_a_hung_cell_is_stopped(toy):
    repo = toy("import time\n\ntime.sleep(600)")
    with pytest.raises(execute.RunError, match="ran longer than 2 s; allow more"):
        run(repo, cell_limit=2)


def test_a_killed_kernel_says_so(toy):
    repo = toy("import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(execute.RunError, match="kernel died, perhaps for want"):
        run(repo)
    assert "manifest.json" not in files(repo)


def test_a_kernel_killed_for_memory_says_that(toy, monkeypatch):
    counts = iter([3, 4])
    monkeypatch.setattr(execute, "_killed_for_memory", lambda: next(counts))
    repo = toy("import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(execute.RunError, match="killed for want of memory"):
        run(repo)


def test_a_notebook_that_does_not_close_its_run_is_not_complete(toy):
    with pytest.raises(execute.RunError, match=r"ended without run.close\(\)"):
        run(toy("x = 1"))


def test_a_full_disk_is_one_line(toy, monkeypatch):
    import papermill

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    monkeypatch.setattr(papermill, "execute_notebook", full)
    with pytest.raises(execute.RunError, match="no space left on the disk; free some"):
        run(toy("x = 1"))


def test_an_unwritable_place_is_one_line(toy):
    repo = toy("x = 1")
    (repo / "data" / "runs").write_text("a file where a folder should be")
    with pytest.raises(
        execute.RunError, match=r"cannot write .*check its folder's rights"
    ):
        run(repo)


def plain_papermill(repo, *settings):
    command = [
        pathlib.Path(sys.executable).with_name("papermill"),
        "notebooks/toy.ipynb",
    ]
    return subprocess.run(
        [*command, "out.ipynb", *settings], cwd=repo, capture_output=True, text=True
    )


def test_plain_papermill_works_and_refuses_unknown_parameters(toy):
    repo = toy(BEGIN, CLOSE)
    done = plain_papermill(repo, "-p", "seed", "4")
    assert done.returncode == 0, done.stderr
    assert files(repo) == ["estimates.csv", "manifest.json"]
    refused = plain_papermill(repo, "-p", "sede", "4")
    assert refused.returncode != 0
    assert "unknown parameter sede; known: profile" in refused.stderr


def test_a_run_of_edited_cells_gets_another_identity(toy):
    repo = toy(LIGHT, "x = 1", CLOSE)
    edited = nbformat.read(repo / "notebooks" / "toy.ipynb", as_version=4)
    edited.cells[2].source = "x = 2"
    nbformat.write(edited, repo / "copy.ipynb")
    command = [
        pathlib.Path(sys.executable).with_name("papermill"),
        "copy.ipynb",
        "out.ipynb",
    ]
    subprocess.run(command, cwd=repo, capture_output=True, check=True)
    (found,) = (repo / "data/runs/toy").glob("*/manifest.json")
    assert json.loads(found.read_text())["edited"] is True
    assert execute.find(repo, "toy", resolved(repo)) is None


def in_one_kernel(repo, *cells):
    """What the last of these cells shows, run as JupyterLab does."""
    book = nbformat.read(repo / "notebooks" / "toy.ipynb", as_version=4)
    book.cells = book.cells[:1] + [v4.new_code_cell(cell) for cell in cells]
    nbclient.NotebookClient(book, resources={"metadata": {"path": repo}}).execute()
    return json.dumps(book.cells[-1].outputs)


def test_a_finished_run_is_not_made_poorer_from_jupyterlab(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    done = run(repo)
    before = {path.name: path.read_bytes() for path in done.folder.iterdir()}
    assert "toy.ipynb" in before
    shown = in_one_kernel(repo, LIGHT, RECORD, CLOSE, LIGHT, RECORD, CLOSE)
    assert f"data/runs/toy/{done.folder.name}" in shown
    assert "finished before" in shown
    assert str(repo) not in shown
    assert {p.name: p.read_bytes() for p in done.folder.iterdir()} == before
    assert run(repo).state == "reused"
    forced = execute.run(repo, "toy", resolved(repo), force=True)
    assert (forced.folder / "manifest.json").read_bytes() != before["manifest.json"]


def test_a_closed_run_knows_its_folder_and_is_not_closed_twice(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    listed = "run.close()\nsorted(path.name for path in run.folder.iterdir())"
    shown = in_one_kernel(repo, LIGHT, RECORD, listed)
    assert "['estimates.csv', 'manifest.json']" in shown
    with pytest.raises(exceptions.CellExecutionError, match=r"runs\.begin again"):
        in_one_kernel(repo, LIGHT, RECORD, CLOSE, CLOSE)
    assert len(list(repo.glob("data/runs/toy/*/manifest.json"))) == 2


def begun(repo, toy):
    """A runner in a process of its own, caught in the middle of a long cell."""
    waiting = "import pathlib, time\n\npathlib.Path('begun').touch()\ntime.sleep(600)"
    toy(LIGHT, waiting, CLOSE)
    command = [sys.executable, "-m", "chromolib", "run", "toy"]
    child = subprocess.Popen(command, cwd=repo, stderr=subprocess.PIPE, text=True)
    wait_for(repo / "begun")
    return child


def test_a_runner_killed_outright_leaves_nothing_complete(toy, tmp_path):
    child = begun(tmp_path, toy)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert "manifest.json" not in files(tmp_path)
    repo = toy(LIGHT, "x = 1", CLOSE)
    assert run(repo).state == "fresh"


def test_ctrl_c_says_what_is_kept(toy, tmp_path):
    child = begun(tmp_path, toy)
    child.send_signal(signal.SIGINT)
    errors = child.communicate()[1]
    assert child.returncode == 130
    assert "interrupted; finished runs are kept" in errors
    assert "Traceback" not in errors
    assert "manifest.json" not in files(tmp_path)


def wait_for(path):
    """Wait until a kernel has got somewhere; the suite's own limit ends a hang."""
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{path.name} never came")


def test_what_dead_runs_of_other_values_left_goes_when_all_runs_are_complete(toy):
    repo, seen = toy(LIGHT, RECORD, CLOSE), []
    for age, study in ((15, "toy"), (15, "other"), (1, "toy")):
        place = repo / "data" / "runs" / study / f"of{age}"
        partial, lock = folder.reserve(place, place.name)
        os.close(lock)
        then = time.time() - age * 86_400
        for path in (partial / folder.LOCK, partial):
            os.utime(path, (then, then))
        seen.append(partial)
    (repo / "data/runs/toy/.mine.partial.ipynb").touch()  # nobody's, and no trouble
    how = {"jobs": 1, "force": False, "cell_limit": None}
    items = [("toy", resolved(repo))]
    sweep.run_all(repo, items, bar=show.Log(lambda line: None), **how)
    assert [path.exists() for path in seen] == [False, False, True]
