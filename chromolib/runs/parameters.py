"""The parameters of a study: read from its first code cell, checked, never guessed."""

import ast
import contextlib
import importlib.util
import itertools
import pathlib

import nbformat

from chromolib.data import adapters

# where things lie: no part of a run's identity
PATHS = ("data", "external_data", "out")
CHOICES = {
    "profile": ("smoke", "quick", "full"),
    "source": ("synthetic", *adapters.SOURCES),
    "external": ("", *adapters.SOURCES),
    "protocol": ("clean", "published", "both"),
    "weights": ("none", "domain"),
    "on_error": ("refuse", "skip"),
}


class ParameterError(ValueError):
    """A parameter the study does not know, or a value it cannot take."""


def known(path):
    """Names and defaults of a notebook's parameters."""
    cells = [c for c in nbformat.read(path, as_version=4).cells if is_parameters(c)]
    if not cells:
        raise ParameterError(f"{path.name} has no cell with the tag 'parameters'")
    return assignments(cells[0].source)


def is_parameters(cell):
    """Whether a cell holds the defaults."""
    return "parameters" in cell.metadata.get("tags", [])


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
            f"unknown parameter {', '.join(unknown)}; known: {', '.join(defaults)}"
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
            raise ParameterError(f"{setting!r} is not name=value; example: -p seed=3")
        if name in options:
            raise ParameterError(f"{name} is given twice; join its values: {name}=a,b")
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
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise ParameterError(
            f"{name} takes {_words(kind)}, like {default!r}; got {value!r}"
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


def _check(name, value, choices):
    if choices and value not in choices and not _is_weights(name, value):
        allowed = ", ".join(repr(c) for c in choices)
        allowed += " or the path of a file" * (name == "weights")
        raise ParameterError(f"{name}={value!r} is not available; known: {allowed}")
    if name == "seed" and value < 0:
        raise ParameterError(f"seed={value} is negative; take 0 or more")
    if name in ("data", "external_data") and value and not pathlib.Path(value).exists():
        raise ParameterError(
            f"{name}: there is no {pathlib.Path(value).name!r}; check the path"
        )


def named(values):
    """The values with names in the place of paths, which are of one machine."""
    places = {k: pathlib.Path(v).name for k, v in values.items() if is_path(k, v)}
    return values | places


def is_path(name, value):
    """Whether a value names a place on this machine; first weights may."""
    word = name == "weights" and value in CHOICES["weights"]
    return bool(value) and not word and name in (*PATHS, "weights")


def _is_weights(name, value):
    """First weights may be a file of one's own."""
    return name == "weights" and pathlib.Path(value).is_file()
