"""What the warehouse's desk does with a `fedkit.Warehouse`: its data request, its sites, their catalogues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from fedkit.errors import FedkitError, SiteError
from fedkit.templates.warehouse import ENTRY
from fedkit.warehouse.question import Question
from fedkit.widgets.warehouse_budget import Budget
from fedkit.widgets.warehouse_catalogue import Catalogues, catalogue_html, known_words
from fedkit.widgets.warehouse_plan import Plans

if TYPE_CHECKING:
    from fedkit.results.warehouse import WarehouseAnswer
    from fedkit.study.warehouse import Warehouse


class WarehouseAsking:
    """A data request that was opened, for a desk."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    @property
    def title(self) -> str:
        return self.warehouse.study.requested().title

    @property
    def sites(self) -> Sequence[str]:
        return self.warehouse.sites

    @cached_property
    def catalogues(self) -> Catalogues:
        """What each site has published for everybody, signed by a steward of it; read once. None where nothing is."""
        try:
            published = self.warehouse.catalogue()
        except FedkitError as error:  # one that no steward has signed: then none is shown
            return dict.fromkeys(self.sites, error)
        return {site: published.get(site) for site in self.sites}

    @property
    def known(self) -> Mapping[str, Sequence[str]]:
        return known_words(self.catalogues)

    def about(self) -> str:
        return catalogue_html(self.catalogues)

    def budgets(self) -> list[Budget]:
        """What is left at each site, in the federation's order; a site that is not reached says so."""
        states = self.warehouse.status()
        left = self.warehouse.left() if any(state.status == "approved" for state in states.values()) else {}
        return [Budget(site, states.get(site, _away(site)), ENTRY, left.get(site)) for site in self.sites]

    def plan(self, question: Question) -> Plans:
        planned = self.warehouse.plan(question)
        found: Plans = {**planned.reports, **planned.missing}
        return {site: found[site] for site in self.sites if site in found}

    def run(self, question: Question) -> WarehouseAnswer:
        return self.warehouse.run(question)


def _away(site: str) -> FedkitError:
    return SiteError(f"{site} does not answer", expected="an answer", got="none", help="try again later")
