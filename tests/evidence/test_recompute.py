"""Every rule has an example worked by hand; the important ones a law or a slow twin."""

import decimal
import fractions
import itertools
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from scipy import stats
from sklearn import model_selection

from chromolib.evidence import recompute, rules

MATRIX = [["2", "1"], ["0", "3"]]

# Counts are text, as in the claims files: `0.5` is rounded and `5` is exact.
EXAMPLES = [
    ("accuracy", {"tp": "3", "fp": "1", "tn": "4", "fn": "2"}, 7 / 10),
    ("precision", {"tp": "3", "fp": "1"}, 3 / 4),
    ("recall", {"tp": "3", "fn": "2"}, 3 / 5),
    ("specificity", {"tn": "4", "fp": "1"}, 4 / 5),
    ("nearest_share", {"printed": "33 %", "whole": "6"}, 2 / 6),
    ("matrix_accuracy", {"matrix": MATRIX}, 5 / 6),
    ("matrix_recall", {"matrix": MATRIX, "row": "0"}, 2 / 3),
    ("matrix_precision", {"matrix": MATRIX, "column": "1"}, 3 / 4),
    ("f1", {"precision": "0.5", "recall": "1.0"}, 2 / 3),
    (
        "accuracy_of_rates",
        {"recall": "0.5", "specificity": "1.0", "positives": "4", "negatives": "6"},
        8 / 10,
    ),
    # 3 of 5 positives found, 1 of 5 negatives called: 7 of 10 are right
    (
        "implied_accuracy",
        {"precision": "0.75", "recall": "0.6", "positives": "5", "negatives": "5"},
        7 / 10,
    ),
    # 3 of 6 positives found, 1 of 4 negatives called: F1 is 6 / 10, and 6 are right
    (
        "implied_accuracy_of_f1",
        {"precision": "0.75", "f1": "0.6", "positives": "6", "negatives": "4"},
        6 / 10,
    ),
    ("scaled", {"part": ["1", "2"], "rest": ["3"], "whole": "12"}, 6),
    ("training_share", {"train": ["6", "2"], "test": ["2"]}, 8 / 10),
    ("total", {"parts": ["1", "2", "3"]}, 6),
    ("product", {"factors": ["2", "3", "4"]}, 24),
    # 2 x 2 pixels of 3 channels and a bias make 13 numbers for each of 5 filters
    ("weights", {"inputs": ["2", "2", "3"], "outputs": "5"}, 65),
    ("pooled", {"side": "11", "times": "0"}, 11),
    ("pooled", {"side": "11", "times": "2"}, 2),
    ("ratio", {"part": "6", "whole": "4"}, 1.5),
    ("difference", {"first": "5", "second": "7"}, -2),
    ("power", {"base": "0.5", "exponent": "3"}, 1 / 8),
    ("mean", {"values": ["1", "2", "6"]}, 3),
    ("weighted_mean", {"values": ["1", "4"], "weights": ["2", "1"]}, 2),
    ("largest", {"values": ["1", "5", "3"]}, 5),
    ("smallest", {"values": ["2", "1", "3"]}, 1),
    ("elsewhere", {"value": "94 %"}, 0.94),
    ("distinct", {"values": ["VGG", "SSD", "VGG"]}, 2),
    ("held_out", {"whole": "21", "share": "20 %"}, 5),
    ("batches", {"images": "65", "batch": "32"}, 3),
    # two filters of 3 x 3 over one channel: 2 * 9 weights and 2 biases
    (
        "convolution_parameters",
        {"channels_in": "1", "channels_out": "2", "side": "3"},
        20,
    ),
    ("dense_parameters", {"inputs": "25", "outputs": "4"}, 104),
    ("smallest_whole", {"shares": ["0.33", "0.50"], "decimals": "2"}, 6),
    ("smallest_whole", {"shares": ["0", "1"], "decimals": "2"}, 1),
    # 10 passes over 36 images at 5 seconds each: 1,800 seconds
    ("hours", {"passes": "10", "images": "36", "seconds": "5"}, 0.5),
    ("reduction", {"before": "8", "after": "6"}, 1 / 4),
    ("boxes_per_image", {"recall": "0.5", "precision": "0.25", "objects": "46"}, 92),
    ("matrix_row", {"matrix": MATRIX, "row": "1"}, 3),
    ("matrix_total", {"matrix": MATRIX}, 6),
    # of 1/2, 1/3 and 1/4 the last is nearest, and a float32 holds it exactly
    ("nearest_float32", {"target": "0.26", "least": "2", "most": "4"}, 0.25),
    ("nearest_float32", {"target": "0.2", "least": "2", "most": "4"}, 0.25),
    ("repeats", {"first": ["1", "2", "3"], "second": ["2", "5", "9"]}, 1),
    ("last_step", {"values": ["1", "3", "4", "9", "3"]}, 3),
    ("probability_of_loss", {"loss": "0"}, 1),
    # the lady tasting tea: 34 of the 70 ways are as extreme
    ("fisher", {"a": "3", "b": "1", "c": "1", "d": "3"}, 34 / 70),
    # three errors in common leave 0 against 5: two of 32 sign patterns
    (
        "best_mcnemar",
        {"fp_first": "0", "fn_first": "3", "fp_second": "0", "fn_second": "8"},
        2 / 32,
    ),
    # half the negatives called, half the positives missed: a quarter is lost
    ("best_auc", {"tp": "1", "fp": "1", "tn": "1", "fn": "1"}, 3 / 4),
    ("fact", {"known": "1,000"}, "1,000"),
    ("restated", {"other": "reference 10"}, "reference 10"),
    ("compare", {"first": "0.90", "second": "0.9"}, "equal"),
    ("compare", {"first": "0.90", "second": "0.91"}, "lower"),
    ("compare", {"first": "91 %", "second": "0.90"}, "higher"),
    ("trend", {"values": ["1", "2", "3"]}, "rising"),
    ("trend", {"values": ["3", "2", "1"]}, "falling"),
    ("trend", {"values": ["1", "2", "2"]}, "neither"),
    ("trend", {"values": ["2", "1", "1"]}, "neither"),
    # three copies of each source: both siblings miss training one time in four
    ("siblings", {"sources": "10", "images": "30", "train": "0.5"}, 3 / 4),
    ("overlap", {"parts": ["6", "5"], "whole": "8"}, 3),
    ("overlap", {"parts": ["3", "5"], "whole": "8"}, 0),
    # at least 11 + 6 images out of 15
    (
        "overlap_of_batches",
        {"train": "3", "test": "2", "batch": "5", "whole": "15"},
        2,
    ),
    ("reuse", {"uses": ["tuning", "stopping", "report"]}, 2),
    (
        "origin_alone",
        {
            "here_positive": "9",
            "here_negative": "1",
            "there_positive": "1",
            "there_negative": "9",
        },
        0.8,
    ),
]


