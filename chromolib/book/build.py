"""The book: executed notebooks and the page of claims, rendered to HTML."""

import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

import nbformat
import yaml

from chromolib import files, studies, tables
from chromolib.book import front
from chromolib.evidence import claims, verdicts
from chromolib.runs import published

SITE = pathlib.Path("_build") / "html"
PRIVATE = pathlib.Path("_build") / "private" / "_build" / "html"
MARK = "Not for publication: this copy shows chromosomes of real people."
WHOLE = "chromolib-book"  # the site as one file
FIRST = "-opening"  # the cell of a study that its page begins with
LINK = re.compile(r"\]\((?:\.\./(?:book|notebooks)/)?([\w-]+)\.(md|ipynb|png)\)")
PLUMBING = re.compile(r"profile = |from chromolib |import ")  # folded on a page
WIDGET = "application/vnd.jupyter.widget-view+json"
PLACE = {"md": "../", "png": "../", "ipynb": ""}  # from book/studies


class BookError(RuntimeError):
    """The pages did not build; the message holds what the builder complained of."""


def build(root, outcomes, *, show_real=False):
    """Render the book from finished runs of studies and pages; returns the first page.

    A page may be published, so runs on real images are refused, unless they are to be
    shown: then each page says that it is not for publication.
    """
    from chromolib.book import field  # and Keras: a mistake need not wait for it

    refuse_real(((one.study, one.given) for one in outcomes), show_real=show_real)
    folder = root / "book" / "studies"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for outcome in outcomes:
        files.write_text(folder / f"{outcome.study}.ipynb", page(outcome))
    files.write_text(root / "book" / "claims.md", claims_page(root))
    front.written(root, folder)
    field.written(root, folder)
    site = root / (PRIVATE if show_real else SITE)
    _jupyter_book(root, site, show_real=show_real)
    for outcome in outcomes:  # pages that a study's own page leads to
        for file in outcome.folder.glob("*/report.html"):
            place = site / folder.name / file.parent.name
            place.mkdir(exist_ok=True)
            shutil.copy(file, place)
    _packed(site)
    return site / "index.html"


def _packed(site):
    """The whole site as one zip within it; an older one is not packed again."""
    (site / f"{WHOLE}.zip").unlink(missing_ok=True)
    name = site.parent / WHOLE
    shutil.make_archive(name, "zip", site)
    shutil.move(f"{name}.zip", site / f"{WHOLE}.zip")


def refuse_real(runs, *, show_real):
    """Refuse runs, (study, values) each, that would put real images on a page."""
    for study, given in runs:
        source = given.get("source", "synthetic")
        if source != "synthetic" and not show_real:
            raise BookError(
                f"{study}: source={source!r} shows real chromosomes, and a page may be "
                "published; set source to 'synthetic', or give --show-real for your "
                "own eyes"
            )


def page(outcome):
    """An executed notebook as a page of the book.

    The paths and times that Papermill notes in it are left out, its links lead to the
    book's own pages, and its name becomes a label that other pages refer to.
    """
    content = nbformat.read(outcome.notebook, as_version=4)
    content.metadata.pop("papermill", None)
    tags = [cell.metadata.get("tags", []) for cell in content.cells]
    content.cells = [
        cell
        for cell, words in zip(content.cells, tags, strict=True)
        if "injected-parameters" not in words
    ]
    first = [cell for cell in content.cells if cell.get("id", "").endswith(FIRST)]
    rest = [cell for cell in content.cells if cell not in first]
    content.cells = [*rest[:1], *first, *rest[1:]]
    _without_kernel(content)
    for cell in content.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code" and PLUMBING.match(cell.source):
            tags = {*cell.metadata.get("tags", []), "hide-input"}
            cell.metadata["tags"] = sorted(tags)
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(
                lambda link: f"]({PLACE[link[2]]}{link[1]}.{link[2]})", cell.source
            )
    label = f"({outcome.study})=\n"
    content.cells[0].source = label + content.cells[0].source
    return nbformat.writes(content)


def _without_kernel(content):
    """Leave out widgets that need a kernel where their output has a page of its own."""
    for cell in content.cells:
        for out in cell.get("outputs", []):
            if {WIDGET, "text/html"} <= set(out.get("data", {})):
                del out["data"][WIDGET]
    for kept in content.metadata.get("widgets", {}).values():
        kept["state"] = {
            name: model
            for name, model in kept["state"].items()
            if model["model_module"] != "anywidget"
        }


def claims_page(root):
    """Every claim with its audit; each can be linked to by its id, and searched for.

    Where full results were kept, a claim they answer has their numbers and a verdict.
    """
    folder = root / "data" / "claims"
    audits = {
        study: claims.audit(claims.load(folder, study)) for study in studies.STUDIES
    }
    tallies = tables.show(claims.tallies(audits), "Claims of each study by audit word")
    text = [(root / "book" / "claims_head.md").read_text(encoding="utf-8")]
    text.append(tallies._repr_html_())
    for study, items in audits.items():
        rerun = _rerun(items, published.pooled(root, study))
        text += [f"## {study}", f"The study: {{ref}}`{study}`."]
        text += [_entry(a, rerun) for a in claims.with_word(items, *claims.DOUBTFUL)]
        text += [_folded(items, w, rerun) for w in ("not checkable", "consistent")]
    return "\n\n".join(text) + "\n"


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
    chosen = claims.with_word(audits, word)
    body = "\n\n".join(_entry(audit, rerun) for audit in chosen)
    return f"````{{dropdown}} {len(chosen)} claims: {word}\n{body}\n````"


def _jupyter_book(root, site, *, show_real):
    script = pathlib.Path(sysconfig.get_path("scripts")) / "jupyter-book"
    config, out = root / "_config.yml", site.parent.parent
    if show_real:
        settings = yaml.safe_load(config.read_text(encoding="utf-8"))
        settings["sphinx"]["config"]["html_theme_options"]["announcement"] = MARK
        out.mkdir(parents=True, exist_ok=True)
        config = out / "_config.yml"
        files.write_text(config, yaml.safe_dump(settings))
    options = f"--config {config} --path-output {out} -W -n --keep-going --all"
    command = [sys.executable, script, "build", "book", *options.split()]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    text = done.stdout + done.stderr
    complaints = re.findall(r"^.*(?:WARNING|ERROR).*$", text, re.M)
    if done.returncode or complaints:
        raise BookError("\n".join(complaints or text.splitlines()[-15:]))
