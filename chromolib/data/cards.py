"""What is known of each source: where it comes from, its terms, what it leaks."""

import pathlib

import yaml

from chromolib.data import adapters, store

FIELDS = ("title", "folder", "kind", "citation", "where", "licence", "layout")
FIELDS += ("counts", "unit", "leaks", "related")


class CardError(ValueError):
    """A card that lacks a field, or two sources that may not be put together."""


def read(folder, source):
    """The card of one source."""
    path = pathlib.Path(folder) / f"{source}.yml"
    try:
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
        missing = [field for field in FIELDS if field not in card]
    except (OSError, yaml.YAMLError, TypeError) as error:
        reason = type(error).__name__
        raise CardError(f"the card {path.name} cannot be read ({reason})") from None
    if missing:
        raise CardError(f"the card {path.name} lacks {', '.join(missing)}")
    return card


def found(folder, root):
    """A row for each source: whether it lies under the root, and how to get it."""
    rows = []
    for source in adapters.SOURCES:
        card = read(folder, source)
        generic = source in adapters.GENERIC
        path = None if generic else store.find(pathlib.Path(root), card["folder"])
        here = "your own" if generic else path.name if path else "missing"
        rows.append({"source": source, "found": here, **card})
    return rows


def apart(folder, source, external):
    """Refuse two sources of which one may hold the other's patients."""
    card = read(folder, source)
    if external in card["related"]:
        raise CardError(
            f"{external} may not judge what was trained on {source}: "
            f"{card['why_related']}; take another external source"
        )
