"""A table of runs is read strictly and carried out whole, whatever dies meanwhile."""

import csv
import errno
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from sweeping import SLOW, chromolib, complete, seeds, start, wait_for, written
from toys import CLOSE, LIGHT, RECORD

from chromolib.cli import show
from chromolib.runs import execute, folder, plan, results, sweep


def quiet():
    return show.Log(lambda line: None)


def test_a_grid_becomes_a_plan_and_more_is_added_without_a_row_twice(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    toy(LIGHT, RECORD, CLOSE, place="notebooks/toys.ipynb")
    words = ("run", "toy", "--profile", "smoke", "-p", "seed=0,1", "--plan", "plan.csv")
    done = chromolib(repo, *words)
    assert done.stdout == "plan.csv: 2 runs; run them: chromolib sweep plan.csv\n"
    assert not list(repo.glob("data/runs/*"))
    words = ("run", "toy", "toys", "--profile", "smoke", "-p", "seed=1", "-p")
    done = chromolib(repo, *words, "protocol=both", "--plan", "plan.csv")
    assert done.stdout.startswith("plan.csv: 3 runs")
    assert (repo / "plan.csv").read_text().split() == [
        "study,profile,seed,protocol",
        "toy,smoke,0,",
        "toy,smoke,1,",
        "toys,smoke,1,both",
    ]
    rows = plan.read(repo / "plan.csv", repo)
    assert [(row.number, row.line, row.study) for row in rows] == [
        (1, 2, "toy"),
        (2, 3, "toy"),
        (3, 4, "toys"),
    ]
    assert rows[1].resolved["seed"] == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("study,seed\ntoy,0\ntoi,0\n", r"plan.csv, line 3: no study 'toi'; known: toy"),
        ("study,sede\ntoy,0\n", r"plan.csv, line 2: unknown parameter sede; known"),
        ("study,seed\n\ntoy,x\n", r"plan.csv, line 3: seed takes a whole number"),
        ("study,seed\ntoy,0\n\ntoy,0\n", r"plan.csv, line 4: the same run as line 2"),
        ("study,seed\ntoy,0\ntoy,\n", r"plan.csv, line 3: the same run as line 2"),
        ("study,seed,out\ntoy,0,a\ntoy,1,a\n", "line 3: the same run as line 2"),
        ("study,seed\ntoy,0,1\n", r"plan.csv, line 2: 3 cells, but 2 columns"),
        ("study,profile\ntoy,huge\n", r"line 2: profile='huge' is not available"),
        ("seed\n0\n", r"plan.csv, line 1: give each column one name, 'study' among"),
        ("study,seed,seed\ntoy,0,1\n", r"plan.csv, line 1: give each column one name"),
        ("", r"plan.csv, line 1"),
        ("study,seed\n", r"plan.csv has no rows"),
        ('study,seed\n"toy,0\n', r"plan.csv is no csv in UTF-8"),
    ],
)
def test_a_bad_plan_is_refused_with_its_line(toy, text, complaint):
    path = written(toy(LIGHT, RECORD, CLOSE), text)
    with pytest.raises(plan.PlanError, match=complaint) as refused:
        plan.read(path, path.parent)
    assert len(str(refused.value).splitlines()) == 1


