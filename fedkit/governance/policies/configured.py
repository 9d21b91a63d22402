"""From a table of federation.toml to a site's choice of rules: checked, with a default for what it does not name.

settings_of({"preset": "standard", "approvals": 2, "hours": "07:00-19:00", "time_zone": "Europe/Oslo"})
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fedkit.errors import ConfigurationError
from fedkit.governance.kinds import KINDS
from fedkit.governance.policies.moment import DAYS, TimeWindow
from fedkit.governance.policies.presets import PRESETS
from fedkit.governance.policies.settings import DEFAULT_PRESET, DISCLOSURE, PolicySettings, minutes_of
from fedkit.governance.request import PURPOSES


def settings_of(row: Mapping[str, Any] | str | None = None) -> PolicySettings:
    """The settings that a table of federation.toml, or the name of a preset, stands for.

    What the table does not name is as in its preset, or in `DEFAULT_PRESET`. Raises ConfigurationError that names the setting.
    """
    row = {"preset": row} if isinstance(row, str) else dict(row or {})
    preset = PRESETS.get(name) if isinstance(name := row.pop("preset", DEFAULT_PRESET), str) else None
    if preset is None:
        raise _wrong("preset", f"one of {', '.join(PRESETS)}", name)
    changes = {}
    for name, value in row.items():
        if name not in _CHECKS:
            raise _wrong(name, f"some of {', '.join(('preset', *_CHECKS))}", "another setting")
        expected, checked = _CHECKS[name]
        try:
            changes[name] = checked(value)
        except (ConfigurationError, ValueError, TypeError):
            raise _wrong(name, expected, value) from None
    settings = replace(preset.settings, **changes)
    try:
        _ = settings.window
    except ConfigurationError as error:
        raise ConfigurationError(
            f"[policy]: {error.message}", expected=error.expected, got=error.got, help=error.help
        ) from None
    return settings


def merged(everywhere: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """The table of one site: its own settings over those of all; with a preset of its own, its own alone."""
    return dict(here) if "preset" in here else {**everywhere, **here}


def _wrong(name: str, expected: str, got: object) -> ConfigurationError:
    return ConfigurationError(
        f"[policy]: {str(name)[:40]} cannot be so",
        expected=expected,
        got=str(got)[:60],
        help="`fedkit policy list` shows the settings and their values in each preset",
    )


def _whole(least: int, most: int = 10**9) -> tuple[str, Callable[[Any], int]]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return f"a whole number from {least} to {most:,}", check


def _some_of(known: tuple[str, ...], least: int = 1) -> tuple[str, Callable[[Any], tuple[str, ...]]]:
    def check(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) < least or not set(value) <= set(known):
            raise ValueError
        return tuple(name for name in known if name in value)

    return f"a list of some of {', '.join(known)}", check


def _rho(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError
    return float(value)


def _disclosure(value: Any) -> str:
    if value not in DISCLOSURE:
        raise ValueError
    return str(value)


def _hours_text(value: Any) -> str:
    minutes_of(value)
    return str(value)


def _zone(value: Any) -> str:
    return TimeWindow(time_zone=value).time_zone


#: Setting → what it must be, and the check that gives its value.
_CHECKS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "purposes": _some_of(PURPOSES),
    "approvals": _whole(1, 9),
    "patients": _whole(0),
    "days": _some_of(DAYS),
    "hours": ("two times of the day, as 07:00-19:00", _hours_text),
    "time_zone": ("an IANA name such as Europe/Oslo", _zone),
    "skew": _whole(1, 3_600),
    "per_hour": _whole(0, 1_000_000),
    "quota": _whole(0, 1_000_000),
    "quota_days": _whole(1, 366),
    "numbers": _whole(1, 4_096),
    "rows": _whole(1, 1_000),
    "threshold": _whole(1, 1_000_000),
    "rounding": _whole(1, 1_000_000),
    "disclosure": (f"one of {', '.join(DISCLOSURE)}", _disclosure),
    "noise": _some_of(tuple(KINDS), least=0),
    "rho_project": ("a number from 0", _rho),
    "rho_user": ("a number from 0", _rho),
    "rho_in_all": ("a number from 0", _rho),
}
