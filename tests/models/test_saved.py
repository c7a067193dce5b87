"""Laws of models on disk: what was saved comes back, and nothing else does."""

import json
import warnings
import zipfile

import drawn
import keras
import numpy as np
import pytest

from chromolib import files, records
from chromolib.models import layers, small, store

SCORE = records.Estimate(
    "chromonet", "accuracy", 0.75, 0.6, 0.9, 40, 8, "synthetic", "clean"
)
FACTS = drawn.CARD | {"scores": [SCORE]}


def model():
    entry = keras.Input((8, 4, 1))
    x = layers.Orientation(mirror=("horizontal",), seed=1)(entry)
    x = small.Gamma(factor=0.1, seed=2)(x)
    first = keras.initializers.GlorotUniform(0)
    x = keras.layers.Dense(2, kernel_initializer=first)(keras.layers.Flatten()(x))
    return keras.Model(entry, x)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    made = model()
    made.compile("adam", "mse")
    made.fit(np.ones((2, 8, 4, 1)), np.ones((2, 2)), verbose=0)
    file = store.save(made, tmp_path_factory.mktemp("models") / "chromonet", FACTS)
    return made, file


@pytest.fixture
def copied(saved, tmp_path):
    """The saved file with some members replaced, added (text) or dropped (None)."""

    def make(**changes):
        file = tmp_path / "chromonet.keras"
        with zipfile.ZipFile(saved[1]) as old, zipfile.ZipFile(file, "w") as new:
            members = {name: old.read(name) for name in old.namelist()}
            for name, text in (members | changes).items():
                if text is not None:
                    new.writestr(name, text)
        return file

    return make


def test_what_was_saved_comes_back_with_its_facts(saved):
    made, file = saved
    assert file.name == "chromonet.keras"
    found, facts = store.load(file, study="chromonet", unit="chromosome")
    images = np.random.default_rng(0).random((3, 8, 4, 1), np.float32)
    np.testing.assert_array_equal(
        found.predict(images, verbose=0), made.predict(images, verbose=0)
    )
    wanted = FACTS | {"classes": ["normal", "abnormal"], "scores": [vars(SCORE)]}
    assert {name: facts[name] for name in FACTS} == wanted
    assert facts["input"] == [8, 4, 1]
    assert facts["sha256"] == files.sha256(file)


def test_no_optimizer_is_saved_and_nothing_half_written_stays(saved):
    assert getattr(store.load(saved[1])[0], "optimizer", None) is None
    names = {one.name for one in saved[1].parent.iterdir()}
    assert names == {"chromonet.keras", "chromonet.md"}


def test_a_card_says_what_it_learned_from_and_what_it_is_not_for(saved):
    text = saved[1].with_suffix(".md").read_text(encoding="utf-8")
    for words in (
        "| trained on | synthetic |",
        "1,380 of 30 groups",
        "accuracy 0.75 [0.6, 0.9] on 40 images of 8 groups (synthetic, clean)",
        "not for diagnosis",
        "started from nothing",
        "8 x 4 x 1",
        files.sha256(saved[1]),
    ):
        assert words in text


@pytest.mark.parametrize("lost", store.REQUIRED)
def test_no_model_is_saved_without_its_facts(tmp_path, lost):
    facts = {name: value for name, value in FACTS.items() if name != lost}
    with pytest.raises(store.ModelError, match=f"one.keras: .* lack {lost}"):
        store.save(model(), tmp_path / "one", facts)
    assert not list(tmp_path.iterdir())


def test_provenance_is_one_of_two_words(tmp_path):
    with pytest.raises(store.ModelError, match="'unsure'; known: synthetic, real"):
        store.save(model(), tmp_path / "one", FACTS | {"provenance": "unsure"})


def test_a_model_of_another_study_or_unit_is_refused(saved):
    with pytest.raises(store.ModelError, match="study 'chromonet', not 'chu'"):
        store.load(saved[1], study="chu")
    with pytest.raises(store.ModelError, match="unit 'chromosome', not 'karyogram'"):
        store.load(saved[1], unit="karyogram")


def test_a_missing_model_says_how_to_make_one(tmp_path):
    with pytest.raises(store.ModelError, match=r"no.keras: no such .*chromolib run"):
        store.load(tmp_path / "no.keras")


def test_a_damaged_file_is_refused(saved, tmp_path):
    file, whole = tmp_path / "cut.keras", saved[1].read_bytes()
    parts = [b"", b"no archive", *(whole[: len(whole) * k // 9] for k in range(1, 9))]
    middle = len(whole) // 3
    parts.append(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    for part in parts:
        file.write_bytes(part)
        with pytest.raises(store.ModelError, match=r"cut.keras is (damaged|not what)"):
            store.load(file)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config.json": None}, "no Keras model"),
        ({"facts.json": None}, "does not say what it was trained on"),
        ({"facts.json": "[]"}, "not what was saved"),
        ({"facts.json": "{"}, "damaged"),
        ({"model.weights.h5": "others"}, "other hashes"),
        ({"another.txt": "more"}, "other hashes"),
    ],
)
def test_what_was_changed_is_refused(copied, changes, reason):
    with pytest.raises(store.ModelError, match=reason):
        store.load(copied(**changes))


def test_a_layer_that_brings_code_is_refused(saved, copied, tmp_path):
    entry = keras.Input((8, 4, 1))
    made = keras.Model(entry, keras.layers.Lambda(lambda x: x + 1)(entry))
    with pytest.raises(store.ModelError, match="Lambda layer, which runs code"):
        store.save(made, tmp_path / "one", FACTS)
    with warnings.catch_warnings():  # of Keras' own way with numpy 2
        warnings.simplefilter("ignore", DeprecationWarning)
        made.save(tmp_path / "evil.keras")
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        hashes = store._members(archive)
    facts = store._opened(saved[1]) | {"members": hashes}
    with pytest.raises(store.ModelError, match="Lambda layer, which runs code"):
        store.load(copied(**members, **{"facts.json": json.dumps(facts)}))
