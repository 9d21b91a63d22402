"""One question to the warehouse: data with a digest, never code and never SQL text.

    question = Question("mentions", (Measure("persons"),), Compare("label", "in", ("IMPLANT",)),
                        (Group("site"), Group("year", edges=(2020, 2021, 2022))))
    question.check()                        # RequestError if it does not fit the schema
    from_json(question.to_json()) == question

What a person types, in Python or in SQL, becomes one of these at the person's side; a site takes nothing else and renders its
own SQL from it (`fedkit.warehouse.render`). Statistics are questions of other kinds (`fedkit.warehouse.statistics`).

The bounds on one person (`groups_per_person`, `rows_per_person`) are what a promise of differential privacy for persons rests
on: Wilson et al., "Differentially private SQL with bounded user contribution", PoPETs 2020.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from fedkit.digests import digest
from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.table_contract import Category, Count, Number, TableContract
from fedkit.governance.table_contract import Column as ContractColumn
from fedkit.warehouse import strict
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.predicates import Predicate, check
from fedkit.warehouse.predicates import from_json as predicate_from_json
from fedkit.warehouse.schema import SCHEMA, Column, Schema
from fedkit.warehouse.suggestions import did_you_mean, shown

__all__ = ["ANSWER", "Asked", "Group", "Measure", "Protection", "Question", "from_json"]

#: The most groups and measures of a question, and the most rows of an answer.
MAX_GROUPS, MAX_MEASURES, MAX_CELLS = 4, 6, 1_000

#: The name of the table (or, in pooled mode, of the tensor) that leaves a site.
ANSWER = "answer"

MODES = ("rules", "noise", "pooled")

#: Rows of one site beyond which a sum is no exact float any more; the bounds of a sum in a contract rest on it.
MOST_ROWS = 10**9


@dataclass(frozen=True)
class Protection:
    """How an answer is protected.

    mode: "rules": exact figures under the site's disclosure rules. "noise": each site adds noise to its own. "pooled": sites
        give sums under masks, noise is added once for all of them, and the threshold is applied to the pooled count.
    rho:  price of the answer (zCDP, Bun and Steinke 2016), above 0 up to 10; 0 in mode "rules".
    groups_per_person: in how many groups one person counts at most; which ones says a digest of person and group.
    rows_per_person:   how many rows of one person count in a group, for measures of rows.
    Both bounds hold with noise only, and only they make its price true. Raises RequestError for anything else.
    """

    mode: str = "rules"
    rho: float = 0.0
    groups_per_person: int = 1
    rows_per_person: int = 1

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise RequestError("no such mode", expected=f"one of {', '.join(MODES)}", got=shown(self.mode))
        rho = strict.number(self.rho, "rho")
        if (self.mode == "rules") != (rho == 0) or not 0 <= rho <= 10:
            raise RequestError(
                "the price does not fit the mode",
                expected="rho=0 with rules; with noise or pooled, above 0 and up to 10",
                got=f"mode {self.mode}, rho {rho:g}",
            )
        object.__setattr__(self, "rho", float(rho))
        strict.whole(self.groups_per_person, "groups_per_person", 1, MAX_CELLS)
        strict.whole(self.rows_per_person, "rows_per_person", 1, 1_000)
        if self.mode == "rules" and (self.groups_per_person, self.rows_per_person) != (1, 1):
            raise RequestError("the bounds on a person go with noise", expected="mode noise or pooled", got="mode rules")

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "rho": self.rho,
            "groups_per_person": self.groups_per_person,
            "rows_per_person": self.rows_per_person,
        }

    @staticmethod
    def from_json(row: object) -> Protection:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "the protection of a question", "mode", "rho", "groups_per_person", "rows_per_person")
        return Protection(row["mode"], row["rho"], row["groups_per_person"], row["rows_per_person"])


class Asked(ABC):
    """What every kind of question has. A kind is a frozen dataclass, and its module is named in `KINDS`."""

    kind: ClassVar[str]
    protection: Protection

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Plain canonical JSON with "kind"; `from_json` makes the same question of it."""

    @abstractmethod
    def check(self, schema: Schema = SCHEMA) -> None:
        """Raises RequestError, with the near name, if the question does not fit a schema. Looks at no data."""

    @abstractmethod
    def contract(self) -> OutputContract:
        """What may leave one site in answer to it. Tables have no threshold of their own here: the site's rules set it."""

    @property
    def digest(self) -> str:
        """Its name, at every site and on the ledger."""
        return digest(self.to_json())

    def cost(self) -> float:
        """The price of the answer at each site, rho (zCDP); 0 without noise."""
        return self.protection.rho


