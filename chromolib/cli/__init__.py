"""`chromolib …`: thin; it prints results, and progress on stderr."""

import os
import pathlib
import signal
import sys

import typer

from chromolib.cli import data, karyotype, models, show, sweeps, synth

app = typer.Typer(
    help="What deep karyotyping really achieves: run the studies, read the audit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (synth.synth, synth.calibrate, synth.exam):
    data.app.command()(command)
app.add_typer(data.app, name="data")
app.command()(models.pretrain)
app.command()(models.train)
app.command()(models.predict)
app.command()(models.diagnose)
app.command()(karyotype.karyotype)
app.command()(sweeps.sweep)


@app.command()
def run(
    studies: list[str] = typer.Argument(
        ..., help="Studies to run; `chromolib studies` lists them."
    ),
    profile: str = typer.Option(
        None, help="Size: smoke, quick or full. Same as -p profile=…"
    ),
    parameter: list[str] = typer.Option(
        [], "-p", help="name=value of a parameter; name=a,b,c makes a grid. Repeatable."
    ),
    force: bool = typer.Option(
        False, help="Run again even if the same run is complete."
    ),
    jobs: int = typer.Option(1, min=1, help="Runs at a time."),
    cell_limit: int = typer.Option(
        None, min=1, help="Seconds after which a cell is stopped."
    ),
    keep: bool = typer.Option(
        False, help="Copy the numbers to data/results, to be committed."
    ),
    plan: str = typer.Option(
        None, help="Run nothing: add the runs to this table, for `chromolib sweep`."
    ),
):
    """Run studies; finished runs are reused, and a summary table ends it."""
    from chromolib.runs import published, repository, sweep

    settings = [] if profile is None else [f"profile={profile}"]
    settings += parameter
    root, names = repository.root(), dict.fromkeys(studies)
    if plan is not None:
        sweeps.write(root, names, settings, pathlib.Path(plan))
        return
    items = _runs(root, names, settings)
    with show.bar() as bar:
        outcomes = sweep.run_all(
            root, items, jobs=jobs, force=force, cell_limit=cell_limit, bar=bar
        )
    show.table(sweep.summary(outcomes))
    folders = {str(show.near(outcome.folder.parent)) for outcome in outcomes}
    show.say(f"Results: {', '.join(sorted(folders))}")
    for outcome in outcomes if keep else ():
        show.say(f"Kept: {show.near(published.keep(root, outcome))}")


@app.command()
def book(
    profile: str = typer.Option(
        "quick", help="Size of the studies: smoke, quick or full."
    ),
    force: bool = typer.Option(False, help="Run the studies again even if complete."),
    jobs: int = typer.Option(1, min=1, help="Runs at a time."),
    source: str = typer.Option("synthetic", help="Where the studies' images are from."),
    show_real: bool = typer.Option(
        False, help="Show real chromosomes, in a copy for your own eyes alone."
    ),
):
    """Run the studies and the computed pages, and render the book to HTML."""
    from chromolib.book import build as pages
    from chromolib.runs import repository, sweep

    root = repository.root()
    asked, own = f"source={source}", f"profile={profile}"
    items = [
        *_runs(root, repository.studies(root), [own, asked]),
        *_runs(root, repository.pages(root), [own]),
    ]
    pages.refuse_real(items, show_real=show_real)
    with show.bar() as bar:
        outcomes = sweep.run_all(
            root, items, jobs=jobs, force=force, cell_limit=None, bar=bar
        )
        task = bar.add_task("pages", total=None)
        first = pages.build(root, outcomes, show_real=show_real)
        bar.update(task, completed=1, total=1)
    show.say(f"The book: {show.near(first)}")
    show.say(f"Open it in any browser, no server needed: {first.as_uri()}")


def _runs(root, names, settings):
    """The name and the values of each run of these notebooks."""
    return [(name, each) for name in names for each in _grid(root, name, settings)]


def _grid(root, study, settings):
    """The values of each run that the settings ask for."""
    from chromolib.runs import parameters, repository

    defaults = parameters.known(repository.notebook(root, study))
    return parameters.grid(defaults, settings, study=study)


@app.command()
def claims(
    study: str = typer.Argument(None, help="One study; without it, a count for each."),
    word: str = typer.Option(None, help="Only claims whose audit got this word."),
):
    """What the papers claim and what the audit makes of it."""
    import pandas as pd

    from chromolib.evidence import claims as evidence
    from chromolib.runs import repository
    from chromolib.studies import STUDIES

    folder = repository.root() / "data" / "claims"
    if word and word not in evidence.WORDS:
        raise evidence.ClaimsError(
            f"no word {word!r}; known: {', '.join(evidence.WORDS)}"
        )
    names = [study] if study else STUDIES
    audits = {name: evidence.audit(evidence.load(folder, name)) for name in names}
    if not study and not word:
        show.table(evidence.tallies(audits))
        return
    table = pd.concat([evidence.table(audit) for audit in audits.values()])
    table = table[table["audit"] == word] if word else table
    show.table(table[["claim", "printed", "recomputed", "audit", "reason"]])


@app.command()
def studies():
    """A card of each study: what it reruns, how long that takes, and its last run."""
    from chromolib.runs import cards, repository

    root = repository.root()
    for study in repository.studies(root):
        show.say(cards.card(root, study) + "\n")


def main():
    """Run a command; a problem is one line on stderr and an exit code that is not 0."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell's background job ignores Ctrl-C, and so would all that it starts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault(
        "PYDEVD_DISABLE_FILE_VALIDATION", "1"
    )  # kernels warn otherwise
    if place := os.environ.get("CHROMOLIB_DATA"):  # kernels work in another folder
        os.environ["CHROMOLIB_DATA"] = str(pathlib.Path(place).absolute())
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own, of whichever version
            show.stop(_usage(error), error.exit_code)
        if isinstance(error, typer.Abort):
            show.stop("interrupted", 130)
        if type(error).__module__.split(".")[0] != "chromolib":
            raise
        show.stop(f"error: {error}", 1)
    if code:
        sys.exit(code)


def _usage(error):
    """What is wrong with the words of a command; without any, its help."""
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        return message
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "chromolib"
    reason = " ".join(message.split()).rstrip(".")
    return f"error: {reason}; `{command} --help` says what it takes"
