"""How often: by the request and its decision, by the hour, and in all of one person."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from fedkit.errors import LimitReached
from fedkit.governance.policies.base import Context, Policy

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class ExecutionLimit(Policy):
    """An entry runs at most as often as both the request asks for and the decision grants."""

    aspect: ClassVar[str] = "how often"

    def admits(self, context: Context) -> None:
        limit = execution_limit(context)
        if context.round < 1:
            raise LimitReached("rounds count from 1", expected="1, 2, …", got=str(context.round), help="begin with round 1")
        if context.used >= limit:
            raise LimitReached(
                f"{context.entry} has run as often as was approved",
                expected=f"at most {limit} executions",
                got=f"{context.used} so far",
                help="submit a request for more rounds",
            )

    def explain(self) -> str:
        return "Each entry runs at most as often as the request asks for and the decision grants, whichever is less."


@dataclass(frozen=True)
class Rate(Policy):
    """One person runs at most so many executions on a data set within any 60 minutes. per_hour: how many."""

    aspect: ClassVar[str] = "how often"

    per_hour: int

    def admits(self, context: Context) -> None:
        within = _since(context, HOUR)
        if within >= self.per_hour:
            free = context.recent[-self.per_hour] + HOUR
            raise LimitReached(
                "too many executions in one hour",
                expected=f"at most {self.per_hour} an hour",
                got=f"{within} in the last 60 minutes",
                help=f"go on at {datetime.fromtimestamp(free, UTC):%H:%M:%S} UTC; finished calls may be repeated at any time",
            )

    def explain(self) -> str:
        return f"One person runs at most {self.per_hour} executions an hour on a data set."


@dataclass(frozen=True)
class Quota(Policy):
    """One person runs at most so many executions on a data set within so many days. executions, days: how many."""

    aspect: ClassVar[str] = "how often"

    executions: int
    days: int

    def admits(self, context: Context) -> None:
        within = _since(context, self.days * DAY)
        if within >= self.executions:
            free = context.recent[-self.executions] + self.days * DAY
            raise LimitReached(
                f"the quota of {self.days} days is used up",
                expected=f"at most {self.executions} executions in {self.days} days",
                got=f"{within}",
                help=f"go on after {datetime.fromtimestamp(free, UTC):%Y-%m-%d %H:%M} UTC, or ask the site for a larger quota",
            )

    def explain(self) -> str:
        return f"One person runs at most {self.executions} executions on a data set in {self.days} days."


def execution_limit(context: Context) -> int:
    """How often the entry may run in all: the lower of request and decision, 0 without an approval."""
    decision = context.decision
    granted = decision.rounds if decision is not None and decision.approved else 0
    return min(context.request.entry(context.entry).executions, granted)


def _since(context: Context, seconds: float) -> int:
    """How many of the user's executions began within so many seconds."""
    return len(context.recent) - bisect_right(context.recent, context.now - seconds)
