"""docs/policies.md says what the code does: its table of presets, its rules and its examples."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import policy_table
import pytest

import fedkit.governance.policies as policies
from fedkit.governance.policies import PRESETS, policies_of, settings_of
from fedkit.governance.policies.configured import merged


@pytest.fixture(scope="module")
def page() -> str:
    return policy_table.PAGE.read_text("utf-8")


def test_the_table_is_that_of_the_code(page: str) -> None:
    """If this fails: python tools/policy_table.py"""
    assert policy_table.with_table(page) == page


def test_a_page_without_a_place_for_it_is_named() -> None:
    with pytest.raises(ValueError, match="no place"):
        policy_table.with_table("# Policies\n")


def test_every_rule_of_a_preset_is_explained_and_every_explained_rule_is_one(page: str) -> None:
    section = page.split("## The rules")[1].split("Each refusal")[0]
    named = {name for row in section.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")}
    asked = {clause.rule for preset in PRESETS.values() for clause in policies_of(preset.settings).clauses()}
    assert asked == named
    assert all(hasattr(policies, name) for name in named)


def test_the_example_of_a_file_is_one(page: str) -> None:
    row = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    assert settings_of(merged(row["policy"], row["sites"][0]["policy"])).approvals == 2


def test_the_example_of_a_composition_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(page.split("```python\n")[1].split("```")[0], {})
    assert "Either: Executions start every day 07:00–19:00 (UTC); or:" in capsys.readouterr().out


def test_the_page_is_where_the_tool_writes(root: Path) -> None:
    assert root / "docs" / "policies.md" == policy_table.PAGE
