"""A table of runs: `chromolib sweep`, and `chromolib run … --plan`."""

import pathlib

import typer

from chromolib.cli import show


def write(root, studies, settings, path):
    """Add the runs of a grid to a plan, and say how many it holds."""
    from chromolib.runs import plan

    rows = plan.write(path, root, plan.grid(root, studies, settings))
    show.say(f"{show.near(path)}: {_runs(len(rows))}; run them: chromolib sweep {path}")


def sweep(
    plan: str = typer.Argument(..., help="A table of runs, from `run … --plan`."),
    row: int = typer.Option(
        None, min=1, help="Carry out this row alone: for the array of a batch system."
    ),
    jobs: int = typer.Option(1, min=1, help="Runs at a time."),
    cluster: str = typer.Option(
        None, help="Send the rows to the Dask cluster at this address, tcp://…"
    ),
    force: bool = typer.Option(False, help="Run complete rows again."),
    cell_limit: int = typer.Option(
        None, min=1, help="Seconds after which a cell is stopped."
    ),
    dry: bool = typer.Option(False, help="Only say what there is and what it takes."),
):
    """Carry out what is missing of a table of runs; all estimates end in one csv."""
    from chromolib.runs import plan as plans
    from chromolib.runs import repository, sweep

    path, root = pathlib.Path(plan), repository.root()
    rows = plans.read(path, root)
    chosen = rows if row is None else [plans.numbered(path, rows, row)]
    if dry:
        _dry(plans.dry(root, chosen), jobs)
        return
    how = {"force": force, "cell_limit": cell_limit}
    with show.bar() as bar:
        if cluster is None:
            done, failed = sweep.run_plan(root, chosen, jobs=jobs, bar=bar, **how)
        else:
            from chromolib.runs import cluster as dask

            done, failed = dask.run_plan(
                root, chosen, cluster, bar=bar, log=show.line, **how
            )
    if row is None:
        _end(root, path, rows, done)
    if len(done) < len(chosen):
        raise sweep.SweepError(_failures(chosen, done, failed))


def _end(root, path, rows, done):
    """The table of what is complete, and the csv of its estimates."""
    from chromolib.runs import sweep

    if not done:
        return
    table = sweep.summary(list(done.values()))
    table.insert(0, "row", [str(number) for number in done])
    show.table(table)
    out = path.with_suffix(".estimates.csv")
    sweep.estimates(out, rows, done)
    show.say(f"Estimates of {_rows(len(done))} of {len(rows)}: {show.near(out)}")
    if len(done) == len(rows):
        sweep.clean(root, done.values())


def _failures(rows, done, failed):
    """What did not come about and why, in a line."""
    first = next((row for row in rows if row.number in failed), None)
    reason = f"; row {first.number}: {failed[first.number]}" if first else ""
    open_ = len(rows) - len(done) - len(failed)
    more = f", {open_} not begun" if open_ else ""
    return (
        f"{_rows(len(failed))} of {len(rows)} failed{more}{reason}; "
        "the same command takes up what is missing"
    )


def _dry(lines, jobs):
    """What a plan holds, what of it is there, and the time of the rest."""
    import pandas as pd

    table = pd.DataFrame(lines).fillna("").astype({"row": str})
    table["minutes"] = [_minutes(line["minutes"]) for line in lines]
    show.table(table)
    states = pd.Series([line["state"] for line in lines]).value_counts()
    rest = [line["minutes"] for line in lines if line["state"] != "complete"]
    known = [minutes for minutes in rest if minutes is not None]
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    unknown = len(rest) - len(known)
    show.say(
        f"{_rows(len(lines))}: {counts}; about {_minutes(sum(known) / jobs)} minutes"
        + (f" with {jobs} at a time" if jobs > 1 else "")
        + (f", and {_rows(unknown)} that no past run tells of" if unknown else "")
    )


def _minutes(minutes):
    return "" if minutes is None else f"{minutes:.1f}"


def _rows(count):
    return "1 row" if count == 1 else f"{count} rows"


def _runs(count):
    return "1 run" if count == 1 else f"{count} runs"