@pytest.mark.parametrize(("rule", "counts", "expected"), EXAMPLES)
def test_a_rule_by_hand(rule, counts, expected):
    result = recompute.recompute(rule, counts)
    assert result.value == pytest.approx(expected)


def test_every_rule_has_an_example():
    assert {rule for rule, _, _ in EXAMPLES} == set(rules.RULES)


# --- proportions and what follows from them -----------------------------------------


def test_clopper_pearson_is_the_beta_formula():
    n = 30
    for k in range(1, n):
        low = stats.beta.ppf(0.025, k, n - k + 1)
        high = stats.beta.ppf(0.975, k + 1, n - k)
        assert recompute.clopper_pearson(k, n) == pytest.approx((low, high))


def test_clopper_pearson_reaches_the_end_when_all_or_none_are_right():
    assert recompute.clopper_pearson(0, 30)[0] == 0
    assert recompute.clopper_pearson(30, 30)[1] == 1


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_clopper_pearson_covers_at_least_its_level(level):
    n, true = 30, np.linspace(0, 1, 1001)[:, None]
    bounds = [recompute.clopper_pearson(k, n, level=level) for k in range(n + 1)]
    low, high = np.transpose(bounds)
    chance = stats.binom.pmf(np.arange(n + 1), n, true)
    covered = np.sum(chance * ((low <= true) & (true <= high)), axis=1)
    assert covered.min() >= level - 1e-12


def test_f1_from_rates_is_f1_from_counts():
    for tp, fp, fn in itertools.product(range(1, 6), range(6), range(6)):
        rates = rules.f1(tp / (tp + fp), tp / (tp + fn))
        assert rates == pytest.approx(2 * tp / (2 * tp + fp + fn))


