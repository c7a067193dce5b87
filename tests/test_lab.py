"""A real JupyterLab opens a study, runs its cells and shows its figure."""

import os
import re
import secrets
import subprocess
import sys
import threading

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


@pytest.fixture
def lab(root, tmp_path):
    """A JupyterLab of its own on a copy of a study; gives the address of the study."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "claims").symlink_to(root / "data" / "claims")
    for name in ("chromolib", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    source = (root / "notebooks" / "chromonet.ipynb").read_text(encoding="utf-8")
    source = source.replace(r"profile = \"quick\"", r"profile = \"smoke\"")
    (tmp_path / "notebooks" / "chromonet.ipynb").write_text(source, encoding="utf-8")
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
    threading.Thread(target=server.stderr.read, daemon=True).start()
    yield f"{address}lab/tree/notebooks/chromonet.ipynb?token={token}"
    server.terminate()
    server.wait()
    server.stdout = None


def find_address(server):
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
            yield found[0]
    pytest.fail("JupyterLab did not start")


def test_a_study_runs_in_jupyterlab(lab, browser, tmp_path):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab, elsewhere = context.new_page(), []
    home = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    tab.on("request", lambda r: r.url.startswith(home) or elsewhere.append(r.url))
    tab.goto(lab)
    tab.wait_for_selector(".jp-Notebook", timeout=60_000)
    tab.wait_for_selector("#jp-main-statusbar >> text=| Idle", timeout=60_000)
    tab.click(".lm-MenuBar-item:has-text('Run')")
    tab.click(".lm-Menu-item:has-text('Run All Cells') >> nth=0")
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
