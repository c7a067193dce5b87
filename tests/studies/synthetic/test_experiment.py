"""Laws of the experiment: what is learned, scored, kept and taken up again."""

import json
import types

import numpy as np
import pytest

from chromolib.models import small
from chromolib.runs import results
from chromolib.studies.synthetic import data, discriminator, experiment, network

SHORT = experiment.Budget(taught=6, alone=3, after=3, batch=16)


def dataset(label):
    """A Dataset of so many labels in groups of four, without pictures."""
    label, group = np.asarray(label), np.arange(len(label)) // 4
    return data.Dataset(np.empty((len(label), 0)), label, group, group)


def test_true_labels_teach_and_shuffled_ones_do_not(real, synthetic):
    cells, test = data.dataset(synthetic), data.dataset(real)
    shuffled = np.random.default_rng(0).permutation(cells.label)

    def accuracy(labels):
        model = network.classifier(cells.images.shape[1:], upright=True, seed=0)
        small.ready(model, steps=60)
        network.train(model, cells.images, labels, steps=60, seed=0, batch=64)
        return (network.predict(model, test.images, upright=True) == test.label).mean()

    assert accuracy(cells.label) > 0.3
    assert accuracy(shuffled) < 0.15  # of 24 classes


def test_a_run_taken_up_again_trains_what_is_missing_and_ends_the_same(
    root, real, synthetic, tmp_path, monkeypatch
):
    monkeypatch.setattr(discriminator, "run", lambda *_, **__: [])
    real = real.take(np.isin(real.group, np.unique(real.group)[:6]))
    synthetic, path = synthetic.take(np.arange(92)), tmp_path / "answers.csv"

    def run():
        log = []
        estimates = experiment.run(
            *(root, real, synthetic, tmp_path),
            ks=(1,),
            seeds=(0,),
            budget=SHORT,
            log=log.append,
        )
        return estimates, [line.partition(" seed")[0] for line in log]

    first, trained = run()
    assert trained == ["taught=synthetic k=0", "taught=real k=1", "taught=both k=1"]
    assert results.read_estimates(tmp_path / "estimates.csv") == first
    facts = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert facts["part"] == "valid"
    assert facts["budget"]["taught"] == SHORT.taught
    assert facts["images"]["synthetic"]["images"] == 92
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    assert run() == (first, ["taught=both k=1"])  # after synthetic cells, trained anew
    assert path.read_text(encoding="utf-8") == "".join(lines)


def test_the_gain_is_the_difference_of_both_ways():
    test = dataset(np.arange(200) % 24)
    missed = np.random.default_rng(0).random(200) < 0.25
    wrong = np.where(missed, (test.label + 1) % 24, test.label)
    predictions = {
        ("synthetic", 0, 0): wrong,
        ("real", 1, 0): wrong,
        ("both", 1, 0): test.label,
    }
    found = experiment.score(
        predictions, test, ks=(1,), seeds=(0,), part="valid", source="pki3"
    )
    share = 1 - missed.mean()
    values = [estimate.value for estimate in found]
    np.testing.assert_allclose(values, [share, share, 1, 1 - share], atol=1e-9)
    gain = found[-1]
    assert gain.quantity == "accuracy gained"
    assert gain.low < gain.value < gain.high
    assert {estimate.source for estimate in found} == {"pki3"}
    weights = [estimate.weights for estimate in found]
    assert weights == ["synthetic", "none", "synthetic", "synthetic"]


def test_seeds_are_pooled_for_each_chromosome():
    test = dataset(np.zeros(8, int))
    predictions = {("synthetic", 0, 0): test.label, ("synthetic", 0, 1): test.label + 1}
    (found,) = experiment.score(
        predictions, test, ks=(), seeds=(0, 1), part="test", source="pki3"
    )
    assert (found.value, found.n, found.groups) == (0.5, 8, 2)
    assert found.conditions["lowest"] == "0.0000"
    assert found.conditions["highest"] == "1.0000"


def test_answers_come_back_and_another_experiment_has_none_of_them(tmp_path):
    path = tmp_path / "answers.csv"
    assert experiment.read_answers(path, "one") == {}
    first, second = np.arange(24), np.zeros(24, int)
    experiment.append_answers(path, "one", ("real", 5, 0), first)
    experiment.append_answers(path, "one", ("both", 5, 0), second)
    experiment.append_answers(path, "other", ("real", 5, 1), second)
    found = experiment.read_answers(path, "one")
    assert set(found) == {("real", 5, 0), ("both", 5, 0)}
    np.testing.assert_array_equal(found["real", 5, 0], first)
    np.testing.assert_array_equal(found["both", 5, 0], second)


def test_a_line_that_was_cut_off_is_no_answer(tmp_path):
    path = tmp_path / "answers.csv"
    experiment.append_answers(path, "one", ("real", 5, 0), np.arange(24))
    text = path.read_text(encoding="utf-8")
    for cut in range(1, 30):
        path.write_text(text[:-cut], encoding="utf-8")
        experiment.append_answers(path, "one", ("both", 5, 0), np.arange(24))
        found = experiment.read_answers(path, "one")
        np.testing.assert_array_equal(found["both", 5, 0], np.arange(24))
        before = found.get(("real", 5, 0), np.empty(0))
        assert len(before) < 24 or cut == 1  # only the end of the line is lost


@pytest.mark.parametrize(
    "changed", [{"real": "c"}, {"synthetic": "c"}, {"final": True}, {"alone": 7}]
)
def test_an_experiment_is_another_when_anything_it_rests_on_changes(root, changed):
    def stamp(real="a", synthetic="b", final=False, **budget):
        sets = (types.SimpleNamespace(fingerprint=hash_) for hash_ in (real, synthetic))
        return experiment.stamp_of(root, *sets, final, experiment.Budget(**budget))

    assert stamp() == stamp() != stamp(**changed)
