"""JupyterLab and Chromium for the tests of this folder; without a Chromium they are skipped."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_lab import CHROMIUM_FLAGS, PICTURES, ROOT, Lab, address_of, chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: apt-get install chromium"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    served, own = tmp_path / "served", tmp_path / "jupyter"
    served.mkdir()
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    folders = {f"JUPYTER_{name}": str(own / name.lower()) for name in names}
    folders |= {f"JUPYTERLAB_{name}": str(own / name.lower()) for name in ("SETTINGS_DIR", "WORKSPACES_DIR")}
    folders |= {"IPYTHONDIR": str(own / "ipython"), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    folders |= {"JUPYTER_CONFIG_PATH": str(ROOT / "notebooks" / "jupyter")}  # as `make lab` does
    token = secrets.token_hex(16)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", f"--notebook-dir={served}",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    environment = {**os.environ, **folders, "JUPYTER_TOKEN": token, "OMP_NUM_THREADS": "1"}
    with (tmp_path / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield Lab(address_of(own / "runtime_dir", server, tmp_path / "lab.log"), token, served)
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture
def page(lab: Lab) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        view = browser.new_page(viewport={"width": 1280, "height": 2200})
        view.set_default_timeout(120_000)
        yield view
        view.screenshot(path=PICTURES / "last.png")  # where a test that failed was standing
        browser.close()
