"""Two variables at once: counts of persons over sites, chi-square and odds ratios that textbooks and scipy agree with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association, odds_ratio, relative_risk
from statistics_world import asking, divided, patients, pooling

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse.predicates import Has
from fedkit.warehouse.question import ANSWER, Protection, from_json
from fedkit.warehouse.statistics import Amount, Flag, Group, Limits, Replies, SiteAnswer
from fedkit.warehouse.statistics.association import Association
from fedkit.warehouse.statistics.contingency import Contingency, contingency
from fedkit.warehouse.statistics.frames import PERSON, taken

SEX = Group("sex", ("female", "male"))
IMPLANT = Flag("implant", Has("mentions"))

COUNTS = st.lists(st.lists(st.integers(1, 400), min_size=3, max_size=3), min_size=2, max_size=4)


def test_the_table_is_that_of_all_persons_in_one_place() -> None:
    frame = patients(900, 1)
    ask = asking(divided({"rows": frame}, np.arange(900) % 5))
    found = contingency(ask, view="patients", rows=SEX, columns=IMPLANT)
    for row in range(2):
        for column in range(2):
            assert found.counts[row, column] == ((frame["sex"] == row) & (frame["implant"] == column)).sum()
    assert found.table()[0].keys() == {"group", "no", "yes"}
    assert found.sites == ("no", "sv", "da", "fi", "et")


@settings(max_examples=50, deadline=None)
@given(counts=COUNTS)
def test_chi_square_is_scipys(counts: list[list[int]]) -> None:
    found = Association(np.array(counts), "abcd"[: len(counts)], "xyz").chi_square()
    theirs = chi2_contingency(counts, correction=False)
    assert found.statistic == pytest.approx(theirs.statistic, rel=1e-10)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-8)
    assert found.degrees_of_freedom == theirs.dof
    assert found.smallest == pytest.approx(theirs.expected_freq.min())


def test_admissions_at_berkeley() -> None:
    """R's UCBAdmissions over all departments (Bickel et al., Science 1975): X² 92.205, after Yates 91.610; odds ratio 1.841."""
    table = Association(np.array([[1198, 1493], [557, 1278]]), ("men", "women"), ("admitted", "rejected"))
    assert table.chi_square().statistic == pytest.approx(92.205, abs=5e-4)
    assert table.chi_square(corrected=True).statistic == pytest.approx(91.610, abs=5e-4)
    assert table.odds_ratio().estimate == pytest.approx(1.84108, abs=5e-6)


@settings(max_examples=50, deadline=None)
@given(a=st.integers(1, 300), b=st.integers(1, 300), c=st.integers(1, 300), d=st.integers(1, 300))
def test_ratios_and_strength_are_scipys(a: int, b: int, c: int, d: int) -> None:
    table = Association(np.array([[a, b], [c, d]]), ("x", "y"), ("no", "yes"))
    theirs = odds_ratio([[a, b], [c, d]], kind="sample")
    interval = theirs.confidence_interval()
    found = table.odds_ratio()
    assert (found.estimate, found.low, found.high) == pytest.approx((theirs.statistic, interval.low, interval.high), rel=1e-8)
    risk, them = table.risk_ratio(), relative_risk(d, c + d, b, a + b)
    assert risk.estimate == pytest.approx(them.relative_risk)
    assert (risk.low, risk.high) == pytest.approx(tuple(them.confidence_interval()), rel=1e-8)
    assert table.cramers_v() == pytest.approx(association([[a, b], [c, d]], correction=False), abs=1e-9)


def test_an_empty_cell_gets_half_a_person_in_the_odds_ratio() -> None:
    found = Association(np.array([[0, 10], [20, 30]]), ("x", "y"), ("no", "yes")).odds_ratio()
    assert found.estimate == pytest.approx(0.5 * 30.5 / (10.5 * 20.5))


def test_tables_of_another_size_have_no_ratio_and_an_empty_group_no_test() -> None:
    with pytest.raises(RequestError, match="2 by 2"):
        Association(np.ones((2, 3)), "ab", "xyz").odds_ratio()
    with pytest.raises(RequestError, match="2 by 2"):
        Association(np.ones((3, 2)), "abc", "xy").risk_ratio()
    with pytest.raises(RequestError, match="is empty"):
        Association(np.array([[0, 0], [3, 4]]), "ab", "xy").chi_square()


def test_a_person_with_many_rows_counts_once_in_a_cell() -> None:
    frame = {
        PERSON: np.repeat(np.arange(30), 9),
        "sex": np.repeat(np.arange(30) % 2, 9),
        "implant": np.tile([0, 0, 0, 1, 1, 1, 0, 1, 0], 30),
    }
    question = Contingency("notes", SEX, IMPLANT)
    assert question.sums({"rows": frame}).tolist() == [15, 15, 15, 15]


