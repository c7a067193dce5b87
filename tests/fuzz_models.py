"""Mutated models against `store.load`: `python tests/fuzz_models.py [N] [--seed S]`.

A case is one seed: a small model whose facts, network or bytes were changed, most often
with hashes that fit again, as whoever forges a model would write them. `load` answers
with a model that predicts and facts that hold, or with a ModelError in one printable
line; nothing else is raised, and nothing is written.
"""

import argparse
import collections
import hashlib
import io
import json
import pathlib
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile

import drawn
import fuzz
import keras
import numpy as np

from chromolib import records
from chromolib.models import factcheck, layers, store

SCORE = records.Estimate(
    "chromonet", "accuracy", 0.75, 0.6, 0.9, 40, 8, "synthetic", "clean"
)
CARD = drawn.CARD | {"scores": [SCORE], "model": "ChromoNet", "scale": 0.5, "look": "g"}
DEEP = 100_000  # brackets
VALUES = [
    *(None, True, False, 0, -1, 1, 3, 0.5, -0.0, 1e308, 2**31, 2**63, 10**9, 10**400),
    *(
        float("nan"),
        float("inf"),
        "",
        "\x1b[31mred",
        "\x00",
        "a\nb",
        "\u202e",
        "\ud800",
    ),
    *("x" * 10_000, "x" * 10**6, "=1+1", "|", "relu", "softmax", "same", "/etc/passwd"),
    *("Dense", "Flatten", "Sequential", "Functional", "Lambda", "keras.layers", "os"),
    *([], [[]], [1], [1, 2, 3], ["a", "a"], [None, 9, 9, 1], [None] * 9, [10**9] * 3),
    *({}, {"a": 1}, {"class_name": "Lambda"}, {"class_name": "system", "module": "os"}),
    *("float16", "bfloat16", "int8", "string", "channels_first", "input_layer"),
]


def model():
    """A network as small as one can be that has a layer of ours."""
    entry = keras.Input((8, 4, 1))
    x = layers.Orientation(mirror=("horizontal",), seed=1)(entry)
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 3)(x))
    first = keras.initializers.GlorotUniform(0)
    x = keras.layers.Dense(2, kernel_initializer=first)(keras.layers.Flatten()(x))
    return keras.Model(entry, x)


def members(file):
    """Name -> bytes of everything in an archive."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts, *, twice=""):
    """The archive of these parts; one of them may stand in it a second time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in parts.items():
            archive.writestr(name, blob)
    return out.getvalue()


def forged(parts):
    """The parts with facts whose hashes fit them again, where there are facts."""
    try:
        facts = json.loads(parts[store.FACTS])
        hashes = {
            name: hashlib.sha256(blob).hexdigest()
            for name, blob in parts.items()
            if name != store.FACTS
        }
        text = json.dumps(facts | {"members": hashes})
    except (KeyError, ValueError, TypeError, RecursionError):
        return parts
    return parts | {store.FACTS: text.encode()}


def nodes(tree):
    """Every place of a value in JSON: what holds it, and its name or number there."""
    found, waiting = [], [tree]
    while waiting:
        one = waiting.pop()
        keys = one if isinstance(one, dict) else range(len(one))
        for key in keys:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                waiting.append(one[key])
    return found


def changed(rng, blob, *, top=False):
    """A JSON text with a value replaced, removed, doubled or put elsewhere."""
    tree = json.loads(blob)
    for _ in range(rng.choice([1, 1, 2, 5])):
        places = [(tree, key) for key in tree] if top else nodes(tree)
        if not places:
            break
        (holder, key), (other, there) = rng.choice(places), rng.choice(places)
        way = rng.choice(["value", "value", "value", "number", "gone", "moved"])
        if way == "gone":
            del holder[key]
        elif way == "moved":
            holder[key] = json.loads(json.dumps(other[there]))
        elif way == "number" and type(holder[key]) in (int, float):
            holder[key] = rng.choice([-1, 0, 1, 2, 1.5, 7, 10**3, 10**6, 10**12])
        else:
            holder[key] = rng.choice(VALUES)
    return json.dumps(tree).encode()


def facts(rng, parts):
    """A fact removed, retyped or replaced."""
    return forged(parts | {store.FACTS: changed(rng, parts[store.FACTS], top=True)})


def inner(rng, parts):
    """Something within the facts: a field of a score, a class, a size."""
    return forged(parts | {store.FACTS: changed(rng, parts[store.FACTS])})


