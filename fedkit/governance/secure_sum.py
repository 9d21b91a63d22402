"""Whose updates are added under masks: part of a request, so every steward signs who the others are.

Nobody between the sites can put a key of their own among them: a site takes another's masking keys only if they are signed by
the address that stands here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError

if TYPE_CHECKING:
    from fedkit.governance.output_contract import OutputContract

#: Fewer sites than this hide nothing: of a sum of two, each knows the other's part.
FEWEST = 3

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True)
class SecureSum:
    """The tensors of `entry` leave a site only under masks that cancel in the sum over the sites.

    sites: name → address (0x…) of the key with which that site signs.
    Raises RequestError for fewer than three sites, or for addresses that are none or stand twice.
    """

    entry: str
    sites: Mapping[str, str]

    def __post_init__(self) -> None:
        addresses = [str(address) for address in self.sites.values()]
        if len(addresses) < FEWEST or len({a.lower() for a in addresses}) != len(addresses):
            raise RequestError(
                "too few sites to hide one among them",
                expected=f"at least {FEWEST} sites with keys of their own",
                got=f"{len(addresses)} sites, {len(set(addresses))} keys",
                help="ask another site to join, or train without secure aggregation if the stewards agree to that",
            )
        if not all(_ADDRESS.fullmatch(address) for address in addresses):
            raise RequestError("a site's key is no address", expected="0x and 40 hex characters", got="another form")

    def check(self, contracts: Iterable[tuple[str, OutputContract]], by_question: bool = False) -> None:
        """Raises RequestError unless the entry is one of the request and gives tensors.

        contracts: (entry, contract).   by_question: whether each question declares what leaves, and so the entry nothing.
        """
        tensors = {name: contract.tensors for name, contract in contracts}
        if not tensors.get(self.entry) and not (by_question and self.entry in tensors):
            raise RequestError(
                f"{self.entry} gives nothing that could be added up",
                expected=f"an entry with tensors, of {sorted(name for name, declared in tensors.items() if declared)}",
                got="one without, or none of the request",
            )

    def to_json(self) -> dict[str, Any]:
        return {"entry": self.entry, "sites": dict(self.sites)}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> SecureSum:
        return SecureSum(str(row["entry"]), {str(name): str(address) for name, address in row["sites"].items()})
