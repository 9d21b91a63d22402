"""Tables: whatever the code gives back, what leaves is of the declared form, and no small count can be had by subtraction."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.digests import digest
from fedkit.errors import OutputRefused, RequestError
from fedkit.governance.table_contract import MAX_ROWS, Category, Count, Number, TableContract, rounded

LABEL = Category(("ALL", "DRUG", "ADE", "DEVICE"), total="ALL")
YEAR = Category(("2023", "2024", "2025"))
SIMPLE = TableContract({"label": LABEL, "persons": Count()}, rounding=1)
GRID = TableContract({"label": LABEL, "year": YEAR, "persons": Count()}, rounding=1)


def simple(**persons: int) -> list[dict[str, Any]]:
    return [{"label": name, "persons": n} for name, n in persons.items()]


def left(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["label"]: row["persons"] for row in SIMPLE.protect(rows)}


# -- what leaves
def test_a_table_of_large_counts_leaves_whole_and_in_the_declared_order() -> None:
    assert left(simple(DEVICE=30, ALL=82, DRUG=40, ADE=12)) == {"ALL": 82, "DRUG": 40, "ADE": 12, "DEVICE": 30}
    assert list(left(simple(DEVICE=30, ALL=82, DRUG=40, ADE=12))) == ["ALL", "DRUG", "ADE", "DEVICE"]


def test_a_row_at_the_threshold_leaves_and_one_below_does_not() -> None:
    assert left(simple(DRUG=10, ADE=10, DEVICE=50)) == {"DRUG": 10, "ADE": 10, "DEVICE": 50}
    assert left(simple(DRUG=9, ADE=10, DEVICE=50)) == {"DEVICE": 50}


def test_beside_one_small_count_the_next_smallest_stays_too() -> None:
    assert left(simple(DRUG=40, ADE=3, DEVICE=30)) == {"DRUG": 40}
    assert left(simple(ALL=73, DRUG=40, ADE=3, DEVICE=30)) == {"ALL": 73, "DRUG": 40}


def test_two_small_counts_that_are_large_together_need_no_third() -> None:
    assert left(simple(DRUG=40, ADE=7, DEVICE=6)) == {"DRUG": 40}


def test_small_counts_that_are_small_together_take_a_large_one_with_them() -> None:
    assert left(simple(DRUG=40, ADE=2, DEVICE=3)) == {}


@pytest.mark.parametrize("rows", [simple(DRUG=40, ADE=12, DEVICE=0), simple(DRUG=40, ADE=12)])
def test_a_row_of_nobody_does_not_leave_and_hides_no_other(rows: list[dict[str, Any]]) -> None:
    assert left(rows) == {"DRUG": 40, "ADE": 12}


def test_a_small_count_does_not_hide_behind_a_row_of_nobody() -> None:
    assert left(simple(DRUG=40, ADE=3, DEVICE=0)) == {}


def test_a_total_that_is_the_small_count_again_does_not_leave() -> None:
    assert left(simple(ALL=12, ADE=9)) == {}


def test_a_row_rests_on_its_smallest_count() -> None:
    table = TableContract({"label": LABEL, "persons": Count(), "notes": Count()}, rounding=1)
    rows = [{"label": "DRUG", "persons": 4, "notes": 400}, {"label": "ADE", "persons": 50, "notes": 60}]
    assert table.protect(rows) == []


def test_two_blocks_with_one_hidden_cell_between_them_do_not_give_it_away() -> None:
    """Each line hides two cells or more, and yet the cell that joins the blocks would follow: a bridge."""
    names = ("a", "b", "c", "d")
    table = TableContract({"row": Category(names), "column": Category(names), "persons": Count()}, threshold=10, rounding=1)
    small = {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"), ("c", "c"), ("c", "d"), ("d", "c"), ("d", "d"), ("b", "c")}
    rows = [{"row": r, "column": c, "persons": 7 if (r, c) in small else 40} for r, c in product(names, names)]
    assert len(table.protect(rows)) < len(rows) - len(small)
    assert not solved(table, rows)


def test_numbers_are_cut_to_their_decimals_and_stay_in_their_bounds() -> None:
    table = TableContract({"persons": Count(), "mean": Number(0, 0.996, "persons", digits=2)})
    assert table.protect([{"persons": 33, "mean": 0.123456}]) == [{"persons": 35, "mean": 0.12}]
    assert table.protect([{"persons": 33, "mean": 0.9959}]) == [{"persons": 35, "mean": 0.996}]
    assert str(table.protect([{"persons": 33, "mean": -0.0}])[0]["mean"]) == "0.0"


@given(count=st.integers(0, 10**9), base=st.integers(1, 100))
def test_counts_are_rounded_to_the_nearest_multiple(count: int, base: int) -> None:
    assert rounded(count, base) % base == 0
    assert abs(rounded(count, base) - count) * 2 <= base


# -- what does not leave
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("DRUG 3", "not what was declared"),
        ([{"label": "DRUG", "persons": 20}] * 101, "not what was declared"),
        ([{"label": "DRUG"}], "other columns"),
        ([{"label": "DRUG", "persons": 20, "Kari Nordmann": 1}], "other columns"),
        (["DRUG"], "other columns"),
        ([{"label": "Kari Nordmann", "persons": 20}], "not declared"),
        ([{"label": 3, "persons": 20}], "not declared"),
        ([{"label": None, "persons": 20}], "not declared"),
        ([{"label": ["DRUG"], "persons": 20}], "not declared"),
        ([{"label": "DRUG", "persons": "Kari Nordmann"}], "no finite number"),
        ([{"label": "DRUG", "persons": True}], "no finite number"),
        ([{"label": "DRUG", "persons": float("nan")}], "no finite number"),
        ([{"label": "DRUG", "persons": 20.5}], "no count"),
        ([{"label": "DRUG", "persons": -1}], "no count"),
        ([{"label": "DRUG", "persons": 2**60}], "no count"),
        (simple(DRUG=20) + simple(DRUG=30), "two rows for the same"),
    ],
)
def test_what_was_not_declared_stays_and_is_not_repeated(rows: Any, says: str) -> None:
    with pytest.raises(OutputRefused, match=says) as refused:
        SIMPLE.protect(rows)
    assert "Nordmann" not in refused.value.diagnostics()


def test_a_number_out_of_its_bounds_stays() -> None:
    table = TableContract({"persons": Count(), "mean": Number(0, 1, "persons")})
    for mean in (1.001, -0.1, float("inf"), "0.5", None):
        with pytest.raises(OutputRefused, match="column mean"):
            table.protect([{"persons": 33, "mean": mean}])


cells = st.one_of(
    st.sampled_from(["ALL", "DRUG", "ADE", "Kari", "", 7, None, True, 1e400, -3, 12, 40.0, 2.5]),
    st.lists(st.text(), max_size=1),
)


@given(st.lists(st.dictionaries(st.sampled_from(["label", "persons", "mean", "name"]), cells), max_size=6))
def test_whatever_the_code_gives_back_what_leaves_is_within_the_contract(rows: list[dict[str, Any]]) -> None:
    table = TableContract({"label": LABEL, "persons": Count(), "mean": Number(0, 50, "persons")})
    try:
        released = table.protect(rows)
    except OutputRefused:
        return
    assert table.check(released) == released
    assert all(type(row["label"]) is str and type(row["persons"]) is int and type(row["mean"]) is float for row in released)
    assert all(row["persons"] >= 10 and row["persons"] % 5 == 0 for row in released)


# -- subtraction
counts = st.one_of(st.integers(0, 14), st.integers(15, 200))


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["DRUG", "ADE", "DEVICE"]), counts), st.booleans())
def test_no_small_count_of_a_list_can_be_had_by_subtraction(persons: dict[str, int], with_total: bool) -> None:
    rows = simple(**persons, **({"ALL": sum(persons.values())} if with_total else {}))
    assert not solved(SIMPLE, rows)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.tuples(st.sampled_from(LABEL.values[1:]), st.sampled_from(YEAR.values)), counts), st.booleans())
def test_no_small_count_of_a_grid_can_be_had_by_subtraction(persons: dict[tuple[str, str], int], with_totals: bool) -> None:
    rows = [{"label": label, "year": year, "persons": n} for (label, year), n in persons.items()]
    if with_totals:
        for year in {year for _, year in persons}:
            total = sum(n for (_, y), n in persons.items() if y == year)
            rows.append({"label": "ALL", "year": year, "persons": total})
    assert not solved(GRID, rows)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 9), st.integers(10, 60)), min_size=27, max_size=27))
def test_no_small_count_of_a_cube_can_be_had_by_subtraction(persons: list[int]) -> None:
    axis = Category(("x", "y", "z"))
    table = TableContract({"a": axis, "b": axis, "c": axis, "n": Count()}, rounding=1)
    places = product("xyz", repeat=3)
    rows = [{"a": a, "b": b, "c": c, "n": n} for (a, b, c), n in zip(places, persons, strict=True)]
    assert not solved(table, rows)


def solved(table: TableContract, rows: list[dict[str, Any]]) -> list[int]:
    """The small counts that an attacker has who gets what left, knows the total of every line of two parts or more, and which
    cells are empty.

    Not those that the totals give away alone, without any row that left: they are lost wherever the totals are public.
    """
    names = list(table.categories)
    released = {tuple(row[n] for n in names) for row in table.protect(rows)}
    known = {tuple(row[n] for n in names): row[table.counts[0]] for row in rows if row[table.counts[0]]}
    found = follows(table, known, set(known) - released) - follows(table, known, set(known))
    return [known[key] for key in found if known[key] < table.threshold]


def follows(table: TableContract, known: dict[tuple[str, ...], int], hidden: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Which hidden cells follow: exact linear algebra (Gauss-Jordan over fractions), written apart from the code under test."""
    unknown = sorted(hidden)
    equations: list[list[Fraction]] = []
    for axis, category in enumerate(table.categories.values()):
        for rest in {key[:axis] + key[axis + 1 :] for key in known}:
            line = [key for key in known if key[:axis] + key[axis + 1 :] == rest]
            parts = [key for key in line if key[axis] != category.total]
            sums = [key for key in line if key[axis] == category.total]
            if not parts or (len(parts) < 2 and not sums):
                continue  # a line of one cell is its own total: who has that from elsewhere has the cell
            terms = {key: Fraction(1) for key in parts} | {key: Fraction(-1) for key in sums if key in hidden}
            equations.append([terms.get(key, Fraction(0)) for key in unknown])
    for column in range(len(unknown)):
        pivot = next((e for e in equations if e[column] and not any(e[:column])), None)
        if pivot is None:
            continue
        pivot[:] = [value / pivot[column] for value in pivot]
        for other in equations:
            if other is not pivot and other[column]:
                other[:] = [a - other[column] * b for a, b in zip(other, pivot, strict=True)]
    alone = [e for e in equations if sum(1 for value in e if value) == 1]
    return {next(key for key, value in zip(unknown, e, strict=True) if value) for e in alone}


