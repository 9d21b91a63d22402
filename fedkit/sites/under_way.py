"""The calls of a site that wait or run now: where each is, which of them may not run beside another, and how they are ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fedkit.errors import FedkitError
from fedkit.governance.running import RunningCall
from fedkit.sites.turns import Call

#: Digest of the request, entry, round, digest of the weights (or NOTHING).
Key = tuple[str, str, int, str]


@dataclass(eq=False)
class Underway:
    """One of them. user: whose request it is, "" as long as nobody has looked."""

    key: Key
    call: Call = field(default_factory=Call)
    user: str = ""


class UnderWay:
    """Safe for many threads. position: of a call in the queue for a worker (`WorkerPool.position`)."""

    def __init__(self, site: str, position: Callable[[Call], int]) -> None:
        self._site, self._position = site, position
        self._guard = threading.Lock()
        self._all: list[Underway] = []
        self._locks: dict[Key, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, key: Key) -> Iterator[Underway]:
        """The same call twice at once: the second waits, and finds the receipt of the first."""
        mine = Underway(key)
        with self._guard:
            self._all.append(mine)
            lock, waiting = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = (lock, waiting + 1)
        try:
            with lock:
                yield mine
        finally:
            with self._guard:
                self._all.remove(mine)
                lock, waiting = self._locks[key]
                if waiting == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = (lock, waiting - 1)

    def of(self, request: str) -> list[RunningCall]:
        """The calls of a request, those that came first in front."""
        with self._guard:
            mine = [one for one in self._all if one.key[0] == request]
        return [self._told(one) for one in mine]

    def end(self, because: FedkitError, *, request: str | None = None, user: str | None = None) -> int:
        """End the calls of a request, or of a user; whoever waits for one gets `because`. Returns how many there were."""
        with self._guard:
            found = [one for one in self._all if one.key[0] == request or (user is not None and one.user == user)]
        for one in found:
            one.call.cancel(because)
        return len(found)

    def _told(self, one: Underway) -> RunningCall:
        digest, entry, round, _ = one.key
        call = one.call
        position = 0 if call.running else max(1, self._position(call))
        status = "running" if call.running else "waiting"
        return RunningCall(digest, self._site, entry, round, status, position, call.since, call.seconds)
