"""Laws of answers: whose they are, what is known of the truth, where they may go."""

import dataclasses
import os
import subprocess
import sys

import drawn
import keras
import numpy as np
import pandas as pd
import PIL.Image
import pytest

from chromolib import records
from chromolib.data import compose, pixels
from chromolib.imaging import segment
from chromolib.karyotype import picture
from chromolib.models import store
from chromolib.runs import results
from chromolib.studies import predicting
from chromolib.synth import karyogram, lab, metaphase, singles

FACTS = drawn.CARD


def model():
    entry = keras.Input((96, 32, 1))
    first = keras.initializers.GlorotUniform(0)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(entry))
    return keras.Model(entry, keras.layers.Dense(2, kernel_initializer=first)(x))


def images(labels, **extra):
    rng = np.random.default_rng(0)
    size = len(labels)
    shown = [rng.integers(0, 255, (30, 12), np.uint8) for _ in range(size)]
    return records.ImageSet(
        "folder",
        name=np.array([f"{i}.png" for i in range(size)]),
        label=np.array(labels),
        group=np.array([f"g{i // 2}" for i in range(size)]),
        unit="case",
        pixels=pixels.pack(shown),
        extra={name: np.array(values) for name, values in extra.items()},
    )


def test_known_truth_gives_predictions_that_can_be_scored(tmp_path):
    asked = images(["normal", "abnormal", "normal"])
    said = predicting.predict(model(), FACTS, asked)
    assert said.truth.tolist() == ["normal", "abnormal", "normal"]
    assert (said.source, said.study) == ("folder", "chromonet")
    assert (
        records.write_conditions(said.conditions) == "unit=chromosome;trained=synthetic"
    )
    predicting.write(tmp_path / "preds.csv", said)
    (back,) = results.read_predictions(tmp_path / "preds.csv")
    np.testing.assert_allclose(back.probability, said.probability)


def test_unknown_truth_stays_empty_and_all_else_is_alike(tmp_path):
    network = model()
    known = predicting.predict(network, FACTS, images(["normal", "abnormal"]))
    unknown = predicting.predict(network, FACTS, images(["", ""]))
    frames = []
    for said in (known, unknown):
        path = tmp_path / f"{len(frames)}.csv"
        predicting.write(path, said)
        frames.append(pd.read_csv(path, dtype=str, keep_default_na=False))
    assert frames[1].columns.tolist() == frames[0].columns.tolist()
    assert frames[1]["truth"].tolist() == ["", ""]
    same = frames[0].columns.drop("truth")
    pd.testing.assert_frame_equal(frames[0][same], frames[1][same])


def test_chromosomes_of_known_class_are_straightened_as_those_learned_from():
    rods = [drawn.rod(60, 12, seed=seed) for seed in range(3)]
    turned = [np.asarray(PIL.Image.fromarray(rod).resize((14, 60))) for rod in rods]
    noise = np.random.default_rng(0).integers(0, 255, (9, 4), np.uint8)
    given = images(["1", "2", "X", "Y"])
    given = dataclasses.replace(given, pixels=pixels.pack([*turned, noise]))
    plain = dataclasses.replace(given, label=np.array([""] * 4))
    straight = compose.straightened(plain, orient=False, keep=True)
    assert len(straight) == 4
    network = model()
    said, wanted = (
        predicting.predict(network, FACTS, each) for each in (given, straight)
    )
    assert said["image"].tolist() == given.name.tolist()
    np.testing.assert_allclose(said["probability"], wanted["probability"])


def test_images_of_the_source_it_learned_from_keep_its_scale():
    network, asked = model(), images(["normal", "abnormal"])
    facts = FACTS | {"scale": 2.0}
    scales = [
        predicting.predict(network, facts | {"source": source}, asked).probability
        for source in ("folder", "folder (real, edited)", "synthetic")
    ]
    np.testing.assert_allclose(scales[0], scales[1])
    assert not np.allclose(scales[0], scales[2])


def test_a_cell_s_status_is_its_truth():
    asked = images(["", ""], status=["normal", "gain"])
    assert predicting.truth(asked, ("normal", "abnormal")).tolist() == ["normal", ""]


