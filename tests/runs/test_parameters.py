"""What a study takes: the right names, types and choices, or a refusal."""

import importlib.machinery
import sys
import types

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
        ({"seed": -1}, "seed=-1 is negative"),
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


def test_first_weights_may_be_a_file_and_only_its_name_is_told(tmp_path):
    file = tmp_path / "mine.weights.npz"
    file.touch()
    defaults = {"weights": "none", "seed": 0, "out": ""}
    values = parameters.resolve(defaults, {"weights": str(file), "out": str(tmp_path)})
    told = parameters.named(values)
    assert told == {"weights": file.name, "seed": 0, "out": tmp_path.name}
    assert parameters.named(defaults) == defaults
    with pytest.raises(parameters.ParameterError, match="or the path of a file"):
        parameters.resolve(defaults, {"weights": "nowhere.npz"})


def test_a_study_names_the_choices_of_its_own_parameters(monkeypatch):
    package = types.ModuleType("chromolib.studies.toy")
    package.__spec__ = importlib.machinery.ModuleSpec("chromolib.studies.toy", None)
    package.CHOICES = {"rate": (0.5, 1.0)}
    monkeypatch.setitem(sys.modules, "chromolib.studies.toy", package)
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
