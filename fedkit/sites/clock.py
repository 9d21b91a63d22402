"""What a site knows of its own clock: what its journal has seen already, and the seconds counted since it started.

Permits, approvals, hours and rates end by the clock of the site's machine. If that was set back, what has expired would count
again; so it is held against two witnesses that do not move with it (`fedkit.governance.policies.SaneClock`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fedkit.governance.policies.base import Clock
from fedkit.sites.journal import Journal

#: Counts on while a machine sleeps, where the system has that (Linux); nobody can set it.
_COUNTER = getattr(time, "CLOCK_BOOTTIME", None)


class SiteClock:
    """The clock of one open site. wall: Unix seconds, UTC; counted: seconds that only ever go on."""

    def __init__(
        self,
        journal: Journal,
        wall: Callable[[], float] = time.time,
        counted: Callable[[], float] | None = None,
    ) -> None:
        self._journal, self.wall = journal, wall
        self._counted = counted or seconds_counted
        self._ahead = wall() - self._counted()

    def reading(self) -> Clock:
        """What speaks for or against the wall's clock now."""
        return Clock(latest=self._journal.latest(), running=self._counted() + self._ahead)


def seconds_counted() -> float:
    """Seconds since some moment, those in which the machine slept included where the system counts them."""
    return time.monotonic() if _COUNTER is None else time.clock_gettime(_COUNTER)
