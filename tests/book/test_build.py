import pathlib
import re
import subprocess
import zipfile

import nbformat
import pytest
import yaml
from nbformat import v4

from chromolib.book import build
from chromolib.data import adapters
from chromolib.runs import execute


def test_no_page_is_made_of_a_run_on_real_images(tmp_path):
    outcome = execute.Outcome("chromonet", {"source": "pki3"}, tmp_path, "fresh", 1.0)
    with pytest.raises(build.BookError, match="set source to 'synthetic'"):
        build.build(tmp_path, [outcome])
    assert not list(tmp_path.iterdir())


def test_real_images_are_shown_in_a_marked_copy_elsewhere(tmp_path, monkeypatch):
    """What Jupyter Book would be told, without building it."""
    asked = []
    done = subprocess.CompletedProcess([], 0, "", "")
    told = {"sphinx": {"config": {"html_theme_options": {"navbar_start": []}}}}
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(told))
    monkeypatch.setattr(
        build.subprocess, "run", lambda command, **_: asked.append(command) or done
    )
    for show_real, site in ((False, build.SITE), (True, build.PRIVATE)):
        build._jupyter_book(tmp_path, tmp_path / site, show_real=show_real)
    public, private = (dict(zip(c[4::2], c[5::2], strict=False)) for c in asked)
    assert public["--config"] == str(tmp_path / "_config.yml")
    assert "announcement" not in (tmp_path / "_config.yml").read_text()
    written = yaml.safe_load(pathlib.Path(private["--config"]).read_text())
    options = written["sphinx"]["config"]["html_theme_options"]
    assert options == {"navbar_start": [], "announcement": build.MARK}
    assert public["--path-output"] != private["--path-output"]


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


def test_plumbing_is_folded_and_an_older_zip_is_not_packed_again(tmp_path):
    cells = [v4.new_markdown_cell("# Title")]
    sources = ('profile = "quick"', "import keras", "model.fit()")
    cells += [v4.new_code_cell(source) for source in sources]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "chu.ipynb")
    outcome = execute.Outcome("chu", {}, tmp_path, "fresh", 1.0)
    made = nbformat.reads(build.page(outcome), as_version=4).cells[1:]
    folded = [cell.metadata.get("tags", []) == ["hide-input"] for cell in made]
    assert folded == [True, True, False]
    site = tmp_path / "html"
    site.mkdir()
    (site / "index.html").write_text("a page")
    for _ in range(2):
        build._packed(site)
    with zipfile.ZipFile(site / f"{build.WHOLE}.zip") as whole:
        assert [n for n in whole.namelist() if not n.endswith("/")] == ["index.html"]


def test_each_source_has_a_section_on_the_page_of_sources(root):
    text = (root / "book" / "sources.ipynb").read_text(encoding="utf-8")
    assert re.findall(r"## ([a-z0-9]+)\"", text) == list(adapters.NAMED)


def test_a_page_keeps_the_view_that_needs_no_kernel(tmp_path):
    """Of an output that is both; a widget without a page of its own stays."""
    both = {build.WIDGET: {"model_id": "a"}, "text/html": "<p>page</p>"}
    outputs = [v4.new_output("display_data", data) for data in (both, dict(both))]
    del outputs[1].data["text/html"]
    cells = [v4.new_markdown_cell("# T"), v4.new_code_cell("x", outputs=outputs)]
    modules = {"a": "anywidget", "b": "@jupyter-widgets/controls"}
    state = {name: {"model_module": module} for name, module in modules.items()}
    widgets = {
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": state}}
    }
    nbformat.write(
        v4.new_notebook(cells=cells, metadata=widgets), tmp_path / "chu.ipynb"
    )
    outcome = execute.Outcome("chu", {}, tmp_path, "fresh", 1.0)
    page = nbformat.reads(build.page(outcome), as_version=4)
    kept = [set(out.data) for out in page.cells[1].outputs]
    assert kept == [{"text/html"}, {build.WIDGET}]
    (state,) = page.metadata.widgets.values()
    assert list(state["state"]) == ["b"]
