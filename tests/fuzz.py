"""Mutated annotations against every reader: `python tests/fuzz.py [N] [--seed S]`.

A case is one seed: a small source in one of the formats, damaged. Whatever the bytes,
`dataset` and `fit` may only answer with boxes inside the image and with problems; they
never raise, never print a private path, and never need more than 2 GiB. A case that
breaks this is named by its seed: `--only SEED` runs it alone.
"""

import argparse
import collections
import dataclasses
import multiprocessing.pool
import random
import re
import resource
import subprocess
import sys
import time
import traceback

import numpy as np

from chromolib.data import formats
from chromolib.data.formats import fit

MEMORY = 2 << 30  # bytes of address space a worker may use
BATCH, PATIENCE = 1000, 300  # cases; seconds before a batch counts as hanging
PRIVATE = re.compile(r"etc/|\.\./|[A-Za-z]:\\|Users[\\/]|/home|[\x00-\x1f]")


@dataclasses.dataclass(frozen=True)
class Memory:
    """A store of a few files that exist only here."""

    files: dict

    @property
    def names(self):
        return tuple(sorted(self.files))

    def read(self, name):
        return self.files[name]

    def size(self, name):
        return len(self.files[name])


def memory(files):
    """A store of files whose text is written as UTF-8."""
    return Memory({name: _bytes(content) for name, content in files.items()})


def reasons(dataset, level="error"):
    """File and reason of the problems of one level."""
    return [(p.file, p.reason) for p in dataset.problems if p.level == level]


VOC = """<?xml version="1.0" encoding="utf-8"?>
<annotation><folder>JPEG</folder><filename>a.jpg</filename>
<path>C:\\Users\\kowalski\\a.jpg</path>
<size><width>60</width><height>40</height><depth>3</depth></size>
<object><name>X</name><pose>Unspecified</pose><truncated>0</truncated>
<difficult>0</difficult>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30.5</ymax></bndbox></object>
<object><name>21</name>
<bndbox><xmin>30</xmin><ymin>3</ymin><xmax>50</xmax><ymax>39</ymax></bndbox></object>
</annotation>
"""
YAML = """train: C:\\Users\\kowalski\\train\\images
val: ../valid/images
nc: 4
names: ['1', '10', '2', X]
"""
ROWS = """0 0.5 0.5 0.25 0.5
3 0.25 0.25 0.125 0.25 0.875
2 0.1 0.1 0.4 0.1 0.4 0.6 0.1 0.6
"""
COCO = """{"info": {"url": "/srv/kowalski/x"}, "images": [
{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40},
{"id": 2, "file_name": "C:\\\\Users\\\\kowalski\\\\b.jpg", "width": 60, "height": 40}],
"annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 18, 27.5], "area": 495,
"segmentation": [[2, 3, 20, 3, 20, 30.5, 2, 30.5]], "iscrowd": 0},
{"id": 2, "image_id": 2, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 1,
"segmentation": {"counts": [1, 2], "size": [40, 60]}, "score": 0.5}],
"categories": [{"id": 1, "name": "X"}, {"id": 2, "name": "21"}]}
"""
PLAIN = """{"images": [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}],
"categories": [{"id": 1, "name": "X"}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 18, 27.5]},
{"id": 2, "image_id": 1, "category_id": 1, "bbox": [30, 3, 10, 20]}]}
"""
OURS = """image,width,height,label,x0,y0,x1,y1
a.jpg,60,40,X,2,3,20,30.5
a.jpg,60,40,'=21,30,3,50,39
b.jpg,60,40,,,,,
"""
THEIRS = """filename,width,height,class,xmin,ymin,xmax,ymax
a.jpg,60,40,X,2,3,20,30
C:\\Users\\kowalski\\b.jpg,60,40,21,30,3,50,39
"""
IMAGES = {"a.jpg": b"", "b.jpg": b""}
SEEDS = {  # format -> sources, none of them damaged yet
    "voc": [
        {**IMAGES, "a.xml": VOC, "b.xml": VOC.replace("a.jpg", "b.jpg")},
        {"JPEG/a.jpg": b"", "annotations/a.xml": VOC},
    ],
    "yolo": [
        {"images/a.jpg": b"", "labels/a.txt": ROWS, "data.yaml": YAML},
        {"a.jpg": b"", "a.txt": ROWS, "classes.txt": "1\n2\nX\nY\n"},
    ],
    "coco": [
        {"a.jpg": b"", "annotations.json": PLAIN},
        {**IMAGES, "annotations.json": COCO},
        {"train/a.jpg": b"", "train/b.jpg": b"", "train/_annotations.coco.json": COCO},
    ],
    "csv": [{**IMAGES, "annotations.csv": OURS}, {**IMAGES, "t/labels.csv": THEIRS}],
}
TOKENS = [
    *("NaN", "Infinity", "-1", "1e308", "-1e-308", "1e999", "9" * 5000, "0x1F", "1_0"),
    *("../../etc/passwd", "C:\\Users\\kowalski\\x.jpg", "/srv/kowalski/x.jpg"),
    '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    *("&c;", "&#0;", "&#13;", "<![CDATA[", "<?xml version='1.0' encoding='ebcdic'?>"),
    *("[" * 3000, "{" * 3000, '{"a":' * 3000, "<a>" * 3000, "- " * 3000, "&a [*a]"),
    *("\0", "\ufeff", "\x1b[31m", "\r", "\n", "\t", "\u2028", "\u202e", "\ud800"),
    *("=cmd|' /C calc'!A1", "'=1", "@x", "+1", '"', "'", ",", ";", "~", "null", "true"),
    *(
        "!!python/object/apply:os.system [ls]",
        "<<: *a",
        "&a ",
        "*a",
        "!!int 9",
        "%YAML",
    ),
    *("\\ud800", "\\u0000", "[]", "{}", "None", "b.jpg", "a.png", "", "0", "60", "40"),
    *("width", "names", "images", "bndbox", "label", "1e-320", "-0.0", "1000000000"),
]
MARKS = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff", b"\x80", b"\xed\xa0\x80"]
PIECE = re.compile(rb"[\w.]+")
VALUE = re.compile(rb'(?<=>)[^<>\n]+(?=<)|(?<=[:\[,] )"[^"]*"|[\w.]+(?=[],}\n ])')
CHUNK = re.compile(
    rb"<object>.*?</object>|<(\w+)>[^<]*</\1>|\{[^{}]*\},?|[^\n]*\n", re.DOTALL
)
VALUES = (
    *("-1", "0", "1", "2", "3", "25", "59.5", "60", "61", "1e3", "1e9", "1e10", "NaN"),
    *("1e308", "-0.5", "1.5", "0.5", "1e-320", "true", "null", "[]", "{}", '""', '"X"'),
    *('"1"', "X", "21", "b.jpg", '"b.jpg"', "c.jpg", '"../b.jpg"', "../b.jpg", "=1"),
    *('"/etc/passwd"', "C:\\Users\\kowalski\\b.jpg", "&#13;", "&#1;", "[[1,2,3]]", ""),
)
DOCTYPE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


