"""The studies on JAX, and one training shared by several devices.

On two CPU cores the four studies take up to three minutes of CPU at smoke, by the clean
protocol alone, since the other one trains the same networks: continuous integration
runs all, anybody else the one that trains most kinds of network.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from chromolib.runs import repository

# Most of a smoke is compiling, so the code is not made fast: a fifth less in all.
COMPILED = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
WHOLE = os.environ.get("CI")
STUDIES = repository.studies(repository.root()) if WHOLE else ["chromonet"]


def under_jax(root, *words, **more):
    environment = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(root)} | more
    return subprocess.run(
        [sys.executable, *words],
        cwd=root,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_runs_at_smoke(root, tmp_path, study):
    out = tmp_path / study
    words = ("-m", "chromolib", "run", study, "--profile", "smoke")
    words += ("-p", "protocol=clean", "-p", f"out={out}")
    done = under_jax(root, *words, **COMPILED)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["backend"] == "jax"
    notebook = json.loads((out / f"{study}.ipynb").read_text())
    outputs = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
    assert not [o for o in outputs if o.get("name") == "stderr"], "a greeting"


SHARED = """
import contextlib, sys
import keras, numpy as np
from chromolib.models import small, train

devices = len(keras.distribution.list_devices())
rng = np.random.default_rng(0)
x = rng.random((128, 48, 16, 1), np.float32)
y = np.eye(4, dtype="f")[rng.integers(4, size=128)]
with train.shared() if devices > 1 else contextlib.nullcontext():
    model = small.ready(small.bands(x.shape[1:], 4, seed=0), steps=8)
    history = train.train(model, x, y, epochs=2, seed=0, validation=(x[:32], y[:32]))
logits = model.predict(x[:7], verbose=0)
np.savez(sys.argv[1], devices=devices, logits=logits,
         loss=history["loss"], val_loss=history["val_loss"])
"""


def test_four_devices_learn_what_one_does(root, tmp_path):
    found = []
    for count in (1, 4):
        out, flag = tmp_path / f"{count}.npz", "--xla_force_host_platform_device_count"
        done = under_jax(root, "-c", SHARED, str(out), XLA_FLAGS=f"{flag}={count}")
        assert done.returncode == 0, done.stderr
        found.append(dict(np.load(out)))
    one, four = found
    assert (one["devices"], four["devices"]) == (1, 4)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(four[name], one[name], rtol=2e-3, err_msg=name)
    # Eight steps round by .007; another order of the images moves losses by .04.
    np.testing.assert_allclose(four["logits"], one["logits"], atol=0.02)