def test_accuracy_implied_by_other_scores_is_that_of_the_counts():
    some = range(1, 6)
    for tp, fp, tn, fn in itertools.product(some, range(6), some, range(6)):
        right = (tp + tn) / (tp + fp + tn + fn)
        precision, recall, f1 = (
            tp / (tp + fp),
            tp / (tp + fn),
            2 * tp / (2 * tp + fp + fn),
        )
        made_of = {"positives": tp + fn, "negatives": tn + fp}
        found = [
            rules.implied_accuracy(precision, recall, **made_of),
            rules.implied_accuracy_of_f1(precision, f1, **made_of),
            rules.accuracy_of_rates(recall, tn / (tn + fp), **made_of),
        ]
        assert found == pytest.approx([right] * 3)


def test_recall_weighted_by_support_is_accuracy():
    matrix = [[5, 1, 0], [2, 7, 3], [0, 0, 4]]
    right, whole = rules.matrix_accuracy(matrix)
    recalls = [np.divide(*rules.matrix_recall(matrix, row)) for row in range(3)]
    support = [rules.matrix_row(matrix, row) for row in range(3)]
    found = rules.weighted_mean(recalls, support)
    assert found == pytest.approx(right / whole)


def test_precision_of_a_table_is_recall_of_the_table_turned_over():
    matrix = [[5, 1, 0], [2, 7, 3], [0, 0, 4]]
    turned = [list(row) for row in zip(*matrix, strict=True)]
    for k in range(3):
        found = rules.matrix_precision(matrix, k)
        assert found == rules.matrix_recall(turned, k)


def test_best_auc_is_the_best_ranking_that_keeps_the_calls():
    for tp, fp, tn, fn in itertools.product((1, 2, 3), repeat=4):
        called = set(itertools.permutations([1] * tp + [0] * fp))
        rest = set(itertools.permutations([1] * fn + [0] * tn))
        best = max(area(top + low) for top, low in itertools.product(called, rest))
        assert rules.best_auc(tp, fp, tn, fn) == pytest.approx(best)


def area(ranking):
    """Share of the pairs of a positive and a negative with the positive first."""
    pairs = list(itertools.combinations(ranking, 2))
    return pairs.count((1, 0)) / (pairs.count((1, 0)) + pairs.count((0, 1)))


def test_best_auc_does_not_care_which_class_is_positive():
    counts = {"tp": 57, "fp": 4, "tn": 76, "fn": 2}
    swapped = {"tp": 76, "fp": 2, "tn": 57, "fn": 4}
    assert rules.best_auc(**counts) == pytest.approx(rules.best_auc(**swapped))


# --- exact tests --------------------------------------------------------------------


def test_fisher_adds_up_the_tables_that_are_no_likelier():
    for a, b, c, d in itertools.product(range(1, 5), repeat=4):
        ways = [
            math.comb(a + b, k) * math.comb(c + d, a + c - k)
            for k in range(max(0, a - d), min(a + b, a + c) + 1)
        ]
        extreme = sum(w for w in ways if w <= math.comb(a + b, a) * math.comb(c + d, c))
        assert rules.fisher(a, b, c, d) == pytest.approx(extreme / sum(ways))


def test_best_mcnemar_is_the_smallest_p_over_all_pairings():
    for first, second in itertools.product(
        itertools.product(range(4), repeat=2), repeat=2
    ):
        best = min(mcnemar(*pair) for pair in pairings(first, second, size=3))
        assert rules.best_mcnemar(*first, *second) == pytest.approx(best)


def pairings(first, second, *, size):
    """Which images two models get wrong, in every way that keeps both matrices."""
    for chosen in itertools.product(
        *(ways(errors, size) for errors in (*first, *second))
    ):
        yield chosen[0] + chosen[1], chosen[2] + chosen[3]


def ways(errors, size):
    return set(itertools.permutations([True] * errors + [False] * (size - errors)))


def mcnemar(first, second):
    b = sum(x and not y for x, y in zip(first, second, strict=True))
    c = sum(y and not x for x, y in zip(first, second, strict=True))
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, 2 * tail)


# --- layers, shares and series ------------------------------------------------------


