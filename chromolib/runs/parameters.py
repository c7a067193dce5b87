"""The parameters of a study: read from its first code cell, checked, never guessed."""

import ast
import contextlib
import importlib.util
import itertools
import pathlib
import zipfile

from chromolib import streams
from chromolib.data import adapters
from chromolib.runs import repository

# where things lie: no part of a run's identity
PATHS = ("data", "external_data", "out")
WORDS = ("none", "domain", "imagenet", "hed", "tuned")  # for first weights
MODEL = "a .keras file"  # a choice: a file of one's own
FOLDER = "a folder"  # a choice: one with a file for each network that asks
LONGEST = 100  # characters of a number: what is longer overflows Python's parser
CHOICES = {
    "profile": ("smoke", "quick", "full"),
    "source": ("synthetic", *adapters.SOURCES),
    "external": ("", *adapters.SOURCES),
    "protocol": ("clean", "published", "both"),
    "weights": WORDS[:1],  # unless the study's own choices say that it opens some
    "on_error": ("refuse", "skip"),
}


class ParameterError(ValueError):
    """A parameter the study does not know, or a value it cannot take."""


def known(path):
    """Names and defaults of a notebook's parameters."""
    cells = [cell for cell in repository.cells(path) if is_parameters(cell)]
    if not cells:
        raise ParameterError(f"{path.name} has no cell with the tag 'parameters'")
    return assignments(cells[0]["source"])


def is_parameters(cell):
    """Whether a cell holds the defaults."""
    return "parameters" in cell["metadata"].get("tags", [])


def assignments(source):
    """The `name = literal` lines of a cell."""
    nodes = (node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in nodes}


def choices(study):
    """The values that named parameters can take.

    The package of a study, if it has one, may add its own as `CHOICES`.
    """
    name = f"chromolib.studies.{study}"
    if not study.isidentifier() or importlib.util.find_spec(name) is None:
        return CHOICES
    return CHOICES | getattr(importlib.import_module(name), "CHOICES", {})


def resolve(defaults, given, *, study=""):
    """Defaults with the given values in place, of the right name, type and range."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ParameterError(
            f"unknown parameter {', '.join(map(_short, unknown))}; "
            f"known: {', '.join(defaults)}"
        )
    values = {name: _typed(name, defaults[name], v) for name, v in given.items()}
    resolved = defaults | values
    allowed = choices(study)
    for name, value in resolved.items():
        _check(name, value, allowed.get(name))
    return resolved


def grid(defaults, settings, *, study=""):
    """One dict of values per combination of `name=a,b` settings, in their order."""
    options = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise ParameterError(
                f"{_short(setting)!r} is not name=value; example: -p seed=3"
            )
        if name in options:
            raise ParameterError(
                f"{_short(name)} is given twice; join its values: {name}=a,b"
            )
        options[name] = [text] if name in PATHS else text.split(",")
    points = [
        dict(zip(options, values, strict=True))
        for values in itertools.product(*options.values())
    ]
    if len(points) > 1 and "out" in options:
        raise ParameterError("out names one folder but this is a grid; leave out away")
    return [resolve(defaults, point, study=study) for point in points]


def _typed(name, default, value):
    """The value in the type of the default; text from a command line is read."""
    kind = type(default)
    if isinstance(value, str) and kind is not str:
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(value) if len(value) <= LONGEST else value
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ParameterError(
            f"{name} takes {_words(kind)}, like {default!r}; got {_short(value)!r}"
        )
    return value


def _words(kind):
    names = {
        int: "a whole number",
        float: "a number",
        bool: "True or False",
        str: "text",
    }
    return names.get(kind, kind.__name__)


def _short(value):
    """The value, or the start of a text that would fill a screen."""
    long = isinstance(value, str) and len(value) > LONGEST
    return f"{value[:LONGEST]}…" if long else value


def _check(name, value, choices):
    own = {MODEL: _is_model, FOLDER: _is_folder}
    words = [choice for choice in choices or (value,) if choice not in own]
    opened = [looks for kind, looks in own.items() if kind in (choices or ())]
    if value not in words and not any(looks(value) for looks in opened):
        allowed = ", ".join(c if c in own else repr(c) for c in choices)
        raise ParameterError(
            f"{name}={_short(value)!r} is not available; known: {allowed}"
        )
    if name == "seed" and not 0 <= value <= streams.LARGEST:
        wrong = "is negative" if value < 0 else "is too large"
        raise ParameterError(
            f"seed={_short(str(value))} {wrong}; take 0 to {streams.LARGEST}"
        )
    if name in ("data", "external_data") and value and not _is_there(value):
        shown = _short(pathlib.Path(value).name)
        raise ParameterError(f"{name}: there is no {shown!r}; check the path")


def _is_there(place):
    try:
        return pathlib.Path(place).exists()
    except OSError:  # a name that no system takes
        return False


def _is_model(path):
    """Whether a file can be a model; whether it is one, its study sees."""
    return pathlib.Path(path).suffix == ".keras" and zipfile.is_zipfile(path)


def _is_folder(path):
    return bool(path) and pathlib.Path(path).is_dir()


def named(values):
    """The values with names in the place of paths, which are of one machine."""
    places = {k: pathlib.Path(v).name for k, v in values.items() if is_path(k, v)}
    return values | places


def is_path(name, value):
    """Whether a value names a place on this machine; first weights may."""
    word = name == "weights" and value in WORDS
    return bool(value) and not word and name in (*PATHS, "weights")
