"""Noise on answers: what one person changes, by which it is sized; that it is what it should be; and shares that add up."""

from __future__ import annotations

import math
import random
import secrets
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from question_drawing import questions as drawn_questions
from question_tables import statements, tables

from fedkit.errors import RequestError
from fedkit.federation.secure_aggregation.whole_numbers import from_ring, to_ring
from fedkit.warehouse import render
from fedkit.warehouse.noise import cost_of_sum, deviations, noisy, opened, pooled, price, sensitivities, share, variances
from fedkit.warehouse.noise.sensitivity import Centred
from fedkit.warehouse.noise.shares import LEAST
from fedkit.warehouse.question import ANSWER, Group, Measure, Protection, Question

SEX = Group("sex")
VARIANCE = Measure("variance", "birth_year", 1900, 2020)
TABLES = tables(persons=12, rows=90)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """All noise is zero, so that what is around it can be seen."""
    monkeypatch.setattr("fedkit.warehouse.noise.adding.gaussian", lambda spread, below: 0)


def asked(rho: float = 0.5, mode: str = "noise", measures: tuple[Measure, ...] = (Measure("persons"), VARIANCE)) -> Question:
    return Question("patients", measures, None, (SEX,), Protection(mode, rho))


def row(sex: str, born: list[int]) -> dict[str, Any]:
    squares = sum(year * year for year in born)
    counts = {"persons": len(born), "n_birth_year": len(born)}
    return {"sex": sex, **counts, "sum_birth_year": sum(born), "squares_birth_year": squares}


# -- the price
def test_an_answer_under_rules_is_free_and_one_with_noise_costs_what_it_declares() -> None:
    assert price(Question("patients", (Measure("persons"),))) == 0
    assert price(asked(0.25)) == 0.25
    with pytest.raises(RequestError, match="no noise"):
        variances(Question("patients", (Measure("persons"),)))


def test_the_price_is_shared_by_all_figures_and_pays_for_their_noise() -> None:
    question = asked(0.5)
    spent = sum(most**2 / (2 * variances(question)[part]) for part, most in sensitivities(question).items())
    assert spent == Fraction(0.5)


# -- what one person changes
@pytest.fixture(scope="module")
def databases() -> Iterator[list[Any]]:
    """The same tables with everybody, and without each of four persons."""
    made = []
    for without in (None, 0, 3, 7, 11):
        database = duckdb.connect()
        kept = {view: [r for r in rows if r["person_id"] != without] for view, rows in TABLES.items()}
        for statement in statements(kept):
            database.execute(statement)
        made.append(database)
    yield made
    for database in made:
        database.close()


@settings(max_examples=120)
@given(question=drawn_questions(modes=("noise",)))
def test_no_person_changes_a_figure_by_more_than_its_sensitivity(databases: list[Any], question: Question) -> None:
    """Asked of the real engine, with and without a person, over all groups together."""
    centred, most = Centred(question), sensitivities(question)
    answers = []
    for database in databases:
        rows = render.rows(question, database.execute(render.sql(question)).fetchall())
        answers.append([centred.around(r) for r in rows])
    for without in answers[1:]:
        for part in question.parts:
            norm = math.sqrt(sum((a[part] - b[part]) ** 2 for a, b in zip(answers[0], without, strict=True)))
            assert norm <= float(most[part]) + 1e-9, part


def test_around_its_middle_one_birth_year_changes_a_sum_by_sixty_and_not_by_two_thousand() -> None:
    assert sensitivities(asked()) == {"persons": 1, "n_birth_year": 1, "sum_birth_year": 60, "squares_birth_year": 3600}
    assert sensitivities(replace(asked(), measures=(Measure("sum_of_squares", "birth_year", 1900, 2020),))) == {
        "persons": 1,
        "n_birth_year": 1,
        "squares_birth_year": (2020**2 - 1900**2) // 2,
    }


def test_somebody_who_is_in_four_groups_with_three_rows_each_changes_more() -> None:
    protection = Protection("noise", 1.0, groups_per_person=4, rows_per_person=3)
    departments = Group("department", values=("A", "B", "C", "D", "E"))
    question = Question("notes", (Measure("rows"),), None, (departments,), protection)
    assert sensitivities(question) == {"persons": 2, "rows": 6}
    assert sensitivities(replace(question, by=(SEX,))) == {"persons": 1, "rows": 3}  # nobody is of two sexes