def test_weights_grow_with_the_outputs_alone():
    one = rules.weights(inputs=[3, 3, 64], outputs=1)
    assert rules.weights(inputs=[3, 3, 64], outputs=128) == 128 * one


def test_the_rules_for_layers_agree_where_they_meet():
    for inputs, outputs in ((1, 1), (3, 64), (512, 119)):
        dense = rules.dense_parameters(inputs, outputs)
        assert rules.convolution_parameters(inputs, outputs, 1) == dense
        assert rules.weights([inputs], outputs) == dense
        square = rules.convolution_parameters(inputs, outputs, 3)
        assert rules.weights([3, 3, inputs], outputs) == square


def test_pooling_in_one_go_or_two():
    once = rules.pooled(side=150, times=2)
    assert rules.pooled(side=once, times=3) == rules.pooled(side=150, times=5)


@pytest.mark.parametrize("whole", [7, 46, 146, 692])
@pytest.mark.parametrize("share", [0.16, 0.2, 0.3])
def test_held_out_is_what_scikit_learn_sets_aside(whole, share):
    _, test = model_selection.train_test_split(range(whole), test_size=share)
    assert rules.held_out(whole, share) == len(test)


@pytest.mark.parametrize(
    "shares", [(0.33, 0.5), (0.17, 0.83, 0.25), (0.92, 0.93, 0.94)]
)
def test_the_smallest_whole_is_the_first_that_fits(shares):
    half = fractions.Fraction(1, 200)
    exact = [fractions.Fraction(round(share * 100), 100) for share in shares]

    def gives(whole, share):
        parts = (fractions.Fraction(part, whole) for part in range(whole + 1))
        return any(abs(part - share) <= half for part in parts)

    fits = (n for n in itertools.count(1) if all(gives(n, share) for share in exact))
    assert rules.smallest_whole(shares, 2) == next(fits)


