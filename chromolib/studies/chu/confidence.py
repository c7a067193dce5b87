"""Does the share of votes with dropout left on say when the network is wrong?

`methods(test, held, members)` -> Predictions by each method and score
`compared(test, held, members)` -> their Estimates, and how far each is from max-softmax
`marked(test, held)` -> Predictions marked for a person; `screening` judges them
`conformal_sets`, `shifted`, `out_of_distribution` -> Estimates
`thesis_errors(folder)` -> the printed errors; `would_refer` -> what a rule does to them

An uncertainty is of one prediction; the interval beside a score is of the score.
"""

import dataclasses
import functools
import pathlib

import numpy as np
import pandas as pd
from scipy import stats

from chromolib import records
from chromolib.evidence import (
    between,
    calibration,
    conformal,
    metrics,
    recompute,
    referral,
    resample,
    uncertainty,
)
from chromolib.studies.chu import data

CONTROL, SCALED = "max-softmax", "temperature-scaled"  # one network, dropout off
VOTES, MEAN = "vote share", "mean probability"
COUNTS = 20, 100  # draws with dropout on: what suffices, and what the thesis took
SHARE = 0.8  # of the votes, below which the thesis asks a person
TARGET = 0.98  # accuracy of the kept validation images, for the other rule
MEASURES = ("accuracy", "AUGRC", "AURC", "failure AUROC", "FPR95", "ECE", "NLL")
DIFFERENCES = ("AUGRC", "accuracy")
SHIFTED = ("accuracy", "AUGRC", "ECE")
KINDS = ("in-distribution", "out-of-distribution")
ERRORS = {"table 4.1": "VGG16", "table 4.2": "InceptionV3"}  # of the thesis
CLASSES = data.LABELS
THRESHOLDS = (0.8, 0.9, 0.95)


@dataclasses.dataclass(frozen=True, eq=False)
class Said:
    """What a network says of images, once with dropout off and many times with it on.

    Both are the probability of the second class, abnormal.
    """

    draws: np.ndarray  # (times, n)
    plain: np.ndarray  # (n,)
    predictions: records.Predictions  # whose images, groups, truth and words count

    def __post_init__(self):
        draws = uncertainty.checked(self.draws, self.predictions)
        plain = uncertainty.checked(np.atleast_2d(self.plain), self.predictions)
        object.__setattr__(self, "draws", draws)
        object.__setattr__(self, "plain", plain[0])


def methods(test, held, members=(), *, counts=COUNTS):
    """Predictions of the test images by (method, score), max-softmax first.

    One network with dropout off, the same at the temperature of the validation images
    `held`, with dropout on so many times, and `members` of an ensemble (a Said each,
    of the test images) with dropout off and on.
    """
    control = _by(test.plain[None], MEAN, test, CONTROL)
    scaled = _by(test.plain[None], MEAN, test, SCALED)
    scaled = _tempered(scaled, _by(held.plain[None], MEAN, held, SCALED))
    repeated = {_dropout(k): _first(test, k) for k in counts}
    if members := _of_same_images(test, members):
        plain = np.stack([each.plain for each in members])
        repeated[f"ensemble of {len(members)}"] = plain
        draws = np.concatenate([each.draws for each in members])
        repeated["ensembled MC dropout"] = draws
    return {(CONTROL, MEAN): control, (SCALED, MEAN): scaled} | {
        (method, score): _by(draws, score, test, method)
        for method, draws in repeated.items()
        for score in uncertainty.SCORES
    }


def compared(test, held, members=(), *, rng, counts=COUNTS):
    """How right each method is and how well each score knows its errors: [Estimate].

    Then the paired differences: each from max-softmax, and few draws from many. Less
    AUGRC is better, so max-softmax loses where a difference lies below 0.
    """
    answers = methods(test, held, members, counts=counts)
    estimates, rng = [], _same(rng)
    for each in answers.values():
        estimates += _measured(each, MEASURES, rng())
    control = answers[CONTROL, MEAN]
    for (method, _), each in answers.items():
        if method not in (CONTROL, SCALED):  # a temperature changes no order
            estimates += _differences(each, control, CONTROL, rng())
    few, many = (_dropout(k) for k in (min(counts), max(counts)))
    for score in uncertainty.SCORES:
        if few != many:
            pair = answers[few, score], answers[many, score]
            estimates += _differences(*pair, many, rng())
    return estimates


