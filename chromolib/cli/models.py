"""Models: `chromolib pretrain`, `train`, `predict`, `diagnose`."""

import pathlib

import typer

from chromolib import streams
from chromolib.cli import show

PICTURES = "pictures"  # the source of whoever names none: a folder of pictures
ANYWAY = typer.Option(
    False, "--anyway", help="Ask also a model that is no better than chance."
)


def pretrain(
    out: str = typer.Option(None, help="A folder; without it data/models."),
    cells: int = typer.Option(400, help="Synthetic cells, of two a patient."),
    epochs: int = typer.Option(12, help="Looks at every chromosome."),
    seed: int = typer.Option(
        0, min=0, max=streams.LARGEST, help="The same seed gives the same weights."
    ),
):
    """Train the trunk that weights=domain starts from, on synthetic chromosomes alone;
    stopped and started again alike, it goes on."""
    from chromolib.runs import backend, repository

    folder = pathlib.Path(out) if out else repository.root() / "data" / "models"
    show.made(folder)
    backend.start()
    from chromolib.studies.synthetic import pretraining

    origin = pretraining.pretrain(
        folder, cells=cells, epochs=epochs, seed=seed, log=show.say
    )
    show.say(f"{show.near(origin.file)}: {origin.sentence}\nsha256 {origin.sha256}")


def train(
    study: str = typer.Argument(
        ..., help="`shruti`, to name chromosomes; `hamza`, to find them on metaphases."
    ),
    source: list[str] = typer.Option(..., help="Labelled images; may repeat."),
    out: str = typer.Option(..., help="The file to write; must not exist."),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    first: str = typer.Option(
        None, help="A trained model to go on from, such as the shipped one."
    ),
    steps: int = typer.Option(
        None, min=1, help="Batches to learn from; else as the shipped model."
    ),
    seed: int = typer.Option(
        0, min=0, max=streams.LARGEST, help="The same seed gives the same weights."
    ),
    on_error: str = typer.Option("refuse", help="Damaged images: refuse or skip."),
):
    """Train a model for `predict`, `diagnose` and `karyotype` on labelled images of
    your own.

    A part of the cells or cases of each source stays out and scores it. Stopped and
    started again alike, it goes on.
    """
    root = _started(study)
    from chromolib.data import cards
    from chromolib.models import store
    from chromolib.runs import inputs
    from chromolib.studies import predicting

    shipping = predicting.trainable(study)
    place = predicting.vacant(store.named(out, shipping.store.SUFFIX))
    before = first and store.named(first, shipping.store.SUFFIX)
    found = []
    for name in source:
        images = inputs.read(root, predicting.asked(name, data, on_error))["source"]
        card = cards.read(root / "data" / "cards", images.source)
        upright = bool(card.get("upright"))
        found.append(shipping.prepared(images, upright=upright, real=True))
    how = {"seed": seed, "checkpoint": place.parent / f".{place.stem}.training"}
    how |= {"log": show.say, "first": before}
    how |= {} if steps is None else {"steps": steps}
    file = shipping.ship(place, found, **how)
    facts = shipping.store.load(file)[1]
    scores = "\n".join(f"  {store.score(one)}" for one in facts["scores"])
    show.say(f"{show.near(file)}, on cells that it did not learn from:\n{scores}")


def predict(
    study: str = typer.Argument(..., help="`chromolib studies` lists them."),
    source: str = typer.Option(PICTURES, help="`chromolib data list` names them."),
    out: str = typer.Option(..., help="The csv to write; must not exist."),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    model: str = typer.Option(None, help="A .keras file; else the shipped one."),
    on_error: str = typer.Option("refuse", help="Damaged images: refuse or skip."),
    anyway: bool = ANYWAY,
):
    """Ask a trained model about images; a row an image with its probabilities.

    A picture of nothing, or of no chromosome's shape, is referred: refer is True. A
    model of karyograms refuses metaphases, and one no better than chance answers none.
    For research: no answer of it may serve a diagnosis.
    """
    root = _started(study)
    from chromolib.models import store
    from chromolib.studies import predicting

    place = predicting.vacant(out)
    network, facts = _loaded(root, study, model)
    scores = predicting.scored(facts, anyway=anyway)
    images, predictions = _asked(root, network, facts, source, data, on_error)
    predicting.write(place, predictions)
    show.say(
        f"{len(predictions):,} images of {images.origin}, asked of a model trained on "
        f"{store.taught_by(facts)}: {show.near(place)}\n{scores}\n{facts['use']}"
    )
    if doubtful := predicting.referred(predictions):
        show.say(doubtful)
    if images.source in facts["source"].split(" and "):
        show.say("The model was trained on this source: do not score it by these rows.")


def diagnose(
    source: str = typer.Option(PICTURES, help="Single chromosomes by cell."),
    out: str = typer.Option(
        ..., help="The csv to write, a row a cell; NAME.cases.csv beside it, a case."
    ),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    model: str = typer.Option(None, help="A .keras file; else the shipped one."),
    on_error: str = typer.Option("refuse", help="Damaged images: refuse or skip."),
    anyway: bool = ANYWAY,
):
    """Name the chromosomes of each cell, count them, and say which karyotype that is.

    Cells that a person should look at are referred, with the reason. A case is what
    most of its cells are. For research: no answer of it may serve a diagnosis.
    """
    root = _started("shruti")
    from chromolib.cyto import diagnose as counted
    from chromolib.studies import predicting

    place = predicting.vacant(out)
    beside = predicting.vacant(place.with_name(f"{place.stem}.cases.csv"))
    network, facts = _loaded(root, "shruti", model)
    scores = predicting.scored(facts, anyway=anyway)
    images, predictions = _asked(root, network, facts, source, data, on_error)
    cells = predicting.karyotypes(facts, predictions)
    cases = counted.cases(cells)
    predicting.write(place, cells)
    predicting.write(beside, cases)
    show.say(
        f"{len(cells):,} cells of {images.origin}, {int(cells['refer'].sum()):,} "
        f"of them referred: {show.near(place)}\n{len(cases):,} cases, "
        f"{int(cases['refer'].sum()):,} of them referred: {show.near(beside)}\n"
        f"{scores}\n{facts['use']}"
    )


def _started(study):
    """The root of a repository that has the study, Keras quietly at hand."""
    from chromolib.runs import backend, repository

    root = repository.root()
    repository.notebook(root, study)
    backend.start()
    return root


def _loaded(root, study, model):
    """The model of a file, or the shipped one, and its facts."""
    from chromolib.models import store
    from chromolib.studies import predicting

    of = predicting.FIRST.get(study, "")
    file = predicting.shipped(root, study, of=of) if model is None else model
    return store.load(file, study=study)


def _asked(root, network, facts, source, data, on_error):
    """The images, and what the model says of them."""
    from chromolib.runs import inputs
    from chromolib.studies import predicting

    values = predicting.asked(source, data, on_error)
    images = inputs.read(root, values)["source"]
    return images, predicting.predict(network, facts, images)
