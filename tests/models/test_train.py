"""Laws of training, on numbers that a line separates."""

import keras
import numpy as np
import pytest

from chromolib.models import small, train


def model(seed=0, rate=0.05, drop=0.1, metrics=()):
    first = keras.initializers.GlorotUniform(seed)
    layers = [keras.Input((2,)), keras.layers.Dropout(drop, seed=seed)]
    made = keras.Sequential([*layers, keras.layers.Dense(2, kernel_initializer=first)])
    made.compile(
        keras.optimizers.Adam(rate),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=list(metrics),
    )
    return made


class Killed(Exception):
    """What stands for a power cut."""


def killed(epoch):
    def log(text):
        if text.startswith(f"epoch {epoch} "):
            raise Killed

    return log


def same(one, other):
    pairs = zip(one.variables, other.variables, strict=True)
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)


@pytest.fixture
def line():
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    return points, np.eye(2, dtype=np.float32)[(points[:, 0] > 0).astype(int)]


def test_what_can_be_learned_is_learned(line):
    found = train.train(model(drop=0), *line, epochs=8, seed=0, batch=8)
    assert found["epoch"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found["loss"].iloc[-1] < found["loss"].iloc[0] / 2
    assert found["best"].tolist() == [False] * 7 + [True]


def test_one_seed_gives_one_result_and_another_another(line):
    ways = [train.train(model(), *line, epochs=2, seed=s, batch=8) for s in (1, 1, 2)]
    assert ways[0].equals(ways[1])
    assert not ways[0].equals(ways[2])


def test_an_epoch_shows_every_image_once_before_any_again():
    orders = train._orders(10, 20, np.random.default_rng(0))
    first, second = next(orders), next(orders)
    assert np.bincount(first).tolist() == [2] * 10
    np.testing.assert_array_equal(np.sort(first[:10]), np.arange(10))
    assert (first != second).any()


def test_labels_go_with_their_images(monkeypatch):
    shown = []

    def epoch(_model, images, labels, *_):
        shown.append((images[:, 0], labels[:, 0]))
        return {"epoch": 1, "loss": 0.0}

    monkeypatch.setattr(train, "_epoch", epoch)
    numbers = np.arange(10, dtype=np.float32)[:, None].repeat(2, 1)
    train.train(model(), numbers, numbers, epochs=2, seed=0, batch=4)
    for images, labels in shown:
        assert len(images) == 12, "full batches"
        np.testing.assert_array_equal(images, labels)


def test_a_loss_that_is_no_number_stops_the_training_at_once(line):
    points, labels = line
    points[3] = np.nan
    with pytest.raises(
        train.TrainingError, match=r"loss is nan in epoch 1 of 5; look for"
    ):
        train.train(model(), points, labels, epochs=5, seed=0, batch=8)


def test_images_without_labels_are_refused(line):
    with pytest.raises(train.TrainingError, match="40 images and 39 labels"):
        train.train(model(), line[0], line[1][1:], epochs=1, seed=0)
    with pytest.raises(train.TrainingError, match="0 images"):
        train.train(model(), line[0][:0], line[1][:0], epochs=1, seed=0)


def test_what_is_validated_by_is_measured_by_its_own_name(line):
    learned = model(metrics=["accuracy"])
    once = {"epochs": 2, "seed": 0, "batch": 8}
    found = train.train(learned, *line, validation=line, **once)
    names = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "best"}
    assert set(found.columns) == names
    last = found[found["best"]].iloc[0]
    loss, accuracy = learned.evaluate(*line, verbose=0)
    assert last["val_loss"] == pytest.approx(loss, rel=1e-5)
    assert last["val_accuracy"] == pytest.approx(accuracy)


def test_training_ends_where_it_gets_no_better_and_keeps_the_best(line):
    points, labels = line
    wrong = points[:8], labels[:8, ::-1]  # the better it learns, the worse it looks
    learned = model(drop=0)
    once = {"seed": 0, "batch": 8, "validation": wrong}
    found = train.train(learned, *line, epochs=9, patience=2, **once)
    assert len(found) == 3
    assert found["best"].tolist() == [True, False, False]
    first = model(drop=0)
    train.train(first, *line, epochs=1, **once)
    assert same(first, learned)


