"""Tables: words that were not declared, small counts, and what is left when one takes one table from another."""

from __future__ import annotations

from typing import Any

import pytest
from attackers import Town, call
from attempts import Attempt, Trial, tries
from site_suite import CANARY

from fedkit.errors import RequestError
from fedkit.federation.parameters import decode_tables
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.table_contract import Category, Count, Number, TableContract

COLUMNS = {"label": Category(("DRUG", "ADE", "all"), total="all"), "notes": Count(), "share": Number(0, 1, over="notes")}
TABLE = OutputContract({}, {}, tables={"t": TableContract(COLUMNS, max_rows=3, threshold=5)})
OUT = ("researcher", "refused.output", "execution.failed refused.output")

#: What is tried → the rows that the code gives back.
ROWS: dict[str, str] = {
    "puts a word of a note into a category": "[{'label': notes.train[0].text.split()[0], 'notes': 12, 'share': 1.0}]",
    "puts a whole note into a category": "[{'label': notes.train[0].text, 'notes': 12, 'share': 1.0}]",
    "puts a text into a count": "[{'label': 'DRUG', 'notes': notes.train[0].text, 'share': 1.0}]",
    "puts a fraction, which has room for more, into a count": "[{'label': 'DRUG', 'notes': 12.123456789, 'share': 1.0}]",
    "puts a negative number into a count": "[{'label': 'DRUG', 'notes': -12, 'share': 1.0}]",
    "puts a number of a hundred digits into a count": "[{'label': 'DRUG', 'notes': 10 ** 99, 'share': 1.0}]",
    "puts a number out of its bounds into a column": "[{'label': 'DRUG', 'notes': 12, 'share': 7.5}]",
    "puts not-a-number into a column": "[{'label': 'DRUG', 'notes': 12, 'share': float('nan')}]",
    "gives a column more": "[{'label': 'DRUG', 'notes': 12, 'share': 1.0, 'note': notes.train[0].text}]",
    "gives a column less": "[{'label': 'DRUG', 'notes': 12}]",
    "gives more rows than were declared": "[{'label': 'DRUG', 'notes': 12, 'share': 1.0}] * 4",
    "gives one row twice, with other counts": "[{'label': 'DRUG', 'notes': n, 'share': 1.0} for n in (11, 12)]",
    "gives lists in the place of cells": "[{'label': ['DRUG'], 'notes': [12], 'share': [1.0]}]",
    "gives a text in the place of rows": "notes.train[0].text",
}


def asked(world: Town, bodies: dict[str, str]) -> CodeRequest:
    source = "TABLES = [" + ", ".join(f"lambda notes: {rows}" for rows in bodies.values()) + "]\n\n\n"
    source += "def count(notes, weights, settings):\n"
    source += "    if settings['round'] == 1:\n        return {'tables': {'t': []}}\n"
    source += "    return {'tables': {'t': TABLES[settings['round'] - 2](notes)}}\n"
    entries = (Entry("count", 3 * len(bodies) + 3, TABLE),)
    return world.approved(world.request(source, kind="table", entries=entries))


@pytest.fixture(scope="module")
def request_of_tables(blind: Town) -> CodeRequest:
    return asked(blind, ROWS)


@tries(*(Attempt(name, *OUT) for name in ROWS))
def test_only_what_was_declared_is_in_a_table(trial: Trial, blind: Town, request_of_tables: CodeRequest) -> None:
    with trial(request=request_of_tables.digest):
        blind.researcher.execute(request_of_tables.digest, "count", list(ROWS).index(trial.attempt.name) + 2)


def rows_of(world: Town, rows: str) -> list[dict[str, Any]]:
    """What leaves of these rows."""
    request = asked(world, {"rows": rows})
    receipt = world.researcher.execute(request.digest, "count", 2)
    return [dict(row) for row in decode_tables(world.researcher.get(receipt.outputs)).get("t", [])]


@tries(
    Attempt(
        "counts a handful of people",
        "researcher",
        "the row stays at the site",
        "execution.finished",
        given="[{'label': 'DRUG', 'notes': 3, 'share': 1.0}]",
    ),
    Attempt(
        "takes a small count as a total less the others",
        "researcher",
        "the row stays at the site",
        "execution.finished",
        given="[{'label': 'all', 'notes': 115, 'share': 1.0}, {'label': 'DRUG', 'notes': 112, 'share': 1.0},"
        " {'label': 'ADE', 'notes': 3, 'share': 1.0}]",
    ),
    Attempt(
        "counts one person more and looks at the difference",
        "researcher",
        "the row stays at the site",
        "execution.finished",
        given="[{'label': 'DRUG', 'notes': 112, 'share': 1.0}]",
    ),
    Attempt(
        "puts a text into the last digits of a share",
        "researcher",
        "the row stays at the site",
        "execution.finished",
        given="[{'label': 'DRUG', 'notes': 112, 'share': 0.123456789012}]",
    ),
)
def test_what_could_point_at_somebody(trial: Trial, blind: Town) -> None:
    with trial() as said:
        left = rows_of(blind, trial.given)
        counts = {row["label"]: row["notes"] for row in left}
        if "handful" in trial.attempt.name:
            assert left == []
        elif "total" in trial.attempt.name:
            assert "ADE" not in counts
            assert len(counts) < 2  # or 115 - 112 would be the 3
        elif "one person" in trial.attempt.name:
            assert (
                counts["DRUG"]
                == {row["label"]: row["notes"] for row in rows_of(blind, trial.given.replace("112", "111"))}["DRUG"]
            )
        else:
            assert [row["share"] for row in left] == [0.123]
        said("the row stays at the site")
    assert CANARY not in str(left)


def test_what_holds_nothing_one_person_at_the_edge_of_rounding(blind: Town) -> None:
    """Two tables that differ by one person differ by five where that person tips the scale: rounding blurs, noise hides.

    docs/threat-model.md says so; who is asked for two such tables sees it in the difference to the last approved request.
    """
    (more,), (less,) = (rows_of(blind, f"[{{'label': 'DRUG', 'notes': {n}, 'share': 1.0}}]") for n in (113, 112))
    assert (more["notes"], less["notes"]) == (115, 110)


@tries(Attempt("asks for a table beside weights as a count", "researcher", "request", "request.refused request"))
def test_a_kind_bounds_a_contract(trial: Trial, world: Town) -> None:
    row = world.request().to_json() | {"kind": "count"}
    with trial() as said:
        said(call(world, "researcher", "submit", request=row))


def test_a_table_that_cannot_be_protected_cannot_be_asked_for() -> None:
    for make in (
        lambda: TableContract({"label": Category(("a",))}),
        lambda: TableContract({"n": Count()}, threshold=0),
        lambda: TableContract({"n": Count(), "x": Number(0, float("inf"), over="n")}),
        lambda: Category(("a\nb",)),
        lambda: Category(("x" * 65,)),
    ):
        with pytest.raises(RequestError):
            make()
