"""The book: executed studies and the claims page, rendered to HTML."""

import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import nbformat

from chromolib import studies, tables
from chromolib.book import lab_page, sources
from chromolib.evidence import claims, verdicts
from chromolib.runs import published

SITE = pathlib.Path("_build") / "html"


class BookError(RuntimeError):
    """The pages did not build; the message holds what the builder complained of."""


def build(root, outcomes):
    """Render the book from finished runs; returns the first page.

    A page may be published, so runs on real images are refused.
    """
    for outcome in outcomes:
        if (source := outcome.given.get("source", "synthetic")) != "synthetic":
            raise BookError(
                f"{outcome.study}: source={source!r} shows real chromosomes, and a "
                "page may be published; set source to 'synthetic' in the notebook"
            )
    folder = root / "book" / "studies"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for outcome in outcomes:
        (folder / f"{outcome.study}.ipynb").write_text(
            page(outcome.notebook), encoding="utf-8"
        )
    for name, text in (
        ("claims.md", claims_page(root)),
        ("sources.md", sources.page(root)),
        ("synthetic.md", lab_page.page(root)),
    ):
        (root / "book" / name).write_text(text, encoding="utf-8")
    _jupyter_book(root)
    return root / SITE / "index.html"


def page(notebook):
    """An executed notebook without the paths and times Papermill notes in it."""
    content = nbformat.read(notebook, as_version=4)
    content.metadata.pop("papermill", None)
    for cell in content.cells:
        cell.metadata.pop("papermill", None)
    content.cells = [c for c in content.cells if "injected-parameters" not in _tags(c)]
    return nbformat.writes(content)


def claims_page(root):
    """Every claim with its audit; each can be linked to by its id, and searched for.

    Where full results were kept, a claim they answer has their numbers and a verdict.
    """
    folder = root / "data" / "claims"
    audits = {
        study: claims.audit(claims.load(folder, study)) for study in studies.STUDIES
    }
    parts = [(root / "book" / "claims_head.md").read_text(encoding="utf-8")]
    tallies = claims.tallies(audits).set_index("study").T
    parts.append(_markdown(tallies.rename_axis("word").reset_index()))
    for study, found in audits.items():
        rerun = _rerun(found, published.pooled(root, study))
        parts += [f"## {study}", f"The study: {{ref}}`{study}`."]
        parts += [_entry(a, rerun) for a in claims.with_word(found, *claims.DOUBTFUL)]
        parts += [_folded(found, w, rerun) for w in ("not checkable", "consistent")]
    return "\n\n".join(parts) + "\n"


def _rerun(audits, full):
    """Claim -> its row of verdicts, of those that full results answer."""
    rows = verdicts.judge(audits, [], published_full=full)
    answered = (rows["ours_published"] != "") | (rows["ours_clean"] != "")
    return {row["claim"]: row for row in rows[answered].to_dict("records")}


def _entry(audit, rerun):
    claim = audit.claim
    facts = [f"**{audit.word}**", "protocol leaks" if audit.leaking else ""]
    facts += [f"printed {tables.plain(claim.value)}"]
    facts += [f"{audit.origin} {tables.plain(audit.shown)}" if audit.shown else ""]
    lines = [
        f"({claim.id})=",
        f"{tables.plain(claim.statement)} *{tables.plain(claim.place)}*",
        *_defined(facts, audit.reason),
    ]
    if ours := rerun.get(claim.id):
        facts = [f"**{ours['verdict']}**"]
        facts += [
            f"ours, {protocol} protocol: {tables.plain(ours[f'ours_{protocol}'])}"
            for protocol in ("published", "clean")
            if ours[f"ours_{protocol}"]
        ]
        lines += ["", *_defined(facts, ours["reason"])]
    return "\n".join(lines)


def _defined(facts, reason):
    """A definition: facts in one line, and the sentence that explains them."""
    lines = [": " + " · ".join(fact for fact in facts if fact)]
    return lines + ([f"\n  {tables.plain(reason)}"] if reason else [])


def _folded(audits, word, rerun):
    kept = claims.with_word(audits, word)
    body = "\n\n".join(_entry(audit, rerun) for audit in kept)
    return f"````{{dropdown}} {len(kept)} claims: {word}\n{body}\n````"


def _markdown(frame):
    rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.values.tolist()]
    return "\n".join(
        "| " + " | ".join(str(cell) for cell in row) + " |" for row in rows
    )


def _tags(cell):
    return cell.metadata.get("tags", [])


def _jupyter_book(root):
    script = pathlib.Path(sysconfig.get_path("scripts")) / "jupyter-book"
    command = [sys.executable, script, "build", "book"]
    command += [
        "--config",
        "_config.yml",
        "--path-output",
        ".",
        "-W",
        "-n",
        "--keep-going",
        "--all",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    text = done.stdout + done.stderr
    complaints = re.findall(r"^.*(?:WARNING|ERROR).*$", text, re.M)
    if done.returncode or complaints:
        raise BookError("\n".join(complaints or text.splitlines()[-15:]))
