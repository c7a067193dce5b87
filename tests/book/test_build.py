import pytest

from chromolib.book import build
from chromolib.runs import execute


def test_no_page_is_made_of_a_run_on_real_images(tmp_path):
    outcome = execute.Outcome("chromonet", {"source": "pki3"}, tmp_path, "fresh", 1.0)
    with pytest.raises(build.BookError, match="set source to 'synthetic'"):
        build.build(tmp_path, [outcome])
    assert not list(tmp_path.iterdir())
