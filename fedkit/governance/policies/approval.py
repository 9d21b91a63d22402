"""By whose decision: a steward's signature, or those of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from fedkit.digests import short
from fedkit.errors import FedkitError, NotApproved
from fedkit.governance.decision import Decision
from fedkit.governance.policies.base import Context, Policy


@dataclass(frozen=True)
class SignedApproval(Policy):
    """A steward has approved this digest for this site; the approval is signed, has not expired and was not revoked.

    signer: recovers the address that signed a decision, or raises a FedkitError.
    """

    aspect: ClassVar[str] = "what"

    signer: Callable[[Decision], str] = field(repr=False)

    def admits(self, context: Context) -> None:
        decision = context.decision
        if decision is None:
            raise NotApproved(
                "the request waits for a decision", expected="a steward's approval", got="none", help="wait for the steward"
            )
        if decision.request != context.digest or decision.site != context.site:
            raise NotApproved("the decision is about another request or site", expected=short(context.digest), got="another")
        if not decision.approved:
            raise NotApproved(
                f"the {'approval was revoked' if context.revoked else 'request was denied'}: {decision.reason}",
                expected="a steward's approval",
                got="revoked" if context.revoked else "denied",
                help="mend what was given as the reason, submit again",
            )
        signer = signer_of(decision, self.signer)
        if signer != decision.steward:
            raise NotApproved(
                "the approval is not signed by the steward it names",
                expected=decision.steward,
                got=signer,
                help="have the steward sign the decision for this chain and contract",
            )
        if decision.steward == context.request.researcher:
            raise NotApproved(
                "nobody approves a request of their own",
                expected="another person's signature",
                help="ask another steward of this site to decide",
            )
        if context.now >= decision.expires:
            raise NotApproved(
                "the approval has expired",
                expected="an approval that counts now",
                got="an older one",
                help="ask the steward for a new decision",
            )

    def explain(self) -> str:
        return "A steward, who is not the researcher, has approved it by a signature that still counts."


@dataclass(frozen=True)
class NeededApprovals(Policy):
    """Several stewards have approved it: different persons by their signatures, none of them the researcher.

    needed: how many.   signer: see `SignedApproval`.
    An approval counts that is about this request and site, is signed by whom it names, and has not expired.
    """

    aspect: ClassVar[str] = "what"

    needed: int
    signer: Callable[[Decision], str] = field(repr=False)

    def admits(self, context: Context) -> None:
        found = dict.fromkeys((*context.approvals, *([context.decision] if context.decision else [])))
        stewards = {decision.steward for decision in found if self._counts(decision, context)}
        if len(stewards) < self.needed:
            raise NotApproved(
                "not enough stewards have approved this",
                expected=f"approvals by {self.needed} stewards, none of them the researcher",
                got=f"{len(stewards)}",
                help="ask another steward of this site to look at the request",
            )

    def _counts(self, decision: Decision, context: Context) -> bool:
        return (
            decision.approved
            and decision.request == context.digest
            and decision.site == context.site
            and decision.steward != context.request.researcher
            and context.now < decision.expires
            and signer_of(decision, self.signer) == decision.steward
        )

    def explain(self) -> str:
        if self.needed < 2:
            return "One steward's approval is enough."
        return f"It takes {self.needed} different stewards to approve it."


def signer_of(decision: Decision, signer: Callable[[Decision], str]) -> str:
    """The address that signed, or "nobody"."""
    try:
        return signer(decision)
    except FedkitError:
        return "nobody"
