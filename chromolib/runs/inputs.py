"""The images a run asks for: read from the data root, never mixed up, fingerprinted."""

import os
import pathlib

from chromolib.data import adapters, cards, sources

SYNTHETIC = "synthetic"


class InputError(ValueError):
    """A source that was asked for in a way that cannot be met."""


def data_root(root, given):
    """Where sources are looked for: as told, else CHROMOLIB_DATA, else data/raw."""
    chosen = given or os.environ.get("CHROMOLIB_DATA")
    return pathlib.Path(chosen) if chosen else root / "data" / "raw"


def read(root, values, *, keep=sources.KEEP):
    """The images of `source` and of `external`, as far as these are real.

    `keep` is how many bytes of pixels may stay in memory.
    """
    asked = {
        "source": values.get("source", SYNTHETIC),
        "external": values.get("external", ""),
    }
    asked = {role: name for role, name in asked.items() if name not in ("", SYNTHETIC)}
    places = {role: _place(root, values, role, name) for role, name in asked.items()}
    if len(places) == 2:
        _apart(root, asked, places)
    return {
        role: sources.load(
            name, places[role], on_error=values.get("on_error", "refuse"), keep=keep
        )
        for role, name in asked.items()
    }


def fingerprints(images):
    """Role -> a hash of everything that was read for it."""
    return {role: found.fingerprint for role, found in images.items()}


def facts(images):
    """What a manifest says of the images: counts, and what was left out or repaired."""
    return {role: _facts(found) for role, found in images.items()}


def _facts(images):
    levels = [problem.level for problem in images.problems]
    return {
        "source": images.source,
        "images": len(images),
        "groups": len(set(images.group)),
        "unit": images.unit,
        "left out": levels.count("error"),
        "repaired": levels.count("repaired"),
        "fingerprint": images.fingerprint,
    }


def _place(root, values, role, name):
    parameter = "data" if role == "source" else "external_data"
    given = values.get(parameter, "")
    if name in adapters.GENERIC and not given:
        raise InputError(
            f"{role}={name} reads a folder of your own; name it: {parameter}=FOLDER"
        )
    return data_root(root, given)


def _apart(root, asked, places):
    """Refuse to judge images by themselves, or by those of the same patients."""
    here = {
        sources.locate(name, places[role]).resolve() for role, name in asked.items()
    }
    if len(here) < 2:
        raise InputError("external is the source itself; name images of other patients")
    cards.apart(root / "data" / "cards", asked["source"], asked["external"])
