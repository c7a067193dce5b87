"""What a study takes: the right names, types and choices, or a refusal."""

import importlib.machinery
import sys
import types
import zipfile

import pytest

from chromolib.runs import parameters, repository

DEFAULTS = {
    "profile": "quick",
    "seed": 0,
    "rate": 0.5,
    "deep": False,
    "out": "",
    "data": "",
}


def test_the_parameters_cell_is_read(toy):
    known = parameters.known(toy() / "notebooks" / "toy.ipynb")
    assert list(known)[:3] == ["profile", "source", "data"]
    assert (known["profile"], known["seed"]) == ("smoke", 0)


def test_text_from_a_command_line_takes_the_default_s_type():
    given = {"seed": "3", "rate": "1", "deep": "True", "profile": "smoke"}
    resolved = parameters.resolve(DEFAULTS, given)
    assert resolved == DEFAULTS | {
        "seed": 3,
        "rate": 1.0,
        "deep": True,
        "profile": "smoke",
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"sede": 3}, "unknown parameter sede; known: profile, seed"),
        ({"seed": "many"}, "seed takes a whole number, like 0; got 'many'"),
        ({"seed": 1.5}, "seed takes a whole number"),
        ({"seed": True}, "seed takes a whole number"),
        ({"seed": -1}, "seed=-1 is negative; take 0 to 4294967295"),
        ({"seed": 2**32}, "seed=4294967296 is too large; take 0 to 4294967295"),
        ({"seed": "-" * 20_000}, "seed takes a whole number, like 0; got '-{100}…'$"),
        ({"seed": "-" * 99}, "seed takes a whole number"),
        ({"seed": "(" * 99}, "seed takes a whole number"),
        ({"seed": "9" * 5000}, "seed takes a whole number"),
        ({"rate": "[" * 99 + "]" * 99}, "rate takes a number"),
        ({"x" * 20_000: 1}, "unknown parameter x{100}…; known"),
        ({"profile": ""}, "profile='' is not available"),
        ({"profile": "x" * 20_000}, "profile='x{100}…' is not available"),
        ({"data": "x" * 5000}, "data: there is no 'x{100}…'"),
        ({"profile": "fast"}, "known: 'smoke', 'quick', 'full'"),
        ({"deep": "perhaps"}, "deep takes True or False"),
        ({"data": "/nowhere/at/all"}, "data: there is no 'all'"),
    ],
)
def test_what_a_study_cannot_take_is_refused(given, complaint):
    with pytest.raises(parameters.ParameterError, match=complaint):
        parameters.resolve(DEFAULTS, given)


def test_commas_make_a_grid_in_order():
    points = parameters.grid(DEFAULTS, ["seed=0,1", "profile=smoke,full"])
    assert [(p["seed"], p["profile"]) for p in points] == [
        (0, "smoke"),
        (0, "full"),
        (1, "smoke"),
        (1, "full"),
    ]


def test_a_path_may_hold_a_comma(tmp_path):
    folder = tmp_path / "a,b"
    folder.mkdir()
    (point,) = parameters.grid(DEFAULTS, [f"data={folder}"])
    assert point["data"] == str(folder)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["seed"], "is not name=value"),
        (["=3"], "is not name=value"),
        (["seed=1", "seed=2"], "seed is given twice"),
        (["seed=1,2", "out=here"], "out names one folder but this is a grid"),
    ],
)
def test_a_bad_setting_is_refused(settings, complaint):
    with pytest.raises(parameters.ParameterError, match=complaint):
        parameters.grid(DEFAULTS, settings)


@pytest.fixture
def package(monkeypatch):
    """A study's package, for which a test writes the choices."""
    made = types.ModuleType("chromolib.studies.toy")
    made.__spec__ = importlib.machinery.ModuleSpec("chromolib.studies.toy", None)
    monkeypatch.setitem(sys.modules, "chromolib.studies.toy", made)
    return made


def test_first_weights_may_be_a_file_and_only_its_name_is_told(package, tmp_path):
    package.CHOICES = {"weights": (*parameters.WORDS, parameters.MODEL)}
    file = tmp_path / "mine.keras"
    with zipfile.ZipFile(file, "w"):
        pass
    defaults = {"weights": "none", "seed": 0, "out": ""}
    given = {"weights": str(file), "out": str(tmp_path)}
    values = parameters.resolve(defaults, given, study="toy")
    told = parameters.named(values)
    assert told == {"weights": file.name, "seed": 0, "out": tmp_path.name}
    assert parameters.named(defaults) == defaults
    (tmp_path / "text.keras").write_text("no zip")
    (tmp_path / "mine.txt").write_bytes(file.read_bytes())
    for name in ("nowhere.keras", "text.keras", "mine.txt", parameters.MODEL):
        given = {"weights": str(tmp_path / name)}
        with pytest.raises(parameters.ParameterError, match=r"'none', .*.keras file"):
            parameters.resolve(defaults, given, study="toy")
    with pytest.raises(parameters.ParameterError, match="is not available"):
        parameters.resolve(defaults, {"weights": parameters.MODEL}, study="toy")


@pytest.mark.parametrize(
    ("study", "known"),
    [
        ("hamza", "'none'"),
        ("chu", "'none', 'tuned', 'imagenet', a folder"),
        ("shruti", "'none', 'hed', 'imagenet'"),
    ],
)
def test_a_study_takes_the_first_weights_that_it_opens(root, study, known, tmp_path):
    defaults = parameters.known(repository.notebook(root, study))
    for given in ("domain", str(tmp_path / "nowhere")):
        with pytest.raises(parameters.ParameterError, match=f"known: {known}$"):
            parameters.resolve(defaults, {"weights": given}, study=study)
    known = parameters.known(repository.notebook(root, "chromonet"))
    given = {"weights": "domain"}
    assert parameters.resolve(known, given, study="chromonet")["weights"] == "domain"


def test_a_study_names_the_choices_of_its_own_parameters(package):
    package.CHOICES = {"rate": (0.5, 1.0)}
    assert parameters.resolve(DEFAULTS, {"rate": 1.0}, study="toy")["rate"] == 1.0
    with pytest.raises(parameters.ParameterError, match=r"rate=2\.0 .* 0\.5, 1\.0"):
        parameters.grid(DEFAULTS, ["rate=2"], study="toy")
    with pytest.raises(parameters.ParameterError, match="profile='fast'"):
        parameters.resolve(DEFAULTS, {"profile": "fast"}, study="toy")
    assert parameters.choices("a.b") == parameters.choices("no_package")


def test_every_study_s_choices_fit_its_defaults(root):
    for study in repository.studies(root):
        defaults = parameters.known(repository.notebook(root, study))
        assert parameters.resolve(defaults, {}, study=study) == defaults
        assert set(parameters.choices(study)) - set(parameters.CHOICES) <= set(defaults)
