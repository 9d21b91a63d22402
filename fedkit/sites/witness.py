"""A site as a witness of the chain: it keeps the head that it saw last and signs a newer one only if it follows from that.

A site needs no chain for it. Who relays shows it the headers of the blocks since the last head (about 600 bytes each), and the
site checks that each hashes to what the next one names. So nobody can show it, and through its signature an auditor, two
chains, or one that was set back. The head signed last is the last `head.signed` row of the site's journal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from fedkit.errors import FedkitError, LedgerError
from fedkit.ledger import heads
from fedkit.ledger.heads import SignedHead
from fedkit.sites.parts import SiteParts

#: Seconds that the clock of the chain's owner may run ahead of the site's.
AHEAD = 300
#: The same of the time in a block: it must rise by a second a block, so a burst of blocks runs ahead of any clock.
BURST = 1800


class Witness:
    """The heads of one site."""

    def __init__(self, parts: SiteParts) -> None:
        self.parts = parts
        self.site = parts.config.name
        self._lock = threading.Lock()

    def head(self) -> SignedHead | None:
        """The head that this site signed last, or None."""
        row = self.parts.journal.last("head.signed")
        if row is None:
            return None
        f = row["fields"]
        return SignedHead(self.site, f["number"], "0x" + f["block"], f["time"], f["signature"])

    def sign(self, headers: Sequence[str], user: str) -> SignedHead:
        """Sign the last of these headers (RLP, hex); the head that was signed last is not signed anew.

        headers: from the head that was signed last, or the block after it, to the newest; at most `heads.MOST`.
        Raises LedgerError if they do not go on from there, or if the clocks of chain and site are too far apart.
        """
        with self._lock:
            last = self.head()
            try:
                newest = self._check(headers, last)
            except FedkitError as error:
                self.parts.journal.append("head.refused", user, reason=error.code)
                raise
            if last is not None and newest.hash == last.hash:
                return last
            head = SignedHead(self.site, newest.number, newest.hash, newest.time)
            signed = self.parts.keys.sign_head(self.parts.key_name, head, self.parts.config.ledger)
            self.parts.journal.append(
                "head.signed",
                user,
                number=signed.number,
                block=signed.hash.removeprefix("0x"),
                time=signed.time,
                signature=signed.signature,
            )
            return signed

    def _check(self, headers: Sequence[str], last: SignedHead | None) -> heads.Header:
        try:
            raw = [bytes.fromhex(text) for text in headers] if len(headers) <= heads.MOST else []
        except (ValueError, TypeError):
            raw = []
        newest = heads.newest(raw, last)
        now = time.time()
        if (newest.clock or 0.0) > now + AHEAD or newest.time > now + BURST:
            raise LedgerError(
                "the chain's clock runs ahead of this site's",
                expected=f"a newest block no more than {AHEAD // 60} minutes ahead ({BURST // 60} in a burst)",
                got=f"{(max(newest.clock or 0.0, newest.time) - now) / 60:.0f} minutes",
                help="set the clocks of both machines (NTP), then go on; approvals end by the clock",
            )
        return newest