def test_images_of_another_unit_are_refused():
    karyogram = FACTS | {"unit": "karyogram"}
    with pytest.raises(predicting.PredictError, match="folder shows single"):
        predicting.predict(model(), karyogram, images(["7", "X"]))
    with pytest.raises(predicting.PredictError, match="folder shows whole cells"):
        predicting.predict(model(), FACTS, images([""], status=["normal"]))
    with pytest.raises(predicting.PredictError, match="no image"):
        predicting.predict(model(), FACTS, images([""]).take([]))


def boxed(made):
    """Images of cells as the synthetic lab draws them, with their boxes."""
    pictures, boxes = zip(*made, strict=True)
    plain = images([""] * len(boxes))
    return dataclasses.replace(plain, pixels=pixels.pack(pictures), boxes=boxes)


KARYOGRAM = FACTS | {"unit": "karyogram"}


@pytest.fixture(scope="module")
def shown():
    """A set of every kind that boxes can tell."""
    cells = list(lab.cells(3, look="g", seed=5))
    one = images(["", ""])
    boxes = records.Boxes(np.array([[0, 0, 12, 30]]), ["7"])
    return {
        "karyograms": boxed(karyogram.draw(cell) for cell in cells),
        "metaphases": boxed(metaphase.draw(cell) for cell in cells),
        "single chromosomes": dataclasses.replace(one, boxes=(boxes, boxes)),
    }


@pytest.mark.parametrize(
    ("facts", "taken"),
    [(FACTS, "single chromosomes"), (KARYOGRAM, "karyograms")],
)
def test_boxes_tell_what_an_image_shows(shown, facts, taken):
    for what, asked in shown.items():
        if what == taken:
            predicting.shows(asked, facts["unit"], facts["classes"])
        else:
            reason = f"folder shows {what}, .* one {facts['unit']} an image; name"
            with pytest.raises(predicting.PredictError, match=reason):
                predicting.predict(model(), facts, asked)


def test_boxes_tell_it_also_of_images_with_the_model_s_own_labels(shown):
    cells = shown["karyograms"]
    labelled = dataclasses.replace(cells, label=np.array(["normal"] * len(cells)))
    with pytest.raises(predicting.PredictError, match="folder shows karyograms"):
        predicting.predict(model(), FACTS, labelled)


def test_metaphases_are_taken_by_a_model_that_learned_from_them(shown):
    asked = shown["metaphases"]
    predicting.shows(asked, "karyogram", FACTS["classes"], own=True)
    with pytest.raises(predicting.PredictError, match="folder shows metaphases"):
        predicting.shows(asked, "chromosome", FACTS["classes"], own=True)


