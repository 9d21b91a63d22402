"""Calls to several sites at the same time: how many may fail, and how long those that are late are waited for.

A call cannot be ended from outside. One that is late is left to itself: its result counts no more, whenever it comes, and its
site is asked nothing until the call has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from fedkit.errors import FedkitError, SiteError

T = TypeVar("T")


@dataclass(frozen=True)
class Came(Generic[T]):
    """results: site → what its call gave, None if it was not begun.   errors: site → why it gave nothing."""

    results: dict[str, T | None]
    errors: dict[str, BaseException]


class SideBySide(Generic[T]):
    """The calls of one run. late: told, in a thread of its own, which site is waited for no longer, so that the work there
    can be ended."""

    def __init__(self, parallel: int, late: Callable[[str], None] = lambda site: None) -> None:
        self._parallel, self._late = parallel, late
        self._busy: dict[str, Future[T | None]] = {}

    def call(
        self, sites: Sequence[str], one: Callable[[str], T | None], *, spare: bool, deadline: float = 0.0, name: str = "round"
    ) -> Came[T]:
        """Call `one` for every site, at most `parallel` at a time.

        spare: whether some may fail with a FedkitError; if not, or for another error, no further call begins after the first.
        deadline: seconds, 0 for none; only with `spare`.
        """
        end, failed = time.monotonic() + deadline, threading.Event()

        def guarded(site: str) -> T | None:
            if failed.is_set() or (deadline and time.monotonic() > end):
                return None
            try:
                return one(site)
            except BaseException as error:
                if not spare or not isinstance(error, FedkitError):
                    failed.set()
                raise

        errors: dict[str, BaseException] = {site: _busy(site) for site in sites if self._still_busy(site)}
        pool = ThreadPoolExecutor(max(1, min(self._parallel, len(sites))), thread_name_prefix=name)
        calls = {site: pool.submit(guarded, site) for site in sites if site not in errors}
        wait(calls.values(), timeout=max(0.0, end - time.monotonic()) if deadline else None)
        pool.shutdown(wait=False)
        results: dict[str, T | None] = {}
        for site, call in calls.items():
            if not call.done() and not call.cancel():
                self._busy[site] = call
                errors[site] = _too_late(site, deadline)
                threading.Thread(target=self._late, args=(site,), name=f"late-{site}", daemon=True).start()
            elif call.cancelled():
                errors[site] = _too_late(site, deadline)
            elif (error := call.exception()) is not None:
                errors[site] = error
            else:
                results[site] = call.result()
        return Came(results, {site: errors[site] for site in sites if site in errors})

    def _still_busy(self, site: str) -> bool:
        if site in self._busy and self._busy[site].done():
            del self._busy[site]
        return site in self._busy


def _too_late(site: str, deadline: float) -> SiteError:
    return SiteError(
        f"site {site} was not done by the deadline",
        expected=f"an update within {deadline:g} seconds",
        got="none",
        help="the round went on without it; raise the deadline if it is often late",
    )


def _busy(site: str) -> SiteError:
    return SiteError(
        f"site {site} still works on an earlier round", expected="a site that is free", got="one that is late since then"
    )
