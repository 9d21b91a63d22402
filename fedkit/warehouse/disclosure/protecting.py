"""What leaves a site in answer to a question: the rules in order, then rounding. Also the check of a combined answer.

1. Before anything runs, each rule gives its verdict on the question (`verdicts`, `check`).
2. Rows that a rule hides stay (`Rule.hides`): few persons, dominated sums, groups that hold all.
3. Further rows stay where those would follow by subtraction (`fedkit.governance.suppression`).
4. Counts are rounded, and sums go with them in proportion. The figures kept for the rules are dropped.

Rows with noise are complete and private already: those of too few persons are left out so that nobody reads noise as persons,
and nothing else is hidden, since what a rule says of true figures would tell something of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fedkit.errors import OutputRefused
from fedkit.governance.suppression import to_hide
from fedkit.governance.table_contract import rounded
from fedkit.warehouse.disclosure.cells import Cells, Row
from fedkit.warehouse.disclosure.on_cells import AllOrNobody, Complement, Dominance, Rounding, Threshold
from fedkit.warehouse.disclosure.on_questions import DegreesOfFreedom, GroupLimit, NoExtremes, WideBounds
from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.disclosure.rule import Rule
from fedkit.warehouse.measures import COUNTS
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.schema import SCHEMA

#: Every rule, in the order in which they are told.
RULES: tuple[Rule, ...] = (
    Threshold(),
    Rounding(),
    Dominance(),
    AllOrNobody(),
    Complement(),
    NoExtremes(),
    WideBounds(),
    GroupLimit(),
    DegreesOfFreedom(),
)


@dataclass(frozen=True)
class Protected:
    """rows: that may leave, in the declared order.   hidden: name of a rule → how many rows it kept; stays at the site."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    hidden: Mapping[str, int] = field(default_factory=dict)


def verdicts(question: Asked, preset: Preset) -> tuple[Verdict, ...]:
    """What each rule that a preset has says of a question before it runs. Looks at no data."""
    found = (rule.verdict(question, preset) for rule in RULES)
    return tuple(verdict for verdict in found if verdict is not None)


def check(question: Asked, preset: Preset) -> None:
    """Raises OutputRefused with the first rule that says no to a question; the site asks it again with every call."""
    for verdict in verdicts(question, preset):
        if not verdict.passed:
            raise OutputRefused(
                f"rule {verdict.rule}: {verdict.why.partition(':')[0]}",
                expected="a question that every rule of this site passes",
                got=f"one that {verdict.rule} refuses",
                help=verdict.why.partition(":")[2].strip() or "ask with noise",
            )


def protect(question: Question, rows: Sequence[Row], preset: Preset) -> Protected:
    """The rows that may leave. rows: of the site's engine (`parts` and `kept` of the question), in mode "noise" with the noise
    in them. Pure; the same rows give the same answer.
    """
    if question.protection.mode != "rules":
        enough = [row for row in rows if min(int(row[name]) for name in _counts(question)) >= preset.least]
        return Protected([_leaving(question, row, preset) for row in enough], {Threshold.name: len(rows) - len(enough)})
    cells = Cells.of(question, rows)
    why: dict[int, str] = {}
    for rule in RULES:
        for number in rule.hides(cells, preset):
            why.setdefault(number, rule.name)
    hidden = to_hide(cells.keys, cells.counts(), totals=[None] * len(cells.places), threshold=preset.least, also=tuple(why))
    told: dict[str, int] = {}
    for number in hidden:
        name = why.get(number, Complement.name)
        told[name] = told.get(name, 0) + 1
    left = [_leaving(question, row, preset) for number, row in enumerate(cells.rows) if number not in hidden]
    return Protected(left, told)


def _counts(question: Question) -> list[str]:
    return [part for part in question.parts if part in COUNTS or part.startswith("n_")]


def _leaving(question: Question, row: Row, preset: Preset) -> dict[str, Any]:
    """A row with its counts rounded, and each sum in the proportion in which its count was."""
    found: dict[str, Any] = {group.column: row[group.column] for group in question.groups}
    view = SCHEMA.view(question.view)
    for part in question.parts:
        prefix, _, column = part.partition("_")
        if prefix not in ("sum", "squares"):
            found[part] = rounded(int(row[part]), preset.rounding)
            continue
        n = int(row[f"n_{column}"])
        value = row[part] * rounded(n, preset.rounding) / n if n and preset.rounding > 1 else row[part]
        found[part] = round(value) if view.column(column).whole else value
    return found