def upright():
    """A network that looks at karyograms."""
    entry = keras.Input((96, 96, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(entry))
    return keras.Model(entry, keras.layers.Dense(2)(x))


@pytest.mark.parametrize("source", ["folder", "synthetic"])
@pytest.mark.parametrize("label", ["", "normal"])
def test_metaphases_that_nobody_boxed_are_no_karyograms(shown, source, label):
    facts = KARYOGRAM | {"source": source}  # a layout's name is anybody's
    bare = {
        name: dataclasses.replace(asked, boxes=None, label=np.array([label] * 3))
        for name, asked in shown.items()
        if len(asked) == 3
    }
    said = predicting.predict(upright(), facts, bare["karyograms"])
    assert not np.any(predicting._column(said, "refer"))
    reason = r"^folder: 3 of 3 images show no karyogram, .*: 0.png, .*--model$"
    with pytest.raises(predicting.PredictError, match=reason):
        predicting.predict(upright(), facts, bare["metaphases"])


def test_a_metaphase_among_karyograms_is_referred(shown):
    shapes = [shown[name].pixels for name in ("karyograms", "metaphases")]
    mixed = dataclasses.replace(
        images([""] * 4), pixels=pixels.pack([*shapes[0], shapes[1][0]])
    )
    said = predicting.predict(upright(), KARYOGRAM, mixed)
    assert said["refer"].tolist() == [False] * 3 + [True]
    assert "no karyogram" in predicting.referred(said)


def test_what_the_command_arranges_is_a_karyogram():
    crops = [np.pad(drawn.rod(60 - k, 12, seed=k), 2) for k in range(46)]
    crops = [np.where(crop, crop, 255).astype(np.uint8) for crop in crops]
    labels = [*records.CLASSES[:22] * 2, "X", "Y"]
    made, _ = picture.karyogram(crops, labels, "46,XY")
    assert segment.is_karyogram(made)


def score(quantity, value, low, high):
    words = {"source": "synthetic", "protocol": "clean"}
    words |= {"study": "chromonet", "n": 80, "groups": 40}
    words |= {"quantity": quantity, "value": value, "low": low, "high": high}
    return vars(records.Estimate(**words))


def test_a_model_no_better_than_chance_is_asked_only_anyway():
    good = score("balanced accuracy", 0.8, 0.7, 0.9), score("ECE", 0.1, 0, 0.2)
    told = predicting.scored(FACTS | {"scores": good})
    assert told.splitlines()[1].startswith("  balanced accuracy 0.8 [0.7, 0.9] on 80 ")
    assert "ECE" not in told
    for name in ("balanced accuracy", "AUROC of abnormal"):
        facts = FACTS | {"scores": [*good, score(name, 0.6, 0.49, 0.7)]}
        reason = rf"no better than chance \(0.5\): {name} 0.6 \[0.49, .*: --anyway$"
        with pytest.raises(predicting.PredictError, match=reason):
            predicting.scored(facts)
        assert f"{name} 0.6" in predicting.scored(facts, anyway=True)
    named = FACTS | {"scores": [score("balanced accuracy", 0.3, 0.2, 0.4)]}
    predicting.scored(named | {"classes": records.CLASSES})  # of 24 that is good
    assert "nothing of its accuracy" in predicting.scored(FACTS)


def test_pictures_of_nothing_and_of_no_chromosome_are_referred(tmp_path):
    rng = np.random.default_rng(0)
    odd = {
        "black": np.zeros((30, 12)),
        "white": np.full((30, 12), 255),
        "one": np.zeros((1, 1)),
        "line": rng.integers(0, 255, (1, 30_000)),
        "slim": rng.integers(0, 255, (9, 300)),
        "chromosome": drawn.rod(60, 12),
        "small": drawn.rod(12, 8),
    }
    for labels in (["normal"] * len(odd), [""] * len(odd)):
        asked = images(labels)
        shown = pixels.pack([np.asarray(one, np.uint8) for one in odd.values()])
        asked = dataclasses.replace(asked, name=np.array([*odd]), pixels=shown)
        said = predicting.predict(model(), FACTS, asked)
        predicting.write(tmp_path / f"{labels[0]}.csv", said)
        rows = pd.read_csv(tmp_path / f"{labels[0]}.csv", index_col="image")
        assert rows["refer"].tolist() == [True] * 5 + [False] * 2
        assert set(rows["label"]) <= {"normal", "abnormal"}
        sentence = predicting.referred(said)
        assert sentence.startswith("5 of 7 images are referred")
        assert sentence.endswith("black, white, one, line, slim")
    assert predicting.referred(predicting.predict(model(), FACTS, images([""]))) == ""


def test_a_model_of_pictures_that_are_not_made_is_refused():
    for facts in (KARYOGRAM, FACTS | {"unit": "nucleus"}):
        with pytest.raises(predicting.PredictError, match=r"of \(96, 32, 1\), which"):
            predicting.predict(model(), facts, images([""]))


def test_a_model_whose_answers_are_no_numbers_is_refused():
    network = model()
    network.set_weights([np.full_like(w, 3e38) for w in network.get_weights()])
    with pytest.raises(predicting.PredictError, match="answers are no numbers"):
        predicting.predict(network, FACTS, images([""]))


def test_one_model_is_shipped_or_it_is_said_which(tmp_path):
    folder = tmp_path / "data" / "models"
    folder.mkdir(parents=True)
    with pytest.raises(predicting.PredictError, match="chromolib run chu -p profile"):
        predicting.shipped(tmp_path, "chu")
    (folder / "chu-karyogram.keras").touch()
    assert predicting.shipped(tmp_path, "chu") == folder / "chu-karyogram.keras"
    (folder / "chu-chromosome.keras").touch()
    with pytest.raises(predicting.PredictError, match="name one: --model"):
        predicting.shipped(tmp_path, "chu")


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "there.csv").touch()
    with pytest.raises(predicting.PredictError, match=r"there.csv exists; remove it"):
        predicting.vacant(tmp_path / "there.csv")
    with pytest.raises(predicting.PredictError, match="its folder is not there"):
        predicting.vacant(tmp_path / "no" / "new.csv")
    assert predicting.vacant(tmp_path / "new.csv") == tmp_path / "new.csv"
    for place in ("/proc/x.csv", "/proc/self/status/x.csv", tmp_path / ("x" * 250)):
        with pytest.raises(
            predicting.PredictError, match=r"x.* cannot be written: |its"
        ):
            predicting.vacant(place)
    assert [one.name for one in tmp_path.iterdir()] == ["there.csv"]


