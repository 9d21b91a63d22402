"""The examples of docs/disclosure.md run as they stand, and its tables say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fedkit.warehouse.disclosure import PRESETS, RULES, STRICTEST


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "disclosure.md").read_text("utf-8")


def test_the_examples_run_from_the_top_to_the_bottom(page: str) -> None:
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    names: dict[str, Any] = {}
    for code in examples:
        exec(compile(code, "docs/disclosure.md", "exec"), names)


def test_every_rule_stands_there_with_what_it_says_and_its_source(page: str) -> None:
    rows = [f"| {rule.name} | {rule.says(STRICTEST)} | {rule.source} |" for rule in RULES]
    assert re.findall(r"^\| .* \|$", page.split("| rule | in the")[1].split("\n\n")[0], re.MULTILINE) == rows


def test_every_preset_stands_there_with_its_limits(page: str) -> None:
    for preset in (*PRESETS.values(), STRICTEST):
        (row,) = re.findall(rf"^\| {preset.name} \|.*$", page, re.MULTILINE)
        told = [cell.strip() for cell in row.strip("|").split("|")][1:]
        limits: list[Any] = [preset.threshold, preset.rounding, preset.top_two, preset.p_ratio, preset.all_or_nobody]
        limits += [preset.groups, preset.parameters, preset.degrees_of_freedom]
        assert told == [*map(_cell, limits), preset.source]


def _cell(value: Any) -> str:
    if not value:
        return "–"
    return "yes" if value is True else f"{value:g}"