@dataclass(frozen=True)
class Question(Asked):
    """Counts, sums, means and variances in groups: the kind "table".

    view:     what it is about.   measures: 1 to 6, each once.
    where:    the condition on rows; None for all of them.
    by:       up to 4 columns; without any, one figure for all. `site` is added by who asks: a site answers for itself.
    Raises RequestError for what is malformed; whether it fits a schema, says `check`.
    """

    view: str
    measures: tuple[Measure, ...]
    where: Predicate | None = None
    by: tuple[Group, ...] = ()
    protection: Protection = field(default_factory=Protection)

    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        strict.word(self.view, "the name of a view")
        measures = tuple(strict.items(self.measures, "the measures of a question", MAX_MEASURES, 1))
        by = tuple(strict.items(self.by, "the groups of a question", MAX_GROUPS))
        if not all(isinstance(m, Measure) for m in measures) or not all(isinstance(g, Group) for g in by):
            raise RequestError("a question is malformed", expected="measures of Measure, groups of Group")
        if len({m.name for m in measures}) != len(measures):
            raise RequestError("a measure stands twice", expected="each measure of a column once")
        bounds: dict[str, tuple[float, float]] = {}
        for measure in measures:
            if measure.column and bounds.setdefault(measure.column, measure.bounds) != measure.bounds:
                raise RequestError(
                    f"{shown(measure.column)} has two pairs of bounds", expected="the same bounds in all measures"
                )
        if len({g.column for g in by}) != len(by):
            raise RequestError("a group stands twice", expected="each column once")
        if not isinstance(self.protection, Protection):
            raise RequestError("a question is malformed", expected="a Protection")
        if self.protection.mode == "pooled" and any(g.column == "site" for g in by):
            raise RequestError(
                "a pooled answer is not told apart by site",
                expected="groups without site",
                got="site",
                help='ask with mode "noise" or "rules", or leave site out',
            )
        object.__setattr__(self, "measures", measures)
        object.__setattr__(self, "by", by)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups within a site: all but `site`."""
        return tuple(group for group in self.by if group.column != "site")

    @property
    def parts(self) -> tuple[str, ...]:
        """The figures in a site's answer, in order: "persons" first, which every answer has, then what the measures need."""
        return tuple(dict.fromkeys(("persons", *(part for measure in self.measures for part in measure.parts))))

    @property
    def kept(self) -> tuple[str, ...]:
        """Figures that a site computes beside `parts` for its rules and never gives out; none with noise.

        For each summed column x: persons_x, the persons with a value; first_x and second_x, the two largest shares of one
        person in the sum (of squares, where there is no sum), without sign.
        """
        if self.protection.mode != "rules":
            return ()
        return tuple(f"{kept}_{column}" for column in self.bounds() for kept in ("persons", "first", "second"))

    def columns(self, schema: Schema = SCHEMA) -> tuple[tuple[Group, Column], ...]:
        """The groups within a site with their columns. Raises RequestError for one that the view has not."""
        view = schema.view(self.view)
        return tuple((group, group.check(view)) for group in self.groups)

    def groups_of_one(self, schema: Schema = SCHEMA) -> int:
        """In how many groups one person counts at most, with noise: 1 where all groups are properties of the person."""
        if all(column.of_person for _, column in self.columns(schema)):
            return 1
        return min(self.protection.groups_per_person, self.cells(schema))

    def cells(self, schema: Schema = SCHEMA) -> int:
        """How many rows a site's answer can have."""
        return math.prod(len(group.labels(column)) for group, column in self.columns(schema))

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Number column → the bounds to which its values are cut."""
        return {measure.column: measure.bounds for measure in self.measures if measure.column}

    def check(self, schema: Schema = SCHEMA) -> None:
        view = schema.view(self.view)
        for measure in self.measures:
            measure.check(view)
        for group in self.by:
            group.check(view)
        check(self.where, view, schema)
        if (cells := self.cells(schema)) > MAX_CELLS:
            raise RequestError(
                "the answer is too large",
                expected=f"at most {MAX_CELLS} groups",
                got=f"{cells}",
                help="name fewer values or groups",
            )

    def contract(self) -> OutputContract:
        cells = self.cells()
        if self.protection.mode == "pooled":
            return OutputContract(tensors={ANSWER: (cells, len(self.parts))})
        columns: dict[str, ContractColumn] = {group.column: Category(group.labels(column)) for group, column in self.columns()}
        bounds, view = self.bounds(), SCHEMA.view(self.view)
        for part in self.parts:
            prefix, _, name = part.partition("_")
            if prefix in ("sum", "squares"):
                power, digits = (2 if prefix == "squares" else 1), (0 if view.column(name).whole else 9)
                low, high = (bound**power for bound in bounds[name])
                widest = max(abs(low), abs(high)) * MOST_ROWS
                columns[part] = Number(-widest if prefix == "sum" and low < 0 else 0.0, widest, "persons", digits)
            else:
                columns[part] = Count()
        return OutputContract(tables={ANSWER: TableContract(columns, max_rows=cells, threshold=1, rounding=1)})

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "view": self.view,
            "measures": [measure.to_json() for measure in self.measures],
            "where": None if self.where is None else self.where.to_json(),
            "by": [group.to_json() for group in self.by],
            "protection": self.protection.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> Question:
        """Raises RequestError for anything but exactly such a question."""
        row = strict.fields(row, "a question", "kind", "view", "measures", "where", "by", "protection")
        if row["kind"] != Question.kind:
            raise RequestError("a question of another kind", expected=Question.kind, got=shown(row["kind"]))
        return Question(
            row["view"],
            tuple(Measure.from_json(m) for m in strict.items(row["measures"], "the measures of a question", MAX_MEASURES, 1)),
            None if row["where"] is None else predicate_from_json(row["where"]),
            tuple(Group.from_json(g) for g in strict.items(row["by"], "the groups of a question", MAX_GROUPS)),
            Protection.from_json(row["protection"]),
        )


#: Kind of question → "module:class" below fedkit.warehouse, whose static `from_json` reads it.
KINDS: Mapping[str, str] = {
    "table": "question:Question",
    "moments": "statistics.moments:MomentsQuestion",
    "contingency": "statistics.contingency:Contingency",
    "quantiles": "statistics.quantiles:Quantiles",
    "glm_step": "statistics.glm:GLMStep",
    "survival": "statistics.survival:Survival",
}


def from_json(row: object) -> Asked:
    """The question of plain JSON, of whatever kind. Raises RequestError for anything else."""
    kind = row.get("kind") if isinstance(row, Mapping) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RequestError(
            "no such kind of question",
            expected=f"one of {', '.join(KINDS)}",
            got=shown(kind),
            help=did_you_mean(kind, KINDS) if isinstance(kind, str) else "",
        )
    module, _, name = KINDS[kind].partition(":")
    read: Callable[[object], Asked] = getattr(import_module(f"fedkit.warehouse.{module}"), name).from_json
    return read(row)
