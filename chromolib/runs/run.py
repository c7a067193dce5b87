"""A run of a notebook, from `begin` to `close`, and the folder it fills."""

import os
import platform
import time

import IPython

from chromolib import streams, tables
from chromolib.runs import (
    backend,
    banner,
    folder,
    identity,
    inputs,
    parameters,
    repository,
    results,
)

PROTOCOLS = {"both": ("published", "clean")}
STAYS = "this run was finished before; those results stay, and the new, equal ones go"
_open = {}  # study -> the run this kernel has open


class Run:
    """What a study needs to know about its run, and where its numbers go."""

    def __init__(self, root, study, values, machine):
        self.root, self.study, self.values, self.machine = root, study, values, machine
        self._images = inputs.read(root, values)
        self.id = self._identity()
        self.target = folder.place(root, study, self.id, values["out"])
        folder.check(self.target)
        self.folder, self._lock = folder.reserve(self.target, self.id)
        self._resumed = any(one.name != folder.LOCK for one in self.folder.iterdir())
        self._started, self._first_cell = time.monotonic(), _cell_count()
        self._estimates, self._others, self._tables = [], [], {}
        self._predictions, self.started_from = [], {}

    @property
    def images(self):
        """The images of `source`; None where it is synthetic."""
        return self._images.get("source")

    @property
    def external(self):
        """The images of `external`, which judge and never train; None without any."""
        return self._images.get("external")

    @property
    def data(self):
        """The folder that sources are looked for in."""
        return inputs.data_root(self.root, self.values.get("data", ""))

    @property
    def claims(self):
        """The folder of the claims files."""
        return self.root / "data" / "claims"

    @property
    def marks(self):
        """The csv of a person's marks on images of this run, which outlives it."""
        return self.root / "data" / "reviews" / f"{self.study}-{self.id}.csv"

    def given(self, name):
        """The value of a parameter."""
        return self.values[name]

    @property
    def estimates(self):
        """Every estimate recorded so far, each once."""
        return list(dict.fromkeys([*self._estimates, *self._others]))

    @property
    def protocols(self):
        """The protocols to show, published first."""
        chosen = self.values.get("protocol", "both")
        return PROTOCOLS.get(chosen, (chosen,))

    @property
    def label(self):
        """The words every estimate of this run carries."""
        return {"study": self.study} | {k: self.values[k] for k in ("profile", "seed")}

    @property
    def banner(self):
        """What was actually run, in words for the top of a page."""
        return banner.Banner(self.study, self.values)

    def size(self, *, smoke, quick, full):
        """The size this profile asks for; nothing else may depend on the profile."""
        return {"smoke": smoke, "quick": quick, "full": full}[self.values["profile"]]

    def rng(self, purpose):
        """A generator for one purpose, so that adding one never shifts another."""
        return streams.stream(self.values["seed"], purpose)

    def record(self, estimate):
        """Note an estimate for `estimates.csv`, before those of `record_all`.

        The first estimate stands for the run in a summary.
        """
        self._estimates.append(estimate)

    def record_all(self, estimates):
        """Note several estimates; gives them back as a list."""
        estimates = list(estimates)
        self._others.extend(estimates)
        return estimates

    def record_predictions(self, predictions):
        """Note predictions for `preds.csv`."""
        self._predictions.extend(predictions)

    def table(self, name, frame):
        """Note a table for `<name>.csv`, safe to open in a spreadsheet."""
        self._tables[name] = frame
        return frame

    def close(self):
        """Write the results, give the folder its place; show where, and what was run.

        From here on `folder` is that place. A finished run of the same identity stays.
        """
        if _open.get(self.study) is not self:
            raise folder.FolderError(
                f"{self.study}: this run is closed; run the cell with runs.begin again"
            )
        executed = _executed(self._first_cell)
        edited = executed not in (None, _source(self.root, self.study))
        if edited:
            self.id = self._identity(cells=sorted(executed))
            if not self.values["out"]:
                self.target = folder.place(self.root, self.study, self.id)
        self._write(edited)
        replace = folder.REPLACE in os.environ
        new = folder.publish(self.folder, self.target, self._lock, replace=replace)
        self.folder = self.target
        del _open[self.study]
        place = {"results": self._place()} | ({} if new else {"note": STAYS})
        return tables.facts(place | folder.manifest(self.target))

    def _write(self, edited):
        """Write everything that was recorded; the manifest comes last."""
        results.estimates(self.folder / "estimates.csv", self.estimates)
        if self._predictions:
            results.predictions(self.folder / "preds.csv", self._predictions)
        for name, frame in self._tables.items():
            results.table(self.folder / f"{name}.csv", frame)
        results.manifest(self.folder, self._manifest(edited))

    def _place(self):
        """Where the results are, as seen from the repository; no path of a machine."""
        if self.target.is_relative_to(self.root):
            return self.target.relative_to(self.root).as_posix()
        return f"{self.target.name}, the folder that the parameter out names"

    def abandon(self):
        """Give the run up and remove its folder."""
        folder.abandon(self.folder, self._lock)

    def _identity(self, cells=None):
        images = inputs.fingerprints(self._images)
        return identity.of(
            self.root, self.study, self.values, cells=cells, images=images
        )

    def _manifest(self, edited):
        values = parameters.named(self.values)
        return {
            "run": self.id,
            "study": self.study,
            "parameters": values,
            "edited": edited,
            "resumed": self._resumed,  # then its seconds are of the last part alone
            **results.provenance(self.root, self._started),
            **self.machine,
            "python": platform.python_version(),
            "data_fingerprint": identity.fingerprint(
                self.root, self.study, self.values.get("profile")
            ),
            "images": inputs.facts(self._images),
            "weights": {"given": values.get("weights", "none")} | self.started_from,
        }


def begin(study, names):
    """Check the parameters, start Keras quietly, seed it, and open the run's folder.

    `names` is the notebook's `globals()`: the parameters are read from it, and what
    Papermill injected under any other name is refused here, where Papermill only warns.
    """
    root = repository.root()
    defaults = parameters.known(repository.notebook(root, study))
    missing = sorted(set(defaults) - set(names))
    if missing:
        raise parameters.ParameterError(
            f"{', '.join(missing)} not set; run the parameters cell first"
        )
    given = {name: names[name] for name in defaults}
    values = parameters.resolve(defaults, _injected() | given, study=study)
    machine = backend.start()
    backend.seed(values["seed"], exact=values.get("deterministic", False))
    if study in _open:
        _open.pop(study).abandon()
    _open[study] = Run(root, study, values, machine)
    return _open[study]


def _history():
    shell = IPython.get_ipython()
    return list(shell.user_ns["In"]) if shell else []


def _injected():
    """What Papermill's own cell sets, known or not."""
    cells = [c for c in _history() if c.startswith("# Parameters\n")]
    return parameters.assignments(cells[-1]) if cells else {}


def _cell_count():
    return max(0, len(_history()) - 1)


def _executed(first):
    """The code run in this kernel since a run began; None outside a notebook."""
    history = _history()
    return {cell.strip() for cell in history[first:]} if history else None


def _source(root, study):
    """The code of the notebook from `runs.begin` on."""
    cells = [cell.strip() for cell in identity.code(repository.notebook(root, study))]
    first = next(i for i, cell in enumerate(cells) if "runs.begin(" in cell)
    return set(cells[first:])
