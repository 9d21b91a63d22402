"""A site's choice of rules in plain words: who may run what, when, how often, what may leave; and how two choices differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from fedkit.governance.policies.base import ASPECTS, Clause
from fedkit.governance.policies.building import policies_of
from fedkit.governance.policies.presets import PRESETS
from fedkit.governance.policies.settings import PolicySettings


@dataclass(frozen=True)
class Value:
    """One setting: its value in words, why it is so, and what it would be in the preset, "" if it is that."""

    setting: str
    value: str
    why: str
    instead_of: str = ""


@dataclass(frozen=True)
class Explanation:
    """What a choice allows. name: of a preset or site; what: whom it is for; clauses: every rule; values: every setting."""

    name: str
    what: str
    clauses: tuple[Clause, ...]
    values: tuple[Value, ...]

    def told(self) -> list[tuple[str, list[str]]]:
        """(question, sentences), in the order of `ASPECTS`."""
        return [
            (question, [c.says for c in self.clauses if c.aspect == aspect])
            for aspect, question in ASPECTS.items()
            if any(c.aspect == aspect for c in self.clauses)
        ]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """A setting in which two choices differ: their values in words, and each one's reason."""

    setting: str
    left: str
    right: str
    why_left: str
    why_right: str


def explain(
    settings: PolicySettings, *, name: str = "", environment: str = "", datasets: Iterable[str] = ("notes",)
) -> Explanation:
    """What these settings allow. name: of the site, default: of the preset.   environment, datasets: see `policies_of`."""
    rules = policies_of(settings, environment=environment, datasets=datasets)
    preset = PRESETS[settings.preset]
    what = f"{settings.preset}: {preset.what}" if name and name != settings.preset else preset.what
    return Explanation(name or settings.preset, what, tuple(rules.clauses()), tuple(_values(settings)))


def compare(left: PolicySettings, right: PolicySettings) -> list[Difference]:
    """The settings in which they differ, in the order of the fields."""
    pairs = zip(_values(left), _values(right), strict=True)
    return [Difference(a.setting, a.value, b.value, a.why, b.why) for a, b in pairs if a.value != b.value]


def _values(settings: PolicySettings) -> Iterable[Value]:
    preset = PRESETS[settings.preset]
    usual = preset.settings.to_json()
    for setting, value in settings.to_json().items():
        if setting == "preset":
            continue
        same = value == usual[setting]
        why = preset.reasons[setting] if same else "the site's own"
        yield Value(setting, in_words(value), why, "" if same else in_words(usual[setting]))


def in_words(value: Any) -> str:
    """A setting's value for a table."""
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "no limit" if value == 0 else f"{value:g}" if isinstance(value, float) else str(value)