def overview(estimates, by=("method", "score")):
    """Estimates as a table: a row a method and score, or other words, with the most
    images that one is of, and a column a quantity."""
    rows = {}
    for one in estimates:
        row = tuple(one.conditions.get(name, getattr(one, name, "")) for name in by)
        against = one.conditions.get("against")
        column = f"{one.quantity} from {against}" if against else one.quantity
        said = rows.setdefault(row, dict(zip(by, row, strict=True)) | {"n": one.n})
        said |= {"n": max(said["n"], one.n), column: str(one)}
    return pd.DataFrame(list(rows.values())).fillna("")


def marked(test, held, *, target=TARGET):
    """Test images marked for a person, by two rules: name -> Predictions.

    By votes: fewer than SHARE of all draws agree. Exactly so many are enough, as in
    the thesis' "less than", though not in its "none greater than". By probability: the
    mean of the draws, at the temperature of the validation images, is below what these
    needed to reach the target; all images are marked where nothing reaches it. Of two
    classes the temperature changes no mark, it makes the threshold a probability.
    """
    method = _dropout(len(test.draws))
    votes = _by(test.draws, VOTES, test, method)
    mean, valid = (_by(each.draws, MEAN, each, method) for each in (test, held))
    mean, valid = _tempered(mean, valid), _tempered(valid, valid)
    name, kept = f"votes below {100 * SHARE:g} %", 1 - SHARE + 1e-9
    probable = by_probability(mean, valid, target=target)
    return {
        name: _with(referral.refer(votes, kept), rule=name),
        probable.conditions["rule"]: probable,
    }


def by_probability(test, held, *, target=TARGET):
    """Predictions marked where their probability is below what `held` ones needed."""
    own = referral.refer(test, referral.threshold(held, target))
    return _with(own, rule=f"probability, accuracy {target:g}")


def screening(predictions, *, rng):
    """What a lab gains and loses if nobody looks at what is kept as normal: [Estimate].

    "normals cleared": share of normal images named so and not referred. "abnormals
    missed": share of abnormal ones that this happens to. "left to look at": share of
    all images that are referred or named abnormal; it depends on how many are abnormal.
    """
    if predictions.refer is None:
        raise ValueError("no image is marked kept or referred; use `marked` first")
    normal = predictions.classes[0]
    cleared = (predictions.label == normal) & ~predictions.refer
    healthy = predictions.truth == normal
    encoded = resample.encode(predictions)
    tally = resample.rates(
        ("normals cleared", "abnormals missed", "left to look at"),
        encoded.totals(cleared & healthy, cleared & ~healthy, ~cleared),
        encoded.totals(healthy, ~healthy, np.ones(len(healthy))),
    )
    return list(resample.estimates(predictions.words, [tally], rng=rng).values())


def conformal_sets(test, held, alpha=0.1, *, rng):
    """How often sets of classes hold the truth, and how large they are: [Estimate].

    Calibrated on the validation images, once for all and once for each class, which is
    the promise that counts where abnormal images are few.
    """
    method, estimates = _dropout(len(test.draws)), []
    mean, valid = (_by(each.draws, MEAN, each, method) for each in (test, held))
    for limits in ("of all", "by class"):
        own = _with(mean, alpha=f"{alpha:g}", limits=limits)
        how = {"alpha": alpha, "by_class": limits == "by class"}
        chosen = conformal.sets(own, calibration=valid, **how)
        estimates += conformal.coverage(own, chosen, rng=rng).values()
    return estimates


def shifted(shifts, held, *, rng):
    """Accuracy, AUGRC and ECE of each score where images have changed: [Estimate].

    `shifts` are name -> Said of the changed images, with "none" say for those as they
    were; the temperature is that of the unchanged validation images.
    """
    estimates, rng = [], _same(rng)
    for name, each in shifts.items():
        answers = methods(each, held, counts=(len(each.draws),))
        for own in answers.values():
            estimates += _measured(_with(own, shift=name), SHIFTED, rng())
    return estimates


def out_of_distribution(test, others, *, rng):
    """How often an image of another kind is less certain than a test image: [Estimate].

    `others` are name -> Said of images that are neither class; the AUROC of each score.
    The source names those of both.
    """
    estimates, rng = [], _same(rng)
    for name, other in others.items():
        kinds = [_certain(each) for each in (test, other)]
        for method, score in kinds[0]:
            known, foreign = (kind[method, score] for kind in kinds)
            own = _with(known, method=method, score=score, other=name)
            told = _told_apart(own, foreign)
            (area,) = metrics.score(told, f"AUROC of {KINDS[1]}", rng=rng())
            estimates.append(area)
    return estimates


