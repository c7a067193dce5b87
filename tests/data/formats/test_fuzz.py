import fuzz
import pytest


@pytest.mark.parametrize("kind", sorted(fuzz.SEEDS))
def test_damaged_files_never_crash_a_reader(kind):
    """A few hundred; `python tests/fuzz.py` runs a hundred thousand."""
    step = len(fuzz.SEEDS)
    seeds = range(sorted(fuzz.SEEDS).index(kind), 400 * step, step)
    totals, crashes = fuzz.batch(seeds)
    assert not crashes
    ends = {end: n for (name, end), n in totals.items() if name == kind}
    assert sum(ends.values()) == len(seeds)
    assert ends["refused"] > 100
    assert len(seeds) - ends["refused"] > 20


def test_the_fuzzer_finds_what_it_looks_for(monkeypatch):
    """A reader that breaks is caught, and named by its seed."""

    def broken(store):
        raise ZeroDivisionError

    monkeypatch.setattr(fuzz.formats.FORMATS["csv"], "dataset", broken)
    seed = next(n for n in range(4) if fuzz.case(n)[0] == "csv")
    assert list(fuzz.batch(range(4))[1]) == [seed]


def test_undamaged_files_are_read():
    for kind, sources in fuzz.SEEDS.items():
        for files in sources:
            dataset = fuzz.formats.FORMATS[kind].dataset(fuzz.memory(files))
            assert dataset.images
            assert not fuzz.reasons(dataset)