@pytest.mark.parametrize("whole", [7, 46, 1104])
def test_shares_of_a_whole_never_need_more_than_it(whole):
    shares = [round(part / whole, 4) for part in (0, 1, whole // 3, whole - 1, whole)]
    assert rules.smallest_whole(shares, 4) <= whole


@pytest.mark.parametrize("target", [0.0, 0.123456789, 0.5, 0.9265168452262878, 1.0])
def test_nearest_float32_looks_at_every_share(target):
    shares = [k / n for n in range(40, 60) for k in range(n + 1)]
    distances = [abs(float(np.float32(share)) - target) for share in shares]
    found = rules.nearest_float32(target, 40, 59)
    assert abs(found - target) == min(distances)
    assert found in {float(np.float32(share)) for share in shares}


def test_a_share_that_was_stored_as_float32_is_found_again():
    stored = float(np.float32(2936 / 3169))
    assert rules.nearest_float32(stored, 3169, 3200) == stored


def test_hours_do_not_care_whether_passes_or_images_double():
    assert rules.hours(20, 36, 0.1) == pytest.approx(rules.hours(10, 72, 0.1))


def test_reduction_is_nothing_when_nothing_falls_and_does_not_care_about_units():
    assert rules.reduction(before=15.7, after=15.7) == 0
    assert rules.reduction(157, 137) == pytest.approx(rules.reduction(15.7, 13.7))


def test_boxes_that_are_drawn_give_back_both_scores():
    tp, fp, fn = 30, 10, 16
    boxes = rules.boxes_per_image(tp / (tp + fn), tp / (tp + fp), tp + fn)
    assert boxes == pytest.approx(tp + fp)


def test_the_last_step_does_not_care_about_units_or_direction():
    values = np.array([0.61, 0.67, 0.66, 0.70, 0.93])
    found = rules.last_step(values)
    assert rules.last_step(100 * values) == pytest.approx(found)
    assert rules.last_step(1 - values) == pytest.approx(found)


def test_repeats_are_all_there_when_one_log_is_the_other_shifted():
    assert rules.repeats(first=[9, 1, 2, 3], second=[1, 2, 3, 8]) == 3


def test_the_probability_of_a_loss_is_a_geometric_mean():
    loss = np.mean([-math.log(0.5), -math.log(0.125)])
    assert rules.probability_of_loss(loss) == pytest.approx(math.sqrt(0.5 * 0.125))


# --- leaks --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "copies", "train"),
    [(4, 3, 0.5), (3, 5, 0.7), (10, 2, 0.2), (6, 1, 0.7)],
)
def test_siblings_against_a_drawn_split(sources, copies, train):
    rng = np.random.default_rng(0)
    tested = seen = 0
    for _ in range(3000):
        training = rng.random((sources, copies)) < train
        for source in training:
            tested += sum(not one for one in source)
            seen += sum(not one and any(source) for one in source)
    formula = rules.siblings(sources, sources * copies, train)
    assert seen / tested == pytest.approx(formula, abs=0.015)


def test_more_copies_or_more_training_leak_more():
    leaks = [rules.siblings(10, images, 0.5) for images in (10, 20, 30, 90)]
    assert leaks == sorted(leaks)
    assert leaks[0] == 0
    shares = [rules.siblings(10, 40, train) for train in (0, 0.1, 0.5, 0.9, 1)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_batches_hide_an_overlap_only_in_the_last_ones():
    for train, test, batch in itertools.product(range(1, 30), range(1, 30), (1, 8)):
        passes = rules.batches(train, batch), rules.batches(test, batch)
        found = rules.overlap_of_batches(*passes, batch, whole=30)
        assert found <= rules.overlap([train, test], 30)
        if batch == 1:
            assert found == rules.overlap([train, test], 30)


def test_one_batch_each_never_forces_an_overlap():
    assert rules.overlap_of_batches(1, 1, 32, 2) == 0


def test_origin_tells_all_or_nothing_and_does_not_care_about_names():
    assert rules.origin_alone(20, 0, 0, 20) == 1
    assert rules.origin_alone(20, 20, 5, 5) == 0
    counts = rules.origin_alone(20, 4, 3, 18)
    assert rules.origin_alone(4, 20, 18, 3) == pytest.approx(counts)
    assert rules.origin_alone(3, 18, 20, 4) == pytest.approx(counts)


# --- printed numbers ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("5,474", 5474, 0),
        ("5474", 5474, 0),
        ("-3", -3, 0),
        ("0", 0, 0),
        ("~1,200", 1200, 50),
        ("~18", 18, 0.5),
        ("94.11%", 0.9411, 0.00005),
        ("94 %", 0.94, 0.005),
        ("100%", 1, 0.005),
        ("~94 %", 0.94, 0.005),
        ("0.90", 0.9, 0.005),
        (" 0.9 ", 0.9, 0.05),
        (".83", 0.83, 0.005),
        ("1,234.5", 1234.5, 0.05),
        ("1e-3", 0.001, 0.0005),
        ("2.5e-3", 0.0025, 0.00005),
        ("-0.5", -0.5, 0.05),
        ("+2", 2, 0),
    ],
)
def test_a_printed_number(text, value, half):
    printed = recompute.parse(text)
    assert (printed.value, printed.half) == pytest.approx((value, half))
    assert printed.exact == (half == 0)
    assert printed.text == text


@pytest.mark.parametrize(
    "text",
    ["80:20", "", " ", ".", "%", "~", "1.", "1,23", "0,9", "1 200", "e-3", "VGG16"],
)
def test_what_is_not_a_number(text):
    assert recompute.parse(text) is None


def test_percent_and_share_are_the_same_number():
    percent, share = recompute.parse("94.1 %"), recompute.parse("0.941")
    found = (percent.value, percent.half)
    assert found == pytest.approx((share.value, share.half))


def test_the_parts_of_a_claim_become_numbers_where_they_are():
    counts = {"matrix": [["1,000", "0.5"], ["2 %", "none"]], "row": "0"}
    found = recompute.values(counts)
    assert found == {"matrix": [[1000, 0.5], [0.02, "none"]], "row": 0}


# --- recomputing --------------------------------------------------------------------

