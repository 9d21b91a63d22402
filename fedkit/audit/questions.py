"""Check 18: what was asked of the data warehouse: each answer planned, run, priced as it was asked, and within the request.

A site writes down every plan and every answer, with the digest of the question, what left and what it cost. The questions of
the bundle's own request stand in rounds.json, so their price and their views are known; of others, as much as journals tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from fedkit.audit.acts import HOLDER, Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import Kept, Row, bytes_of, count_of
from fedkit.audit.report import Finding
from fedkit.audit.rules import Replay
from fedkit.governance.kinds import KINDS
from fedkit.ledger.spending import amount_of
from fedkit.ledger.typed import name_id

#: What tells one run from another, and what came of it: request, entry, number, question, outputs.
Run = tuple[str, str, str, str, str]

#: What may be off in a sum of fractions.
_SLACK = 1e-9

#: The largest cost of one question.
_MOST = 10.0


def check_questions(
    evidence: Evidence, journals: Mapping[str, Kept], replay: Replay, found: Found, notes: dict[int, str]
) -> None:
    """18: the answers in every site's journal, against its plans, its runs, the ledger and the questions in the bundle."""
    sites = [_Site(evidence, kept, replay) for kept in journals.values()]
    found[18] += [Finding(where, what, who) for site in sites for where, what, who in site.wrong()]
    answers = sum(len(site.answers) for site in sites)
    asked = f"{answers} answers; {len(evidence.questions)} questions are in the bundle"
    notes[18] = asked if answers or evidence.questions else "the warehouse was not asked"


class _Site:
    """The questions of one site's journal."""

    def __init__(self, evidence: Evidence, kept: Kept, replay: Replay) -> None:
        self.evidence, self.kept, self.replay = evidence, kept, replay
        self.id, self.own, self.answers = name_id(kept.name), evidence.request.digest, kept.of("question.answered")

    def wrong(self) -> Iterator[tuple[str, str, str]]:
        """Place, what does not hold, and who could have caused it."""
        plans = reversed(self.kept.of("question.planned"))  # of one that was planned twice, the first counts
        planned = {(_of(row, "request"), _of(row, "question")): count_of(row.get("seq")) for row in plans}
        finished = {_run(row, "inputs"): row for row in self.kept.of("execution.finished")}
        numbers: dict[tuple[str, ...], set[str]] = defaultdict(set)
        had: set[tuple[str, str]] = set()
        for row in self.answers:
            where, number = f"{self.kept.name}, row {row.get('seq')}", _run(row, "question")[:3]
            numbers[number].add(_of(row, "question"))
            answer = (str(row.get("actor")), _of(row, "outputs"))
            plan = planned.get((_of(row, "request"), _of(row, "question")), 0)
            for what, holds in (
                ("an answer to a question that was not planned", 0 < plan < count_of(row.get("seq"))),
                ("an answer of no run", _run(row, "question") in finished),
                ("another question under a number that was used", len(numbers[number]) == 1),
                ("given again, and was not given before", not _again(row) or answer in had),
                ("given again, and was paid for", not _again(row) or not count_of(row["fields"].get("cost"))),
                ("another cost than the site told the ledger", self._same_cost(row)),
            ):
                if not holds:
                    yield where, what, self.kept.name
            had.add(answer)
        if KINDS[self.evidence.request.kind].questions:
            yield from self._own(finished)

    def _same_cost(self, row: Row) -> bool:
        """Against the spending on the ledger, where the execution has one."""
        entry, number = name_id(_of(row, "entry")), count_of(row["fields"].get("round"))
        told = self.replay.paid.get((bytes_of(_of(row, "request")), self.id, entry, number))
        return told is None or told == count_of(row["fields"].get("cost"))

    # -- of the bundle's own request
    def _own(self, finished: Mapping[Run, Row]) -> Iterator[tuple[str, str, str]]:
        """Every run gave an answer, at the price of the question, about approved views, within the request's budget."""
        answered = {_run(row, "question"): row for row in self.answers if _of(row, "request") == self.own}
        on_ledger = {(r.round, r.inputs) for r in self.replay.executions if (r.request, r.site) == (self.own, self.id)}
        spent = 0.0
        for run, row in finished.items():
            if run[0] != self.own:
                continue
            where = f"{self.kept.name}, row {row.get('seq')}"
            if (answer := answered.get(run)) is None:
                yield where, "ran, and its journal tells of no answer", self.kept.name
                continue
            question = self.evidence.questions.get(run[3])
            if question is None:
                if (count_of(row["fields"].get("round")), run[3]) in on_ledger:
                    yield where, "answered a question that is not in the bundle", f"the researcher, or {HOLDER}"
                continue
            rho = 0.0 if _again(answer) else _rho(question)
            spent += rho or 0.0
            if rho is None or count_of(answer["fields"].get("cost")) != amount_of(rho):
                yield where, "cost another price than its question has", self.kept.name
            if beyond := sorted(_views(question) - _words(self.evidence.request.settings.get("views"))):
                yield where, f"answered a question about {', '.join(beyond)[:60]}, which was not approved", self.kept.name
        declared = _number(self.evidence.request.settings.get("rho")) or 0.0
        if spent > declared + _SLACK:
            yield self.kept.name, f"its answers cost rho {spent:g} together, approved were {declared:g}", self.kept.name


def _of(row: Row, name: str) -> str:
    return str(row["fields"].get(name))


def _run(row: Row, question: str) -> Run:
    """question: the field that names it."""
    request, entry, number = (_of(row, name) for name in ("request", "entry", "round"))
    return request, entry, number, _of(row, question), _of(row, "outputs")


def _again(row: Row) -> bool:
    """Whether the site says that it gave an answer again."""
    return row["fields"].get("remembered") is True


def _rho(question: Mapping[str, Any]) -> float | None:
    """The price that a question has; None for what is none."""
    return _number(question["protection"].get("rho")) if isinstance(question.get("protection"), Mapping) else None


def _number(value: Any) -> float | None:
    """A cost in plain JSON, up to 10 as the template has it; None for anything else."""
    return float(value) if type(value) in (int, float) and 0 <= value <= _MOST else None


def _views(question: Any) -> set[str]:
    """Every view that a question names, in its conditions too."""
    if isinstance(question, Mapping):
        named = {inner for name, inner in question.items() if name in ("view", "has") and isinstance(inner, str)}
        return named.union(*(_views(inner) for inner in question.values()))
    return set().union(*map(_views, question)) if isinstance(question, list) else set()


def _words(value: Any) -> set[str]:
    return {word for word in value if isinstance(word, str)} if isinstance(value, list) else set()
