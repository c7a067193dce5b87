"""What the page asks of the trainings: tables and figures' contents.

`table(audits, estimates)`, `parts(split)`, `roc(predictions)`, `errors(answer)`,
`least_sure(draws)`, `tried(settings, scores)`, `kept(estimates, …)`
"""

import dataclasses

import numpy as np
import pandas as pd
from sklearn import metrics as curves

from chromolib.evidence import claims
from chromolib.studies import headline
from chromolib.studies.chu import (
    baselines,
    confidence,
    data,
    naming,
    network,
    rivals,
)

ABNORMAL = data.LABELS[1]
TRUE, UNSEEN = {"labels": "true"}, {"tested": "unseen"}
STEMS = {  # row of Table 5.1 -> its claims
    "VGG16, original": "chu-vgg-original",
    "InceptionV3, original": "chu-inception-original",
    "VGG16, processed": "chu-vgg-augmented",
    "InceptionV3, processed": "chu-inception-augmented",
    "VGG16, one block": "chu-vgg-one-block",
    "VGG16, two blocks": "chu-vgg-two-blocks",
    "InceptionV3, entire": "chu-inception-full",
}
SCORES = {
    "accuracy": "accuracy",
    "precision": "precision of abnormal",
    "recall": "recall of abnormal",
    "auc": "AUROC of abnormal",
}
FIRST = "VGG16, two blocks"  # the row of the thesis' best accuracy
HEADLINE = headline.Headline(
    claim="chu-vgg-two-blocks-accuracy",
    score="accuracy on karyograms",
    picks={
        headline.PUBLISHED: [("accuracy", FIRST, "published", TRUE)],
        headline.UNSEEN: [("accuracy", FIRST, "published", TRUE | UNSEEN)],
        headline.CLEAN: [("accuracy", FIRST, "clean", TRUE)],
        headline.BEST: [("accuracy", naming.NAME, "clean", TRUE)],
    },
    meaning="On patients it has not met, a network that looks at a whole small "
    "karyogram guesses, or at its best sees less than a count of the pieces in each "
    "place. One that names each chromosome and counts them need not guess.",
)
OURS = {"ours, published protocol": "published", "ours, clean": "clean"}


def parts(split):
    """How many images of each label, and groups, are in each part of a split."""
    named = {"train": split.train, "validation": split.validation, "test": split.test}
    return pd.DataFrame(
        [
            {"part": name, "images": len(part), "groups": len(set(part.group))}
            | {label: int((part.label == label).sum()) for label in data.LABELS}
            for name, part in named.items()
        ]
    )


def table(audits, estimates):
    """Table 5.1 in four columns: printed, recomputed, and ours by both protocols."""
    rows = []
    for row, stem in STEMS.items():
        for word, quantity in SCORES.items():
            (audit,) = claims.pick(audits, f"{stem}-{word}")
            ours = [one for one in estimates if _answers(one, row, quantity)]
            columns = {
                column: "\n".join(_said(one) for one in ours if one.protocol == name)
                for column, name in OURS.items()
            }
            rows.append(
                {
                    "network": row,
                    "score": word.upper() if word == "auc" else word,
                    "paper": audit.claim.value,
                    "recomputed": audit.shown,
                }
                | columns
            )
    frame = pd.DataFrame(rows)
    return frame.loc[:, (frame != "").any()]


def _answers(one, row, quantity):
    """Whether an estimate is a score of a row on its own test images."""
    kept = {k: v for k, v in one.conditions.items() if k != "seeds"}
    return (one.model, one.quantity, kept) == (row, quantity, {"labels": "true"})


def _said(one):
    return f"{one} ({one.source}, weights {one.weights}, n {one.n})"


def roc(predictions):
    """The ROC curve of each, by model and first weights."""
    found = {}
    for one in predictions:
        truth = one.truth == ABNORMAL
        false, true, _ = curves.roc_curve(truth, one.probability[:, 1])
        curve = pd.DataFrame({"false alarms": false, "recall": true})
        found[_with_weights(one)] = curve
    return found


def errors(answer):
    """Wrong calls as tables 4.1 and 4.2 list them: by votes of many draws, of which
    the mean decides a tie."""
    said, draws = answer.said["test"], answer.draws["test"]
    votes = (draws > 0.5).mean(0)
    abnormal = np.where(votes == 0.5, draws.mean(0), votes) > 0.5
    named = np.where(abnormal, *data.LABELS[::-1])
    frame = pd.DataFrame(
        {
            "image": np.arange(len(said)),
            "predicted": named,
            "actual": said.truth,
            "mean probability": draws.mean(0),
            "votes": np.maximum(votes, 1 - votes),
        }
    )
    return frame[named != said.truth]