ROUNDED = [
    ("f1", {"precision": "0.78", "recall": "0.76"}),
    (
        "accuracy_of_rates",
        {"recall": ".81", "specificity": ".76", "positives": "254", "negatives": "286"},
    ),
    (
        "implied_accuracy",
        {"precision": "0.3", "recall": "0.9", "positives": "254", "negatives": "286"},
    ),
    (
        "implied_accuracy_of_f1",
        {"precision": "0.853", "f1": "0.875", "positives": "254", "negatives": "286"},
    ),
    ("accuracy", {"tp": ".81", "fp": ".14", "tn": ".76", "fn": ".09"}),
    ("scaled", {"part": ["~120", "~80"], "rest": ["~50"], "whole": "1104"}),
    ("ratio", {"part": "0.5", "whole": "-1.5"}),
    ("difference", {"first": "0.91", "second": "0.89"}),
    ("product", {"factors": ["-1.5", "0.2", "3"]}),
    ("power", {"base": "0.98", "exponent": "46"}),
    ("mean", {"values": ["0.1", "0.95", "-0.3"]}),
    (
        "weighted_mean",
        {"values": ["0.8", "0.9", "0.4"], "weights": ["~40", "~30", "9"]},
    ),
    ("hours", {"passes": "~100", "images": "832", "seconds": "0.5"}),
    ("reduction", {"before": "22.4", "after": "15.8"}),
    ("boxes_per_image", {"recall": "0.98", "precision": "0.7", "objects": "46"}),
    ("probability_of_loss", {"loss": "1.9999"}),
    ("siblings", {"sources": "~75", "images": "832", "train": "70 %"}),
]


@pytest.mark.parametrize(("rule", "counts"), ROUNDED)
def test_no_unrounded_input_leads_outside_the_bounds(rule, counts):
    rng = np.random.default_rng(0)
    result = recompute.recompute(rule, counts)
    assert result.least < result.value < result.most
    for _ in range(300):
        inputs = {name: unrounded(text, rng) for name, text in counts.items()}
        found = rules.RULES[rule](**inputs)
        value = np.divide(*found) if isinstance(found, tuple) else found
        assert result.least - 1e-12 <= value <= result.most + 1e-12


def unrounded(text, rng):
    """A number that is printed so."""
    if isinstance(text, list):
        return [unrounded(part, rng) for part in text]
    printed = recompute.parse(text)
    return printed.value + printed.half * rng.uniform(-1, 1)


def test_a_mean_is_as_uncertain_as_its_rounded_values():
    result = recompute.recompute("mean", {"values": ["0.50"] * recompute.MOST_CORNERS})
    assert (result.least, result.most) == pytest.approx((0.495, 0.505))


def test_exact_counts_leave_no_choice():
    result = recompute.recompute("ratio", {"part": "832", "whole": "75"})
    assert result.least == result.value == result.most


def test_only_a_proportion_of_counts_has_an_interval():
    counted = recompute.recompute("recall", {"tp": "27", "fn": "3"})
    assert (counted.low, counted.high) == recompute.clopper_pearson(27, 30)
    assert counted.n == 30
    for rule, counts in [
        ("recall", {"tp": ".81", "fn": ".09"}),
        ("ratio", {"part": "27", "whole": "30"}),  # of a set: counted, not sampled
    ]:
        result = recompute.recompute(rule, counts)
        assert (result.low, result.high, result.n) == (None, None, None)


@pytest.mark.parametrize(
    ("rule", "counts", "complaint"),
    [
        ("f2", {"tp": "1", "fn": "1"}, "unknown rule 'f2'; known: accuracy, "),
        ("recall", {"tp": "1"}, "'recall' takes tp, fn; got tp$"),
        ("recall", {"tp": "1", "fn": "1", "tn": "1"}, "takes tp, fn; got tp, fn, tn$"),
        ("f1", {}, "takes precision, recall; got nothing$"),
    ],
)
def test_a_wrong_call_says_what_is_right(rule, counts, complaint):
    with pytest.raises(ValueError, match=complaint):
        recompute.recompute(rule, counts)


# --- agreement ----------------------------------------------------------------------


def word(printed, rule, counts, *, relation="equals"):
    result = recompute.recompute(rule, counts)
    return recompute.agreement(recompute.parse(printed), result, relation=relation)


