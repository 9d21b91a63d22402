"""What a rule is, what it is asked about, and how rules go together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fedkit.errors import FedkitError, Refused
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest
from fedkit.governance.table_contract import Row

#: What rules are about, in the order in which they are told: aspect → the question it answers.
ASPECTS: Mapping[str, str] = {
    "who": "Who may",
    "what": "What may run",
    "when": "When",
    "how often": "How often",
    "what leaves": "What may leave",
}

Tables = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Clock:
    """What speaks for or against a site's clock, as Unix seconds, UTC.

    latest:  the newest moment on record at the site: its journal's last row, the last head of the chain that it signed.
    running: what the clock should show, by the time at the site's start and the seconds counted since; None if not known.
    """

    latest: float = 0.0
    running: float | None = None


@dataclass(frozen=True)
class Context:
    """One call that wants to run, and what the site knows about it.

    request:  what would run, as it lies before the site.   digest: the name under which it was asked to run.
    site:     name of the site.   researcher: ledger address of who calls; level: theirs at this site.
    decision: the last one on this digest, None if there is none.   revoked: whether it replaced an approval by a denial.
    approvals: the approvals that stand, oldest first; more than one where the site asks for several.
    used:     executions of this entry so far.   now: Unix seconds, UTC.
    recent:   when this user's executions on this data set began, Unix seconds, oldest first; () for a call that was charged
        before, and takes nothing more.
    patients: distinct persons in the data set, None if its notes do not say.
    cost:     what this call takes of the privacy budget (zCDP rho), 0 for nothing, and for one that was charged before.
    spent, spent_in_all: what this user, and all users together, have taken of the data set's so far.
    spent_on_project: what this user has taken of it under this request's permit, which is what a project is.
    spent_on_request: what the executions of this request have taken.
    epsilon, epsilon_spent, epsilon_in_all, epsilon_on_project: the same of trainings with noise, in epsilon at own deltas.
    answers:  what the answer to a question may hold, where the entry answers questions; None for every other call.
    noise:    whether what leaves gets noise before it does; of an answer, where the entry declares none of its own.
    clock:    what speaks for the site's clock.
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
    approvals: tuple[Decision, ...] = ()
    recent: tuple[float, ...] = ()
    patients: int | None = None
    cost: float = 0.0
    spent: float = 0.0
    spent_in_all: float = 0.0
    epsilon: float = 0.0
    epsilon_spent: float = 0.0
    epsilon_in_all: float = 0.0
    clock: Clock = Clock()
    spent_on_project: float = 0.0
    spent_on_request: float = 0.0
    epsilon_on_project: float = 0.0
    answers: OutputContract | None = None
    noise: bool = False

    @property
    def contract(self) -> OutputContract:
        """What may leave by this call: as the entry declares it, or the question. Raises RequestError for no such entry."""
        return self.request.entry(self.entry).contract if self.answers is None else self.answers


@dataclass(frozen=True)
class Clause:
    """One rule in words. aspect: one of `ASPECTS`; rule: name of its class; says: a plain sentence."""

    aspect: str
    rule: str
    says: str


class Policy(ABC):
    """A rule. Whatever it is asked, it raises a `Refused` with the reason and the way on, or says nothing.

    aspect: what it is about, one of `ASPECTS`.
    """

    aspect: ClassVar[str] = "what"

    def submits(self, context: Context) -> None:  # noqa: B027 - most rules are for who runs
        """Asked when a request is handed in, so that nobody waits for a decision on what could never run."""

    def admits(self, context: Context) -> None:  # noqa: B027 - a rule may have nothing to ask before a run
        """Asked before a run. Raises Refused if the call may not run."""

    def tightens(self, context: Context, contract: OutputContract) -> OutputContract:
        """The output contract as this rule holds it: the same, or a stricter one."""
        return contract

    def releases(  # noqa: B027 - or nothing to ask of its result
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Tables | None = None
    ) -> None:
        """Asked before a result leaves, its tables protected already. Raises Refused if it may not leave."""

    @abstractmethod
    def explain(self) -> str:
        """The rule as one plain sentence."""

    def clauses(self) -> list[Clause]:
        """The rule in words, or the rules that it is made of."""
        return [Clause(self.aspect, type(self).__name__, self.explain())]

    def __and__(self, other: Policy) -> AllOf:
        return AllOf((*_parts(self, AllOf), *_parts(other, AllOf)))

    def __or__(self, other: Policy) -> AnyOf:
        return AnyOf((*_parts(self, AnyOf), *_parts(other, AnyOf)))


@dataclass(frozen=True)
class AllOf(Policy):
    """Every rule, in this order; the first refusal counts."""

    rules: tuple[Policy, ...]

    def submits(self, context: Context) -> None:
        for rule in self.rules:
            rule.submits(context)

    def admits(self, context: Context) -> None:
        for rule in self.rules:
            rule.admits(context)

    def tightens(self, context: Context, contract: OutputContract) -> OutputContract:
        for rule in self.rules:
            contract = rule.tightens(context, contract)
        return contract

    def releases(
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Tables | None = None
    ) -> None:
        for rule in self.rules:
            rule.releases(context, tensors, numbers, tables)

    def explain(self) -> str:
        return "\n".join(f"{n} {rule.explain()}" for n, rule in enumerate(self.rules, 1))

    def clauses(self) -> list[Clause]:
        return [clause for rule in self.rules for clause in rule.clauses()]


@dataclass(frozen=True)
class AnyOf(Policy):
    """At least one of the rules, the first that admits the call; the result leaves by that one too, never by another.

    With no rule in it nothing is admitted.
    """

    rules: tuple[Policy, ...]

    @property
    def aspect(self) -> str:  # type: ignore[override]
        return self.rules[0].aspect if self.rules else "what"

    def submits(self, context: Context) -> None:
        self._first(lambda rule: rule.submits(context))

    def admits(self, context: Context) -> None:
        self._first(lambda rule: rule.admits(context))

    def tightens(self, context: Context, contract: OutputContract) -> OutputContract:
        return self._first(lambda rule: rule.admits(context)).tightens(context, contract)

    def releases(
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Tables | None = None
    ) -> None:
        self._first(lambda rule: rule.admits(context)).releases(context, tensors, numbers, tables)

    def explain(self) -> str:
        said = [" ".join(clause.says.rstrip(".") for clause in rule.clauses()) for rule in self.rules]
        return f"Either: {'; or: '.join(said)}." if said else "Nothing."

    def _first(self, ask: Callable[[Policy], None]) -> Policy:
        refusals: list[FedkitError] = []
        for rule in self.rules:
            try:
                ask(rule)
            except FedkitError as refusal:
                refusals.append(refusal)
            else:
                return rule
        if len(refusals) == 1:
            raise refusals[0]
        raise Refused(
            f"none of {len(self.rules)} ways is open: {'; '.join(refusal.message for refusal in refusals)}",
            expected="; or ".join(dict.fromkeys(r.expected for r in refusals if r.expected)),
            got="; and ".join(dict.fromkeys(r.got for r in refusals if r.got)),
            help="; or ".join(dict.fromkeys(r.help for r in refusals if r.help)),
        )


def _parts(rule: Policy, kind: type[AllOf] | type[AnyOf]) -> tuple[Policy, ...]:
    """The rules of a composition of this kind, so that `a & b & c` is one list of three."""
    return rule.rules if isinstance(rule, AllOf | AnyOf) and isinstance(rule, kind) else (rule,)
