"""Laws of models on disk: what was saved comes back, and nothing else does."""

import json
import pathlib
import warnings
import zipfile

import drawn
import fuzz_models
import keras
import numpy as np
import pytest

from chromolib import files, records
from chromolib.models import factcheck, layers, small, store

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
    assert "## Limits" not in text
    facts = store.load(saved[1])[1] | {"limits": "One laboratory."}
    assert "\n## Limits\n\nOne laboratory.\n" in store.card("a.keras", facts, "0")


@pytest.mark.parametrize("lost", factcheck.REQUIRED)
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


@pytest.fixture
def told(saved, copied):
    """The saved file with other facts, which know the file's hashes."""

    def make(**changes):
        with zipfile.ZipFile(saved[1]) as archive:
            facts = json.loads(archive.read("facts.json"))
        facts = {k: v for k, v in (facts | changes).items() if v is not ...}
        return copied(**{"facts.json": json.dumps(facts)})

    return make


@pytest.mark.parametrize("lost", [*factcheck.RULES])
def test_a_model_whose_facts_lack_one_is_refused(told, lost):
    with pytest.raises(store.ModelError, match=f"chromonet.keras: .* lack {lost}; get"):
        store.load(told(**{lost: ...}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"study": 5}, "'study' is 5, not a text"),
        ({"use": "x" * 501}, "'use' is 'xxx.*not a text of up to 500"),
        ({"source": "\x1b[31mred"}, r"'source' is '.x1b\[31mred', not a text"),
        ({"classes": "normal"}, "'classes' is 'normal', not a list of names"),
        ({"classes": ["a", "a"]}, "'classes' is list, not a list of names, each once"),
        ({"classes": ["a", "b|c"]}, r"without '\|'"),
        ({"classes": ["a", "b", "c"]}, "input or output is not what its facts say"),
        ({"input": [96, 32, 1]}, "input or output is not what its facts say"),
        ({"input": [8, 4]}, "'input' is list, not a height, a width and channels"),
        ({"parameters": 5}, "it has more than 5 parameters"),
        ({"parameters": 10**9}, "holds fewer parameters than its facts say"),
        ({"provenance": ["real"]}, "'provenance' is list, not one of synthetic, real"),
        ({"n": True}, "'n' is True, not a whole number above 0"),
        ({"groups": 1381}, "1381 groups among 1380 images"),
        ({"seed": 2**32}, "'seed' is 4294967296, not a seed"),
        ({"seed": -1}, "'seed' is -1, not a seed"),
        ({"scale": float("inf")}, "'scale' is inf, not a factor"),
        ({"scale": 1e-9}, "'scale' is 1e-09, not a factor"),
        ({"beside": [0.5, 1]}, "'beside' is list, not pixels for four edges"),
        ({"whole": [0.5]}, "'whole' is list, not two weights"),
        ({"scores": [{"value": 1}]}, "'scores' is list, not a list of estimates"),
        ({"scores": [vars(SCORE) | {"low": 2}]}, "not a list of estimates"),
        ({"scores": [vars(SCORE) | {"study": 2}]}, "not a list of estimates"),
        ({"scores": [vars(SCORE) | {"conditions": {"a": 1}}]}, "not a list of esti"),
        (
            {"scores": [vars(SCORE) | {"conditions": {"\x1b": ""}}]},
            "not a list of esti",
        ),
        ({"look": {"a": "b"}}, "'look' is dict, not a text, a number"),
        ({"a\nb": "c"}, r"'a.nb' is 'c', not a text"),
    ],
)
def test_facts_are_checked_when_a_model_is_opened(told, changes, reason):
    with pytest.raises(
        store.ModelError, match=rf"^chromonet\.keras.*{reason}"
    ) as error:
        store.load(told(**changes))
    assert str(error.value).isprintable()


def test_facts_are_checked_when_a_model_is_saved(tmp_path):
    with pytest.raises(store.ModelError, match=r"one.keras: the fact 'look' is '.n'"):
        store.save(model(), tmp_path / "one", FACTS | {"look": "\n"})
    with pytest.raises(store.ModelError, match="input or output is not what"):
        store.save(model(), tmp_path / "one", FACTS | {"classes": ["one", "two", "3"]})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["config.json", "metadata.json", "facts.json"])