@pytest.mark.parametrize(
    ("printed", "least", "most", "expected"),
    [
        ("5,474", 5474, 5474, "consistent"),
        ("5,474", 5475, 5475, "contradictory"),
        ("5,474", 5473.5, 5473.9, "contradictory"),
        ("0.90", 0.895, 0.895, "consistent"),
        ("0.90", 0.905, 0.905, "consistent"),
        ("0.90", 0.906, 0.906, "truncated"),
        ("0.90", 0.9099, 0.9099, "truncated"),
        ("0.90", 0.911, 0.911, "contradictory"),
        ("0.90", 0.894, 0.894, "contradictory"),
        ("0.90", 0.885, 0.895, "consistent"),
        ("0.90", 0.885, 0.896, "consistent"),
        ("0.90", 0.905, 0.915, "consistent"),
        ("0.90", 0.904, 0.915, "consistent"),
        ("0.90", 0.5, 1, "consistent"),
        ("~1,200", 1150, 1150, "consistent"),
        ("~1,200", 1149, 1149, "contradictory"),
    ],
)
def test_the_word_for_a_number_and_its_bounds(printed, least, most, expected):
    result = recompute.Recomputed(least, least, most)
    assert recompute.agreement(recompute.parse(printed), result) == expected


@pytest.mark.parametrize(
    ("printed", "relation", "bound", "expected"),
    [
        ("0.95", "at most", 0.946, "consistent"),
        ("0.95", "at most", 0.944, "contradictory"),
        ("0.95", "at least", 0.954, "consistent"),
        ("0.95", "at least", 0.956, "contradictory"),
        ("5474", "at least", 5474, "consistent"),
        ("5474", "at least", 5475, "contradictory"),
        ("5474", "at most", 5474, "consistent"),
        ("5474", "at most", 5473, "contradictory"),
    ],
)
def test_a_bound_is_kept_or_not(printed, relation, bound, expected):
    result = recompute.Recomputed(bound, bound, bound)
    found = recompute.agreement(recompute.parse(printed), result, relation=relation)
    assert found == expected


def in_print(value, mode=decimal.ROUND_HALF_EVEN, *, digits=2):
    """A fraction as a paper prints it."""
    with decimal.localcontext(prec=60):
        exact = decimal.Decimal(value.numerator) / value.denominator
        return str(exact.quantize(decimal.Decimal(1).scaleb(-digits), mode))


def is_tie(value):
    """Whether a fraction lies exactly between two numbers of two decimals."""
    return (200 * value).denominator == 1 and (100 * value).denominator != 1


number = strategies.integers(0, 5000)
modes = strategies.sampled_from(
    [decimal.ROUND_HALF_EVEN, decimal.ROUND_HALF_UP, decimal.ROUND_HALF_DOWN]
)
law = hypothesis.settings(derandomize=True, deadline=None, max_examples=400)


@strategies.composite
def detections(draw):
    """True precision, recall and F1, of counts that give both rates above zero."""
    tp, fp, fn = draw(strategies.integers(1, 5000)), draw(number), draw(number)
    rates = fractions.Fraction(tp, tp + fp), fractions.Fraction(tp, tp + fn)
    hypothesis.assume(min(rates) > fractions.Fraction(1, 100))
    return *rates, fractions.Fraction(2 * tp, 2 * tp + fp + fn)


@law
@hypothesis.given(detections(), modes)
def test_an_honest_f1_is_never_contradicted(scores, mode):
    hypothesis.assume(not is_tie(scores[-1]))
    precision, recall, f1 = (in_print(score, mode) for score in scores)
    assert word(f1, "f1", {"precision": precision, "recall": recall}) == "consistent"


@law
@hypothesis.given(
    detections(), strategies.sampled_from(["ROUND_HALF_UP", "ROUND_HALF_DOWN"])
)
def test_nor_is_a_tie_that_is_always_broken_the_same_way(scores, mode):
    precision, recall, f1 = (in_print(score, mode) for score in scores)
    assert word(f1, "f1", {"precision": precision, "recall": recall}) == "consistent"


@law
@hypothesis.given(detections(), modes)
def test_an_f1_cut_short_is_at_worst_truncated(scores, mode):
    precision, recall = (in_print(score, mode) for score in scores[:2])
    f1 = in_print(scores[-1], decimal.ROUND_DOWN)
    found = word(f1, "f1", {"precision": precision, "recall": recall})
    assert found in ("consistent", "truncated")


counted = strategies.fixed_dictionaries(dict.fromkeys(("tp", "fp", "tn", "fn"), number))
counted = counted.filter(lambda counts: any(counts.values()))
digits = strategies.integers(1, 4)


def accuracy(counts):
    return fractions.Fraction(counts["tp"] + counts["tn"], sum(counts.values()))


def as_text(counts):
    return {name: f"{count:,}" for name, count in counts.items()}


