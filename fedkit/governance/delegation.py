"""A steward's signed word that another steward of the same site acts for them for a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fedkit.errors import RequestError


@dataclass(frozen=True)
class Delegation:
    """steward, delegate: addresses (0x…).   expires: Unix seconds, UTC.   signature: by the steward (EIP-712 `Delegation`).

    While it counts, what is assigned to the steward goes to the delegate; where two must approve, the two count as one.
    """

    site: str
    steward: str
    delegate: str
    expires: int
    signature: str = ""

    def signed(self, signature: str) -> Delegation:
        return replace(self, signature=signature)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Delegation:
        """Raises RequestError if the row is no delegation."""
        try:
            made = Delegation(**{name: row[name] for name in Delegation.__dataclass_fields__})
        except (KeyError, TypeError):
            made = None
        texts = made and (made.site, made.steward, made.delegate, made.signature)
        if made is None or not all(isinstance(t, str) for t in texts or (None,)) or type(made.expires) is not int:
            raise RequestError("not a delegation", expected="the fields of a Delegation", got="others")
        return made


def stands_for(delegations: Iterable[Delegation], now: float) -> dict[str, str]:
    """steward → who acts for them now (addresses). Of several that one steward granted, the first given counts: hand in the
    newest first."""
    found: dict[str, str] = {}
    for delegation in delegations:
        if now < delegation.expires:
            found.setdefault(delegation.steward, delegation.delegate)
    return found


def act_as_one(delegations: Iterable[Delegation], one: str, other: str, now: float) -> bool:
    """Whether two addresses count as one person: the same, or one acts for the other now, directly or through others."""
    pairs = [(d.steward, d.delegate) for d in delegations if now < d.expires]
    reached, todo = {one}, [one]
    while todo:
        at = todo.pop()
        for pair in pairs:
            if at in pair:
                todo += set(pair) - reached
                reached |= set(pair)
    return other in reached
