"""Writes the three band tables anew from the tarball of the npm package `ideogram`.

python data/bands/make_tables.py ideogram-1.53.0.tgz
"""

import argparse
import csv
import hashlib
import json
import pathlib
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
SHA256 = "cc7e8929f972a81925c197f8ad75d44970b3cd92f6fd6c75313c6b446c2f0542"
FOLDER = "package/dist/data/bands/native"
FILES = {
    400: "homo-sapiens-400.json",
    550: "homo-sapiens-550.json",
    850: "homo-sapiens.json",
}
COLUMNS = (
    *("chromosome", "arm", "band", "iscn_start", "iscn_stop"),
    *("bp_start", "bp_stop", "stain", "density"),
)


def bands(tarball, level):
    """The package's rows of one level, without the mitochondrion."""
    with tarfile.open(tarball) as archive:
        text = archive.extractfile(f"{FOLDER}/{FILES[level]}").read()
    rows = [row.split(" ") for row in json.loads(text)["chrBands"]]
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows if row[0] != "MT"]
    for row in rows:
        row |= {key: int(row[key]) for key in COLUMNS[3:7]}
    return rows


def filled(rows, coarse):
    """The rows with the parts of each coarse band stretched to fill it, and which."""
    stretched = []
    for whole in coarse:
        parts = [row for row in rows if _is_part(row, whole)]
        low, high = parts[0]["iscn_start"], parts[-1]["iscn_stop"]
        scale = (whole["iscn_stop"] - whole["iscn_start"]) / (high - low)
        if (low, high) != (whole["iscn_start"], whole["iscn_stop"]):
            stretched.append(whole["chromosome"] + whole["arm"] + whole["band"])
        for row in parts:
            for key in ("iscn_start", "iscn_stop"):
                row[key] = round(whole["iscn_start"] + (row[key] - low) * scale)
    return stretched


def _is_part(row, whole):
    same = all(row[key] == whole[key] for key in ("chromosome", "arm"))
    return same and row["band"].startswith(whole["band"])


def main():
    """Writes the tables beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tarball", type=pathlib.Path)
    tarball = parser.parse_args().tarball
    if hashlib.sha256(tarball.read_bytes()).hexdigest() != SHA256:
        parser.error(f"{tarball.name} is not ideogram 1.53.0; its sha256 differs")
    tables = {level: bands(tarball, level) for level in FILES}
    print("stretched:", *filled(tables[550], tables[400]))  # noqa: T201
    for level, rows in tables.items():
        path = HERE / f"bands-{level}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
