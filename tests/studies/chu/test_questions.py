"""What the page asks of full runs, on numbers made up for it."""

import pytest

from chromolib import records
from chromolib.studies.chu import confidence, questions

AREA = "AUROC of abnormal"


def estimate(value=0.6, *, reach=0.1, quantity=AREA, **words):
    plain = {"study": "chu", "model": "VGG16, processed", "weights": "hed"}
    plain |= {"source": "pki3", "protocol": "clean", "n": 90, "groups": 9}
    plain |= {"low": value - reach, "high": value + reach, "value": value}
    plain |= {"conditions": {"labels": "true"}}
    return records.Estimate(quantity=quantity, **plain | words)


def test_scores_are_counted_by_what_their_interval_leaves_open():
    def difference(value, score, against=confidence.CONTROL):
        conditions = {"method": "any", "score": score, "against": against}
        quantity = f"difference in {questions.AUGRC}"
        return estimate(value, quantity=quantity, conditions=conditions)

    pairs = [(-0.2, "votes"), (-0.3, "votes"), (0.2, "votes"), (0.05, "entropy")]
    known = [difference(value, score) for value, score in pairs]
    known.append(difference(-0.2, "entropy", "100 draws"))
    found = questions.beaten(known).set_index("score")
    assert found.loc["votes", ["better", "neither", "worse"]].tolist() == [2, 0, 1]
    assert found.loc["entropy", ["better", "neither", "worse"]].tolist() == [0, 1, 0]
    assert questions.beaten([]).empty


def test_the_lead_of_a_rival_is_over_the_network_nearest_to_it():
    def lead(value, model, source="pki3"):
        words = {"model": model, "source": source}
        return estimate(value, quantity=f"difference in {AREA}", **words)

    rival = "count by place"
    near = lead(0.1, f"{rival} - VGG16, original")
    kept = [lead(0.4, f"{rival} - VGG16, processed"), near, estimate(0.1)]
    kept += [lead(-0.3, "VGG16, one block - VGG16, processed")]
    kept += [other := lead(0.2, f"{rival} - VGG16, processed", "synthetic")]
    assert questions.kept_leads(kept) == [near, other]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({}, "VGG16, processed, hed"),
        ({"model": "count by place", "weights": "none"}, "count by place"),
        ({"model": "ink area", "weights": "none"}, "ink area"),
        ({"model": "linear probe of vgg16"}, None),
        ({"conditions": {"labels": "random"}}, None),
        ({"conditions": {"labels": "true", "tested": "natural"}}, None),
        ({"quantity": "accuracy"}, None),
    ],
)
def test_full_runs_are_drawn_with_their_weights(words, name):
    found = questions.kept_bars([estimate(**words)])
    assert [one.model for one in found] == ([name] if name else [])
