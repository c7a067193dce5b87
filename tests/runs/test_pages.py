import pytest

from chromolib.runs import book, execute


def test_no_page_is_made_of_a_run_on_real_images(tmp_path):
    outcome = execute.Outcome("chromonet", {"source": "pki3"}, tmp_path, "fresh", 1.0)
    with pytest.raises(book.BookError, match="set source to 'synthetic'"):
        book.build(tmp_path, [outcome])
    assert not list(tmp_path.iterdir())
