"""The loop of rounds: sites train, the strategy aggregates, the checkpoint is written, and again.

It knows neither torch nor PySyft: `execute` is whatever runs an entry at a site. After a crash the same call goes on at the
first round that was not complete and ends with the same weights, bit for bit, as a run that nothing stopped: sites
answer a repeated call with the same result, and a round counts only once its checkpoint is on disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fedkit.errors import FedkitError, TrainingError
from fedkit.federation.checkpoint import RoundRecord, RoundsFolder
from fedkit.federation.parameters import Parameters, decode, digest_parameters
from fedkit.federation.participation import Participation
from fedkit.federation.side_by_side import SideBySide
from fedkit.federation.strategies.base import SiteUpdate, Strategy, check_update


@dataclass(frozen=True)
class RoundPlan:
    """rounds: how many.   parallel: how many sites of an averaging round train at the same time.

    entry: the request's entry for a round.   who: takes part in an averaging round, and is waited for how long (default: all
    sites, without end).   name: what the plan belongs to (the request's digest); another name in the same
    folder is refused, so that no run goes on from another run's weights.
    """

    rounds: int
    parallel: int = 2
    entry: str = "train_round"
    name: str = ""
    who: Participation = field(default_factory=Participation)

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.parallel < 1:
            raise TrainingError(
                "the plan has no rounds", expected="rounds >= 1, parallel >= 1", got=f"{self.rounds} and {self.parallel}"
            )


@dataclass(frozen=True)
class Execution:
    """What came back from a site: new weights, numbers, and a receipt (plain JSON; the loop keeps it and never reads it).

    bytes: that came for the weights, 0 if they never were bytes.
    """

    parameters: Parameters
    numbers: dict[str, float]
    receipt: Any = None
    bytes: int = 0


@dataclass(frozen=True)
class RoundEvent:
    """Progress, for a display; comes from the thread of the site.

    kind: "resumed", "site-started", "site-done", "site-failed", "aggregated", "stopped".
    site is "" where all are meant; `record` comes with "aggregated".
    """

    kind: str
    round: int
    site: str = ""
    seconds: float = 0.0
    numbers: dict[str, float] | None = None
    record: RoundRecord | None = None
    message: str = ""


@dataclass(frozen=True)
class RoundsResult:
    """parameters: the weights after the last complete round.   stopped: whether `stop` ended it before the plan did."""

    parameters: Parameters
    history: tuple[RoundRecord, ...]
    stopped: bool = False


Execute = Callable[[str, str, int, Parameters], Execution]


class Sums(Protocol):
    """Who adds up updates that come under masks (`fedkit.federation.secure_aggregation`), in the place of a strategy.

    fewest: so many sites must send an update; the others of a round may fail, and the round goes on without them.
    """

    fewest: int

    def told(self, round: int) -> Sequence[str] | None:
        """The sites whose updates this round was opened for before a crash; None if it was not. No others count then."""

    def check(self, round: int, start: Parameters, update: SiteUpdate) -> None:
        """Raises TrainingError unless this is an update under masks of the right form."""

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> Parameters:
        """The weights after the round. Raises FedkitError if the sum cannot be opened; then the round can be run again."""


def run_rounds(
    plan: RoundPlan,
    start: Parameters,
    sites: Sequence[str],
    execute: Execute,
    strategy: Strategy,
    *,
    folder: Path,
    on_event: Callable[[RoundEvent], None] = lambda event: None,
    stop: threading.Event | None = None,
    sums: Sums | None = None,
    late: Callable[[str], None] = lambda site: None,
) -> RoundsResult:
    """Run the rounds of a plan that are not complete yet.

    execute: `(site, entry, round, weights) -> Execution`; called from threads, for one site never twice at a time.
    folder:  holds the checkpoint (see `fedkit.federation.checkpoint`); a second call continues there.
    stop:    read before each round and each site's turn; what the unfinished round did is done again at the next call.
    sums:    adds the updates up, if they come under masks; the strategy then has no rounds in turn.
    late:    told which site a round goes on without, because its update did not come by the deadline.
    Raises TrainingError if the folder belongs to another plan or a site's weights do not fit; an error of `execute` after the
    other sites of the round have come to rest (site and error are in an event and in the checkpoint). Calling again resumes.
    """
    if len(set(sites)) != len(sites) or not sites:
        raise TrainingError("rounds need sites", expected="one or more different names", got=f"{len(sites)} names")
    checkpoint = RoundsFolder(
        folder,
        {
            "plan": plan.name,
            "rounds": plan.rounds,
            "entry": plan.entry,
            "sites": list(sites),
            "strategy": strategy.to_json(),
            "start": digest_parameters(start),
        },
    )
    history = checkpoint.history()
    current: Parameters = decode(checkpoint.weights(history[-1].aggregate)) if history else start
    state: Parameters = strategy.first_state(start)
    if history and history[-1].state:
        state = decode(checkpoint.weights(history[-1].state))
    if history:
        on_event(RoundEvent("resumed", history[-1].round, message=f"{len(history)} rounds were complete"))
    calls = SideBySide[Execution](plan.parallel, late)
    for number in range(len(history) + 1, plan.rounds + 1):
        if stop is not None and stop.is_set():
            on_event(RoundEvent("stopped", number))
            return RoundsResult(current, tuple(history), stopped=True)
        began = time.monotonic()
        turn = _Round(number, plan, execute, on_event, stop, checkpoint, sums)
        order = strategy.order(number, sites)
        if strategy.in_turn(number):
            done = turn.in_turn(order, current)
        else:
            order = list((sums.told(number) if sums else None) or plan.who.asked(number, order))
            done = turn.side_by_side(order, current, calls)
        if done is None:
            on_event(RoundEvent("stopped", number))
            return RoundsResult(current, tuple(history), stopped=True)
        order = [site for site in order if site in done]
        updates = [SiteUpdate(site, done[site].parameters, done[site].numbers) for site in order]
        new, state = strategy.step(number, current, (sums or strategy).aggregate(number, current, updates), state)
        record = RoundRecord(
            round=number,
            sequential=strategy.in_turn(number),
            before=history[-1].aggregate if history else digest_parameters(start),
            aggregate=checkpoint.keep(new),
            state=checkpoint.keep(state) if state else "",
            sites={site: dict(done[site].numbers) for site in sites if site in done},
            order=tuple(order),
            receipts=tuple(done[site].receipt for site in order),
            seconds=time.monotonic() - began,
            bytes={site: done[site].bytes for site in order if done[site].bytes},
        )
        checkpoint.add(record)
        history.append(record)
        current = new
        on_event(RoundEvent("aggregated", number, seconds=record.seconds, record=record))
    return RoundsResult(current, tuple(history))


class _Round:
    """One round's calls to the sites."""

    def __init__(
        self,
        number: int,
        plan: RoundPlan,
        execute: Execute,
        on_event: Callable[[RoundEvent], None],
        stop: threading.Event | None,
        checkpoint: RoundsFolder,
        sums: Sums | None,
    ) -> None:
        self.number, self.plan, self.execute, self.on_event, self.stop = number, plan, execute, on_event, stop
        self.checkpoint, self.sums = checkpoint, sums
        self.told: set[str] = set()  # sites whose failure is written down

    def in_turn(self, order: Sequence[str], weights: Parameters) -> dict[str, Execution] | None:
        """One site after the other, each from the weights of the one before; None if stopped."""
        done: dict[str, Execution] = {}
        for site in order:
            if self.stop is not None and self.stop.is_set():
                return None
            done[site] = self.call(site, weights)
            weights = done[site].parameters
        return done

    def side_by_side(
        self, order: Sequence[str], weights: Parameters, calls: SideBySide[Execution]
    ) -> dict[str, Execution] | None:
        """All from the same weights; None if stopped.

        The first failure in the order of sites is raised, unless enough updates came for a round without it.
        """
        fewest = self.sums.fewest if self.sums else self.plan.who.needed(len(order))
        spare = self.sums is not None or fewest < len(order)

        def one(site: str) -> Execution | None:
            return None if self.stop is not None and self.stop.is_set() else self.call(site, weights)

        came = calls.call(
            order, one, spare=spare, deadline=self.plan.who.deadline if spare else 0.0, name=f"round-{self.number}"
        )
        done = {site: result for site, result in came.results.items() if result is not None}
        errors = list(came.errors.values())
        for site in came.errors.keys() - self.told:
            self.tell_failure(site, came.errors[site], 0.0)
        if errors and (len(done) < fewest or not all(isinstance(error, FedkitError) for error in errors)):
            raise errors[0]
        return done if len(done) + len(errors) == len(order) else None

    def tell_failure(self, site: str, error: BaseException, seconds: float) -> None:
        """Write down why a site gave nothing: fedkit's own words only, those of another exception could hold anything."""
        self.told.add(site)
        code, message = (error.code, str(error)) if isinstance(error, FedkitError) else ("", type(error).__name__)
        self.checkpoint.add_failure(self.number, site, code, message)
        self.on_event(RoundEvent("site-failed", self.number, site, seconds, message=message))

    def call(self, site: str, weights: Parameters) -> Execution:
        self.on_event(RoundEvent("site-started", self.number, site))
        began = time.monotonic()
        try:
            result = self.execute(site, self.plan.entry, self.number, weights)
            update = SiteUpdate(site, result.parameters, result.numbers)
            self.sums.check(self.number, weights, update) if self.sums else check_update(weights, update)
        except Exception as error:
            if site not in self.told:
                self.tell_failure(site, error, time.monotonic() - began)
            raise
        if site in self.told:
            return result  # it comes too late for anybody to count it
        self.on_event(RoundEvent("site-done", self.number, site, time.monotonic() - began, dict(result.numbers)))
        return result


def read_history(folder: Path) -> list[RoundRecord]:
    """The complete rounds in a checkpoint folder, first to last; empty if there are none."""
    return RoundsFolder.read(folder)


def read_weights(folder: Path, digest: str) -> bytes:
    """The wire form of weights by digest from a checkpoint folder, checked. Raises TrainingError if missing or changed."""
    return RoundsFolder.read_weights(folder, digest)
