"""The probes on the real sources: what leaks there, by how much, and what does not."""

import numpy as np
import pytest

from chromolib.data import duplicates, leakage

pytestmark = pytest.mark.realdata


def stream(seed=0):
    return np.random.default_rng(seed)


def cut(images, split, seed=1):
    """Four in five images, or whole groups, for training."""
    _, owner = np.unique(images.group, return_inverse=True)
    train = split(owner, 0.8, stream(seed))
    return np.flatnonzero(train), np.flatnonzero(~train)


def shipped(images):
    train = images.extra["part"] == "train"
    return np.flatnonzero(train), np.flatnonzero(~train)


def contains(estimate, value):
    return estimate.low <= value <= estimate.high


@pytest.fixture(scope="module")
def prints(real):
    """The fingerprints of a real source, taken once."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = duplicates.fingerprints(real(name).pixels)
        return known[name]

    return of


def test_roboflow_ships_a_split_that_shares_karyograms(real):
    images = real("roboflow")
    part = images.extra["part"]
    sources = {name: set(images.group[part == name]) for name in np.unique(part)}
    assert len(sources["train"] & sources["valid"]) == 30
    assert len(sources["train"] & sources["test"]) == 20
    leak = leakage.group_overlap(images, *shipped(images), rng=stream())
    assert (leak.estimate.n, leak.estimate.groups) == (65, 52)
    assert leak.estimate.value == 55 / 65


def test_roboflow_copies_are_found_from_pixels_alone(real, prints):
    images, known = real("roboflow"), prints("roboflow")
    leak = leakage.near_copies(images, *shipped(images), rng=stream(), prints=known)
    assert 45 / 65 <= leak.estimate.value <= 55 / 65
    pairs = duplicates.near(known)
    assert np.array_equal(*images.group[pairs.T])
    size = np.unique(images.group, return_counts=True)[1]
    assert len(pairs) > 0.85 * (size * (size - 1) // 2).sum()


@pytest.mark.parametrize("probe", [leakage.near_copies, leakage.random_labels])
def test_roboflow_cut_by_source_is_clean(real, prints, probe):
    images = real("roboflow")
    train, test = cut(images, leakage.by_source)
    leak = probe(images, train, test, rng=stream(), prints=prints("roboflow"))
    assert contains(leak.estimate, leak.chance)
    assert not leak.leaks


def test_roboflow_as_shipped_knows_random_labels(real, prints):
    images, known = real("roboflow"), prints("roboflow")
    leak = leakage.random_labels(images, *shipped(images), rng=stream(), prints=known)
    assert leak.leaks
    assert leak.estimate.low > 0.8


def test_a_karyogram_gives_classes_away_by_place_and_a_metaphase_does_not(real):
    told = real("roboflow")
    leak = leakage.position_only(told, *cut(told, leakage.by_source), rng=stream())
    assert leak.estimate.value > 0.99
    told = real("tseng2023")
    leak = leakage.position_only(told, *cut(told, leakage.by_source), rng=stream())
    assert not leak.leaks


def test_tseng_cut_by_image_shares_cases(real):
    images = real("tseng2023")
    leak = leakage.group_overlap(images, *cut(images, leakage.by_image), rng=stream())
    assert leak.leaks
    assert leak.estimate.value > 0.5
    clean = leakage.group_overlap(images, *cut(images, leakage.by_source), rng=stream())
    assert clean.estimate.value == 0


def test_tseng_counts_46_in_most_fields(real):
    leak = leakage.always(real("tseng2023"), rng=stream())
    assert leak.estimate.n == 740
    assert leak.estimate.value > 0.85


def test_bioimlab_cells_are_told_by_their_greys(real):
    images = real("bioimlab")
    leak = leakage.cell_identity(images, rng=stream())
    assert (leak.estimate.groups, leak.leaks) == (94, True)
    assert leak.estimate.low > 8 * leak.chance


def test_bioimlab_knows_random_labels_only_when_cut_by_image(real, prints):
    images, known = real("bioimlab"), prints("bioimlab")
    train, test = cut(images, leakage.by_image)
    leak = leakage.random_labels(images, train, test, rng=stream(), prints=known)
    assert leak.leaks
    assert leak.estimate.low > 0.54
    train, test = cut(images, leakage.by_source)
    clean = leakage.random_labels(images, train, test, rng=stream(), prints=known)
    assert contains(clean.estimate, 0.5)


def test_bioimlab_holds_one_cell_twice_in_what_we_make_one_group(real, prints):
    images, pairs = real("bioimlab"), duplicates.near(prints("bioimlab"))
    cells = images.cell[pairs]
    apart = cells[:, 0] != cells[:, 1]
    assert {"|".join(sorted(pair)) for pair in cells[apart]} == {"111|2"}
    assert apart.sum() >= 25
    assert (~apart).sum() == 4
    for column in (images.label, images.group):
        assert np.array_equal(*column[pairs.T])


def test_pki3_has_no_copies(real, prints):
    assert len(duplicates.near(prints("pki3"))) == 0
    assert (duplicates.exact(real("pki3").pixels) == np.arange(18341)).all()