def _bytes(content):
    return content if isinstance(content, bytes) else content.encode()


def _cut(rng, data, most=40):
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randrange(1, most))


def flip(rng, data):
    """A byte changed."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def delete(rng, data):
    """A piece taken out."""
    start, stop = _cut(rng, data)
    return data[:start] + data[stop:]


def double(rng, data):
    """A piece written up to a thousand times."""
    start, stop = _cut(rng, data)
    return data[:stop] + data[start:stop] * rng.choice([1, 1, 2, 1000]) + data[stop:]


def truncate(rng, data):
    """The end missing."""
    return data[: rng.randrange(len(data) + 1)]


def splice(rng, data):
    """The start of this file and the end of one of any format."""
    other = rng.choice([s for each in SEEDS.values() for s in each])
    end = _bytes(other[rng.choice(sorted(other))])
    return data[: rng.randrange(len(data) + 1)] + end[rng.randrange(len(end) + 1) :]


def insert(rng, data):
    """A hostile token somewhere."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + _token(rng) + data[at:]


def replace(rng, data):
    """A hostile token in the place of a word or a number."""
    found = list(PIECE.finditer(data))
    if not found:
        return insert(rng, data)
    start, stop = rng.choice(found).span()
    return data[:start] + _token(rng) + data[stop:]


def mark(rng, data):
    """A byte order mark, true or not, or the text in another encoding."""
    if rng.random() < 0.5:
        return rng.choice(MARKS) + data
    text = data.decode("latin-1")
    return text.encode(rng.choice(["utf-16", "utf-32", "utf-8", "utf-16-le"]))


def value(rng, data):
    """Another value, so that the syntax survives and the meaning does not."""
    found = list(VALUE.finditer(data))
    if not found:
        return data
    start, stop = rng.choice(found).span()
    return data[:start] + rng.choice(VALUES).encode() + data[stop:]


def chunk(rng, data):
    """An object, an element or a line missing, doubled or elsewhere."""
    found = [m.span() for m in CHUNK.finditer(data)]
    if not found:
        return data
    (start, stop), (there, _) = rng.choice(found), rng.choice(found)
    piece = data[start:stop]
    gone = data[:start] + data[stop:]
    moved = gone[:there] + piece + gone[there:]
    return rng.choice([gone, data[:stop] + piece + data[stop:], moved])


def doctype(rng, data):
    """A document type where XML allows one."""
    return data.replace(b"?>", b"?>" + DOCTYPE, 1)


def _token(rng):
    return rng.choice(TOKENS).encode("utf-8", "surrogatepass")


ROUGH = (flip, delete, double, truncate, splice, insert, replace, replace, mark)
GENTLE = (value, value, value, chunk, chunk, flip, doctype)


