"""Who runs when: calls wait their turn for a confined worker, can be asked where they are, and can be ended from outside.

A `Call` is made by whoever wants something run and is handed to the pool with it; other threads hold the same object. Calls of
one worker run one after another, no more at once than there is room for, and of those that could run the one that came first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fedkit.errors import ExecutionFailed, FedkitError


class Call:
    """One call on its way through a pool. Safe for many threads.

    since: when it was made, or began to run (Unix seconds).   seconds: since then.   running: whether a worker has it.
    ended: what it was ended with from outside, None if it was not.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._kill: Callable[[], None] | None = None
        self._notify: Callable[[], None] | None = None
        self.ended: FedkitError | None = None
        self.running = False
        self._set_off()

    def cancel(self, because: FedkitError) -> None:
        """End it wherever it is: in the queue, or in its worker, which is killed. Whoever waits for it gets `because`."""
        with self._change:
            self.ended = self.ended or because
            if self._kill is not None:
                self._kill()
            notify = self._notify
        if notify is not None:
            notify()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def check(self) -> None:
        """Raises what it was ended with, if it was."""
        if self.ended is not None:
            raise FedkitError.from_json(self.ended.to_json())  # one of its own: an error belongs to one thread

    @contextmanager
    def in_worker(self, kill: Callable[[], None]) -> Iterator[None]:
        """While a worker has it; `kill` ends that worker. Raises, before or after, if it was ended from outside."""
        with self._change:
            self.check()
            self._kill, self.running = kill, True
            self._set_off()
        try:
            yield
        finally:
            with self._change:
                self._kill, self.running = None, False
        self.check()

    def _wait_in(self, notify: Callable[[], None] | None) -> None:
        with self._change:
            self._notify = notify

    def _set_off(self) -> None:
        self.since, self._began = time.time(), time.monotonic()


class Turns:
    """The queue of a pool. room: how many calls may run at once.   patience: seconds that one waits at most."""

    def __init__(self, room: int, patience: float) -> None:
        self._room, self._patience = room, patience
        self._change = threading.Condition()
        self._waiting: list[tuple[Call, str]] = []  # first come, first served, among those that could run
        self.active: set[str] = set()

    def position(self, call: Call) -> int:
        """How many calls, itself included, come before anything behind it runs: 1 is next; 0 if it does not wait."""
        with self._change:
            return next((n for n, (other, _) in enumerate(self._waiting, 1) if other is call), 0)

    @contextmanager
    def take(self, call: Call, worker: str, entry: str) -> Iterator[None]:
        """Wait until nobody has that worker and there is room. Raises ExecutionFailed after too long, or what ended it."""
        mine = (call, worker)
        call._wait_in(self._wake)
        with self._change:
            self._waiting.append(mine)
            try:
                free = self._change.wait_for(lambda: call.ended is not None or self._next(worker) is mine, self._patience)
                call.check()
                if not free:
                    raise ExecutionFailed(
                        f"{entry} waited {self._patience:g} s for its turn", help="try again when the site is less busy"
                    )
                self.active.add(worker)
            finally:
                self._waiting.remove(mine)
                call._wait_in(None)
                self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self.active.discard(worker)
                self._change.notify_all()

    def _next(self, worker: str) -> tuple[Call, str] | None:
        """The call that may have that worker now, if there is room."""
        if worker in self.active or len(self.active) >= self._room:
            return None
        able = (waiting for waiting in self._waiting if waiting[1] not in self.active)
        room = self._room - len(self.active)
        firsts: dict[str, tuple[Call, str]] = {}
        for waiting in able:
            firsts.setdefault(waiting[1], waiting)
            if len(firsts) == room:
                break
        return firsts.get(worker)

    def _wake(self) -> None:
        with self._change:
            self._change.notify_all()