def test_a_disk_that_fills_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "predictions", full)
    said = predicting.predict(model(), FACTS, images(["normal"]))
    with pytest.raises(predicting.PredictError, match=r"^a.csv cannot .*: No space"):
        predicting.write(tmp_path / "a.csv", said)


def test_only_sources_that_can_be_read_are_asked_about():
    with pytest.raises(predicting.PredictError, match="no source 'synthetic'; known"):
        predicting.asked("synthetic", None, "refuse")
    with pytest.raises(predicting.PredictError, match="on_error='ask'; known"):
        predicting.asked("pki3", None, "ask")


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    for name, side in (("normal/c1/a.png", 6), ("abnormal/c2/b.png", 7)):
        path = folder / "images" / name
        path.parent.mkdir(parents=True)
        larger = np.full((side, 4), 20, np.uint8)
        path.write_bytes(drawn.encoded(np.kron(drawn.LETTER_F, larger)))
    store.save(model(), folder / "own", FACTS)
    return folder


def test_predict_writes_a_csv_once_and_says_what_the_model_is(root, mine):
    words = "predict chromonet --source folder --data images --model own.keras"

    def call(*more):
        return subprocess.run(
            [sys.executable, "-m", "chromolib", *words.split(), *more],
            cwd=mine,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )

    done = call("--out", "preds.csv")
    assert done.returncode == 0, done.stderr
    assert "2 images of folder" in done.stdout
    assert "a model trained on synthetic: preds.csv" in done.stdout
    assert "not for diagnosis" in done.stdout
    assert "\nIts card says: nothing of its accuracy.\n" in done.stdout
    (said,) = results.read_predictions(mine / "preds.csv")
    assert sorted(said.truth) == ["abnormal", "normal"]
    assert "referred" not in done.stdout
    again = call("--out", "preds.csv")
    assert again.returncode == 1
    assert again.stderr == "error: preds.csv exists; remove it or name another file\n"
    refused = call("--out", "b.csv", "--model", "/")
    assert refused.returncode == 1
    assert refused.stderr == "error: '/' names no file; name a .keras file\n"
    assert not (mine / "b.csv").exists()


# chromosomes named by cell

CELL = [*records.CLASSES[:22] * 2, "X", "X"]
NAMES = {"study": "shruti", "classes": records.CLASSES, "view": "straight"}
NAMES = FACTS | NAMES | {"penalty": 4.0, "source": "bioimlab and pki3"}


def names_anything():
    """A network with the input and the classes of one that names chromosomes."""
    entry = keras.Input((112, 32, 1))
    first = keras.initializers.GlorotUniform(0)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(entry))
    return keras.Model(entry, keras.layers.Dense(24, kernel_initializer=first)(x))


@pytest.fixture(scope="module")
def cell():
    """One drawn cell and a chromosome that nobody could name."""
    drawn_cell = singles.images([lab.cell("46,XX")])
    return dataclasses.replace(drawn_cell, source="folder", provenance="folder")


@pytest.mark.parametrize("strange", ["2", "", "mar"])
def test_a_cell_is_named_jointly_and_gets_a_karyotype(cell, strange, tmp_path):
    label = cell.label.astype("<U3")
    label[3] = strange
    asked = dataclasses.replace(cell, label=label)
    said = predicting.predict(names_anything(), NAMES, asked)
    assigned = np.asarray(predicting._column(said, "assigned"))
    assert set(assigned) <= set(records.CLASSES)
    rows = predicting.karyotypes(NAMES, said)
    assert rows["n"].tolist() == [46]
    assert rows["refer"].tolist() == [True]
    predicting.write(tmp_path / "cells.csv", rows)
    predicting.write(tmp_path / "preds.csv", said)
    assert len(pd.read_csv(tmp_path / "preds.csv")["assigned"].dropna()) == 46


def test_a_model_of_two_labels_names_no_cells():
    with pytest.raises(predicting.PredictError, match="chromonet names no cells; name"):
        predicting.karyotypes(FACTS, None)
