"""How often somebody may call: a bucket of calls for each caller, which fills again at a steady pace (a token bucket)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: More callers than this are not remembered apart; those whose bucket is full again are forgotten first.
_MOST = 10_000


class Throttle:
    """per_minute: calls of one caller in a minute, which may come all at once."""

    def __init__(self, per_minute: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._pace, self._clock = float(per_minute), per_minute / 60.0, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, caller: str) -> float:
        """Take one call: 0 if it may go on, else seconds after which it may; then nothing was taken."""
        now = self._clock()
        with self._lock:
            left, last = self._buckets.get(caller, (self._size, now))
            left = min(self._size, left + (now - last) * self._pace)
            if left < 1.0:
                self._buckets[caller] = (left, now)
                return (1.0 - left) / self._pace
            self._buckets[caller] = (left - 1.0, now)
            if len(self._buckets) > _MOST:
                self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        by_use = sorted(self._buckets, key=lambda caller: self._buckets[caller][1])
        for caller in by_use[: _MOST // 2]:
            del self._buckets[caller]
