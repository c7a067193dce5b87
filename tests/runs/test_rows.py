"""What is kept of a training comes back for the same images, and for no others."""

import types

import numpy as np

from chromolib.runs import rows


def part(*names):
    return types.SimpleNamespace(image=np.array(names))


def test_what_was_made_otherwise_is_made_anew(tmp_path):
    file, parts = tmp_path / "one.npz", {"test": part("a", "b")}
    rows.write(file, parts, {"x": np.zeros(2)}, {"epochs": 4})
    assert rows.read(file, parts, {"epochs": 4}) is not None
    assert rows.read(file, parts, {"epochs": 5}) is None
    assert rows.read(file, parts) is not None, "whatever it was"


def test_what_is_kept_comes_back_for_the_same_images_alone(tmp_path):
    file, parts = tmp_path / "rows" / "one.npz", {"test": part("a", "b")}
    assert rows.read(file, parts) is None
    rows.write(file, parts, {"test once": np.arange(4.0)})
    assert rows.read(file, parts)["test once"].tolist() == [0, 1, 2, 3]
    assert rows.read(file, {"test": part("b", "a")}) is None
    assert rows.read(file, parts | {"natural": part("c")}) is None
    assert [path.name for path in file.parent.iterdir()] == ["one.npz"]
