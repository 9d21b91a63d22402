"""A site's choice of rules as data: what stands in `[policy]` of federation.toml, checked, with a default for what does not.

settings_of({"preset": "standard", "approvals": 2, "hours": "07:00-19:00", "time_zone": "Europe/Oslo"})
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from fedkit.errors import ConfigurationError
from fedkit.governance.kinds import KINDS
from fedkit.governance.policies.moment import DAYS, TimeWindow
from fedkit.governance.request import PURPOSES

_HOURS = re.compile(r"([012]\d):([0-5]\d)-([012]\d):([0-5]\d)")

#: The preset of a federation that names none: what comes with it is made up, and its sites run on one machine.
DEFAULT_PRESET = "teaching"


@dataclass(frozen=True)
class PolicySettings:
    """What a site asks for. A limit of 0 is none.

    preset:     the name of the choice that these began as.
    purposes:   kinds of purpose that the site admits (`fedkit.governance.request.PURPOSES`).
    approvals:  stewards who must approve a request.
    patients:   distinct persons that the data set must be of.
    days, hours, time_zone: when executions start; hours as "07:00-19:00", "00:00-24:00" for the whole day.
    skew:       seconds by which the site's clock may be off.
    per_hour:   executions of one person on a data set within 60 minutes.
    quota, quota_days: executions of one person on a data set within so many days.
    numbers, rows: that one execution may let out: numbers, and rows of each table.
    threshold, rounding: of tables: persons a row must rest on, and the multiple that counts leave as.
    noise:      kinds of requests (`fedkit.governance.kinds`) whose results leave with noise or not at all.
    rho_user, rho_in_all: privacy budget of a data set, for one person and for all together (zCDP).
    """

    preset: str
    purposes: tuple[str, ...]
    approvals: int
    patients: int
    days: tuple[str, ...]
    hours: str
    time_zone: str
    skew: int
    per_hour: int
    quota: int
    quota_days: int
    numbers: int
    rows: int
    threshold: int
    rounding: int
    noise: tuple[str, ...]
    rho_user: float
    rho_in_all: float

    @property
    def window(self) -> TimeWindow:
        """Days and hours as a rule. Raises ConfigurationError."""
        start, end = _hours(self.hours)
        return TimeWindow(self.days, start, end, self.time_zone)

    def to_json(self) -> dict[str, Any]:
        """Name → value, in the order of the fields; lists for tuples."""
        return {f.name: list(v) if isinstance(v := getattr(self, f.name), tuple) else v for f in fields(self)}


def settings_of(row: Mapping[str, Any] | str | None = None) -> PolicySettings:
    """The settings that a table of federation.toml, or the name of a preset, stands for.

    What the table does not name is as in its preset, or in `DEFAULT_PRESET`. Raises ConfigurationError that names the setting.
    """
    from fedkit.governance.policies.presets import PRESETS

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


def _hours(text: Any) -> tuple[int, int]:
    """Minutes since midnight of "07:00-19:00". Raises ConfigurationError."""
    found = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigurationError("no such hours", expected="two times of the day, as 07:00-19:00", got=str(text)[:20])
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    window = TimeWindow(start=first_hour * 60 + first_minute, end=last_hour * 60 + last_minute)
    return window.start, window.end


def _hours_text(value: Any) -> str:
    _hours(value)
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
    "numbers": _whole(0, 4_096),
    "rows": _whole(1, 1_000),
    "threshold": _whole(1, 1_000_000),
    "rounding": _whole(1, 1_000_000),
    "noise": _some_of(tuple(KINDS), least=0),
    "rho_user": ("a number from 0", _rho),
    "rho_in_all": ("a number from 0", _rho),
}