@given(st.lists(st.integers(1900, 2020), max_size=20))
def test_figures_around_their_middles_go_back(born: list[int]) -> None:
    for measures in ((VARIANCE,), (Measure("sum_of_squares", "birth_year", 1900, 2020),)):
        centred, found = Centred(asked(measures=measures)), row("female", born)
        assert centred.back(centred.around(found)) == {part: found[part] for part in centred.parts}


# -- noise at the site
def test_every_group_gets_a_row_whoever_is_in_it() -> None:
    found = noisy(asked(), [row("male", [1950, 1960])])
    assert [r["sex"] for r in found] == ["female", "male", "other", "unknown"]


@pytest.mark.usefixtures("silent")
def test_without_noise_an_answer_is_the_engines() -> None:
    born = [1950, 1960, 1971]
    found = noisy(asked(), [row("male", born)])
    assert found[1] == row("male", born)
    assert {found[0][part] for part in ("persons", "n_birth_year", "sum_birth_year", "squares_birth_year")} == {0}


def test_what_leaves_with_noise_fits_the_contract_however_large_the_noise() -> None:
    question = asked(0.0001)
    for _ in range(50):
        question.contract().check({}, {}, {ANSWER: noisy(question, [row("male", [1950])])})


def test_the_noise_is_as_wide_as_the_plan_says() -> None:
    question, draws = asked(0.5, measures=(Measure("persons"),)), random.Random(1)
    found = [
        r["persons"] for _ in range(1000) for r in noisy(question, [_many(sex) for sex in SEX_NAMES], below=draws.randrange)
    ]
    assert np.std(found) == pytest.approx(deviations(question)["persons"], rel=0.05)
    assert np.mean(found) == pytest.approx(1000, abs=0.1)


SEX_NAMES = ("female", "male", "other", "unknown")


def _many(sex: str) -> dict[str, Any]:
    return {"sex": sex, "persons": 1000}


# -- shares of one central noise
@given(
    rho=st.floats(0.001, 10),
    fewest=st.integers(2, 9),
    figures=st.integers(1, 1_000),
    sensitivity=st.fractions(Fraction(1), Fraction(10_000), max_denominator=100),
)
def test_shares_of_the_fewest_sites_cost_no_more_than_the_price(
    rho: float, fewest: int, figures: int, sensitivity: Fraction
) -> None:
    part = share(sensitivity, Fraction(rho), fewest, figures)
    assert cost_of_sum(part, sensitivity, fewest, figures) <= rho * (1 + 1e-9)
    assert fewest * part >= sensitivity**2 / (2 * Fraction(rho)), "together no less than one central noise"
    assert part >= LEAST, "below it, the theorem says nothing"


def test_shares_add_up_to_one_central_noise_and_not_to_one_for_each_site() -> None:
    question, draws, sites = asked(0.1, "pooled", (Measure("persons"),)), random.Random(2), 3
    sums = [sum(pooled(question, [], fewest=sites, below=draws.randrange) for _ in range(sites)) for _ in range(400)]
    assert np.std(np.array(sums)) == pytest.approx(deviations(question)["persons"], rel=0.06)


@pytest.mark.usefixtures("silent")
def test_a_pooled_sum_is_opened_as_the_figures_of_all_sites() -> None:
    question = asked(0.5, "pooled")
    sites = [[1950, 1960], [1970], [1941, 1999, 2001]]
    given = [pooled(question, [row("male", born)], fewest=2, below=secrets.randbelow) for born in sites]
    total = from_ring(sum((to_ring(values, 3) for values in given), np.zeros(16, np.uint32)))
    everybody = row("male", [year for born in sites for year in born])
    assert opened(question, total.tolist())[4:8] == tuple(everybody[part] for part in question.parts)


@pytest.mark.usefixtures("silent")
def test_squares_of_many_persons_fit_under_the_masks_around_their_middles() -> None:
    question, born = asked(0.5, "pooled"), [1900 + n % 121 for n in range(100_000)]
    values = pooled(question, [row("male", born)], fewest=3, below=secrets.randbelow)
    to_ring(values, 5)
    assert sum(year * year for year in born) > 2**31
    assert opened(question, values.tolist())[7] == sum(year * year for year in born)


def test_a_share_needs_somebody_else() -> None:
    with pytest.raises(RequestError, match="no shares"):
        share(Fraction(1), Fraction(1), 1, 10)


def test_noise_comes_from_the_systems_own_randomness_unless_a_test_says_otherwise() -> None:
    question = asked(0.01)
    assert noisy(question, [_full()]) != noisy(question, [_full()])
    assert noisy.__kwdefaults__ == {"below": secrets.randbelow}


def _full() -> dict[str, Any]:
    return row("male", [1950] * 500)
