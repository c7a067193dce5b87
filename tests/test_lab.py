"""A real JupyterLab opens a study, runs its cells and shows its figure."""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time

import nbformat
import pytest

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-browser",
    "--ip=127.0.0.1",
    "--port=0",
    "--allow-root",
    "--ServerApp.port_retries=0",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


INSPECTED = """
import numpy as np
import PIL.Image
from chromolib import records, widgets
from chromolib.synth import lab, singles

drawn = singles.images(lab.cells(1, look="g", seed=0))
ink = np.zeros((len(drawn), 96, 96), np.float32)
for place, picture in zip(ink, drawn.pixels, strict=True):
    small = PIL.Image.fromarray(picture)
    small.thumbnail((94, 94))
    top, left = (96 - small.height) // 2, (96 - small.width) // 2
    dark = 1 - np.asarray(small) / np.float32(255)
    place[top : top + small.height, left : left + small.width] = dark
row = np.arange(10_000)
ink, truth = ink[row % len(drawn)], drawn.label[row % len(drawn)]
chance = np.full((len(row), 24), 0.01)
true = np.array([records.CLASSES.index(name) for name in truth])
chance[row, (true + (row % 5 == 0)) % 24] = 0.77  # every fifth is mistaken
predictions = records.Predictions(
    image=np.char.add("image ", row.astype(str)),
    group=np.char.add("cell ", (row // len(drawn)).astype(str)),
    truth=truth,
    probability=chance,
    source="synthetic",
    model="none",
)
widgets.inspect(predictions, ink, marks="marks.csv", reviewer="A", real=False)
"""


@pytest.fixture
def study(root, tmp_path):
    """A copy of a study where a JupyterLab is served."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "claims").symlink_to(root / "data" / "claims")
    for name in ("chromolib", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    source = (root / "notebooks" / "chromonet.ipynb").read_text(encoding="utf-8")
    source = source.replace(r"profile = \"quick\"", r"profile = \"smoke\"")
    (tmp_path / "notebooks" / "chromonet.ipynb").write_text(source, encoding="utf-8")
    return "notebooks/chromonet.ipynb"


@pytest.fixture
def inspected(tmp_path):
    """A notebook of one cell, the inspector of ten thousand images."""
    cells = [nbformat.v4.new_code_cell(INSPECTED.strip())]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(made, tmp_path / "look.ipynb")
    return "look.ipynb"


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab of its own, to which a notebook's path is added."""
    token = secrets.token_hex(16)
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{name}": str(tmp_path / name.lower()) for name in folders}
    own |= {"JUPYTER_TOKEN": token, "HOME": str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *FLAGS],
        cwd=tmp_path,
        env=os.environ | own,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = next(find_address(server))
    await_answer(address)
    threading.Thread(target=server.stderr.read, daemon=True).start()
    yield lambda path: f"{address}lab/tree/{path}?token={token}"
    server.terminate()
    server.wait()
    server.stdout = None


def find_address(server):
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            yield found[0]
    pytest.fail("JupyterLab did not start")


def await_answer(address):
    """A server says its address before it listens there."""
    port = int(address.rstrip("/").rpartition(":")[2])
    for _ in range(600):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.1)
    pytest.fail("JupyterLab does not listen where it said")


def run_all(tab):
    tab.wait_for_selector(".jp-Notebook", timeout=60_000)
    tab.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=60_000)
    tab.click(".lm-MenuBar-item:has-text('Run')")
    tab.click(".lm-Menu-item:has-text('Run All Cells') >> nth=0")


def test_a_study_runs_in_jupyterlab(lab, study, browser, tmp_path):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab, elsewhere = context.new_page(), []
    home = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    tab.on("request", lambda r: r.url.startswith(home) or elsewhere.append(r.url))
    tab.goto(lab(study))
    run_all(tab)
    done = tmp_path / "data" / "runs" / "chromonet"
    for _ in range(1200):
        if list(done.glob("*/manifest.json")):
            break
        tab.wait_for_timeout(200)
    tab.wait_for_selector(".jp-OutputArea-output img", state="attached")
    (manifest,) = done.glob("*/manifest.json")
    assert '"edited": false' in manifest.read_text()
    assert not tab.query_selector_all(".jp-RenderedText[data-mime-type*='error']")
    assert elsewhere == []
    context.close()


def test_the_inspector_looks_into_a_kernel(lab, inspected, browser, root, tmp_path):
    """It also makes the picture of the inspector's page, `_build/inspector.png`."""
    tab = browser.new_page(viewport={"width": 1280, "height": 1500})
    wrong = [k for k in range(10_000) if k % 5 == 0]
    for visit in (1, 2):  # the second after a restart, in a page loaded anew
        tab.goto(lab(inspected))
        if visit == 2:
            tab.click(".lm-MenuBar-item:has-text('Kernel')")
            tab.click(".lm-Menu-item:has-text('Restart Kernel…') >> nth=0")
            tab.click(".jp-Dialog button.jp-mod-accept")
        run_all(tab)
        view = tab.locator(".jp-OutputArea .inspect")
        view.get_by_text("10,000 of 10,000 images").wait_for(timeout=60_000)
        if visit == 2:
            view.get_by_text("A: 1 marked").wait_for()
            view.get_by_label("Marked", exact=True).select_option("wrong")
            view.get_by_text("1 of 10,000 images").wait_for()
            break
        view.get_by_label("Right or wrong", exact=True).select_option("wrong")
        view.get_by_text(f"{len(wrong):,} of 10,000 images").wait_for()
        rows = view.locator(".grid .tile").evaluate_all(
            "all => all.map(a => +a.dataset.row)"
        )
        assert rows == wrong[: len(rows)]
        view.locator(f".grid [data-row='{wrong[2]}']").click()
        tab.keyboard.press("ArrowRight")
        view.locator(".large dd").get_by_text(
            f"image {wrong[3]}", exact=True
        ).wait_for()
        view.locator(".near .tile img[src]").first.wait_for(timeout=60_000)
        tab.keyboard.press("w")
        view.get_by_text("A: 1 marked").wait_for()
        view.locator(".cell .tile img[src]").first.wait_for()
        size = view.locator(".grid .tile").first.bounding_box()
        assert size["width"] < 100, "its style is there"
        if (news := tab.get_by_role("button", name="No", exact=True)).count():
            news.click()  # whether it may tell news
            news.wait_for(state="hidden")
        (root / "_build").mkdir(exist_ok=True)
        view.screenshot(path=root / "_build" / "inspector.png")
        for _ in range(100):
            if (tmp_path / "marks.csv").exists():
                break
            tab.wait_for_timeout(50)
    marks = (tmp_path / "marks.csv").read_text().splitlines()
    assert marks == ["image,reviewer,mark,comment", f"image {wrong[3]},A,wrong,"]
    assert not tab.query_selector_all(".jp-RenderedText[data-mime-type*='error']")
    tab.close()
