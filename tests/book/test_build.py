import re

import nbformat
import pytest
from nbformat import v4

from chromolib.book import build
from chromolib.data import adapters
from chromolib.runs import execute


def test_no_page_is_made_of_a_run_on_real_images(tmp_path):
    outcome = execute.Outcome("chromonet", {"source": "pki3"}, tmp_path, "fresh", 1.0)
    with pytest.raises(build.BookError, match="set source to 'synthetic'"):
        build.build(tmp_path, [outcome])
    assert not list(tmp_path.iterdir())


def test_a_page_has_a_label_its_own_links_and_no_trace_of_papermill(tmp_path):
    text = (
        "# Title\n\n[a](../book/methods.md) [b](methods.md) [c](../book/sources.ipynb)"
    )
    text += " [d](../notebooks/chu.ipynb) [e](https://example.org/methods.md) `(x.md)`"
    tags = {"tags": ["injected-parameters"]}
    cells = [v4.new_markdown_cell(text), v4.new_code_cell("seed = 1", metadata=tags)]
    papermill = {"papermill": {"output_path": "/somewhere"}}
    notebook = v4.new_notebook(cells=cells, metadata=papermill)
    nbformat.write(notebook, tmp_path / "chu.ipynb")
    outcome = execute.Outcome("chu", {}, tmp_path, "fresh", 1.0)
    page = nbformat.reads(build.page(outcome), as_version=4)
    assert page.cells[0].source == (
        "(chu)=\n# Title\n\n[a](../methods.md) [b](../methods.md) [c](sources.ipynb)"
        " [d](chu.ipynb) [e](https://example.org/methods.md) `(x.md)`"
    )
    assert len(page.cells) == 1
    assert "papermill" not in page.metadata


def test_each_source_has_a_section_on_the_page_of_sources(root):
    text = (root / "book" / "sources.ipynb").read_text(encoding="utf-8")
    assert re.findall(r"## ([a-z0-9]+)\"", text) == list(adapters.NAMED)