def test_counts_leave_as_counts_so_that_threshold_and_rounding_apply() -> None:
    """The contract has no column beside the counts: an exact figure next to a rounded one would undo the rounding."""
    question = Contingency("patients", SEX, IMPLANT)
    contract = question.contract().tables[ANSWER]
    assert list(contract.columns) == ["row", "column", "persons"]
    small = {"rows": taken(patients(60, 2), np.arange(60) < 25)}
    rows = question.answer(small, Limits()).tables[ANSWER]
    assert sum(row["persons"] for row in rows) < 25
    left = contract.at_least(10, 5).protect(rows)
    assert len(left) < 4
    assert all(row["persons"] % 5 == 0 for row in left)
    with pytest.raises(OutputRefused, match="held back"):
        question.added(Replies({"no": SiteAnswer(tables={ANSWER: left})}))


def test_a_small_cell_is_hidden_along_rows_and_columns() -> None:
    """Somebody who knows the margins has a cell that is alone in its row or column: so no cell is alone in either."""
    frame = {PERSON: np.arange(400), "sex": np.arange(400) % 2, "implant": np.arange(400) // 2 % 2}
    frame = taken(frame, ~((frame["sex"] == 1) & (frame["implant"] == 1)) | (np.arange(400) < 20))
    question = Contingency("patients", SEX, IMPLANT)
    rows = question.answer({"rows": frame}, Limits()).tables[ANSWER]
    assert sorted(row["persons"] for row in rows) == [5, 100, 100, 100]
    assert question.contract().tables[ANSWER].at_least(10).protect(rows) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), groups=st.integers(1, 3), person=st.integers(0, 19))
def test_no_person_moves_the_counts_by_more_than_their_price_says(seed: int, groups: int, person: int) -> None:
    draw = np.random.default_rng(seed)
    frame = {PERSON: draw.integers(0, 20, 200), "sex": draw.integers(-1, 2, 200), "implant": draw.integers(0, 2, 200)}
    question = Contingency("notes", SEX, IMPLANT, None, Protection("noise", 0.1, groups_per_person=groups))
    gone = question.sums({"rows": taken(frame, frame[PERSON] != person)})
    assert np.linalg.norm(question.sums({"rows": frame}) - gone) <= float(question.sensitivity())


def test_with_noise_a_test_knows_of_it() -> None:
    """Two variables that have nothing to do with each other: the noise of five sites is no association."""
    frame = patients(2_000, 9)
    sites = divided({"rows": frame}, np.arange(2_000) % 5)
    protection = Protection("noise", rho=0.005)
    found = contingency(asking(sites), view="patients", rows=SEX, columns=IMPLANT, protection=protection)
    assert found.noise == pytest.approx(5 / (2 * 0.005), rel=1e-4)
    assert found.chi_square().p == found.chi_square().p, "the same table has the same p-value"
    exact = contingency(asking(sites), view="patients", rows=SEX, columns=IMPLANT)
    wide, narrow = found.odds_ratio(), exact.odds_ratio()
    assert math.log(wide.high / wide.low) > math.log(narrow.high / narrow.low)
    pooled = contingency(pooling(sites), view="patients", rows=SEX, columns=IMPLANT, protection=Protection("pooled", rho=0.005))
    assert pooled.noise == pytest.approx(1 / (2 * 0.005), rel=1e-4)


def test_a_p_value_under_noise_is_not_too_small() -> None:
    """Independent tables with noise: p below .05 in about one of twenty, where the test without the noise has far more."""
    draw, noise = np.random.default_rng(11), 400.0
    below = naive = 0
    for _ in range(60):
        counts = draw.multinomial(400, [0.25] * 4).reshape(2, 2) + draw.normal(0, math.sqrt(noise), (2, 2))
        table = Association(counts, "ab", "xy", noise)
        below += table.chi_square().p < 0.05
        naive += Association(counts, "ab", "xy").chi_square().p < 0.05
    assert below <= 9
    assert naive >= 15


def test_questions_are_data_and_read_strictly() -> None:
    question = Contingency("patients", SEX, IMPLANT)
    assert from_json(question.to_json()) == question
    with pytest.raises(RequestError, match="not divided into groups"):
        from_json({**question.to_json(), "rows": Amount("birth_year", 1900, 2000).to_json()})
    with pytest.raises(RequestError, match="no such size"):
        Contingency("patients", Group("sex", ("female",)), IMPLANT).check()
