"""Data permits on the ledger: the acts of an authority. The permit's text stays with people; its digest goes on chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from eth_utils import to_checksum_address

from fedkit.errors import LedgerError, RequestError
from fedkit.governance.request import PURPOSES, DataPermit
from fedkit.ledger.events import PermitIssued, PermitRevoked
from fedkit.ledger.recorder import Recorder, first_of
from fedkit.ledger.registry import AUTHORITY
from fedkit.ledger.typed import digest_bytes32, name_id


class PermitActs(Recorder):
    """The part of the ledger that says who may use which data, for what, until when."""

    def issue_permit(self, permit: DataPermit, users: Sequence[str], *, actor: str = AUTHORITY) -> PermitIssued:
        """Put a permit on record, for the addresses in `users`. One that they hold already, from whomever, is left as it is.

        actor: whose key of the keyring sends it; it needs the role "authority".
        Raises ContractReverted if the permit has run out, was revoked, or was issued to others; LedgerError if it is not on
        record and no key of an authority is here.
        """
        holders = [to_checksum_address(user) for user in users]
        arguments = (
            digest_bytes32(permit.digest),
            PURPOSES.index(permit.category),
            permit_expiry(permit.expires),
            [name_id(name) for name in permit.datasets],
            holders,
        )
        with self._lock:
            self._learn(permit.datasets)
            for issued in self.records(PermitIssued):
                if issued.permit == permit.digest and set(holders) <= set(issued.users) and not self._is_revoked(permit.digest):
                    return issued
            if actor not in self.keys.actors():
                raise _not_issued(permit.digest)
            return first_of(PermitIssued, self._act(actor, [("Registry", "issuePermit", arguments)]))

    def revoke_permit(self, permit: str, *, actor: str = AUTHORITY) -> PermitRevoked:
        """Take a permit (its digest) back: nothing under it is taken from now on. A second time returns the first record."""
        return self._once(
            actor, ("Registry", "revokePermit", (digest_bytes32(permit),)), PermitRevoked, lambda e: e.permit == permit
        )

    def permit(self, digest: str) -> PermitIssued:
        """The record of an issued permit, revoked or not. Raises LedgerError if no authority issued it."""
        for event in self.records(PermitIssued):
            if event.permit == digest:
                return event
        raise _not_issued(digest)

    def _is_revoked(self, permit: str) -> bool:
        return any(event.permit == permit for event in self.records(PermitRevoked))


def _not_issued(permit: str) -> LedgerError:
    return LedgerError(
        "no authority has issued this permit",
        expected="a permit on the ledger",
        got=f"digest {permit[:12]}, which is not",
        help="ask the authority to put it on record: ledger.issue_permit(permit, users)",
    )


def permit_expiry(day: str) -> int:
    """The last second (Unix time, UTC) of a permit that counts until an ISO date, that day included."""
    try:
        return int(datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).timestamp())
    except ValueError:
        raise RequestError("the permit has no day on which it ends", expected="a date such as 2030-12-31", got=day) from None
