"""The rules of a run as objects: what a site asks before it runs a request, and what it asks of the result before that leaves.

    rules = default_policies(environment=environment_digest(), datasets=("notes",), signer=recover)
    rules.admits(context)                 # raises the first refusal, with its reason
    rules.releases(context, tensors, numbers)
    rules.explain()                       # the same in plain words, for a steward

Pure: time, counts and who signed come in as data. Rules compose with `AllOf`, in the order in which they are asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fedkit.digests import short
from fedkit.errors import AccessRefused, DigestMismatch, FedkitError, LimitReached, NotApproved
from fedkit.governance.decision import Decision
from fedkit.governance.levels import check_level
from fedkit.governance.request import CodeRequest


@dataclass(frozen=True)
class Context:
    """One call that wants to run, and what the site knows about it.

    request:  what would run, as it lies before the site.   digest: the name under which it was asked to run.
    site:     name of the site.   researcher: ledger address of who calls; level: theirs at this site.
    decision: the last one on this digest, None if there is none.   revoked: whether it replaced an approval by a denial.
    used:     executions of this entry so far.   now: Unix seconds, UTC.
    """

    request: CodeRequest
    digest: str
    entry: str
    round: int
    site: str
    researcher: str
    level: str = "researcher"
    decision: Decision | None = None
    revoked: bool = False
    used: int = 0
    now: float = 0.0


class Policy(ABC):
    """A rule. `admits` is asked before the run, `releases` before a result leaves; either raises `Refused`."""

    def admits(self, context: Context) -> None:  # noqa: B027 - a rule may have nothing to ask before a run
        """Raises Refused if the call may not run."""

    def releases(  # noqa: B027 - or nothing to ask of its result
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any]
    ) -> None:
        """Raises Refused if the result may not leave."""

    @abstractmethod
    def explain(self) -> str:
        """The rule as one plain sentence."""


@dataclass(frozen=True)
class AllOf(Policy):
    """Every rule, in this order; the first refusal counts."""

    rules: tuple[Policy, ...]

    def admits(self, context: Context) -> None:
        for rule in self.rules:
            rule.admits(context)

    def releases(self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        for rule in self.rules:
            rule.releases(context, tensors, numbers)

    def explain(self) -> str:
        return "\n".join(f"{n} {rule.explain()}" for n, rule in enumerate(self.rules, 1))


@dataclass(frozen=True)
class LevelMayRun(Policy):
    """Who calls is of a level that may execute, and it is their own request."""

    def admits(self, context: Context) -> None:
        check_level(context.level, "execute")
        if context.researcher != context.request.researcher:
            raise AccessRefused(
                "the request is somebody else's",
                expected="a request of one's own",
                got="another researcher's",
                help="ask for your own permit and decision",
            )

    def explain(self) -> str:
        return "A researcher runs requests of their own, nobody else's."


@dataclass(frozen=True)
class ExactDigest(Policy):
    """What would run is what was named, to the character."""

    def admits(self, context: Context) -> None:
        if context.request.digest != context.digest:
            raise DigestMismatch(
                "this is not the code that was named",
                expected=short(context.digest),
                got=short(context.request.digest),
                help="submit the changed request; it needs its own decision",
            )
        context.request.entry(context.entry)

    def explain(self) -> str:
        return "The code, its settings and its output contract are exactly those under the digest, and the entry is one of it."


@dataclass(frozen=True)
class SameEnvironment(Policy):
    """The code meets the libraries it was reviewed with. environment: this site's digest."""

    environment: str

    def admits(self, context: Context) -> None:
        if context.request.environment != self.environment:
            raise DigestMismatch(
                "the request names another environment",
                expected=self.environment,
                got=context.request.environment,
                help="make the request anew with the versions that the site has",
            )

    def explain(self) -> str:
        return f"fedkit and its libraries are those that the request names ({short(self.environment)})."