@law
@hypothesis.given(counted, modes, digits)
def test_an_honest_accuracy_is_never_contradicted(counts, mode, digits):
    share = in_print(accuracy(counts), mode, digits=digits)
    percent = in_print(100 * accuracy(counts), mode, digits=digits - 1) + " %"
    words = {word(text, "accuracy", as_text(counts)) for text in (share, percent)}
    assert words == {"consistent"}


@law
@hypothesis.given(counted, digits)
def test_an_accuracy_cut_short_is_truncated_exactly_when_rounding_differs(
    counts, digits
):
    cut = in_print(accuracy(counts), decimal.ROUND_DOWN, digits=digits)
    rounded = in_print(accuracy(counts), decimal.ROUND_HALF_DOWN, digits=digits)
    expected = "consistent" if cut == rounded else "truncated"
    assert word(cut, "accuracy", as_text(counts)) == expected


@law
@hypothesis.given(counted, modes, digits, strategies.sampled_from([-2, 2]))
def test_two_units_of_the_last_digit_are_a_contradiction(counts, mode, digits, units):
    printed = decimal.Decimal(in_print(accuracy(counts), mode, digits=digits))
    wrong = printed + decimal.Decimal(units).scaleb(-digits)
    assert word(f"{wrong:f}", "accuracy", as_text(counts)) == "contradictory"


def test_two_units_of_the_last_digit_by_hand():
    counts = {"tp": "57", "fp": "4", "tn": "76", "fn": "2"}
    words = [
        word(text, "accuracy", counts) for text in ("0.94", "0.95", "0.96", "0.98")
    ]
    assert words == ["contradictory", "truncated", "consistent", "contradictory"]


@law
@hypothesis.given(strategies.integers(1, 5000), strategies.floats(0, 1), modes)
def test_an_honest_share_of_a_known_whole_is_never_contradicted(whole, part, mode):
    share = fractions.Fraction(round(part * whole), whole)
    printed = in_print(100 * share, mode) + "%"
    counts = {"printed": printed, "whole": str(whole)}
    assert word(printed, "nearest_share", counts) == "consistent"


def fault(*values, reason):
    return pytest.param(*values, marks=pytest.mark.xfail(reason=reason))


def by_python(value):
    return f"{float(value):.2f}"


def cut_short(value):
    return in_print(value, decimal.ROUND_DOWN)


@pytest.mark.parametrize(
    ("tp", "fp", "fn", "printer"),
    [
        (9, 191, 31, in_print),
        (3, 37, 197, by_python),
        (1, 300, 99, in_print),
        fault(1485, 80, 2890, cut_short, reason="inputs that were cut, not rounded"),
    ],
)
def test_an_honest_f1_at_the_edge_is_not_accused(tp, fp, fn, printer):
    rates = {"precision": (tp, tp + fp), "recall": (tp, tp + fn)}
    counts = {name: printer(fractions.Fraction(*rate)) for name, rate in rates.items()}
    f1 = printer(fractions.Fraction(2 * tp, 2 * tp + fp + fn))
    assert word(f1, "f1", counts) != "contradictory"


def test_an_honest_mean_of_many_is_not_accused():
    true = [0.504] * 7 + [0.514] * 6
    counts = {"values": [by_python(value) for value in true]}
    assert word(by_python(np.mean(true)), "mean", counts) != "contradictory"


def test_an_honest_accuracy_at_low_precision_is_not_accused():
    tp, fp, fn, tn = 1, 20, 0, 100
    counts = {
        "precision": by_python(tp / (tp + fp)),
        "f1": by_python(2 * tp / (2 * tp + fp + fn)),
        "positives": str(tp + fn),
        "negatives": str(tn + fp),
    }
    accuracy = by_python((tp + tn) / (tp + fp + fn + tn))
    assert word(accuracy, "implied_accuracy_of_f1", counts) != "contradictory"


@pytest.mark.parametrize(
    ("printed", "whole"),
    [
        ("0.26", "10"),
        ("90.10%", "1104"),
        ("0.25", "10"),
        ("90.08%", "1104"),
    ],
)
def test_a_share_that_no_count_gives_is_a_contradiction(printed, whole):
    counts = {"printed": printed, "whole": whole}
    assert word(printed, "nearest_share", counts) == "contradictory"
