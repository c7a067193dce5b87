"""Models: `chromolib pretrain`, `chromolib predict`."""

import pathlib

import typer

from chromolib import streams
from chromolib.cli import show


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


def predict(
    study: str = typer.Argument(..., help="`chromolib studies` lists them."),
    source: str = typer.Option(..., help="`chromolib data list` names them."),
    out: str = typer.Option(..., help="The csv to write; must not exist."),
    data: str = typer.Option(None, help="Data root; else $CHROMOLIB_DATA."),
    model: str = typer.Option(None, help="A .keras file; else the shipped one."),
    on_error: str = typer.Option("refuse", help="Damaged images: refuse or skip."),
):
    """Ask a trained model about images; a row an image with its probabilities.

    A picture of nothing, or of no chromosome's shape, is referred: refer is True.
    For research: no answer of it may serve a diagnosis.
    """
    from chromolib.runs import backend, inputs, repository

    root = repository.root()
    repository.notebook(root, study)
    backend.start()
    from chromolib.models import store
    from chromolib.studies import predicting

    place = predicting.vacant(out)
    file = predicting.shipped(root, study) if model is None else model
    network, facts = store.load(file, study=study)
    values = predicting.asked(source, data, on_error)
    images = inputs.read(root, values)["source"]
    predictions = predicting.predict(network, facts, images)
    predicting.write(place, predictions)
    show.say(
        f"{len(predictions):,} images of {images.origin}, asked of a model trained on "
        f"{store.taught_by(facts)}: {show.near(place)}\n{facts['use']}"
    )
    if doubtful := predicting.referred(predictions):
        show.say(doubtful)
    if facts["source"] == images.source:
        show.say("The model was trained on this source: do not score it by these rows.")
