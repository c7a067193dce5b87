"""A run's folder shows up complete or not at all."""

import json
import subprocess
import sys

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


def finish(target, text="done"):
    partial, lock = folder.reserve(target, "abc")
    (partial / folder.MANIFEST).write_text(json.dumps({"run": "abc", "text": text}))
    folder.publish(partial, target, lock)


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


def test_a_second_run_replaces_the_first(target):
    finish(target, "old")
    finish(target, "new")
    assert folder.manifest(target)["text"] == "new"
    assert [path.name for path in target.parent.iterdir()] == ["abc"]


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
