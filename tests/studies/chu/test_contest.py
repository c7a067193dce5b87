"""Rivals against networks on the same images; refused where places are others."""

import dataclasses
import types

import numpy as np
import pandas as pd
import pytest

from chromolib.studies.chu import contest, naming, questions, rivals
from tests.studies.chu.conftest import ROW


@dataclasses.dataclass
class Ink:
    """A rival that judges by how much ink there is."""

    name: str = "ink"
    model: object = None
    seconds: float = 1.0
    parameters: int = 2

    def probability(self, images):
        ink = (images.x / 255).mean((1, 2, 3))
        abnormal = 1 / (1 + np.exp(-40 * (ink - ink.mean())))
        return np.column_stack([1 - abnormal, abnormal])


@pytest.fixture
def contested(ran, karyograms, monkeypatch):
    run, grid = ran
    learned = []

    def learn(split, _details, **_words):
        learned.append(split)
        return [Ink()]

    monkeypatch.setattr(rivals, "learned", learn)
    how = {"sizes": None, "share": 0.15}
    return [contest.run(run, karyograms, grid, **how) for _ in "ab"], learned


def test_rivals_are_held_against_every_network_on_the_same_images(
    contested, ran, karyograms
):
    (first, again), learned = contested
    assert len(learned) <= 1, "what was said is kept"
    assert (first.said[0].image == karyograms.unseen.image).all()
    assert (first.said[0].probability == again.said[0].probability).all()
    leads = questions.of(first.estimates, f"difference in {contest.BETTER}")
    assert {one.model for one in leads} == {f"ink - {ROW}"}
    assert len(leads) == 2, "with first weights and without"
    (area,) = questions.of(first.estimates, contest.BETTER, labels="true")[:1]
    assert area.value > 0.9, "a block more is ink"
    assert first.natural[0].conditions["tested"] == "natural"
    assert first.cost == {"ink": [1.0, 2.0]}
    assert leads[0] in ran[0].recorded
    (cleared,) = questions.of(first.estimates, "normals cleared")
    assert (cleared.model, "rule" in cleared.conditions) == ("ink", True)
    assert {one.conditions.get("tested") for one in first.estimates} == {
        None,
        "natural",
    }


def test_what_a_rival_writes_is_kept_beside_what_is_true(ran, karyograms, monkeypatch):
    def written(images):
        every = ["47,XX,+21"] * len(images)
        return pd.DataFrame({"image": images.image, "karyotype": every})

    rival = Ink(naming.NAME, types.SimpleNamespace(reports=written))
    run, grid = ran
    abnormal = karyograms.details.label == "abnormal"
    change = np.where(abnormal & (np.cumsum(abnormal) % 2 == 0), "+21", "")
    change[abnormal & (change == "")] = "-4"
    extra = karyograms.details.extra | {"change": change}
    details = dataclasses.replace(karyograms.details, extra=extra)
    karyograms = dataclasses.replace(karyograms, details=details)
    (run.folder / "rows" / "rivals.npz").unlink(missing_ok=True)
    monkeypatch.setattr(rivals, "learned", lambda *_, **__: [rival])
    for _ in "ab":
        found = contest.run(run, karyograms, grid, sizes=None, share=0.15)
        assert list(found.reports.image) == list(karyograms.unseen.image)
        assert set(found.reports.karyotype) == {"47,XX,+21"}
        (named,) = questions.of(found.estimates, "change named")
        assert named.value == pytest.approx(0.5)
    (run.folder / "rows" / "rivals.npz").unlink()


def test_what_each_can_see_is_told_by_kind(contested, ran, karyograms):
    run, grid = ran
    kinds = contest.seen(run, contested[0][0], grid, karyograms)
    told = {(one.model, one.conditions.get("kind")) for one in kinds}
    assert {("ink", "gain"), ("ink", "none"), (ROW, "gain")} <= told


def test_karyograms_in_other_places_have_no_rival_and_a_reason(ran, karyograms):
    run, grid = ran
    (run.folder / "rows" / "rivals.npz").unlink(missing_ok=True)
    found = contest.run(run, karyograms, grid, sizes=rivals.Sizes(), share=0.15)
    assert not found.said
    assert found.reason.startswith("No rival here: ")
