"""The notebooks as they are committed: run, small, with a kernel, and with nothing that belongs to one machine."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

#: Paths that exist on the machine of whoever ran it, and nowhere else.
HOME = re.compile(r"/(?:home|root|Users|work|mnt|tmp)/[\w.-]+")
ADDRESS_OF_AN_OBJECT = re.compile(r"\bat 0x[0-9a-f]{8,}")


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def outputs(path: Path) -> list[dict[str, Any]]:
    return [output for cell in cells(path, "code") for output in cell["outputs"]]


@cache
def private_pieces() -> frozenset[str]:
    """Stretches of 24 characters of the sample notes, from the start of each sentence on."""
    found = set()
    for split in ("train", "dev", "test"):
        for file in (ROOT / "data_samples").glob(f"*/{split}.jsonl"):
            for line in file.read_text("utf-8").splitlines():
                found |= {part[:24] for part in json.loads(line)["text"].split(". ") if len(part) >= 24}
    return frozenset(found)


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestCommitted:
    def test_it_was_run_from_top_to_bottom(self, path: Path) -> None:
        """Without outputs nbval compares nothing and passes."""
        code = cells(path, "code")
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        assert sum(bool(cell["outputs"]) for cell in code) >= len(code) / 2

    def test_its_last_cell_prints_numbers_that_are_compared(self, path: Path) -> None:
        last = cells(path, "code")[-1]
        text = json.dumps(last["outputs"])
        assert re.search(r"\d", text)
        assert "nbval-ignore-output" not in last["metadata"].get("tags", [])

    def test_no_cell_failed(self, path: Path) -> None:
        assert not [output for output in outputs(path) if output["output_type"] == "error"]

    def test_it_names_the_kernel(self, path: Path) -> None:
        """Without one JupyterLab asks before it opens the notebook."""
        assert json.loads(path.read_text("utf-8"))["metadata"]["kernelspec"]["name"] == "python3"

    def test_it_is_small(self, path: Path) -> None:
        assert path.stat().st_size < 300_000

    def test_each_widget_is_kept_as_its_static_table(self, path: Path) -> None:
        """A live view without its kernel is an error message."""
        text = path.read_text("utf-8")
        assert "application/vnd.jupyter.widget" not in text
        assert "widgets" not in json.loads(text)["metadata"]

    def test_no_note_of_a_hospital_stands_in_it(self, path: Path) -> None:
        """The private splits of the sample federation are what no output may hold, not even half a sentence."""
        shown = json.dumps(outputs(path), ensure_ascii=False)
        pieces = private_pieces()
        assert len(pieces) > 1000
        assert [piece for piece in pieces if piece in shown] == []

    def test_it_shows_nothing_of_the_machine_it_ran_on(self, path: Path) -> None:
        shown = json.dumps(outputs(path), ensure_ascii=False)
        assert HOME.findall(shown) == []
        assert ADDRESS_OF_AN_OBJECT.findall(shown) == []
