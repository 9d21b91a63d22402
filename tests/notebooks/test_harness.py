"""The harness that runs the notebooks in the tests: it must notice a changed number, and stop at the first failure."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


def code(source: str, shown: str) -> Any:
    output = nbformat.v4.new_output("stream", name="stdout", text=shown)
    return nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Three cells; the second was committed with another number than it prints."""
    cells = [
        code("print('address', '0x' + '1' * 40)", f"address 0x{'2' * 40}\n"),
        code("print(2)", "3\n"),
        code("print(4)", "4\n"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    return path


def test_a_changed_number_fails_and_the_cells_after_it_are_skipped(notebook: Path) -> None:
    options = ["-q", "-p", "no:anyio", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "--nbval-sanitize-with"]
    sanitize = str(ROOT / "notebooks" / "sanitize.cfg")
    command = [sys.executable, "-m", "pytest", *options, sanitize, "--rootdir", str(notebook.parent), str(notebook)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=notebook.parent, check=False)
    assert "1 failed, 1 passed, 1 skipped" in answer.stdout


def test_what_is_committed_holds_no_live_views_and_no_times(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from execute_notebooks import LIVE_VIEW, clean

    read: Any = nbformat.read(notebook, as_version=4)
    read.metadata["widgets"] = {"state": {}}
    read.cells[0].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    read.cells[0].metadata["tags"] = ["nbval-ignore-output"]
    read.cells[0].outputs = [nbformat.v4.new_output("display_data", {LIVE_VIEW: {"model_id": "1"}, "text/html": "<table>"})]
    clean(read)
    text = nbformat.writes(read)
    assert LIVE_VIEW not in text
    assert "2026" not in text
    assert "<table>" in text
    assert read.cells[0].metadata == {"tags": ["nbval-ignore-output"]}
    assert "widgets" not in read.metadata
