"""`fedkit policy`: rules in plain words, of a preset and of a site, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import fedkit.cli as cli
from fedkit.config import FederationConfig, SiteEntry, write_config
from fedkit.errors import ConfigurationError
from fedkit.governance.policies import PRESETS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.fedkit, ["policy", *arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sites = (SiteEntry("no", "Fjordvik", "nb"), SiteEntry("ee", "Pärnu", "et", {"hours": "08:00-16:00"}))
    write_config(tmp_path, FederationConfig("w", "notes", "0" * 64, sites, policy={"preset": "standard"}))
    return tmp_path


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_told_in_plain_words(name: str) -> None:
    answer = run("explain", name)
    assert answer.exit_code == 0
    for question in ("Who may", "What may run", "When", "How often", "What may leave"):
        assert question in answer.output


def test_a_site_of_a_federation_is_told_by_what_its_file_says(folder: Path) -> None:
    assert "08:00–16:00" in run("explain", "--folder", str(folder), "--site", "ee").output
    assert "08:00–16:00" not in run("explain", "--folder", str(folder), "--site", "no").output
    found = json.loads(run("explain", "--folder", str(folder), "--site", "ee", "--json").output)
    assert found["name"] == "ee"
    assert [v["setting"] for v in found["values"] if v["instead_of"]] == ["hours"]


def test_presets_are_listed_with_every_setting() -> None:
    rows = json.loads(run("list", "--json").output)
    assert list(rows) == list(PRESETS)
    text = run("list").output
    assert all(setting in text for setting in PRESETS["strict"].reasons)


def test_two_presets_are_compared() -> None:
    rows = json.loads(run("compare", "standard", "strict", "--json").output)
    assert {"setting": "approvals", "left": "1", "right": "2"}.items() <= rows[
        [r["setting"] for r in rows].index("approvals")
    ].items()
    assert "approvals" in run("compare", "standard", "strict").output
    assert json.loads(run("compare", "strict", "strict", "--json").output) == []


@pytest.mark.parametrize("arguments", [["explain"], ["explain", "strict", "--site", "no"], ["compare", "strict"]])
def test_wrong_usage_is_told(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_what_is_no_preset_site_or_federation_is_named(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    for arguments in (
        ["explain", "lax"],
        ["explain", "--folder", str(folder), "--site", "xx"],
        ["explain", "--folder", str(empty)],
    ):
        assert isinstance(run(*arguments).exception, ConfigurationError)
