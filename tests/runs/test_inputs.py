"""The images a run asks for: the right ones, never the same twice, in its identity."""

import drawn
import numpy as np
import pytest

from chromolib.data import cards, sources
from chromolib.runs import execute, identity, inputs, parameters, repository

VALUES = {"source": "synthetic", "external": "", "data": "", "external_data": ""}
VALUES |= {"on_error": "refuse"}


def cells(folder, count, seed=0):
    """A lab's folders: so many cells of six drawn chromosomes."""
    rng = np.random.default_rng(seed)
    for cell in range(count):
        for label in ("1", "2", "X"):
            for side in "ab":
                path = folder / f"case{cell}" / f"{label}{side}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                levels = rng.integers(0, 256, (20, 12), dtype=np.uint8)
                path.write_bytes(drawn.encoded(levels))
    return str(folder)


def test_synthetic_reads_nothing(root):
    assert inputs.read(root, VALUES) == {}


def test_a_generic_source_is_the_folder_that_data_names(root, tmp_path):
    mine = cells(tmp_path / "mine", 3)
    found = inputs.read(root, VALUES | {"source": "cellfolders", "data": mine})
    assert len(found["source"]) == 18
    with pytest.raises(inputs.InputError, match="name it: data=FOLDER"):
        inputs.read(root, VALUES | {"source": "cellfolders"})


def test_external_must_be_other_images(root, tmp_path, monkeypatch):
    mine, other = cells(tmp_path / "a", 3), cells(tmp_path / "b", 2, seed=1)
    asked = VALUES | {"source": "cellfolders", "external": "cellfolders", "data": mine}
    with pytest.raises(inputs.InputError, match="external is the source itself"):
        inputs.read(root, asked | {"external_data": mine})
    found = inputs.read(root, asked | {"external_data": other})
    assert {role: len(one) for role, one in found.items()} == {
        "source": 18,
        "external": 12,
    }
    for name in ("bioimlab-qband", "roboflow-qband-karyograms"):
        (tmp_path / name).mkdir()
    related = VALUES | {"source": "bioimlab", "external": "roboflow"}
    related |= {"data": str(tmp_path), "external_data": str(tmp_path)}
    with pytest.raises(cards.CardError, match="may not judge"):
        inputs.read(root, related)


def test_damaged_files_refuse_the_run_or_are_counted(root, tmp_path):
    mine = cells(tmp_path / "mine", 3)
    (tmp_path / "mine" / "case0" / "3a.png").write_bytes(b"")
    asked = VALUES | {"source": "cellfolders", "data": mine}
    with pytest.raises(sources.DataRefused, match="1 error, first case0"):
        inputs.read(root, asked)
    found = inputs.read(root, asked | {"on_error": "skip"})
    assert inputs.facts(found)["source"]["left out"] == 1


def test_what_is_in_the_images_is_part_of_a_run_and_where_they_lie_is_not(
    root, tmp_path
):
    asked = VALUES | {"source": "cellfolders"}

    def run_id(folder):
        return identity.of(root, "chu", asked | {"data": folder})

    one, same = cells(tmp_path / "a", 2), cells(tmp_path / "b", 2)
    other = cells(tmp_path / "c", 2, seed=1)
    assert run_id(one) == run_id(same) != run_id(other)


def test_a_study_probes_a_lab_s_own_folder(root, tmp_path):
    values = {"profile": "smoke", "source": "cellfolders"}
    values |= {"data": cells(tmp_path / "mine", 8), "out": str(tmp_path / "run")}
    known = parameters.known(repository.notebook(root, "shruti"))
    outcome = execute.run(root, "shruti", parameters.resolve(known, values))
    leaks = (outcome.folder / "leaks.csv").read_text()
    assert "group overlap,published" in leaks
    assert "group overlap,clean" in leaks
    manifest = (outcome.folder / "manifest.json").read_text()
    assert '"images": 48' in manifest
    assert str(tmp_path) not in manifest + leaks
