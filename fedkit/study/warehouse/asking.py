"""A question while it is put together: the builder of `fedkit.warehouse`, bound to a data request that can plan and run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError
from fedkit.warehouse.builder import Builder
from fedkit.warehouse.predicates import Predicate
from fedkit.warehouse.question import Asked, Protection, Question

if TYPE_CHECKING:
    from fedkit.results.warehouse import WarehouseAnswer
    from fedkit.study.warehouse.planning import Plan
    from fedkit.study.warehouse.warehouse import Warehouse


@dataclass(frozen=True, repr=False)
class Ask:
    """A question to one warehouse. A value: every call gives a new one, and no site hears of it before `plan` or `run`."""

    warehouse: Warehouse
    made: Builder | Asked

    def where(self, *predicates: Predicate, **conditions: Any) -> Ask:
        """Only rows that meet all of these; see `fedkit.warehouse.builder.Builder.where`."""
        return replace(self, made=self._builder().where(*predicates, **conditions))

    def by(self, *columns: str, **groups: Sequence[Any]) -> Ask:
        """A figure for each value of these columns; see `fedkit.warehouse.builder.Builder.by`."""
        return replace(self, made=self._builder().by(*columns, **groups))

    def also(self, other: Ask) -> Ask:
        """The measures of another question beside these."""
        return replace(self, made=self._builder().also(other._builder()))

    def over(self, view: str) -> Ask:
        """Ask this view, where several have the columns."""
        return replace(self, made=self._builder().over(view))

    def noise(self, rho: float, *, groups_per_person: int = 1, rows_per_person: int = 1) -> Ask:
        """Each site adds noise to its own figures, for this price (zCDP rho, above 0 up to 10)."""
        return self._protected(Protection("noise", rho, groups_per_person, rows_per_person))

    def pooled(self, rho: float, *, groups_per_person: int = 1, rows_per_person: int = 1) -> Ask:
        """Sites give sums under masks, noise is added once for all, and the threshold is on the pooled count."""
        return self._protected(Protection("pooled", rho, groups_per_person, rows_per_person))

    @property
    def question(self) -> Asked:
        """The question as data. Raises RequestError, with the near name, for what cannot be asked."""
        return self.made.question() if isinstance(self.made, Builder) else self.made

    def plan(self) -> Plan:
        """What would happen at each site; nothing runs. See `Warehouse.plan`."""
        return self.warehouse.plan(self.question)

    def run(self) -> WarehouseAnswer:
        """Ask the sites; see `Warehouse.run`."""
        return self.warehouse.run(self.question)

    def __repr__(self) -> str:
        from fedkit.warehouse.explain import explain

        question = self.question
        return f"Ask: {explain(question) if isinstance(question, Question) else f'a question of kind {question.kind}'}"

    def _builder(self) -> Builder:
        if not isinstance(self.made, Builder):
            raise RequestError(
                "this question is finished", expected="a question made by count, sum or mean", got="one from SQL, or made ready"
            )
        return self.made

    def _protected(self, protection: Protection) -> Ask:
        if isinstance(self.made, Builder | Question):
            return replace(self, made=replace(self.made, protection=protection))
        raise RequestError("a statistic names its protection itself", expected="a count, sum or mean", got=self.made.kind)
