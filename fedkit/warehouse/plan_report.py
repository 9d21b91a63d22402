"""What a site says about a question before it runs it: what it would run, what it costs, which rule says no.

report = site.plan(digest, question)
report.allowed, report.cost_rho, report.left_rho
[v.why for v in report.verdicts if not v.passed]        # ['9 departments were asked for by name; the site shows up to 8']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.errors import RequestError
from fedkit.warehouse import strict


@dataclass(frozen=True)
class Verdict:
    """What one rule says of a question.

    rule: its name, as in docs/disclosure.md.   why: one sentence; where it did not pass, with what to do.
    """

    rule: str
    passed: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "passed": self.passed, "why": self.why}

    @staticmethod
    def from_json(row: object) -> Verdict:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "a verdict", "rule", "passed", "why")
        if not (isinstance(row["rule"], str) and isinstance(row["passed"], bool) and isinstance(row["why"], str)):
            raise RequestError("a verdict is malformed", expected="rule, passed, why")
        return Verdict(row["rule"], row["passed"], row["why"])


@dataclass(frozen=True)
class PlanReport:
    """A site's answer to "what if I asked this?". Nothing was run for it, and nothing in it depends on the data.

    site:     its name.
    question: the digest of the question; the site keeps the question under it, for `execute`.
    sql:      what the site would run, for people to read; it is rendered anew when it runs.
    groups:   rows that the answer can have, at most.
    cost_rho: price of the answer, zero-concentrated differential privacy (Bun and Steinke 2016); 0 without noise.
    left_rho: what is left of the budget before this question; None where there is no budget.
    verdicts: one for each rule that was looked at before running; rules about the result come on top when it runs.
    remembered: whether the same answer was given before: it is given again from memory, at no cost.
    """

    site: str
    question: str
    sql: str
    groups: int
    cost_rho: float
    left_rho: float | None
    verdicts: tuple[Verdict, ...] = ()
    remembered: bool = False

    @property
    def affordable(self) -> bool:
        """Whether the budget covers it."""
        return self.remembered or self.left_rho is None or self.cost_rho <= self.left_rho

    @property
    def allowed(self) -> bool:
        """Whether every rule passed and the budget covers it."""
        return self.affordable and all(verdict.passed for verdict in self.verdicts)

    @property
    def refused(self) -> tuple[Verdict, ...]:
        """The rules that said no."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)

    def to_json(self) -> dict[str, Any]:
        return {
            "site": self.site,
            "question": self.question,
            "sql": self.sql,
            "groups": self.groups,
            "cost_rho": float(self.cost_rho),
            "left_rho": None if self.left_rho is None else float(self.left_rho),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "remembered": self.remembered,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> PlanReport:
        """Raises RequestError for anything else."""
        row = strict.fields(
            row, "a plan", "site", "question", "sql", "groups", "cost_rho", "left_rho", "verdicts", "remembered"
        )
        texts = all(isinstance(row[name], str) for name in ("site", "question", "sql"))
        costs = [row["cost_rho"], *([] if row["left_rho"] is None else [row["left_rho"]])]
        numbers = all(isinstance(c, int | float) and not isinstance(c, bool) and math.isfinite(c) for c in costs)
        if not (texts and numbers and isinstance(row["remembered"], bool)):
            raise RequestError("a plan is malformed", expected="a site's plan, as this version of fedkit writes it")
        return PlanReport(
            row["site"],
            row["question"],
            row["sql"],
            strict.whole(row["groups"], "the groups of a plan", 0, strict.LARGEST),
            float(row["cost_rho"]),
            None if row["left_rho"] is None else float(row["left_rho"]),
            tuple(Verdict.from_json(v) for v in strict.items(row["verdicts"], "the verdicts of a plan", 1_000)),
            row["remembered"],
        )
