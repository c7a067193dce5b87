"""Progress without a terminal: what starts, where it is at times, and what ended."""

import threading

import pytest

from chromolib.cli import show


class Clock:
    """A clock that is set by hand."""

    now = 1000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines, clock):
    return show.Log(lines.append, clock=clock)


def test_a_study_is_said_to_start_to_be_at_a_cell_and_to_end(log, lines, clock):
    task = log.add_task("toy", total=None, unit="cells")
    clock.now += 30
    log.tick()
    log.update(task, completed=12, total=33)
    clock.now += 240
    log.tick()
    log.update(task, completed=1, total=1, description="toy")
    clock.now += 30
    log.tick()
    assert lines == [
        "toy: started",
        "toy: running after 0:00:30",
        "toy: 12 of 33 cells after 0:04:30",
        "toy: done after 0:04:30",
    ]


def test_several_tasks_are_said_one_a_line_and_each_ends_once(log, lines, clock):
    first, second = (log.add_task(name, total=3) for name in "ab")
    log.update(first, completed=3)
    log.update(first, completed=1, total=1, description="a, reused")
    log.update(second, completed=2)
    clock.now += 3661
    log.tick()
    assert lines[2:] == ["a: done after 0:00:00", "b: 2 of 3 after 1:01:01"]


def test_a_reused_study_says_so(log, lines):
    log.update(
        log.add_task("toy", total=None), completed=1, total=1, description="toy, reused"
    )
    assert lines == ["toy: started", "toy, reused: done after 0:00:00"]


def test_lines_come_by_themselves_until_it_is_over(monkeypatch):
    monkeypatch.setattr(show, "EVERY", 0.001)
    twice, lines = threading.Event(), []

    def write(text):
        lines.append(text)
        if len(lines) > 2:
            twice.set()

    with show.Log(write) as log:
        log.add_task("toy", total=None)
        assert twice.wait(30)
    assert lines[1].startswith("toy: running after ")


def test_without_a_terminal_progress_is_plain_lines_on_stderr(capsys):
    with show.bar() as bar:
        bar.update(bar.add_task("toy", total=2), completed=2)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "toy: started\ntoy: done after 0:00:00\n"


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with show.bar() as bar:
        task = bar.add_task("toy", total=None, unit="cells")
        bar.update(task, description="toy, reused", completed=1, total=1)
    assert "1/1" in capsys.readouterr().err
