"""The examples of docs/warehouse.md run as they stand, and its tables say what the code says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fedkit
from fedkit.results.warehouse import HIDDEN, WarehouseAnswer
from fedkit.sites.launch import Federation
from fedkit.warehouse.schema import VIEWS


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "warehouse.md").read_text("utf-8")


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, where `fedkit.launch("workshop")` gives a federation of the samples that ends with the test."""
    made: list[Federation] = []

    def launch(name: str) -> Federation:
        from fedkit.sites.launch import launch as really

        made.append(really(name, tmp_path / "federation"))
        return made[-1]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fedkit, "launch", launch, raising=False)
    yield tmp_path
    for one in made:
        one.close()


def test_the_examples_run(page: str, workshop: Path) -> None:
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(code, "docs/warehouse.md", "exec"), names)
    asked = ("answer", "again", "noisy", "pooled")
    assert all(isinstance(names[name], WarehouseAnswer) for name in asked)
    assert [row["rows"] for row in names["again"].combined] == [row["rows"] for row in names["answer"].combined]
    assert len(names["pooled"].summed) == 5
    assert names["desk"].answers


def test_every_view_has_its_line_with_columns_that_it_has(page: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:a|an) [^|]+ \| ([^|]+) \|$", page, re.MULTILINE))
    assert set(rows) == set(VIEWS)
    for name, told in rows.items():
        for word in re.findall(r"\b(sex|language|kind|department|days|year|type|label)\b", told):
            assert word in VIEWS[name], f"{name} has no {word}"


def test_what_a_reader_sees_is_called_as_it_is_shown(page: str) -> None:
    assert f"| `{HIDDEN}` |" in page
