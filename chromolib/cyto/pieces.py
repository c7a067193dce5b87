"""Pieces of a karyotype's text that remember where they stand."""

import dataclasses
import re

from chromolib.cyto import bands

SHOWN = 40  # characters of a piece that an error repeats


@dataclasses.dataclass(frozen=True)
class Piece:
    """A piece of the text, and how many characters stand before it."""

    text: str
    at: int


def fault(piece, reason):
    """The error that names the piece, its place from 1, the reason and the remedy."""
    text = piece.text[:SHOWN] + ("..." if len(piece.text) > SHOWN else "")
    return bands.KaryotypeError(f"{text!r} (character {piece.at + 1}): {reason}")


def take(piece, start, stop=None):
    """The piece between two places of a piece, without the white space around it."""
    text = piece.text[start:stop]
    return Piece(text.strip(), piece.at + start + len(text) - len(text.lstrip()))


def cut(piece, separator):
    """The pieces between separators, without the white space around them."""
    cuts, start = [], 0
    for text in piece.text.split(separator):
        cuts.append(take(piece, start, start + len(text)))
        start += len(text) + len(separator)
    return cuts


def brackets(piece):
    """What the round brackets at the start hold, one after another, and the rest."""
    inside = []
    while piece.text.startswith("("):
        inner = re.match(r"\(([^()]*)\)", piece.text)
        if not inner:
            raise fault(piece, "a bracket is not closed; add ')', and ';' inside")
        inside.append(take(piece, 1, inner.end() - 1))
        piece = take(piece, inner.end())
    return inside, piece
