"""The queue of a worker pool: first come, first served among those that could run; and calls that are ended on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fedkit.errors import ExecutionCancelled, ExecutionFailed
from fedkit.sites.turns import Call, Turns


class Runner:
    """Takes turns in a thread of its own, and holds each until it is let go."""

    def __init__(self, turns: Turns, worker: str, log: list[str], name: str) -> None:
        self.call, self.go, self.error = Call(), threading.Event(), None  # type: Call, threading.Event, BaseException | None
        self.thread = threading.Thread(target=self._run, args=(turns, worker, log, name))
        self.thread.start()

    def _run(self, turns: Turns, worker: str, log: list[str], name: str) -> None:
        try:
            with turns.take(self.call, worker, "entry"):
                log.append(name)
                self.go.wait()
        except ExecutionFailed as error:
            self.error = error

    def end(self) -> None:
        self.go.set()
        self.thread.join()


def until(true: Callable[[], bool]) -> None:
    """What another thread does soon; a test that waits for ever has failed."""
    pause = threading.Event()
    while not true():
        pause.wait(0.002)


def test_calls_run_in_the_order_in_which_they_came() -> None:
    turns, log = Turns(1, 60), []  # type: Turns, list[str]
    runners = []
    for number in range(4):
        runners.append(Runner(turns, f"worker {number}", log, str(number)))
        until(lambda n=number: turns.position(runners[n].call) == n if n else log == ["0"])
    for runner in runners:
        runner.end()
    assert log == ["0", "1", "2", "3"]


def test_who_waits_for_a_busy_worker_does_not_hold_up_the_others() -> None:
    turns, log = Turns(2, 60), []  # type: Turns, list[str]
    first = Runner(turns, "a", log, "first")
    until(lambda: log == ["first"])
    second = Runner(turns, "a", log, "second")
    until(lambda: turns.position(second.call) == 1)
    other = Runner(turns, "b", log, "other")
    until(lambda: log == ["first", "other"])
    for runner in (first, second, other):
        runner.end()
    assert log == ["first", "other", "second"]


def test_a_call_that_waits_can_be_ended_and_leaves_no_hole_in_the_queue() -> None:
    turns, log = Turns(1, 60), []  # type: Turns, list[str]
    first = Runner(turns, "a", log, "first")
    until(lambda: log == ["first"])
    second = Runner(turns, "b", log, "second")
    until(lambda: turns.position(second.call) == 1)
    third = Runner(turns, "c", log, "third")
    until(lambda: turns.position(third.call) == 2)
    second.call.cancel(ExecutionCancelled("enough"))
    second.thread.join()
    assert isinstance(second.error, ExecutionCancelled)
    assert turns.position(third.call) == 1
    first.end()
    third.end()
    assert log == ["first", "third"]


def test_waiting_has_an_end() -> None:
    turns, log = Turns(1, 0.01), []  # type: Turns, list[str]
    first = Runner(turns, "a", log, "first")
    until(lambda: log == ["first"])
    with pytest.raises(ExecutionFailed, match=r"waited 0\.01 s"), turns.take(Call(), "b", "entry"):
        raise AssertionError("there was no room")
    first.end()


def test_a_call_that_was_ended_before_it_began_never_runs() -> None:
    call = Call()
    call.cancel(ExecutionCancelled("enough"))
    with pytest.raises(ExecutionCancelled, match="enough"), Turns(1, 60).take(call, "a", "entry"):
        raise AssertionError("it ran")


def test_a_call_in_a_worker_is_killed_once_and_never_after_it_has_left() -> None:
    killed: list[str] = []
    call = Call()
    with pytest.raises(ExecutionCancelled), call.in_worker(lambda: killed.append("worker")):
        call.cancel(ExecutionCancelled("enough"))
    call.cancel(ExecutionCancelled("once more"))
    assert killed == ["worker"]
    with pytest.raises(ExecutionCancelled, match="enough"):
        call.check()
