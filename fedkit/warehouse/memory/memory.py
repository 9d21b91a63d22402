"""What was answered before, held against a new question. Decided on the questions alone, never on a result.

    memory = Memory(answered, site="no")
    memory.check(question, least=0.001)         # OutputRefused if an earlier answer minus this one would single people out
    memory.covering(question)                   # an earlier question whose answer holds this one's, or None

A refusal that depended on results would itself tell something of them; this one could be worked out by whoever asks
(Kenthapadi, Mishra and Nissim, "Simulatable auditing", PODS 2005). It looks at pairs: three questions can do what two may not
(Denning, Denning and Schwartz, "The tracker", TODS 1979), and so only a budget holds against somebody who keeps asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from fedkit.digests import digest
from fedkit.errors import OutputRefused
from fedkit.warehouse.bounds import bounds_of
from fedkit.warehouse.memory.normal import normal
from fedkit.warehouse.memory.paper import TooDetailed, drawn, narrow
from fedkit.warehouse.memory.persons import of_persons
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.schema import SCHEMA
from fedkit.warehouse.statistics.base import Statistic

#: The name of the rule, as in docs/disclosure.md.
RULE = "differencing"


def name(question: Asked) -> str:
    """A digest under which an answer is kept: the same for questions that mean the same, whatever their order."""
    return _name(question) if isinstance(question, Question) else question.digest


@lru_cache(maxsize=4_096)  # a site asks for the names of all that somebody asked, with each question anew
def _name(question: Question) -> str:
    row = question.to_json()
    where = None if question.where is None else normal(question.where, SCHEMA.view(question.view)).to_json()
    by = sorted((group.to_json() for group in _declared(question).by), key=lambda group: str(group["column"]))
    measures = sorted(row["measures"], key=lambda measure: (measure["kind"], measure["column"]))
    return digest({**row, "where": where, "by": by, "measures": measures})


class Memory:
    """The questions that were answered at a site, for whoever a new one is compared with: one person, or all of them.

    asked: the questions, the oldest first.   site: its name, since a condition on `site` is known there.
    """

    def __init__(self, asked: Sequence[Asked], site: str = "") -> None:
        self.asked = tuple(question for question in asked if isinstance(question, Question))
        self.site = site
        self._told: dict[str, tuple[int, Question]] = {}
        self._bounds: dict[tuple[str, str], tuple[int, float, float]] = {}
        for number, question in enumerate(asked, 1):
            if question.protection.mode == "rules":
                for view, column, low, high in bounds_of(question):
                    self._bounds.setdefault((view, column), (number, low, high))
                for region in told(question):
                    self._told.setdefault(name(region), (number, region))

    def check(self, question: Asked, least: float) -> None:
        """Rule "differencing": raises OutputRefused if this exact answer and an earlier one differ by a narrow region.

        least: share of all rows, on paper, that each piece of the difference must have; 0 for no rule.
        """
        verdict = self.verdict(question, least)
        if not verdict.passed:
            message, _, help = verdict.why.partition(": ")
            raise OutputRefused(
                message,
                expected=f"a difference of at least {least:g} of all rows on paper, or none",
                got="a narrower one",
                help=help,
            )

    def verdict(self, question: Asked, least: float) -> Verdict:
        """The same as a verdict for a plan."""
        fine = Verdict(RULE, True, "no earlier exact answer differs from this one by a few persons")
        if least <= 0 or question.protection.mode != "rules":
            return fine
        for view, column, low, high in bounds_of(question):
            number, *had = self._bounds.get((view, column), (0, low, high))
            if had != [low, high]:
                why = f"with answer {number} that you have, this would count who lies between its bounds of {column} and those"
                return Verdict(RULE, False, f"{why}: take the bounds {had[0]:g} to {had[1]:g} again, or ask with noise")
        for region in told(question):
            for number, earlier in self._told.values():
                if found := self._between(earlier, region, least):
                    return Verdict(RULE, False, f"with answer {number} that you have, this one {found}")
        return fine

    def covering(self, question: Asked) -> Question | None:
        """An earlier question whose exact answer holds this one's: the same rows, at least its groups and figures.

        What was kept back there for another group's sake would leave if some of its groups were asked for anew.
        """
        if not isinstance(question, Question):
            return None
        return next((earlier for earlier in self.asked if covers(earlier, question)), None)

    def _between(self, earlier: Question, question: Question, least: float) -> str:
        if earlier.view != question.view:
            earlier, question = of_persons(earlier), of_persons(question)
        try:
            sheet = drawn(earlier, question, self.site)
        except TooDetailed:
            return "names more than can be compared: ask with fewer conditions, or with noise"
        for one in (0, 1):
            apart = sheet.meeting(one) & ~sheet.counted[1 - one]
            if narrow(apart, sheet.axes, least) is not None:
                return (
                    "would tell of few persons by subtraction: ask for both in one question, grouped by what tells them apart, "
                    "or with noise"
                )
        return ""


def told(question: Asked) -> tuple[Question, ...]:
    """The counts of persons that an exact answer tells of: a question itself, or those that a statistic names."""
    if isinstance(question, Question):
        return (question,)
    return question.regions() if isinstance(question, Statistic) else ()


def covers(earlier: Question, question: Question) -> bool:
    """Whether the exact answer to an earlier question holds the answer to this one, row by row."""
    if (earlier.protection.mode, question.protection.mode) != ("rules", "rules"):
        return False
    one, two = _declared(earlier), _declared(question)
    mine = {group.column: group for group in one.by}
    return (
        one.view == two.view
        and _where(one) == _where(two)
        and set(mine) == {group.column for group in two.by}
        and all(set(group.values) <= set(mine[group.column].values) for group in two.by)
        and all(group.edges == mine[group.column].edges for group in two.by)
        and set(two.parts) <= set(one.parts)
        and all(one.bounds().get(column) == bounds for column, bounds in two.bounds().items())
    )


def taken(rows: Sequence[Mapping[str, Any]], question: Question) -> list[dict[str, Any]]:
    """The rows of a covering answer that answer this question, in its order.   rows: as they left."""
    names = [group.column for group in question.groups]
    axes = [group.labels(column) for group, column in question.columns()]
    wanted = [row for row in rows if all(row[name] in labels for name, labels in zip(names, axes, strict=True))]
    wanted.sort(key=lambda row: [labels.index(row[name]) for name, labels in zip(names, axes, strict=True)])
    return [{key: row[key] for key in (*names, *question.parts)} for row in wanted]


def _declared(question: Question) -> Question:
    """With the values of its groups written out, where they are all that a column has."""
    view = SCHEMA.view(question.view)
    by = tuple(
        replace(group, values=view.column(group.column).values) if not group.values and not group.edges else group
        for group in question.by
    )
    return replace(question, by=by)


def _where(question: Question) -> Any:
    return None if question.where is None else normal(question.where, SCHEMA.view(question.view)).to_json()
