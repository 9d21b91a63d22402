"""The desk of the warehouse at sites that run: an analyst asks, and sees figures and no word of a note."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warehouse_samples import WORD_OF_A_NOTE, make_patients
from widget_samples import click, everything_sent, live_html, table_rows

import fedkit
from fedkit.errors import FedkitError
from fedkit.sites.launch import Federation
from fedkit.stewardship import Stewardship
from fedkit.study.warehouse import Warehouse
from fedkit.warehouse.catalogue import Terms
from fedkit.widgets import AnswerView, WarehouseDesk
from fedkit.widgets.warehouse_catalogue import CatalogueView
from fedkit.widgets.warehouse_values import By, Condition

BY_SEX: dict[str, Any] = {"view": "patients", "by": (By("sex", ("female", "male")),), "by_site": True}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("desk")
    rules = {"preset": "teaching", "threshold": 10, "rounding": 5}
    with fedkit.launch("desk", folder / "f", corpus=make_patients(folder / "corpus"), policy=rules) as made:
        made.add_user(made.sites, "ana", "analyst", name="Ana Berg")
        yield made


@pytest.fixture
def warehouse(federation: Federation, tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(federation, tmp_path / f"request-{tmp_path.name}", user="ana") as made:
        made.open(title="Persons by sex", purpose="Plan the clinic", questions=5, rho=0.5)
        yield made


def rows_of(desk: WarehouseDesk) -> list[list[str]]:
    return table_rows(live_html(desk))


def test_before_the_stewards_have_approved_the_desk_says_so_and_asks_nothing(warehouse: Warehouse) -> None:
    desk = WarehouseDesk.for_warehouse(warehouse, **BY_SEX)
    assert ["north", "waiting for a decision", "–", "–"] in rows_of(desk)
    desk.plan()
    assert desk._ask_button.disabled
    assert ["SignedApproval", "north, east", "the request waits for a decision. wait for the steward"] in rows_of(desk)
    warehouse.approve()
    desk.look()
    assert ["north", "approved", "5", "0.5"] in rows_of(desk)


def test_an_analyst_plans_and_asks_and_sees_figures_and_nothing_else(warehouse: Warehouse) -> None:
    warehouse.approve()
    desk = WarehouseDesk.for_warehouse(warehouse, **BY_SEX)
    click(desk._plan_button)
    desk.wait()
    assert ["north", "answers", "2", "0", "0.5", "0.5"] in rows_of(desk)
    click(desk._ask_button)
    desk.wait()
    assert desk.error is None
    rows = rows_of(desk)
    assert ["female", "north", "40"] in rows  # of 60, every third is a man
    assert ["male", "east", "15"] in rows
    assert ["north", "approved", "4", "0.5"] in rows
    assert WORD_OF_A_NOTE not in everything_sent(desk)
    assert WORD_OF_A_NOTE not in everything_sent(AnswerView(desk.answers[-1]))


def test_the_same_question_again_is_one_question(warehouse: Warehouse) -> None:
    warehouse.approve()
    desk = WarehouseDesk.for_warehouse(warehouse, **BY_SEX)
    first = desk.ask()
    assert desk.ask().digest == first.digest
    desk.form.set(
        sql="SELECT sex, site, COUNT(DISTINCT person_id) FROM patients WHERE sex IN ('female', 'male') GROUP BY sex, site"
    )
    desk.plan()
    assert [budget.questions for budget in desk.look()] == [4, 4]


def test_a_group_of_few_is_shown_as_kept_back(warehouse: Warehouse) -> None:
    warehouse.approve()
    few = {
        "view": "notes",
        "where": (Condition("birth_year", "from to", "1940 to 1945"),),
        "by": (By("sex", ("female", "male")),),
    }
    desk = WarehouseDesk.for_warehouse(warehouse, **few, by_site=True)
    desk.ask()
    assert ["male", "east", "hidden"] in rows_of(desk)
    assert "stroke-dasharray" in live_html(desk)


def test_a_budget_that_does_not_cover_it_is_seen_before_it_is_asked(warehouse: Warehouse) -> None:
    warehouse.approve()
    desk = WarehouseDesk.for_warehouse(warehouse, mode="noise", rho=0.4)
    desk.ask()
    assert [round(budget.rho or 0, 6) for budget in desk.budgets] == [0.1, 0.1]
    desk.form.set(where=(Condition("sex", "in", ("female",)),))
    desk.plan()
    assert desk._ask_button.disabled
    assert "Why not" in live_html(desk)
    with pytest.raises(FedkitError):
        desk.ask()
    assert len(desk.answers) == 1


def test_what_a_steward_publishes_is_what_the_desk_offers(federation: Federation, warehouse: Warehouse) -> None:
    steward = Stewardship.of(federation, "north")
    steward.publish_catalogue(steward.draft_catalogue(Terms(title="Northern hospital", licence="none", terms="research")))
    desk = WarehouseDesk.for_warehouse(warehouse)
    assert "Northern hospital" in live_html(desk)
    assert "nothing published" in live_html(desk)
    view = CatalogueView(desk._asking.catalogues)  # type: ignore[attr-defined]
    assert ["north", "Northern hospital"] in [row[:2] for row in table_rows(live_html(view))]
    assert WORD_OF_A_NOTE not in everything_sent(view)
