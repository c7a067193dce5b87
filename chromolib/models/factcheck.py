"""What a model says of itself: the names of its facts, and what each may be.

`check(facts)` raises FactsError, of facts to be saved as of those of a stranger's file
"""

import typing

from chromolib import records, streams

REQUIRED = ("study", "unit", "classes", "source", "provenance", "n", "groups")
REQUIRED += ("seed", "scores", "weights")  # of whoever saves a model
LICENCE = {
    "synthetic": "Learned from synthetic images only; the licence of this repository.",
    "real": "Learned from real images: their owner's terms bind this file too. "
    "Ask before passing it on.",
}
LONGEST = 500  # characters of a text
MOST = 1000  # classes, scores, conditions
COUNT = 10**12  # images, parameters
FACTORS = 1e-3, 1e3  # by which pictures may be resized
FIELDS = typing.get_type_hints(records.Estimate)


class FactsError(ValueError):
    """Facts that a reader, a card or a table cannot rely on."""


def check(facts):
    """Refuse facts that are missing, of another type or out of range."""
    missing = [name for name in RULES if name not in facts]
    if missing:
        raise FactsError(f"a model's facts lack {', '.join(missing)}")
    for name, value in facts.items():
        sound, kind = (RULES | FURTHER).get(name, ANYTHING)
        if not (is_text(name) and sound(value)):
            raise FactsError(f"the fact {shown(name)} is {shown(value)}, not {kind}")
    if facts["groups"] > facts["n"]:
        raise FactsError(f"{facts['groups']} groups among {facts['n']} images")


def shown(value):
    """A value as a message may show it: short and printable."""
    text = type(value).__name__ if isinstance(value, list | dict) else ascii(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def is_text(value):
    """A text that is safe on a terminal and in a table."""
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST


def is_number(value):
    """A finite number; True and False are none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) <= COUNT


def _is_word(value):
    return is_text(value) and value != ""


def _is_count(value):
    return isinstance(value, int) and is_number(value) and value > 0


def _is_seed(value):
    return isinstance(value, int) and is_number(value) and 0 <= value <= streams.LARGEST


def _is_scale(value):
    return is_number(value) and FACTORS[0] <= value <= FACTORS[1]


def _is_anything(value):
    return (
        value is None or isinstance(value, bool) or is_number(value) or is_text(value)
    )


def _are_classes(value):
    """Distinct names without the sign that separates them in a csv."""
    names = isinstance(value, list | tuple) and all(map(_is_word, value))
    if not names or "|" in "".join(value):
        return False
    return 0 < len(value) == len(set(value)) <= MOST


def _is_shape(value):
    return (
        isinstance(value, list | tuple)
        and len(value) == 3
        and all(map(_is_count, value))
    )


def _are_numbers(count):
    def right(value):
        return (
            isinstance(value, list)
            and len(value) == count
            and all(map(is_number, value))
        )

    return right


def _are_scores(value):
    return isinstance(value, list) and len(value) <= MOST and all(map(_is_score, value))


def _is_score(value):
    """The fields of an Estimate, each of its type."""
    if not isinstance(value, dict) or set(value) != set(FIELDS):
        return False
    if not all(TYPES[FIELDS[name]](field) for name, field in value.items()):
        return False
    try:
        records.Estimate(**value)
    except ValueError:
        return False
    return True


def _are_conditions(value):
    if not isinstance(value, dict) or len(value) > MOST:
        return False
    return all(map(is_text, (*value, *value.values())))


TYPES = {
    str: is_text,
    float: is_number,
    int: lambda value: isinstance(value, int) and is_number(value),
    dict: _are_conditions,
}
WORD = _is_word, f"a text of up to {LONGEST} printable characters"
NUMBER = _is_count, "a whole number above 0"
RULES = dict.fromkeys(("study", "unit", "source", "weights", "use", "keras"), WORD)
RULES |= dict.fromkeys(("licence", "date"), WORD)
RULES |= dict.fromkeys(("n", "groups", "parameters"), NUMBER)
RULES |= {
    "provenance": (tuple(LICENCE).__contains__, f"one of {', '.join(LICENCE)}"),
    "classes": (_are_classes, "a list of names, each once and without '|'"),
    "seed": (_is_seed, "a seed"),
    "scores": (_are_scores, "a list of estimates"),
    "input": (_is_shape, "a height, a width and channels"),
}
TEXT = is_text, WORD[1]
FURTHER = dict.fromkeys(("model", "protocol", "profile", "limits"), TEXT)
FURTHER |= {
    "scale": (_is_scale, "a factor of size"),
    "beside": (_are_numbers(4), "pixels for four edges"),
    "whole": (_are_numbers(2), "two weights"),
}
ANYTHING = _is_anything, "a text, a number, True, False or nothing"
