"""What is said of one metaphase: the whole chain, and its answer as plain data.

`karyotype(field, namer)` -> (result, karyogram): a dict as in the json, a picture
`row(result)` -> the line of the csv
"""

import datetime
import time

import numpy as np

import chromolib
from chromolib import records
from chromolib.cyto import assign
from chromolib.data import compose
from chromolib.karyotype import finding, naming, picture

LEAST = 0.01  # probability of an alternative that is worth a line
OTHERS = 4  # alternatives, at most
COLUMNS = ("image", "case", "count", "karyotype", "name", "confidence", "refer")
COLUMNS += ("reason", "touching", "overlap", "missing", "extra", "debris", "nuclei")
COLUMNS += ("sharpness", "bands", "seconds", "error")


def karyotype(field, namer, *, boxes=None, finder=None, rename=False, sure=naming.SURE):
    """Everything about one field, from its pixels to its karyotype."""
    started = time.perf_counter()
    named = naming.name(namer, find(field, boxes, finder), rename=rename)
    found = named.found
    how = {"penalty": namer.penalty, "sure": sure, "most": namer.most}
    diagnosis = naming.diagnosis(named, **how)
    item = field.item
    words = diagnosis["karyotype"] or "no karyotype"
    drawn, places = picture.karyogram(
        named.upright, named.label, f"{item.name}: {words}. {picture.USE}"
    )
    missing, extra = assign.uneven(named.label)
    quality = finding.quality(found)
    flags = {name: quality[name] for name in ("touching", "overlap")}
    flags |= {"missing": missing, "extra": extra}
    flags |= {"debris": found.debris, "nuclei": found.nuclei}
    result = {
        "image": item.key,
        "case": item.case,
        "count": len(found),
        **diagnosis,
        "copies": {name: int((named.label == name).sum()) for name in records.CLASSES},
        "expected wrong": round(named.wrong, 1),
        "flags": flags,
        "quality": quality,
        "size": list(field.grey.shape[::-1]),
        "chromosomes": _chromosomes(field, found, named, places),
        "made": {
            "use": picture.USE,
            "chromolib": chromolib.__version__,
            "found by": found.how,
            "model": namer.file,
            "image sha256": field.sha256,
            "model sha256": namer.facts["sha256"],
            "trained on": namer.facts["source"],
            **how,
            "repairs": [reason for reason, _ in field.decoded.repairs],
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - started, 2),
        },
    }
    return result, drawn


def find(field, boxes=None, finder=None):
    """The chromosomes of a field: in boxes that were given, else by a detector, else by
    segmentation."""
    if boxes is not None:
        return finding.drawn(field, boxes)
    return finding.searched(field, finder) if finder else finding.find(field)


def _chromosomes(field, found, named, places):
    """A dict for each chromosome, in the order of the karyogram."""
    order = [name for row in compose.ROWS for name in row]
    rank = [order.index(label) for label in named.label]
    edge = np.array([0, 0, *field.grey.shape[::-1]])
    rows = []
    for number, i in enumerate(np.argsort(rank, kind="stable"), 1):
        chance, label = named.probability[i], str(named.label[i])
        flags = [found.kind[i]] if found.kind[i] != "chromosome" else []
        flags += ["at the edge"] if (found.boxes.xyxy[i] == edge).any() else []
        flags += ["no long axis"] if not named.sound[i] else []
        flags += ["maybe not whole"] if named.score[i] < naming.WHOLE else []
        flags += ["doubtful"] if named.doubtful[i] else []
        rows.append(
            {
                "number": number,
                "label": label,
                "named by": "laboratory" if named.given[i] else "model",
                "probability": round(float(named.own[i]), 4),
                "alternatives": _others(chance, label),
                "flags": [str(flag) for flag in flags],
                "score": round(float(named.score[i]), 3),
                "box": np.round(found.boxes.xyxy[i], 1).tolist(),
                "outline": np.round(found.boxes.polygon[i], 1).tolist(),
                "karyogram": places[i].tolist(),
            }
        )
    return rows


def _others(chance, label):
    """What else a chromosome may be, the likeliest first."""
    best = [(float(chance[k]), records.CLASSES[k]) for k in np.argsort(-chance)]
    best = [(p, name) for p, name in best if name != label and p >= LEAST]
    return [{"label": name, "probability": round(p, 4)} for p, name in best[:OTHERS]]


def row(result):
    """The line of the csv."""
    flags = {
        name: " ".join(value) if isinstance(value, list) else value
        for name, value in result.get("flags", {}).items()
    }
    timed = {"seconds": result["made"]["seconds"]} if "made" in result else {}
    known = result.get("quality", {}) | flags | timed | result
    return {name: known.get(name, "") for name in COLUMNS}
