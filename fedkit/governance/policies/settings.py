"""A site's choice of rules as data: one value for each thing that a site may decide."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from fedkit.errors import ConfigurationError
from fedkit.governance.policies.moment import TimeWindow

#: The preset of a federation that names none: what comes with it is made up, and its sites run on one machine.
DEFAULT_PRESET = "teaching"

#: What `fedkit.warehouse.disclosure` has as presets, the loosest first.
DISCLOSURE = ("datashield", "opensafely", "acro", "strictest")

_HOURS = re.compile(r"([012]\d):([0-5]\d)-([012]\d):([0-5]\d)")


@dataclass(frozen=True)
class PolicySettings:
    """What a site asks for. patients, per_hour, quota and the budgets may be 0: no limit.

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
    disclosure: the published rules that answers of the data warehouse leave under, one of `DISCLOSURE`; threshold and rounding
        above come on top.
    noise:      kinds of requests (`fedkit.governance.kinds`) whose results leave with noise or not at all.
    rho_project, rho_user, rho_in_all: privacy budget of a data set: for one person under one permit, for one person, and for
        all together (zCDP).
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
    disclosure: str
    noise: tuple[str, ...]
    rho_project: float
    rho_user: float
    rho_in_all: float

    @property
    def window(self) -> TimeWindow:
        """Days and hours as a rule. Raises ConfigurationError."""
        start, end = minutes_of(self.hours)
        return TimeWindow(self.days, start, end, self.time_zone)

    def to_json(self) -> dict[str, Any]:
        """Name → value, in the order of the fields; lists for tuples."""
        return {f.name: list(v) if isinstance(v := getattr(self, f.name), tuple) else v for f in fields(self)}


def minutes_of(text: Any) -> tuple[int, int]:
    """Minutes since midnight of "07:00-19:00". Raises ConfigurationError."""
    found = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigurationError("no such hours", expected="two times of the day, as 07:00-19:00", got=str(text)[:20])
    first_hour, first_minute, last_hour, last_minute = map(int, found.groups())
    window = TimeWindow(start=first_hour * 60 + first_minute, end=last_hour * 60 + last_minute)
    return window.start, window.end
