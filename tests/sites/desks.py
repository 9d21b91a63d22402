"""A running site with standing approvals, for the tests of them."""

from __future__ import annotations

import secrets
from typing import Any

from site_suite import World

from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import Name, Range, StandingApproval


class Desks(World):
    """A site with standing approvals. Requests of one test share a `batch`, which no other test's have."""

    def clocked(self) -> Any:
        return self.federation._running[self.site].gate

    def asked(self, batch: str, **changes: Any) -> CodeRequest:
        rate = changes.pop("rate", 1.0)
        return self.request(settings={"study": secrets.token_hex(8), "batch": batch, "rate": rate}, **changes)

    def offered(self, reviewed: CodeRequest, **changes: Any) -> StandingApproval:
        """A standing approval for what is like a request, with three requests; signed and offered."""
        vary = {"study": Name(), "rate": Range(0.5, 2.0)}
        limits = {"requests": 3, "per_day": 3, **changes}
        terms = {"vary": vary, "site": self.site, "steward": self.federation.keys.address(f"steward-{self.site}"), **limits}
        made = StandingApproval.from_request(reviewed, **terms)
        signed_ = self.federation.keys.sign_standing(f"steward-{self.site}", made, self.federation.ledger.domain)
        return self.steward.offer_standing(signed_)