def test_no_plan_and_no_such_row_are_one_line(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    done = chromolib(repo, "sweep", "plan.csv")
    assert done.stderr.startswith("error: plan.csv cannot be read: No such file")
    seeds(repo, 2)
    done = chromolib(repo, "sweep", "plan.csv", "--row", "3")
    assert done.stderr == "error: plan.csv has no row 3; its last is 2\n"


def test_a_sweep_ends_with_one_table_and_one_csv_and_reuses_runs(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    seeds(repo, 2)
    alone = chromolib(repo, "sweep", "plan.csv", "--row", "2")
    assert (alone.returncode, alone.stdout) == (0, "")
    assert len(complete(repo)) == 1
    dry = chromolib(repo, "sweep", "plan.csv", "--dry").stdout.splitlines()
    assert [line.split()[3] for line in dry[1:3]] == ["missing", "complete"]
    assert dry[3].startswith("2 rows: 1 missing, 1 complete; about 0.")
    first = chromolib(repo, "sweep", "plan.csv")
    assert first.returncode == 0, first.stderr
    head, *rows = first.stdout.splitlines()
    assert head.split()[:4] == ["row", "study", "seed", "run"]
    assert [row.split()[:4] for row in rows[:2]] == [
        ["1", "toy", "0", "fresh,"],
        ["2", "toy", "1", "reused,"],
    ]
    assert rows[2] == "Estimates of 2 rows of 2: plan.estimates.csv"
    with (repo / "plan.estimates.csv").open(newline="") as file:
        lines = [(line["row"], line["seed"]) for line in csv.DictReader(file)]
    assert lines == [("1", "0"), ("2", "1")]
    pooled = results.read_estimates(repo / "plan.estimates.csv")
    assert [estimate.seed for estimate in pooled] == [0, 1]


def test_a_failing_row_stops_no_other_and_is_taken_up_again(toy):
    fails = "import pathlib\n\nassert seed or pathlib.Path('mended').exists()"
    repo = toy(LIGHT, RECORD, fails, CLOSE)
    seeds(repo, 2)
    done = chromolib(repo, "sweep", "plan.csv")
    assert done.returncode == 1
    assert (
        "error: 1 row of 2 failed; row 1: toy: cell 5 failed: Assertion" in done.stderr
    )
    assert "Estimates of 1 row of 2" in done.stdout
    (repo / "mended").touch()
    done = chromolib(repo, "sweep", "plan.csv")
    assert (done.returncode, done.stdout.count("reused")) == (0, 1)


def test_a_sweep_killed_outright_ends_its_runs_and_is_resumed(toy):
    repo = toy(LIGHT, SLOW, RECORD, CLOSE)
    seeds(repo, 3)
    (repo / "hold").touch()
    first = start(repo, "--jobs", "2")
    begun = wait_for(repo, "begun-*", 2)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    pids = [int(path.name.split("-")[2]) for path in begun]
    for _ in range(200):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    assert not any(map(alive, pids)), "a kernel outlived its sweep"
    (repo / "hold").unlink()
    done = chromolib(repo, "sweep", "plan.csv", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fresh") == 3
    assert len(list(repo.glob("ended-*"))) == 3
    assert all(len(name) == 12 for name in complete(repo)), "nothing half, no claim"


def alive(pid):
    try:
        return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:
        return False


def test_two_sweeps_on_one_plan_do_each_row_once(toy):
    repo = toy(LIGHT, SLOW, RECORD, CLOSE)
    path = seeds(repo, 3)
    (repo / "hold").touch()
    first = start(repo)
    wait_for(repo, "begun-0-*")
    second = start(repo)
    wait_for(repo, "begun-1-*")
    states = [line["state"] for line in plan.dry(repo, plan.read(path, repo))]
    assert states == ["in work", "in work", "missing"]
    (repo / "hold").unlink()
    for process in (first, second):
        assert "Estimates of 3 rows of 3" in process.communicate()[0]
        assert process.returncode == 0
    assert len(list(repo.glob("begun-*"))) == 3
    assert len(complete(repo)) == 3


def test_the_claim_of_a_dead_process_is_void(tmp_path):
    target = tmp_path / "runs" / "abc"
    code = (
        "import pathlib, sys; from chromolib.runs import folder\n"
        "with folder.claimed(pathlib.Path(sys.argv[1])):\n"
        "    print('mine', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], stdin=pipe, stdout=pipe
    )
    child.stdout.readline()
    assert folder.is_claimed(target)
    with pytest.raises(folder.ClaimedError), folder.claimed(target):
        pass
    child.kill()
    child.communicate()
    assert not folder.is_claimed(target)
    with folder.claimed(target):
        assert folder.is_claimed(target)
    assert not list(target.parent.iterdir())


def test_each_run_has_a_folder_of_its_own_for_jupyter(toy):
    write = "pathlib.Path(f'dir-{seed}').write_text(os.environ['JUPYTER_RUNTIME_DIR'])"
    note = f"import os, pathlib\n\n{write}"
    repo = toy(LIGHT, note, RECORD, CLOSE)
    rows = plan.read(seeds(repo, 2), repo)
    how = {"force": False, "cell_limit": None}
    done, failed = sweep.run_plan(repo, rows, jobs=2, bar=quiet(), **how)
    assert (len(done), failed) == (2, {})
    own = {(repo / f"dir-{i}").read_text() for i in range(2)}
    assert len(own) == 2
    assert not any(pathlib.Path(path).exists() for path in own)


def test_a_kernel_that_dies_before_its_first_cell_gets_one_successor(toy, monkeypatch):
    import papermill

    repo, calls, real = toy(LIGHT, RECORD, CLOSE), [], papermill.execute_notebook

    def dies(times):
        def execute_notebook(*words, **more):
            calls.append(1)
            if len(calls) <= times:
                raise RuntimeError("Kernel died before replying to kernel_info")
            return real(*words, **more)

        return execute_notebook

    (row,) = plan.read(seeds(repo, 1), repo)
    monkeypatch.setattr(papermill, "execute_notebook", dies(2))
    with pytest.raises(execute.RunError, match="died before its first cell, twice"):
        execute.run(repo, row.study, row.resolved)
    calls.clear()
    monkeypatch.setattr(papermill, "execute_notebook", dies(1))
    assert execute.run(repo, row.study, row.resolved).state == "fresh"
    assert len(calls) == 2


def test_a_full_disk_ends_the_sweep_with_one_line(toy):
    full = f"import os\n\nraise OSError({errno.ENOSPC}, os.strerror({errno.ENOSPC}))"
    repo = toy(LIGHT, full, CLOSE)
    seeds(repo, 2)
    done = chromolib(repo, "sweep", "plan.csv")
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert line.startswith(
        "error: 1 row of 2 failed, 1 not begun; row 1: toy: no space"
    )
    assert execute.FULL in line


def test_a_csv_that_cannot_be_written_is_one_line(toy, monkeypatch):
    repo = toy(LIGHT, RECORD, CLOSE)
    rows = plan.read(seeds(repo, 1), repo)
    with pytest.raises(execute.RunError, match="cannot write"):
        sweep.estimates(repo / "nowhere" / "plan.estimates.csv", rows, {})


def test_a_child_that_says_nothing_is_one_line(toy, monkeypatch):
    repo = toy(LIGHT, RECORD, CLOSE)
    rows = plan.read(seeds(repo, 20), repo)
    monkeypatch.setattr(sweep, "CHILD", ["false"])
    how = {"force": False, "cell_limit": None, "jobs": 2, "bar": quiet()}
    done, failed = sweep.run_plan(repo, rows, **how)
    assert (len(done), len(failed)) == (0, 20)
    assert set(failed.values()) == {"the run was ended (1)"}