@dataclass(frozen=True)
class ValidPermit(Policy):
    """The data permit covers the purpose and the data, and has not expired.

    datasets: of this site.   purposes: that this site admits; None admits what the permit says.
    """

    datasets: tuple[str, ...]
    purposes: frozenset[str] | None = None

    def admits(self, context: Context) -> None:
        request, permit = context.request, context.request.permit
        if request.dataset not in permit.datasets or request.dataset not in self.datasets:
            raise AccessRefused(
                "the permit does not cover this data",
                expected=" or ".join(self.datasets),
                got="another data set",
                help="ask the authority to extend the permit",
            )
        if self.purposes is not None and permit.purpose not in self.purposes:
            raise AccessRefused(
                "the site does not admit this purpose",
                expected=" or ".join(sorted(self.purposes)),
                got="another purpose",
                help="ask the site which purposes it admits",
            )
        if request.purpose != permit.purpose:
            raise AccessRefused(
                "the request's purpose is not the permit's",
                expected="the purpose that the permit was given for",
                got="another purpose",
                help="ask for a permit for this purpose",
            )
        try:
            last_day = datetime.strptime(permit.expires, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except (ValueError, TypeError):
            raise AccessRefused(
                "the permit names no day on which it ends", expected="a date such as 2027-01-31", got="something else"
            ) from None
        if datetime.fromtimestamp(context.now, UTC).date() > last_day:
            raise AccessRefused(
                "the data permit has expired",
                expected="a permit that is valid today",
                got=f"valid until {last_day}",
                help="have it extended and submit the request with the new one",
            )

    def explain(self) -> str:
        purposes = "its own purpose" if self.purposes is None else f"one of the purposes {', '.join(sorted(self.purposes))}"
        return f"A data permit covers {' or '.join(self.datasets)} for {purposes} and has not expired."


@dataclass(frozen=True)
class SignedApproval(Policy):
    """A steward has approved this digest for this site; the approval is signed, has not expired and was not revoked.

    signer: recovers the address that signed a decision, or raises a FedkitError.
    """

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
        try:
            signer = self.signer(decision)
        except FedkitError:
            signer = "nobody"
        if signer != decision.steward:
            raise NotApproved(
                "the approval is not signed by the steward it names",
                expected=decision.steward,
                got=signer,
                help="have the steward sign the decision for this chain and contract",
            )
        if decision.steward == context.request.researcher:
            raise NotApproved("nobody approves a request of their own", expected="another person's signature")
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
class ExecutionLimit(Policy):
    """An entry runs at most as often as both the request asks for and the decision grants."""

    def admits(self, context: Context) -> None:
        limit = execution_limit(context)
        if context.round < 1:
            raise LimitReached("rounds count from 1", expected="1, 2, …", got=str(context.round))
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
class FitsContract(Policy):
    """Only what the output contract declares leaves."""

    def releases(self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        context.request.entry(context.entry).contract.check(tensors, numbers)

    def explain(self) -> str:
        return "Only the declared tensors and bounded numbers leave, and nothing else."


def execution_limit(context: Context) -> int:
    """How often the entry may run in all: the lower of request and decision, 0 without an approval."""
    decision = context.decision
    granted = decision.rounds if decision is not None and decision.approved else 0
    return min(context.request.entry(context.entry).executions, granted)


def default_policies(
    *,
    environment: str,
    datasets: Iterable[str],
    signer: Callable[[Decision], str],
    purposes: Iterable[str] | None = None,
) -> AllOf:
    """What every site asks, in this order.

    environment: the site's environment digest.   datasets: of the site.   signer: see `SignedApproval`.
    purposes: that the site admits; None admits what a permit says.
    """
    return AllOf(
        (
            LevelMayRun(),
            ExactDigest(),
            SameEnvironment(environment),
            SignedApproval(signer),
            ValidPermit(tuple(datasets), None if purposes is None else frozenset(purposes)),
            ExecutionLimit(),
            FitsContract(),
        )
    )
