"""The first figure and the table of runs, from committed files alone."""

from chromolib.book import front
from chromolib.studies import STUDIES


def test_every_kept_run_has_a_row_with_its_cost(root):
    kept = front.kept(root)
    places = list((root / "data" / "results").glob("*/full/*/seed*/manifest.json"))
    assert len(kept) == len(places) > 0
    assert set(kept["study"]) <= {*STUDIES, "sources"}
    assert (kept["minutes"] >= 0).all()
    assert kept["date"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert kept["device"].str.len().min() > 0


def test_the_first_figure_is_drawn_from_files_with_its_numbers_in_words(root, tmp_path):
    front.written(root, tmp_path)
    text = (tmp_path / "front.md").read_text()
    assert text.startswith("<figure")
    assert len(text) > 10_000
    for study in STUDIES:
        assert f"{study}, " in text
    assert "printed 0.89" in text
    assert "<table" in (tmp_path / "kept.md").read_text()
