"""The command line: what a newcomer, a script and a mistake get."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import drawn
import pytest
from toys import BEGIN, CLOSE, LIGHT, RECORD

from chromolib import cli
from chromolib.cli import show


def chromolib(*words, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "chromolib", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def test_help_lists_the_verbs(root):
    done = chromolib("--help", cwd=root)
    assert done.returncode == 0
    for verb in ("run", "book", "claims", "studies"):
        assert f"\n  {verb} " in done.stdout


def test_claims_are_counted_and_listed(root):
    counted = chromolib("claims", cwd=root).stdout.splitlines()
    assert counted[0].split()[:3] == ["study", "claims", "consistent"]
    assert [line.split()[0] for line in counted[1:]] == [
        "chromonet",
        "hamza",
        "chu",
        "shruti",
    ]
    listed = chromolib("claims", "chu", "--word", "truncated", cwd=root).stdout
    assert "chu-vgg-one-block-recall" in listed
    assert "contradictory" not in listed


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("run",), 2, "error: Missing argument 'studies'; `"),
        (("frobnicate",), 2, "error: No such command 'frobnicate'; `"),
        (("run", "chu", "--prof", "x"), 2, "error: No such option: --prof "),
        (("run", "chu", "--jobs", "0"), 2, "error: Invalid value for '--jobs': "),
        (("run", "chu", "--jobs", "many"), 2, "error: Invalid value for '--jobs': "),
        (("run", "chu", "-p"), 2, "error: Option '-p' requires an argument; `"),
        (("data", "check"), 2, "data check --help` says what it takes"),
        (
            ("data", "leaks", "pki3", "--seed", str(2**32)),
            2,
            "Invalid value for '--seed': ",
        ),
        (
            ("data", "synth", "--out", "x", "--seed", "-1"),
            2,
            "Invalid value for '--seed': ",
        ),
        (("pretrain", "--seed", str(2**32)), 2, "Invalid value for '--seed': "),
        (("run", "chromnet"), 1, "error: no study 'chromnet'; known: chromonet"),
        (
            ("run", "chu", "-p", "sede=1"),
            1,
            "error: unknown parameter sede; known: profile",
        ),
        (("run", "chu", "-p", "seed"), 1, "error: 'seed' is not name=value"),
        (("run", "chu", "--profile", "fast"), 1, "known: 'smoke', 'quick', 'full'"),
        (("run", "chu", "--profile", ""), 1, "error: profile='' is not available"),
        (("book", "--profile", ""), 1, "error: profile='' is not available"),
        (("run", "chu", "-p", f"seed={'-' * 20_000}"), 1, "seed takes a whole number"),
        (("run", "chu", "-p", f"seed={2**32}"), 1, "seed=4294967296 is too large"),
        (("run", "chu", "-p", "weights=README.md"), 1, "weights='README.md' is not"),
        (("run", "chromonet", "-p", "weights=README.md"), 1, "known: 'none', 'domain'"),
        (("claims", "\x1b[31mred"), 1, "no claims file \\x1b[31mred.yml"),
        (
            ("run", "chu", "-p", "source=bioimlb"),
            1,
            "source='bioimlb' is not available",
        ),
        (("claims", "nobody"), 1, "error: no claims file nobody.yml"),
        (("claims", "--word", "odd"), 1, "error: no word 'odd'"),
    ],
)
def test_a_mistake_is_one_line_and_a_code(root, words, code, complaint):
    done = chromolib(*words, cwd=root)
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert complaint in line
    assert line.startswith("error: ")
    assert line.isprintable()
    assert len(line) < 500
    assert not done.stdout


@pytest.mark.parametrize("words", [(), ("data",)])
def test_without_words_there_is_help(root, words):
    done = chromolib(*words, cwd=root)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].endswith("COMMAND [ARGS]...")
    assert "Commands:" in done.stderr


def test_a_grid_ends_with_one_table_and_is_reused(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    words = ("run", "toy", "-p", "seed=0,1", "-p", "protocol=clean", "--jobs", "2")
    first = chromolib(*words, cwd=repo)
    assert first.returncode == 0, first.stderr
    head, *rows = first.stdout.splitlines()
    assert head.split()[:3] == ["study", "seed", "run"]
    assert [row.split()[:3] for row in rows[:2]] == [["toy", n, "fresh,"] for n in "01"]
    again = chromolib(*words, cwd=repo)
    assert again.stdout.count("reused") == 2
    assert first.stderr.count("toy: started\n") == 2
    assert first.stderr.count("toy: done after ") == 2
    assert again.stderr.count("toy, reused: done after ") == 2
    forced = chromolib(*words[:-2], "--force", cwd=repo)
    assert forced.stdout.count("fresh") == 2


def test_a_failing_run_of_a_grid_is_one_line_and_the_others_stay(toy):
    repo = toy(LIGHT, RECORD, "assert seed == 0", CLOSE)
    done = chromolib("run", "toy", "-p", "seed=0,1", "--jobs", "2", cwd=repo)
    assert done.returncode == 1
    assert "error: toy: cell 5 failed: AssertionError" in done.stderr
    assert len(list((repo / "data/runs/toy").glob("*/manifest.json"))) == 1


def test_a_folder_of_one_s_own_is_filled_and_never_overwritten(toy, tmp_path):
    repo = toy(BEGIN, RECORD, CLOSE)
    mine = tmp_path / "mine"
    done = chromolib("run", "toy", "-p", f"out={mine}", cwd=repo)
    assert done.returncode == 0, done.stderr
    assert (mine / "manifest.json").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    refused = chromolib("run", "toy", "-p", f"out={precious}", cwd=repo)
    assert refused.returncode == 1
    assert "error: precious exists and holds no run" in refused.stderr
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


def test_away_from_the_repository_the_package_s_own_is_used(tmp_path, root):
    done = chromolib("claims", cwd=tmp_path, PYTHONPATH=str(root))
    assert done.returncode == 0, done.stderr


def test_ctrl_c_counts_also_where_a_shell_starts_us_in_the_background(monkeypatch):
    seen, before = [], signal.signal(signal.SIGINT, signal.SIG_IGN)
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.setattr(cli, "app", lambda **_: seen.append(signal.getsignal(2)))
    try:
        cli.main()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [signal.default_int_handler]


def make(*words, cwd, **environment):
    return subprocess.run(
        ["make", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def test_make_alone_prints_the_verbs(root):
    shown = make(cwd=root).stdout
    for verb in ("book", "test", "lab", "run", "bench", "lint"):
        assert f"make {verb} " in shown


def test_a_wrong_python_is_one_clear_line(root, tmp_path):
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["sh", root / ".ci" / "python"],
        env=os.environ | {"PYTHON": str(old)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This needs Python 3.11, 3.12 or 3.13")
    assert len(done.stderr.splitlines()) == 1


def test_the_chosen_python_is_an_absolute_path(root):
    done = subprocess.run(
        ["sh", root / ".ci" / "python"], capture_output=True, text=True
    )
    assert pathlib.Path(done.stdout.strip()).is_absolute()


def drawn_folder(tmp_path, **more):
    files = {"normal/c1/a.png": drawn.LETTER_F, "abnormal/c2/b.png": drawn.LETTER_F.T}
    for name, levels in files.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(drawn.encoded(levels))
    for name, blob in more.items():
        (tmp_path / "mine" / "normal" / name).write_bytes(blob)
    return str(tmp_path / "mine")


def test_data_list_says_what_is_missing_and_how_to_get_it(root, tmp_path):
    (tmp_path / "bioimlab-qband").mkdir()
    done = chromolib("data", "list", "--data", str(tmp_path), cwd=root)
    assert done.returncode == 0
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert "bioimlab-qband" in rows["bioimlab"]
    assert "missing" in rows["pki3"]
    assert "put it under the data root as tseng2023-metaphase/ or .zip" in done.stdout
    assert str(tmp_path) not in done.stdout


def test_data_check_prints_counts_classes_and_problems(root, tmp_path):
    mine = drawn_folder(tmp_path)
    good = chromolib("data", "check", "folder", "--data", mine, cwd=root)
    assert good.returncode == 0, good.stderr
    for line in ("groups (group)", "abnormal", "0 errors, 0 repaired"):
        assert line in good.stdout
    (tmp_path / "mine" / "normal" / "bad.png").write_bytes(b"not a picture")
    bad = chromolib("data", "check", "folder", "--data", mine, cwd=root)
    assert bad.returncode == 1
    assert "error: not a BMP, JPEG, PNG or TIFF image (1)" in bad.stdout
    assert "remedy: get the file again or save it anew as PNG" in bad.stdout
    assert "    normal/bad.png" in bad.stdout.splitlines()
    assert str(tmp_path) not in bad.stdout + bad.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("check", "nonsense"), "unknown source 'nonsense'; known: bioimlab"),
        (("check", "pki3", "--data", "."), "pki3: no folder or zip 'pki3-gband'"),
        (("check", "voc", "--data", "nowhere"), "voc: no folder or zip 'nowhere'"),
        (
            ("convert", "nowhere", "out", "--from", "voc", "--to", "yolo"),
            "no folder or zip 'nowhere'",
        ),
    ],
)
def test_data_complains_in_one_line(root, words, complaint):
    done = chromolib("data", *words, cwd=root, CHROMOLIB_DATA="")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_data_convert_writes_another_format_and_never_over_anything(root, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(drawn.encoded(drawn.LETTER_F))
    (tmp_path / "in" / "classes.txt").write_text("X\n")
    (tmp_path / "in" / "a.txt").write_text("0 .5 .5 .5 .4\n")
    words = ("data", "convert", "in", "out", "--from", "yolo", "--to", "voc")
    done = chromolib(*words, cwd=tmp_path, PYTHONPATH=str(root))
    assert done.returncode == 0, done.stderr
    assert "1 images with 1 boxes written" in done.stdout
    assert "<name>X</name>" in (tmp_path / "out" / "a.xml").read_text()
    again = chromolib(*words, cwd=tmp_path, PYTHONPATH=str(root))
    assert again.returncode == 1
    assert "out" in again.stderr


def test_data_check_lets_no_label_write_to_the_terminal(root, tmp_path):
    mine = drawn_folder(tmp_path)
    (tmp_path / "mine" / "data.yaml").write_text('names: ["\\e[31mred"]')
    for name in ("normal/c1/a.txt", "abnormal/c2/b.txt"):
        (tmp_path / "mine" / name).write_text("0 .5 .5 .5 .4\n")
    done = chromolib("data", "check", "yolo", "--data", mine, cwd=root)
    assert done.returncode == 0, done.stderr
    assert "\\x1b[31mred" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("convert", "mine", "a/b", "--from", "yolo", "--to", "voc"), "b cannot be"),
        (("convert", "mine", "mine/b", "--from", "yolo", "--to", "voc"), "the source"),
        (("convert", "mine", "x" * 300, "--from", "yolo", "--to", "voc"), "too long"),
        (("leaks", "folder", "--data", "mine", "--out", "a"), "a cannot be made"),
        (
            ("leaks", "folder", "--data", "mine/normal"),
            "single group cannot be divided",
        ),
        (("check", "folder", "--data", "x" * 5000), "no folder or zip"),
        (("check", "folder", "--data", "a"), "no folder or zip 'a'"),
    ],
)
def test_data_complains_in_one_line_about_odd_places(root, tmp_path, words, complaint):
    drawn_folder(tmp_path)
    (tmp_path / "mine" / "classes.txt").write_text("X\n")
    for name in ("normal/c1/a.txt", "abnormal/c2/b.txt"):
        (tmp_path / "mine" / name).write_text("0 .5 .5 .5 .4\n")
    (tmp_path / "a").write_text("a file")
    done = chromolib("data", *words, cwd=tmp_path, PYTHONPATH=str(root))
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert re.search(complaint, line)
    assert str(tmp_path) not in line
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "mine"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (float("nan"), ""),
        (0.9999999907, ">0.999"),
        (0.99812, "0.9981"),
        (0.0012345, "0.00123"),
        (1.0, "1"),
        ("pki3", "pki3"),
    ],
)
def test_a_table_rounds_and_leaves_empty_what_is_no_number(cell, shown):
    assert show.number(cell) == shown