def test_nested_and_swollen_members_are_refused(copied, name):
    for text in ("[" * 100_000, '{"a":' * 100_000, " " * (5 << 20) + "{}"):
        with pytest.raises(store.ModelError, match=r"^chromonet\.keras .{10,100}$"):
            store.load(copied(**{name: text}))


def test_a_network_gets_no_more_memory_than_its_weights_fill(saved, copied):
    """A few KiB may ask for a layer that fills the machine."""
    parts = fuzz_models.members(saved[1])
    config = parts["config.json"].replace(b'"units": 2', b'"units": 10000000000')
    assert config != parts["config.json"]
    forged = fuzz_models.forged(parts | {"config.json": config})
    with pytest.raises(store.ModelError, match="cannot load it"):
        store.load(copied(**forged))


def test_weights_that_are_no_numbers_are_refused(saved, copied, tmp_path):
    made = model()
    made.set_weights([np.full(one.shape, np.nan) for one in made.weights])
    with pytest.raises(store.ModelError, match=r"one.keras: a weight is not a number"):
        store.save(made, tmp_path / "one", FACTS)
    with warnings.catch_warnings():  # of Keras' own way with numpy 2
        warnings.simplefilter("ignore", DeprecationWarning)
        made.save_weights(tmp_path / "nan.weights.h5")
    weights = (tmp_path / "nan.weights.h5").read_bytes()
    parts = fuzz_models.members(saved[1]) | {"model.weights.h5": weights}
    with pytest.raises(store.ModelError, match="a weight is not a number"):
        store.load(copied(**fuzz_models.forged(parts)))


@pytest.mark.parametrize("path", ["/", "", ".", "x" * 5000])
def test_a_path_that_names_no_file_is_refused(path):
    with pytest.raises(store.ModelError, match=r"names no file|no such model"):
        store.load(path)


def test_forged_models_are_loaded_or_refused(tmp_path):
    """A few hundred; `python tests/fuzz_models.py` runs a thousand."""
    totals, crashes = fuzz_models.batch(range(300), tmp_path)
    assert not crashes
    assert totals["refused"] > 200
    assert totals["loaded"] > 10


def test_the_fuzzer_finds_what_it_looks_for(tmp_path, monkeypatch):
    """A reader that breaks is caught, and named by its seed."""

    def broken(*_, study):
        if study:
            raise ZeroDivisionError
        raise store.ModelError("a file with \x1b in its name")

    monkeypatch.setattr(store, "load", broken)
    totals, crashes = fuzz_models.batch(range(4), tmp_path)
    assert not totals
    assert [why.splitlines()[-1][:9] for why in crashes.values()] == [
        "Assertion",
        "ZeroDivis",
        "Assertion",
        "ZeroDivis",
    ]


def test_a_model_never_goes_on_to_what_any_model_before_it_learned_from():
    """From a to b and back to a, and to a source that has grown."""
    file, mine, grown = pathlib.Path("m.keras"), ["P1", "P2"], ["P1", "P9"]
    facts = {"source": "a", "seed": 1, "sha256": "0" * 64}
    facts |= {store.JUDGED: store.judged({"a": mine})}
    next_ = facts | {"source": "b", "seed": 0}
    next_ |= store.before(file, facts, {"b": ["Q1"]}, 0)
    assert store.before(file, next_, {"a": mine[::-1] * 2, "b": ["Q1"]}, 0)
    for tested in ({"a": ["P3"]}, {"a": grown}, {"b": ["Q2"]}):
        with pytest.raises(store.ModelError, match="that are to judge now"):
            store.before(file, next_, tested, 0)
    assert not store.knows(next_, "c", ["R1"], 5)
    old = {"source": "a and b", "seed": 1, "sha256": "0" * 64}  # a card of before
    assert [store.knows(old, "b", mine, seed) for seed in (0, 1)] == [True, False]
