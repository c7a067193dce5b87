"""Every probe that a set allows, and a sentence for each that it does not."""

import numpy as np
import test_compose

from chromolib.data import compose, edits, survey


def rng(purpose):
    return np.random.default_rng(len(purpose))


def lab(count=12):
    labels = [*test_compose.NORMAL, "X", "X"] * count
    groups = np.repeat([f"c{i}" for i in range(count)], 46)
    return test_compose.cell_of(labels, groups=groups)


def probes(found):
    return {leak.probe for leak in found.leaks}


def test_nothing_is_asked_of_no_images():
    found = survey.leaks(None, rng=rng, protocols=("clean",))
    assert (found.leaks, found.unasked) == ((), ())


def test_single_chromosomes_are_asked_of_cells_and_never_of_health():
    found = survey.leaks(lab(), rng=rng, protocols=("published", "clean"))
    assert {"group overlap", "near copies", "cell identity"} <= probes(found)
    assert not {"ink area", "position only"} & probes(found)
    assert {leak.estimate.protocol for leak in found.leaks} == {
        "published",
        "clean",
        "whole set",
    }
    overlap = [leak for leak in found.leaks if leak.probe == "group overlap"]
    assert [leak.leaks for leak in overlap] == [True, False]


def test_edited_karyograms_are_asked_of_counts_and_ink():
    made = edits.numerical(lab(40), rng=np.random.default_rng(0))
    found = survey.leaks(made, rng=rng, protocols=("clean",))
    assert {"count only", "ink area", "always 46", "position only"} <= probes(found)
    assert any("near copies" in sentence for sentence in found.unasked)
    assert {leak.estimate.source for leak in found.leaks} == {"pki3 (real, edited)"}


def test_what_cannot_be_asked_is_said_and_ends_nothing():
    one = lab(1)
    found = survey.leaks(one, rng=rng, protocols=("published", "clean"))
    assert any("clean split: a single group" in s for s in found.unasked)
    assert probes(found)


def test_an_external_set_with_copies_of_training_is_found_out():
    images = lab(3)
    copies, others = images.take(np.arange(46)), lab(6).take(np.arange(200, 246))
    for external, share in ((copies, 1), (others, 0)):
        found = survey.leaks(images, rng=rng, protocols=(), external=external)
        (leak,) = [one for one in found.leaks if one.estimate.protocol == "external"]
        assert leak.estimate.value == share


def test_a_karyogram_s_layout_tells_every_class():
    composed = compose.cells(lab())
    found = survey.leaks(composed, rng=rng, protocols=("clean",))
    (place,) = [leak for leak in found.leaks if leak.probe == "position only"]
    assert place.estimate.value == 1