def test_of_equally_good_epochs_the_last_is_taken():
    same = [{"val_accuracy": value} for value in (0.5, 0.8, 0.8, 0.6)]
    assert train._best(same, "val_accuracy") == 2


def test_patience_needs_something_to_validate_by(line):
    with pytest.raises(
        train.TrainingError, match=r"needs images .* validation=\(images, labels\)"
    ):
        train.train(model(), *line, epochs=1, seed=0, patience=2)
    with pytest.raises(
        train.TrainingError, match="0 images and 0 labels to validate by"
    ):
        train.train(
            model(), *line, epochs=1, seed=0, validation=(line[0][:0], line[1][:0])
        )


def test_a_column_that_is_not_there_chooses_no_epoch(line):
    with pytest.raises(train.TrainingError, match=r"'val_accuracy' .* loss, val_loss"):
        train.train(
            model(), *line, epochs=1, seed=0, validation=line, monitor="val_accuracy"
        )


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(line, tmp_path, epoch):
    once = {
        "epochs": 4,
        "seed": 5,
        "batch": 8,
        "validation": (line[0][:9], line[1][:9]),
    }
    whole, cut, resumed = model(), model(), model()
    wanted = train.train(whole, *line, **once)
    keep = tmp_path / "kept"
    with pytest.raises(Killed):
        train.train(cut, *line, **once, checkpoint=keep, log=killed(epoch))
    said = []
    found = train.train(resumed, *line, **once, checkpoint=keep, log=said.append)
    assert said[0] == f"goes on after epoch {epoch} of 4"
    assert len(said) == 5 - epoch
    assert found.equals(wanted)
    assert same(whole, resumed)
    assert not keep.exists()


