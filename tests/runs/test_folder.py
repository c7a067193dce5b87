"""A run's folder shows up complete or not at all."""

import fcntl
import json
import os
import subprocess
import sys
import time

import pytest

from chromolib.runs import folder

HOLD = """
import sys, pathlib
from chromolib.runs import folder
partial, lock = folder.reserve(pathlib.Path(sys.argv[1]), "abc")
(partial / "half").write_text("kept")
print(partial.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def target(tmp_path):
    return tmp_path / "runs" / "abc"


def finish(target, text="done", *, run="abc", more=(), **how):
    partial, lock = folder.reserve(target, run)
    (partial / folder.MANIFEST).write_text(json.dumps({"run": run, "text": text}))
    for name in more:
        (partial / name).parent.mkdir(exist_ok=True)
        (partial / name).write_text(text)
    return folder.publish(partial, target, lock, **how)


def texts(target):
    files = (path for path in target.rglob("*") if path.is_file())
    return {path.relative_to(target).as_posix(): path.read_text() for path in files}


def other_runner(target):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return child, child.stdout.readline().strip()


def end(child):
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def test_an_open_run_is_not_complete(target):
    folder.reserve(target, "abc")
    assert not folder.complete(target, "abc")


def test_a_published_run_is_complete_and_leaves_nothing_behind(target):
    finish(target)
    assert folder.complete(target, "abc")
    assert not folder.complete(target, "other")
    assert [path.name for path in target.parent.iterdir()] == ["abc"]
    assert [path.name for path in target.iterdir()] == [folder.MANIFEST]


@pytest.mark.parametrize("how", [{"run": "other"}, {"replace": True}])
def test_another_run_or_a_forced_one_replaces_the_first(target, how):
    assert finish(target, "old")
    assert finish(target, "new", **how)
    assert folder.manifest(target)["text"] == "new"
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


def test_a_finished_run_stays_where_the_same_run_adds_nothing(target):
    finish(target, "old", more=["a.csv", "page.ipynb"])
    before = texts(target)
    assert not finish(target, "new", more=["a.csv"])
    assert texts(target) == before
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


@pytest.mark.parametrize("replace", [False, True])
def test_the_same_run_with_more_takes_over_what_it_lacks(target, replace):
    finish(target, "old", more=["a.csv", "mine/figure.svg"])
    assert finish(target, "new", more=["a.csv", "preds.csv"], replace=replace)
    found = texts(target)
    assert found.pop("mine/figure.svg") == "old"
    assert {"a.csv", "preds.csv", "manifest.json"} == found.keys()
    assert {found["a.csv"], found["preds.csv"]} == {"new"}


def test_a_killed_run_is_taken_over_with_what_it_had(target):
    child, name = other_runner(target)
    end(child)
    partial, _ = folder.reserve(target, "abc")
    assert partial.name == name
    assert (partial / "half").read_text() == "kept"


def test_a_living_run_is_left_alone(target):
    child, name = other_runner(target)
    try:
        partial, lock = folder.reserve(target, "abc")
        assert partial.name != name
        folder.abandon(partial, lock)
        assert (target.parent / name / "half").exists()
    finally:
        end(child)


def test_two_runners_end_with_one_complete_run(target):
    one, lock_one = folder.reserve(target, "abc")
    two, lock_two = folder.reserve(target, "abc")
    for partial, lock in ((one, lock_one), (two, lock_two)):
        (partial / folder.MANIFEST).write_text(json.dumps({"run": "abc"}))
        folder.publish(partial, target, lock)
    assert folder.complete(target, "abc")
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_run_is_not_overwritten(tmp_path, kind):
    place = tmp_path / "mine"
    if kind == "file":
        place.write_text("precious")
    else:
        place.mkdir()
        (place / "thesis.txt").write_text("precious")
    with pytest.raises(folder.FolderError, match="mine exists and holds no run"):
        folder.check(place)


def test_a_damaged_manifest_is_no_complete_run(target):
    finish(target)
    (target / folder.MANIFEST).write_text('{"run": "ab')
    assert not folder.complete(target, "abc")


def died(target, run, *, days):
    """The folder of a dead run of some days ago."""
    partial, lock = folder.reserve(target.with_name(run), run)
    (partial / "half").write_text("kept")
    os.close(lock)
    then = time.time() - days * 86_400
    for path in (*partial.iterdir(), partial):
        os.utime(path, (then, then))
    return partial


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_a_dead_run_goes_after_a_fortnight_and_not_before(target):
    finish(target)
    young, old = died(target, "young", days=13), died(target, "old", days=15)
    folder.clean(target.parent)
    assert not old.exists()
    assert (young / "half").read_text() == "kept"
    assert names(target) == sorted([young.name, "abc"])


def test_a_living_run_of_any_age_stays(target):
    child, name = other_runner(target)
    try:
        partial = target.with_name(name)
        for path in (*partial.iterdir(), partial):
            os.utime(path, (0, 0))
        folder.clean(target.parent)
        assert (partial / "half").read_text() == "kept"
    finally:
        end(child)


def test_taking_a_dead_run_over_starts_its_fortnight_anew(target):
    partial = died(target, "old", days=15)
    taken, lock = folder.reserve(target.with_name("old"), "old")
    os.close(lock)
    folder.clean(target.parent)
    assert taken == partial
    assert partial.exists()


def test_a_run_that_gave_way_stands_again_if_its_successor_died(target):
    finish(target)
    partial = died(target, "new", days=1)
    retired = target.with_name(partial.name.replace(".new.", ".abc.", 1))
    partial = partial.rename(retired)
    target.rename(retired.with_suffix(".retired"))
    folder.clean(target.parent)
    assert names(target) == [partial.name, "abc"]
    assert folder.complete(target, "abc")


def test_a_run_that_was_replaced_goes_and_so_does_half_a_removal(target):
    finish(target)
    for suffix in ("retired", "removed"):
        target.with_name(f".abc.abc.01234567.{suffix}").mkdir()
    folder.clean(target.parent)
    assert names(target) == ["abc"]


def test_half_written_files_of_the_dead_go_and_nothing_else(target):
    finish(target, more=["a.csv"])
    child, name = other_runner(target)
    end(child)
    gone = [target / f".a.{child.pid}.partial.csv"]
    gone += [target.with_name(f".abc.{child.pid}.partial.ipynb")]
    stay = [target / f".a.{os.getpid()}.partial.csv", target / "a.1.partial.csv"]
    stay += [target.with_name(name) / f".a.{child.pid}.partial.csv"]  # one may resume
    stay += [target.with_name(".mine.partial.ipynb"), target.with_name(".hidden")]
    for path in gone + stay:
        path.touch()
    folder.clean(target.parent)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in stay)


def test_a_folder_that_goes_while_its_lock_is_awaited_is_not_taken(target, monkeypatch):
    partial = died(target, "abc", days=15)
    flock = fcntl.flock

    def late(handle, how):
        if partial.exists():
            partial.rename(partial.with_suffix(".removed"))
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    taken, lock = folder.reserve(target, "abc")
    os.close(lock)
    assert taken != partial
    assert taken.exists()
