"""When: within the hours in which somebody is there, by a clock that can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fedkit.errors import ConfigurationError, Refused
from fedkit.governance.policies.base import Context, Policy

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class TimeWindow(Policy):
    """Executions start on these days between these times, by the clock on the site's wall.

    days:  of `DAYS`.   start, end: minutes since midnight; the first counts, the last does not. An end that is not after the
    start is on the next day: (1320, 360) is the night from 22:00, which belongs to the day on which it begins.
    time_zone: IANA name; summer time is its own affair.   Raises ConfigurationError for anything else.
    """

    aspect: ClassVar[str] = "when"

    days: tuple[str, ...] = DAYS
    start: int = 0
    end: int = 1440
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if not self.days or not set(self.days) <= set(DAYS):
            raise ConfigurationError("no such days", expected=f"some of {', '.join(DAYS)}", got=str(list(self.days))[:60])
        if not (0 <= self.start < 1440 and 0 <= self.end <= 1440 and self.start != self.end):
            raise ConfigurationError("no such hours", expected="from one time of the day to another, as 07:00-19:00")
        try:
            _ = self.zone
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigurationError(
                "no such time zone",
                expected="an IANA name such as Europe/Oslo",
                got=str(self.time_zone)[:40],
                help="if the name is right, this machine lacks the time zones: install tzdata",
            ) from None

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def always(self) -> bool:
        """Whether it holds at any time."""
        return set(self.days) == set(DAYS) and (self.start, self.end) == (0, 1440)

    def admits(self, context: Context) -> None:
        local = datetime.fromtimestamp(context.now, self.zone)
        if not self.holds(local):
            raise Refused(
                "the site runs nothing at this time",
                expected=self._words(),
                got=f"{local:%a %H:%M}".lower(),
                help="run it within these hours; what was approved stays approved",
            )

    def holds(self, local: datetime) -> bool:
        """Whether a moment in the site's time zone is within the window."""
        minute, today = local.hour * 60 + local.minute, DAYS[local.weekday()]
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        yesterday = DAYS[(local - timedelta(days=1)).weekday()]
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)

    def explain(self) -> str:
        return "At any time." if self.always else f"Executions start {self._words()}."

    def _words(self) -> str:
        named = [day for day in DAYS if day in self.days]
        first, last = DAYS.index(named[0]), DAYS.index(named[-1])
        row = len(named) > 2 and last - first + 1 == len(named)
        days = "every day" if len(named) == 7 else f"{named[0]}–{named[-1]}" if row else ", ".join(named)
        times = f"{self.start // 60:02}:{self.start % 60:02}–{self.end // 60:02}:{self.end % 60:02}"
        return f"{days} {times} ({self.time_zone})"


@dataclass(frozen=True)
class SaneClock(Policy):
    """The site's clock agrees with what is on record and with the seconds that have passed since the site started.

    skew: seconds by which it may be off. Permits, approvals, hours and rates all hang on this clock: with one that was set
    back, what has expired would count again.
    """

    aspect: ClassVar[str] = "when"

    skew: int = 300

    def submits(self, context: Context) -> None:
        self.admits(context)

    def admits(self, context: Context) -> None:
        behind = context.clock.latest - context.now
        if behind > self.skew:
            raise Refused(
                "clock skew: the site's clock is behind what it has on record already",
                expected=f"at most {self.skew} s of difference",
                got=f"{behind:.0f} s behind",
                help="the site's admin sets its clock (NTP); if it was ahead before and is right now, the site runs again when "
                "the time of its newest record is past. Nothing is lost, call again then",
            )
        if context.clock.running is not None and abs(context.now - context.clock.running) > self.skew:
            raise Refused(
                "clock skew: the site's clock was set while the site ran",
                expected=f"at most {self.skew} s of difference to the seconds counted since its start",
                got=f"{context.now - context.clock.running:+.0f} s",
                help="the site's admin looks after its clock (NTP) and starts the site again; nothing is lost, call again then",
            )

    def explain(self) -> str:
        return f"The site's clock is at most {self.skew} s off what its records and its running time say."