def case(seed):
    """The format and the damaged source of a seed."""
    rng = random.Random(seed)  # noqa: S311 - damage, not secrets
    kind = sorted(SEEDS)[seed % len(SEEDS)]
    files = memory(rng.choice(SEEDS[kind])).files
    ways = rng.choice([ROUGH, GENTLE, GENTLE])
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        name = rng.choice([n for n in sorted(files) if files[n] or ".jpg" not in n])
        files[name] = rng.choice(ways)(rng, files[name])
    return kind, Memory(files)


def examine(seed):
    """The format of a case, and whether it is clean, repaired or refused; or raises."""
    kind, store = case(seed)
    rng = random.Random(seed)  # noqa: S311
    found = formats.FORMATS[kind].dataset(store)
    problems = list(found.problems)
    for name, annotated in found.images.items():
        turn = rng.choice([1, 1, 1, 6, rng.randrange(1, 9)])
        boxes, said = fit.fit(annotated, file=name, stored=(60, 40), turn=turn)
        problems += said
        limit = np.array([40, 60] if turn >= 5 else [60, 40]).tolist() * 2
        assert np.isfinite(boxes.xyxy).all(), "a box is not finite"
        assert ((boxes.xyxy >= 0) & (boxes.xyxy <= limit)).all(), "a box lies outside"
        assert (boxes.xyxy[:, 2:] > boxes.xyxy[:, :2]).all(), "a box has no area"
        outlines = [p for p in boxes.polygon if p is not None]
        assert all(((p >= 0) & (p <= limit[:2])).all() for p in outlines), "an outline"
    for problem in problems:
        message = f"{problem.reason} {problem.file} {problem.remedy}"
        assert not PRIVATE.search(message), f"a private path: {message}"
    levels = {problem.level for problem in problems}
    if "error" in levels:
        return kind, "refused"
    return kind, "repaired" if levels else "clean"


def batch(seeds):
    """How many cases of each format ended how, and the crashes by seed."""
    totals, crashes = collections.Counter(), {}
    for seed in seeds:
        try:
            totals[examine(seed)] += 1
        except Exception:
            crashes[seed] = traceback.format_exc(limit=-3)
    return totals, crashes


def bounded(seeds):
    """A batch in a process of its own, so that a blow-up or a hang is found."""
    command = [sys.executable, __file__, "--span", str(seeds.start), str(seeds.stop)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, {seeds.start: f"hangs: one of the {len(seeds)} seeds from here"}
    if done.returncode:
        why = done.stderr[-500:]
        return {}, {
            seeds.start: f"dies: one of the {len(seeds)} seeds from here\n{why}"
        }
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    totals = {(kind, end): int(n) for mark, kind, end, n in rows if mark == "total"}
    crashes = {int(seed): why for mark, seed, why, _ in rows if mark == "crash"}
    return totals, crashes


def span(seeds):
    """Run a batch under the memory limit and print it as rows."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    totals, crashes = batch(seeds)
    for (kind, end), n in sorted(totals.items()):
        sys.stdout.write(f"total\t{kind}\t{end}\t{n}\n")
    for seed, why in crashes.items():
        sys.stdout.write(f"crash\t{seed}\t{why!r}\t\n")


def report(totals, crashes, seconds):
    """Print what came of all cases."""
    ends = ("clean", "repaired", "refused")
    sys.stdout.write(f"{'format':<8}{'files':>9}" + "".join(f"{e:>10}" for e in ends))
    for kind in sorted(SEEDS):
        row = [totals[kind, end] for end in ends]
        cells = "".join(f"{n:>10,}" for n in row)
        sys.stdout.write(f"\n{kind:<8}{sum(row):>9,}{cells}")
    total = sum(totals.values())
    sys.stdout.write(f"\n{total:,} in {seconds:.0f} s, {len(crashes)} crashes\n")
    for seed, why in sorted(crashes.items())[:20]:
        sys.stdout.write(f"seed {seed}: {why}\n")


def main():
    """Mutate, read, print the totals; exit 1 on any crash."""
    parser = argparse.ArgumentParser(description="Damaged annotations against readers.")
    parser.add_argument("n", nargs="?", type=int, default=100_000, help="cases")
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--only", type=int, metavar="SEED", help="one case, in full")
    parser.add_argument("--span", nargs=2, type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only is not None:
        sys.stdout.write(f"{case(chosen.only)}\n{examine(chosen.only)}\n")
        return 0
    if chosen.span:
        span(range(*chosen.span))
        return 0
    started, stop = time.perf_counter(), chosen.seed + chosen.n
    starts = range(chosen.seed, stop, BATCH)
    spans = [range(start, min(stop, start + BATCH)) for start in starts]
    totals, crashes = collections.Counter(), {}
    with multiprocessing.pool.ThreadPool(2) as pool:
        for counted, broken in pool.imap_unordered(bounded, spans):
            totals.update(counted)
            crashes |= broken
    report(totals, crashes, time.perf_counter() - started)
    return bool(crashes)


if __name__ == "__main__":
    sys.exit(main())
