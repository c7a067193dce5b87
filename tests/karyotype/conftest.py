"""Drawn metaphases with their truth, and a classifier that is none."""

import numpy as np
import PIL.Image
import pytest

from chromolib import records
from chromolib.karyotype import fields, naming
from chromolib.models import inputs
from chromolib.synth import files, lab, metaphase

SIZE = 512


class Network:
    """Says nothing of any picture: each class is as likely as the next."""

    input_shape = (None, *inputs.FINE, 1)
    asked = 0

    def predict(self, x, **_):
        self.asked += 1
        return np.zeros((len(x), len(records.CLASSES)))


def unlearned():
    """A namer that knows nothing."""
    facts = {"sha256": "0" * 64, "source": "nothing", "penalty": 3.0}
    return naming.Namer(Network(), facts, "none.keras")


@pytest.fixture
def namer():
    return unlearned()


@pytest.fixture(scope="session")
def drawn():
    """Karyotype -> (picture, true boxes)."""
    cells = {
        text: lab.cell(text, look="field", seed=4, patient=k)
        for k, text in enumerate(("46,XX", "47,XY,+21"))
    }
    return {text: metaphase.draw(cell, size=SIZE) for text, cell in cells.items()}


@pytest.fixture
def folder(tmp_path, drawn):
    """A laboratory's folder: two pictures of a case, and boxes in three formats."""
    return filled(tmp_path / "lab", drawn)


def filled(place, drawn):
    """A folder with these pictures and their boxes."""
    cells = []
    for k, (picture, boxes) in enumerate(drawn.values()):
        path = place / "images" / "P1" / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(picture).save(path)
        image = files.Image(f"P1/{k}.png", "", (SIZE, SIZE), boxes)
        words = f"c{k}", "P1", "46,XX", "normal", len(boxes)
        cells.append(files.Cell(*words, (image,)))
    files.put(place, "", cells)
    return place


@pytest.fixture
def field(tmp_path):
    """A picture as a Field, through a file."""

    def made(picture, name="a.png"):
        path = tmp_path / name
        PIL.Image.fromarray(picture).save(path)
        return fields.read(item(path))

    return made


def item(path):
    """A file as it is listed."""
    (one,) = fields.listed([path], path.parent / "out")
    return one
