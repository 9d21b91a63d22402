"""Run notebooks and save them with their outputs: `python tools/execute_notebooks.py [NOTEBOOK …]` (default: all).

What is saved is what a reader without a kernel needs and what the tests compare: text, tables and pictures. The live views of
widgets are left out, so that GitHub and an unrun notebook show each widget's static table instead of an error, and so are the
times of execution, so that running again changes nothing that did not change.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
LIVE_VIEW = "application/vnd.jupyter.widget-view+json"

#: The greatest size of a committed notebook, bytes.
LARGEST = 300_000


def execute(path: Path, cell_timeout: int = 300) -> None:
    """Run one notebook in its folder and replace it with its outputs; nothing is written if a cell fails."""
    notebook: Any = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=cell_timeout,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    clean(notebook)
    text = nbformat.writes(notebook) + "\n"
    if len(text.encode()) > LARGEST:
        raise SystemExit(f"{path.name} would be {len(text.encode()):,} bytes; at most {LARGEST:,} are committed: print less")
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(path)


def clean(notebook: Any) -> None:
    """Take out what changes from run to run or needs a running kernel."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{number:02}"
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        for output in cell.get("outputs", ()):
            if LIVE_VIEW in output.get("data", {}):
                del output.data[LIVE_VIEW]
            output.metadata = {}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run notebooks and save them with their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all in notebooks/")
    chosen = parser.parse_args().notebooks or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for path in chosen:
        started = time.monotonic()
        try:
            execute(path)
        except CellExecutionError as error:
            print(f"{path.name}: {error.ename}: {error.evalue}\n{error.traceback}", file=sys.stderr)
            return 1
        print(f"{path.name}: {time.monotonic() - started:.0f} s, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