# -- the contract itself
def test_of_two_thresholds_the_stricter_one_holds() -> None:
    assert SIMPLE.at_least(20, 5) == TableContract(SIMPLE.columns, threshold=20, rounding=5)
    assert SIMPLE.at_least(3) == SIMPLE


def test_a_table_reads_back_as_it_was_written() -> None:
    table = TableContract({"label": LABEL, "persons": Count(), "mean": Number(0, 1, "persons", 2)}, 7, 11, 3)
    again = TableContract.from_json(table.to_json())
    assert again == table
    assert list(again.columns) == list(table.columns)
    assert digest(again.to_json()) == digest(table.to_json())


@pytest.mark.parametrize(
    "make",
    [
        lambda: TableContract({"label": LABEL}),
        lambda: TableContract({"two words": Count()}),
        lambda: TableContract({"persons": Count(), "mean": Number(0, 1, "notes")}),
        lambda: TableContract({"persons": Count()}, max_rows=MAX_ROWS + 1),
        lambda: TableContract({"persons": Count()}, threshold=0),
        lambda: TableContract({"persons": Count()}, rounding=True),
        lambda: TableContract({"persons": int}),  # type: ignore[dict-item]
        lambda: Category(()),
        lambda: Category(("a", "a")),
        lambda: Category(("a\nb",)),
        lambda: Category(("a",), total="b"),
        lambda: Number(1, 0, "persons"),
        lambda: Number(0, float("nan"), "persons"),
        lambda: Number(0, 1, "persons", 10),
    ],
)
def test_a_table_that_cannot_be_protected_is_no_contract(make: Any) -> None:
    with pytest.raises(RequestError):
        make()
