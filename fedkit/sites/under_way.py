"""The calls of a site that wait or run now: where each is, which of them may not run beside another, and how they are ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fedkit.errors import AccessRefused, FedkitError, NotApproved
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

    def killed_by(self, error: FedkitError | None) -> str:
        """What ended its worker, as the journal and the logs have it; "" if nothing did."""
        return "cancelled" if self.call.ended else getattr(error, "killed", "")


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

    def withdrawn(self, request: str) -> int:
        """End the calls of a request whose approval counts no more; see `end`."""
        because = NotApproved(
            "the approval was withdrawn while the code ran",
            expected="an approval that counts until the result leaves",
            got="none any more; nothing has left",
            help="ask the steward for the reason, and submit again",
        )
        return self.end(because, request=request)

    def closed(self, user: str) -> int:
        """End the calls of an account that counts no more; see `end`."""
        because = AccessRefused(
            "the account was revoked while the code ran",
            expected="an account that counts until the result leaves",
            got="none any more; nothing has left",
            help="ask the site's admin",
        )
        return self.end(because, user=user)

    def _told(self, one: Underway) -> RunningCall:
        digest, entry, round, _ = one.key
        call = one.call
        position = 0 if call.running else max(1, self._position(call))
        status = "running" if call.running else "waiting"
        return RunningCall(digest, self._site, entry, round, status, position, call.since, call.seconds)


class Refusals:
    """Why the last calls were refused, for their researchers to ask: PySyft's own reply carries no reason.

    most: how many are kept.
    """

    def __init__(self, most: int = 1_000) -> None:
        self._most, self._guard = most, threading.Lock()
        self._kept: OrderedDict[Key, FedkitError] = OrderedDict()

    def keep(self, key: Key, error: FedkitError) -> None:
        with self._guard:
            self._kept[key] = error
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def take(self, key: Key) -> FedkitError | None:
        """The refusal of a call, once."""
        with self._guard:
            return self._kept.pop(key, None)