def thesis_errors(folder):
    """The wrong calls that tables 4.1 and 4.2 of the thesis list, a row an image.

    `folder` is that of the claims. The class named is read from the side of one half on
    which the mean softmax lies; all are wrong, so the truth is the other.
    """
    path = pathlib.Path(folder) / "chu-tables.csv"
    cells = pd.read_csv(path, dtype=str, keep_default_na=False)
    cells, rows = cells[cells["table"].isin(ERRORS)], []
    for (table, _), part in cells.groupby(["table", "row"], sort=False):
        printed = map(recompute.parse, part["printed"])
        values = {k: v.value for k, v in zip(part["column"], printed, strict=True)}
        abnormal = values["mean softmax"]
        named = int(abnormal > 0.5)
        rows.append(
            {
                "network": ERRORS[table],
                "image": int(values["image no"]),
                "named": CLASSES[named],
                "truth": CLASSES[1 - named],
                MEAN: max(abnormal, 1 - abnormal),  # of the class named
                VOTES: values["confidence score"],
            }
        )
    return pd.DataFrame(rows)


def would_refer(errors, *, thresholds=THRESHOLDS):
    """How many of the printed errors each rule refers: a row a rule and threshold.

    Votes and probability together refer what mean probability does where the votes
    agree. How many right calls a rule would refer is not printed, so none is judged.
    """
    return pd.DataFrame(
        [
            {
                "rule": name,
                "threshold": threshold,
                "errors referred": int((errors[name] < threshold - 1e-9).sum()),
                "errors": len(errors),
            }
            for name in (VOTES, MEAN)
            for threshold in thresholds
        ]
    )


def _same(rng):
    """Generators that all draw the same, so that equal predictions get equal rows."""
    return functools.partial(np.random.default_rng, int(rng.integers(2**31)))


def _by(draws, score, said, method):
    """What a score makes of draws, as Predictions that name the method."""
    return uncertainty.said(draws, score, like=_with(said.predictions, method=method))


def _with(predictions, **conditions):
    """The same predictions under further conditions."""
    conditions = predictions.conditions | conditions
    return dataclasses.replace(predictions, conditions=conditions)


def _tempered(predictions, valid):
    """The predictions at the temperature that fits the validation images."""
    temperature = calibration.temperature(valid)
    return calibration.temperature_scaled(predictions, temperature)


def _dropout(count):
    return f"MC dropout, {count} draws"


def _first(said, count):
    if count > len(said.draws):
        raise ValueError(
            f"{count} draws are asked for and there are {len(said.draws)}; draw more, "
            "or ask for fewer in `counts`"
        )
    return said.draws[:count]


def _of_same_images(test, members):
    """The members, once all are of the test images in their order."""
    for each in members:
        if not np.array_equal(each.predictions.image, test.predictions.image):
            raise ValueError(
                "a member of the ensemble predicts other images, or in another order; "
                "predict the test images with each"
            )
    return list(members)


def _measured(predictions, names, rng):
    """The measures that have a value; two need wrong labels as well as right ones."""
    wrong = predictions.label != predictions.truth
    if wrong.all() or not wrong.any():
        names = [name for name in names if name not in ("failure AUROC", "FPR95")]
    return metrics.score(predictions, *names, rng=rng)


def _differences(first, second, name, rng):
    """By how much the first exceeds the second, of that name."""
    found = between.paired(first, second, *DIFFERENCES, rng=rng)
    own = {"model": first.model, "conditions": first.conditions | {"against": name}}
    return [dataclasses.replace(each, **own) for each in found.values()]


def _certain(said):
    """Predictions by max-softmax and by each score of all draws."""
    repeated = _dropout(len(said.draws))
    return {(CONTROL, MEAN): _by(said.plain[None], MEAN, said, CONTROL)} | {
        (repeated, score): _by(said.draws, score, said, repeated)
        for score in uncertainty.SCORES
    }


def _told_apart(known, foreign):
    """Images of two kinds, ranked by uncertainty; only its order counts."""
    both = known, foreign
    score = np.concatenate([each.uncertainty for each in both])
    rank = stats.rankdata(score) / (len(score) + 1)
    sources = dict.fromkeys(each.source for each in both)
    names = [
        (f"{kind}/{image}", f"{each.source}/{group}", kind)
        for kind, each in zip(KINDS, both, strict=True)
        for image, group in zip(each.image, each.group, strict=True)
    ]
    image, group, truth = map(np.array, zip(*names, strict=True))
    words = known.words | {"source": ", ".join(sources)}
    return records.Predictions(
        image=image,
        group=group,
        truth=truth,
        probability=np.column_stack([1 - rank, rank]),
        classes=KINDS,
        **words,
    )