def test_a_network_that_augments_goes_on_with_the_same_chance(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.random((8, 16, 8, 1), np.float32)
    labels = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    once = {"epochs": 2, "seed": 0, "batch": 4}

    def network():
        return small.ready(small.cnn((16, 8, 1), 2, seed=0), steps=4)

    whole, resumed = network(), network()
    wanted = train.train(whole, images, labels, **once)
    with pytest.raises(Killed):
        train.train(
            network(), images, labels, **once, checkpoint=tmp_path, log=killed(1)
        )
    assert train.train(resumed, images, labels, **once, checkpoint=tmp_path).equals(
        wanted
    )
    assert same(whole, resumed)


OTHERS = {
    "seed": {"seed": 6},
    "epochs": {"epochs": 5},
    "batch, steps": {"batch": 4},
    "first weights": {"model": {"seed": 9, "drop": 0.0}},
    "network": {"model": {"drop": 0.2}},
    "learning": {"model": {"rate": 0.01}},
    "images": {"shift": 1},
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_training_s_checkpoint_is_refused_by_name(line, tmp_path, what):
    once = {"epochs": 4, "seed": 5, "batch": 8, "checkpoint": tmp_path}
    with pytest.raises(Killed):
        train.train(model(), *line, **once, log=killed(1))
    change = dict(OTHERS[what])
    points, changed = line[0] + change.pop("shift", 0), change.pop("model", {})
    with pytest.raises(train.TrainingError, match=f"another training .other .*{what}"):
        train.train(model(**changed), points, line[1], **once | change)
    assert (tmp_path / train.FILE).exists()


def test_a_checkpoint_that_was_cut_off_is_refused(line, tmp_path):
    once = {"epochs": 4, "seed": 5, "batch": 8, "checkpoint": tmp_path}
    with pytest.raises(Killed):
        train.train(model(), *line, **once, log=killed(1))
    assert [one.name for one in tmp_path.iterdir()] == [train.FILE]  # nothing half done
    file = tmp_path / train.FILE
    for part in (file.read_bytes()[:-40], b"", b"no archive"):
        file.write_bytes(part)
        with pytest.raises(train.TrainingError, match=r"cannot be read; remove it"):
            train.train(model(), *line, **once)


def test_nothing_goes_on_from_a_loss_that_is_no_number(line, tmp_path):
    points, labels = line
    bad = points + np.nan, labels
    once = {"epochs": 4, "seed": 0, "batch": 8, "checkpoint": tmp_path / "kept"}
    with pytest.raises(
        train.TrainingError, match="the val_loss is nan in epoch 1 of 4"
    ):
        train.train(model(), points, labels, validation=bad, **once)
    assert not (tmp_path / "kept").exists()


def test_half_precision_is_for_what_computes_with_it(monkeypatch, tmp_path):
    cpu = tmp_path / "cpuinfo"
    monkeypatch.setattr(train, "CPU", cpu)
    for devices, flags, names in (
        (["cpu:0"], None, ("float32", "float32")),
        (["cpu:0"], "flags : sse avx512f", ("float32", "float32")),
        (["cpu:0"], "flags : sse avx512_bf16", ("float32", "mixed_bfloat16")),
        (["gpu:0"], "flags : sse", ("mixed_float16", "mixed_float16")),
    ):
        if flags:
            cpu.write_text(flags)
        monkeypatch.setattr(
            keras.distribution, "list_devices", lambda found=devices: found
        )
        found = train.precision().name, train.precision(large=True).name
        assert found == names


def test_a_number_format_holds_for_what_is_built_meanwhile():
    before = keras.config.dtype_policy().name
    with train.built("mixed_bfloat16"):
        half = keras.layers.Dense(1)
    assert half.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == before


def test_the_best_epoch_is_by_the_column_that_was_asked_for(line):
    points, wanted = line
    held = points[::3], wanted[::3]
    ways = {}
    for column in ("val_loss", "val_accuracy"):
        network = model(rate=0.5, metrics=["accuracy"])
        words = {"epochs": 6, "seed": 3, "batch": 8, "validation": held}
        ways[column] = train.train(network, points, wanted, **words, monitor=column)
        told = ways[column]
        best = told[column].min() if column == "val_loss" else told[column].max()
        assert told.loc[told["best"], column].item() == best
        found = network.evaluate(*held, verbose=0, return_dict=True)
        assert found["accuracy"] == pytest.approx(
            told.loc[told["best"], "val_accuracy"].item()
        )
    assert (
        ways["val_loss"]
        .drop(columns="best")
        .equals(ways["val_accuracy"].drop(columns="best"))
    )


def test_equal_networks_share_what_is_compiled_and_learn_as_if_they_did_not(line):
    first, second = model(), model()
    train._twins.clear()
    for each in (first, second):
        train.train(each, *line, epochs=2, seed=0, batch=8)
    assert len(train._twins) == 1
    assert same(first, second)
    slower, alone = model(rate=0.001), model(rate=0.001)
    train.train(slower, *line, epochs=2, seed=0, batch=8)
    assert len(train._twins) == 1, "a rate is a variable, so nothing is compiled anew"
    train._twins.clear()
    train.train(alone, *line, epochs=2, seed=0, batch=8)
    assert same(slower, alone)
    assert not same(slower, first)
    falling = keras.optimizers.schedules.CosineDecay(0.001, decay_steps=8)
    train.train(model(rate=falling), *line, epochs=1, seed=0, batch=8)
    assert len(train._twins) == 2, "a rate that changes is another way of learning"


def test_one_training_on_a_page_keeps_its_best_epoch(line):
    network = model(rate=0.5, metrics=["accuracy"])
    held = line[0][::3], line[1][::3]
    history = network.fit(
        *line,
        validation_data=held,
        epochs=5,
        verbose=0,
        callbacks=train.callbacks(monitor="val_accuracy"),
    ).history
    _, accuracy = network.evaluate(*held, verbose=0)
    assert accuracy == pytest.approx(max(history["val_accuracy"]))


def test_on_a_page_a_second_fit_goes_on_and_a_monitor_must_be_measured(line):
    network, held = model(metrics=["accuracy"]), (line[0][::3], line[1][::3])
    words = {"validation_data": held, "epochs": 3, "initial_epoch": 2, "verbose": 0}
    network.fit(*line, **words, callbacks=train.callbacks("val_accuracy"))
    with pytest.raises(train.TrainingError, match="no column 'val_AUC'"):
        network.fit(*line, **words, callbacks=train.callbacks("val_AUC"))


@pytest.mark.parametrize("facts", ["{}", "[]", "3"])
def test_a_file_of_somebody_else_is_no_checkpoint(line, tmp_path, facts):
    np.savez(tmp_path / train.FILE, facts=np.array(facts))
    with pytest.raises(train.TrainingError, match="cannot be read; remove it"):
        train.train(model(), *line, epochs=1, seed=0, checkpoint=tmp_path)
