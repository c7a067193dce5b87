"""A detector as a file: the same boxes again, and nothing but a detector."""

import json

import numpy as np
import pytest

from chromolib.detect import families, store
from chromolib.models import store as models

BUILT = {"family": "faster_rcnn", "size": 64, "trunk": "tiny", "scales": [8, 16]}
FACTS = {
    "study": "hamza",
    "unit": "field",
    "classes": ["chromosome"],
    "source": "synthetic",
    "provenance": "synthetic",
    "n": 2,
    "groups": 1,
    "seed": 0,
    "scores": [],
    "weights": "random first weights",
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    detector = families.faster_rcnn(
        FACTS["classes"], 64, trunk="tiny", scales=[8, 16], seed=3
    )
    path = tmp_path_factory.mktemp("store") / "finder.npz"
    return detector, store.save(path, detector, BUILT, FACTS)


def test_a_detector_finds_the_same_again(kept):
    detector, file = kept
    again, facts = store.load(file)
    images = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    (one,), (other,) = (each.predict(images, score=0) for each in (detector, again))
    assert len(one) == len(other) > 0
    np.testing.assert_allclose(one.score, other.score, atol=0.01)
    assert facts["parameters"] == detector.count_params()
    assert facts["sha256"][:12] in file.with_suffix(".md").read_text()


def changed(file, path, **arrays):
    with np.load(file) as archive:
        np.savez(path, **{name: archive[name] for name in archive.files} | arrays)
    return path


@pytest.mark.parametrize(
    "wrong",
    [{"size": 10**6}, {"family": "yolo_v9"}, {"trunk": "resnet50"}, {"code": 1}, None],
)
def test_a_file_that_names_something_else_is_refused(kept, tmp_path, wrong):
    built = np.array(json.dumps([] if wrong is None else BUILT | wrong))
    path = changed(kept[1], tmp_path / "other.npz", built=built)
    with pytest.raises(models.ModelError, match="no detector"):
        store.load(path)


def test_damage_and_other_files_are_told(kept, tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(kept[1].read_bytes()[:-200])
    for each in (path, tmp_path / "absent.npz", kept[1].with_suffix(".md")):
        with pytest.raises(models.ModelError, match="no detector, or damaged"):
            store.load(each)
    whole = bytearray(kept[1].read_bytes())
    for share in (0.2, 0.4, 0.6, 0.8):
        flipped = whole.copy()
        flipped[int(share * len(whole))] ^= 0xFF
        path.write_bytes(flipped)
        with pytest.raises(models.ModelError, match="no detector, or damaged"):
            store.load(path)
    facts = np.array(json.dumps(FACTS))
    path = changed(kept[1], tmp_path / "lacking.npz", facts=facts)
    with pytest.raises(models.ModelError, match="lack"):
        store.load(path)
