"""How long a request may wait for a decision, when that is said aloud, and whose turn it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.errors import ConfigurationError

DAY = 86_400


@dataclass(frozen=True)
class Patience:
    """remind: days after which reminders are due, rising.   lapse: days after which nobody waits any more.

    Raises ConfigurationError for days in another order.
    """

    remind: tuple[float, ...] = (7, 21)
    lapse: float = 30

    def __post_init__(self) -> None:
        days = (0, *self.remind, self.lapse)
        if any(isinstance(d, bool) or not isinstance(d, int | float) for d in days) or list(days) != sorted(set(days)):
            raise ConfigurationError(
                "not days of waiting", expected="reminders in rising order, the lapse after them", got="another order"
            )

    def to_json(self) -> dict[str, Any]:
        return {"remind": list(self.remind), "lapse": self.lapse}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Patience:
        return Patience(tuple(row["remind"]), row["lapse"])

    def due(self, since: float) -> float:
        """When a request that waits since then lapses (Unix seconds)."""
        return since + self.lapse * DAY

    def level(self, since: float, now: float) -> int:
        """How many reminders are due."""
        return sum(now >= since + days * DAY for days in self.remind)

    def lapsed(self, since: float, now: float) -> bool:
        return now >= self.due(since)


def next_in_turn(names: Sequence[str], last: str) -> str:
    """The one after `last` in the order of names, round and round; "" if there is nobody.

    names: those who may; `last` need not be among them any more.
    """
    order = sorted(names)
    return next((name for name in order if name > last), order[0] if order else "")
