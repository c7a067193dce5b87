"""The forerunners: their shapes, that they learn, and what the table says of them."""

import pytest

from chromolib.models import pictures
from chromolib.studies.chromonet import comparators, experiment, syndromes


@pytest.mark.parametrize("name", comparators.NETWORKS)
def test_a_forerunner_fits_both_canvases_and_starts_as_its_seed_says(name):
    for canvas in pictures.CANVAS.values():
        first, again, other = (
            comparators.NETWORKS[name]((*canvas, 1), seed=seed) for seed in (0, 0, 1)
        )
        assert first.output_shape == (None, 2)
        assert 10_000 < first.count_params() < 500_000
        pairs = zip(first.get_weights(), again.get_weights(), strict=True)
        assert all((a == b).all() for a, b in pairs)
        pairs = zip(first.get_weights(), other.get_weights(), strict=True)
        assert any((a != b).any() for a, b in pairs)


@pytest.mark.parametrize("name", comparators.NETWORKS)
def test_a_forerunner_learns_what_is_plain_to_see(name, bars):
    part = bars(64, "plain", shape=(96, 32))
    model = comparators.NETWORKS[name]((96, 32, 1), seed=0)
    history = model.fit(*part.xy, epochs=25, batch_size=16, verbose=0)
    assert max(history.history["accuracy"]) > 0.9


def test_all_learn_from_the_same_images_and_stand_in_one_table(run, grid, monkeypatch):
    learned = []

    def fitted(name, model, split, samples, sizes, seed):
        learned.append((name, split.protocol, len(samples)))
        history = grid.chromonet(split.protocol).history
        return experiment.Trained(name, split, model, history, 2.0)

    monkeypatch.setattr(experiment, "fitted", fitted)
    monkeypatch.setitem(comparators.NETWORKS, "LeNet-5", small)
    asked = run()
    compared = comparators.run(asked, grid, ["LeNet-5"])
    assert learned == [
        ("LeNet-5", name, len(grid.chromonet(name).split.train))
        for name in ("published", "clean")
    ]
    table = comparators.table(compared).set_index("network")
    assert table.index.tolist() == ["ChromoNet", "LeNet-5"]
    assert table.loc["LeNet-5", "seconds, clean"] == 2
    assert table.loc["ChromoNet", "parameters"] > table.loc["LeNet-5", "parameters"]
    assert table.notna().all().all()
    assert {one.model for one in asked.estimates} == {"LeNet-5", "ChromoNet - LeNet-5"}


def small(shape, *, seed):
    make, inputs = comparators._Maker(seed), comparators.keras.Input(shape)
    x = comparators.keras.layers.GlobalAveragePooling2D()(make.conv(inputs, 4, 3))
    return make.model(inputs, x, "small")


def test_each_syndrome_is_drawn_as_often_and_no_patient_trains_and_tests(run):
    every = syndromes.drawn(12, seed=0)
    again = syndromes.drawn(12, seed=0)
    assert every.label.tolist() == [*syndromes.SYNDROMES] * 2
    assert (every.x == again.x).all()
    assert every.x.shape[1:] == (*pictures.CANVAS["karyogram"], 1)
    split = syndromes._split(every)
    groups = [set(part.group) for part in (split.train, split.validation, split.test)]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 12
    named = syndromes.run(run(), count=30, epochs=1)
    assert named.predictions.probability.shape == (12, 6)
    quantities = {one.quantity for one in named.estimates}
    assert {"balanced accuracy", "recall of Down"} <= quantities


def test_a_patient_of_a_syndrome_has_its_number_of_chromosomes():
    for name, karyotypes in syndromes.SYNDROMES.items():
        for text in karyotypes:
            cell = syndromes.lab.cell(text)
            count = len(cell.label)
            assert count == {"none": 46, "Turner": 45}.get(name, 47)
