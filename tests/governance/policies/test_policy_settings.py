"""A site's choice as data: what federation.toml may say, what is wrong with the rest by name, and the same in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fedkit.config import FILE, FederationConfig, SiteEntry, read_config, write_config
from fedkit.errors import ConfigurationError
from fedkit.governance.noise import epsilon
from fedkit.governance.policies import PRESETS, PolicySettings, policies_of, settings_of
from fedkit.governance.policies.base import ASPECTS
from fedkit.governance.policies.configured import merged
from fedkit.governance.policies.explaining import compare, explain
from fedkit.governance.policies.settings import DEFAULT_PRESET


def test_nothing_said_is_the_default_preset_and_a_name_is_a_preset() -> None:
    assert settings_of() == settings_of({}) == PRESETS[DEFAULT_PRESET].settings
    for name, preset in PRESETS.items():
        assert settings_of(name) == settings_of({"preset": name}) == preset.settings
        assert preset.settings.preset == name


@pytest.mark.parametrize("name", PRESETS)
def test_every_value_of_a_preset_has_a_reason_and_is_one_that_a_file_may_hold(name: str) -> None:
    preset = PRESETS[name]
    values = preset.settings.to_json()
    assert set(preset.reasons) == set(values) - {"preset"}
    assert all(preset.reasons.values())
    assert settings_of(values) == preset.settings


def test_a_preset_is_nowhere_looser_than_the_one_before() -> None:
    for looser, stricter in zip(PRESETS.values(), list(PRESETS.values())[1:], strict=False):
        a, b = looser.settings, stricter.settings
        assert set(b.purposes) <= set(a.purposes)
        assert set(b.days) <= set(a.days)
        assert set(a.noise) <= set(b.noise)
        for more in ("approvals", "patients", "threshold", "rounding"):
            assert getattr(b, more) >= getattr(a, more), more
        for less in ("skew", "numbers", "rows"):
            assert getattr(b, less) <= getattr(a, less), less
        for limit in ("per_hour", "quota", "rho_user", "rho_in_all"):
            assert 0 < getattr(b, limit) <= (getattr(a, limit) or float("inf")), limit


@pytest.mark.parametrize("name", PRESETS)
def test_the_epsilon_that_a_reason_names_is_the_one_that_its_rho_has(name: str) -> None:
    preset = PRESETS[name]
    for setting in ("rho_user", "rho_in_all"):
        if said := re.search(r"epsilon (\d+\.\d) at delta 1e-6", preset.reasons[setting]):
            assert said[1] == f"{epsilon(getattr(preset.settings, setting)):.1f}"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("preset", "lax"),
        ("preset", ["strict"]),
        ("aproval", 2),
        ("approvals", 0),
        ("approvals", True),
        ("approvals", "two"),
        ("approvals", 1.5),
        ("patients", -1),
        ("purposes", []),
        ("purposes", ["marketing"]),
        ("purposes", "research"),
        ("days", ["monday"]),
        ("days", []),
        ("hours", "7-19"),
        ("hours", "25:00-26:00"),
        ("hours", "07:00-07:00"),
        ("hours", "07:60-19:00"),
        ("hours", 7),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", 1),
        ("skew", 0),
        ("per_hour", -1),
        ("quota_days", 0),
        ("numbers", 0),
        ("rows", 1001),
        ("threshold", 0),
        ("rounding", 0),
        ("noise", ["counts"]),
        ("noise", [["count"]]),
        ("rho_user", -0.1),
        ("rho_user", float("nan")),
        ("rho_in_all", "much"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_setting(setting: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=setting) as wrong:
        settings_of({setting: value})
    assert wrong.value.expected
    assert "fedkit policy list" in wrong.value.help


def test_settings_change_one_thing_of_their_preset() -> None:
    settings = settings_of({"preset": "strict", "approvals": 3, "hours": "22:00-06:00", "time_zone": "Europe/Tallinn"})
    assert settings == replace(PRESETS["strict"].settings, approvals=3, hours="22:00-06:00", time_zone="Europe/Tallinn")
    assert settings.window.start == 1320


def test_a_site_goes_by_its_own_settings_and_with_a_preset_of_its_own_by_nothing_else() -> None:
    everywhere = {"preset": "standard", "approvals": 2}
    assert merged(everywhere, {}) == everywhere
    assert settings_of(merged(everywhere, {"patients": 7})) == settings_of({**everywhere, "patients": 7})
    assert settings_of(merged(everywhere, {"preset": "teaching"})) == settings_of("teaching")


# -- federation.toml
CONFIG = FederationConfig(
    "w",
    "notes",
    "0" * 64,
    (
        SiteEntry("no", "Fjordvik", "nb"),
        SiteEntry("ee", "Pärnu", "et", {"patients": 30, "days": ["mon"], "hours": "08:00-16:00"}),
    ),
    policy={"preset": "standard", "rho_user": 0.25},
)


def test_policies_stand_in_the_file_and_read_back(tmp_path: Path) -> None:
    write_config(tmp_path, CONFIG)
    again = read_config(tmp_path)
    assert again == CONFIG
    assert again is not None
    assert settings_of(again.policy_of("no")) == settings_of({"preset": "standard", "rho_user": 0.25})
    assert settings_of(again.policy_of("ee")).patients == 30
    assert settings_of(again.policy_of("ee")).rho_user == 0.25
    with pytest.raises(ConfigurationError, match="no site"):
        again.policy_of("xx")


def test_every_preset_can_be_written_out_in_full(tmp_path: Path) -> None:
    for preset in PRESETS.values():
        write_config(tmp_path, replace(CONFIG, policy=preset.settings.to_json()))
        again = read_config(tmp_path)
        assert again is not None
        assert settings_of(again.policy) == preset.settings


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('[policy]\npreset = "lax"', "preset"),
        ("[policy]\napprovals = 0", "approvals"),
        ("policy = 3", "malformed"),
    ],
)
def test_a_wrong_policy_is_named_before_anything_starts(tmp_path: Path, line: str, says: str) -> None:
    start = 'name = "w"\ndataset = "notes"\ncorpus = "00"\n'
    site = '[[sites]]\nname = "no"\ntitle = "Fjordvik"\nlanguage = "nb"\n'
    text = start + line + "\n" + site if line.startswith("policy") else start + site + line + "\n"
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=says):
        read_config(tmp_path)


def test_a_wrong_policy_of_one_site_names_the_site(tmp_path: Path) -> None:
    write_config(tmp_path, replace(CONFIG, sites=(SiteEntry("ee", "Pärnu", "et", {"hours": "always"}),)))
    with pytest.raises(ConfigurationError, match="policy of site ee: hours") as wrong:
        read_config(tmp_path)
    assert "07:00-19:00" in wrong.value.expected


# -- in plain words
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_told_is_what_is_asked(name: str) -> None:
    """Every rule that a site with these settings asks has its sentence, and the numbers in it are those of the settings."""
    settings = PRESETS[name].settings
    told = explain(settings)
    assert [c.rule for c in told.clauses] == [type(rule).__name__ for rule in policies_of(settings).rules]
    assert [question for question, _ in told.told()] == list(ASPECTS.values())
    words = " ".join(c.says for c in told.clauses)
    for setting in ("per_hour", "quota", "patients", "threshold", "numbers", "rows", "rho_user", "rho_in_all"):
        value = getattr(settings, setting)
        assert not value or f" {value:g}" in words, setting


def test_what_the_site_changed_says_what_it_would_have_been() -> None:
    told = explain(settings_of({"preset": "standard", "approvals": 2}), name="no")
    changed = [value for value in told.values if value.instead_of]
    assert [(v.setting, v.value, v.instead_of, v.why) for v in changed] == [("approvals", "2", "1", "the site's own")]
    assert told.name == "no"
    assert told.what.startswith("standard: ")


def test_two_choices_differ_in_exactly_the_settings_that_differ() -> None:
    one, other = PRESETS["standard"].settings, settings_of({"preset": "standard", "approvals": 2, "noise": ["count"]})
    assert [(d.setting, d.left, d.right) for d in compare(one, other)] == [("approvals", "1", "2"), ("noise", "none", "count")]
    assert compare(one, one) == []


def test_the_settings_are_told_in_the_order_of_their_fields() -> None:
    assert [v.setting for v in explain(PRESETS["strict"].settings).values] == [
        name for name in PolicySettings.__dataclass_fields__ if name != "preset"
    ]