def network(rng, parts):
    """A setting of the network."""
    name = rng.choice(["config.json", "config.json", "config.json", "metadata.json"])
    return forged(parts | {name: changed(rng, parts[name])})


def damaged(rng, parts):
    """The bytes of a member."""
    name = rng.choice(sorted(parts))
    ways = (*fuzz.ROUGH, fuzz.flip, fuzz.flip)
    blob = parts[name]
    for _ in range(rng.choice([1, 1, 4, 30])):
        blob = rng.choice(ways)(rng, blob)
    return forged(parts | {name: blob})


def missing(rng, parts):
    """A member missing, added, empty or in another's place."""
    first, second = rng.sample(sorted(parts), 2)
    ways = [
        {n: blob for n, blob in parts.items() if n != first},
        parts | {first: parts[second], second: parts[first]},
        parts | {first: b""},
        parts | {f"assets/{rng.choice(['x', '../../x', '/x', '_'])}": b"more"},
        parts | {"model.weights.h5": parts[first]},
    ]
    return forged(rng.choice(ways))


def deep(rng, parts):
    """JSON that is nested beyond what a parser takes, or that unpacks to a lot."""
    name = rng.choice(["config.json", store.FACTS, "metadata.json"])
    opening = rng.choice(["[", '{"a":', '{"config":['])
    depth = rng.choice([DEEP, 500, 50])
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    text = rng.choice([opening * depth, opening * depth + "1" + closing * depth])
    text = rng.choice([text, text, " " * (5 << 20) + text, "9" * 5000])
    if name == store.FACTS and rng.random() < 0.5:
        text = f'{parts[name].decode()[:-1]},"look":{text}}}'
    return forged(parts | {name: text.encode()})


WAYS = (facts, facts, inner, network, network, network, damaged, damaged, missing, deep)


def case(seed, parts):
    """The bytes of a seed's model file."""
    rng = random.Random(seed)  # noqa: S311 - damage, not secrets
    for _ in range(rng.choice([1, 1, 1, 2])):
        try:
            parts = rng.choice(WAYS)(rng, parts)
        except (KeyError, ValueError, TypeError, RecursionError):
            continue  # no JSON any more, after the first change
    blob = packed(parts)
    if rng.random() < 0.1:
        blob = rng.choice(fuzz.ROUGH)(rng, blob)
    return blob


def examine(seed, parts, folder):
    """Whether a case is loaded or refused; raises where it is neither."""
    file = folder / "chromonet.keras"
    file.write_bytes(case(seed, parts))
    try:
        made, known = store.load(file, study="chromonet" if seed % 2 else None)
    except store.ModelError as error:
        _check(str(error))
        return "refused"
    finally:
        assert [one.name for one in folder.iterdir()] == [file.name], "a file"
    entry = np.zeros((2, *known["input"]), np.float32)
    out = np.asarray(made(entry))
    assert out.shape == (2, len(known["classes"])), "an output"
    factcheck.check({k: v for k, v in known.items() if k != "members"})
    assert store.card(file.name, known, known["sha256"]).replace("\n", "").isprintable()
    return "loaded"


def _check(message):
    assert message.isprintable(), f"a message: {message!r}"
    assert len(message) < 700, f"a long message: {message!r}"


def batch(seeds, folder):
    """How many cases ended how, and the crashes by seed."""
    place = pathlib.Path(folder)
    parts = members(store.save(model(), place / "base" / "chromonet", CARD))
    (place / "cases").mkdir()
    totals, crashes = collections.Counter(), {}
    for seed in seeds:
        try:
            totals[examine(seed, parts, place / "cases")] += 1
        except Exception:
            crashes[seed] = traceback.format_exc(limit=-4)
    return totals, crashes


def main():
    """Mutate, load, print the totals; exit 1 on any crash."""
    parser = argparse.ArgumentParser(description="Damaged models against their reader.")
    parser.add_argument("n", nargs="?", type=int, default=1000, help="cases")
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    chosen = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        totals, crashes = batch(range(chosen.seed, chosen.seed + chosen.n), folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    ends = ", ".join(f"{n:,} {end}" for end, n in sorted(totals.items()))
    sys.stdout.write(
        f"{chosen.n:,} models: {ends}, {len(crashes)} crashes; "
        f"{time.perf_counter() - started:.0f} s, {memory:,} MiB\n"
    )
    for seed, why in sorted(crashes.items())[:20]:
        sys.stdout.write(f"seed {seed}: {why}\n")
    return bool(crashes)


if __name__ == "__main__":
    sys.exit(main())