def least_sure(draws):
    """The place of the image whose votes are most divided, and of the surest."""
    votes = np.abs((draws > 0.5).mean(0) - 0.5)
    divided = votes * 10 + np.abs(draws.mean(0) - 0.5)
    return {"least certain": int(divided.argmin()), "most certain": int(votes.argmax())}


def tried(settings, scores):
    """A row of what was tried on the page: settings, then scores."""
    return settings | {one.quantity: str(one) for one in scores}


def of(estimates, *quantities, **conditions):
    """The estimates of some quantities under some conditions, whatever else holds."""
    return [
        one
        for one in estimates
        if one.quantity in quantities
        and all(one.conditions.get(k) == str(v) for k, v in conditions.items())
    ]


def bars(estimates):
    """AUROC on test images of every row, true labels: both protocols."""
    rows = {*network.KNOWN}
    return [
        one
        for one in of(estimates, SCORES["auc"], labels="true")
        if one.model in rows and set(one.conditions) <= {"labels", "seeds"}
    ]


def costs(answers):
    """What each training of true labels cost, on the machine of the run."""
    return pd.DataFrame(
        [
            {
                "network": one.task.row,
                "weights": one.said["test"].weights,
                "protocol": one.task.protocol,
                "parameters": one.facts["parameters"],
                "that learn": one.facts["learned"],
                "epochs": len(one.history),
                "seconds": float(one.facts["seconds"]),
            }
            for one in answers
            if one.task.plain and one.task.labels == "true"
        ]
    )


def called(kinds, word="kind"):
    """Shares by kind as one quantity, models with their first weights, for a figure."""
    return [
        dataclasses.replace(one, quantity="called what it is", model=_with_weights(one))
        for one in kinds
        if word in one.conditions
    ]


def _with_weights(one):
    plain = one.weights in ("", "none")
    return one.model if plain else f"{one.model}, {one.weights}"


def written(reports):
    """What a rival writes of the first abnormal karyograms, beside what is true."""
    if not len(reports):
        return reports
    shown = reports[reports["truth"] != "none"].head(8)
    shown = shown.assign(confidence=shown["confidence"].astype(float).round(2))
    return shown[["truth", "karyotype", "name", "confidence"]]


def prices(cost):
    """What each rival took to learn, and how large it is."""
    return pd.DataFrame(
        [
            {"rival": name, "seconds": seconds, "parameters": int(parameters)}
            for name, (seconds, parameters) in cost.items()
        ]
    )


SPECIAL = {"rule", "shift", "other", "limits", "on the maps"}
AUGRC = confidence.DIFFERENCES[0]
RULED = ("referred", "accuracy of the kept", "wrong labels referred")
RULED += ("normals cleared", "abnormals missed")


def beaten(estimates):
    """How many methods of each score know errors better than the highest probability.

    By AUGRC, of which less is better; an interval that holds 0 tells neither.
    """
    found = of(estimates, f"difference in {AUGRC}", against=confidence.CONTROL)
    rows = [
        {
            "protocol": one.protocol,
            "source": one.source,
            "network": one.model,
            "score": one.conditions["score"],
            "said": "better" if one.high < 0 else "worse" if one.low > 0 else "neither",
        }
        for one in found
    ]
    columns = ["protocol", "source", "network", "score"]
    frame = pd.DataFrame(rows, columns=[*columns, "said"])
    counts = pd.crosstab([frame[name] for name in columns], frame["said"])
    counts = counts.reindex(columns=["better", "neither", "worse"], fill_value=0)
    return counts.reset_index()


def ruled(estimates):
    """What each rule refers, clears and misses: a row a rule and who is asked by it."""
    found = [one for one in of(estimates, *RULED) if "rule" in one.conditions]
    return confidence.overview(found, by=("source", "model", "protocol", "rule"))


def kept_bars(kept):
    """AUROC in full runs: of networks, of rivals, and of what needs no network."""
    beside = {*baselines.NAMES, *rivals.NAMES}
    found = [
        one
        for one in of(kept, SCORES["auc"], labels="true")
        if one.model in beside and "tested" not in one.conditions
    ]
    return [
        dataclasses.replace(one, model=_with_weights(one), weights="none")
        for one in (*bars(kept), *found)
    ]


def kept_leads(kept):
    """By how much each rival exceeds the network that is nearest to it."""
    nearest = {}
    for one in of(kept, f"difference in {SCORES['auc']}"):
        rival, _, network_ = one.model.partition(" - ")
        if rival in rivals.NAMES and network_ in network.KNOWN:
            nearest.setdefault((one.source, rival), []).append(one)
    return [min(every, key=lambda one: one.value) for every in nearest.values()]
