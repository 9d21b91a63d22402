"""Mean and variance over sites: those of all rows in one place, and DataSHIELD's published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_world import SITES, asking, divided, patients, pooling, shuffled

from fedkit.errors import OutputRefused, RequestError, SiteError
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import ANSWER, Protection, from_json
from fedkit.warehouse.statistics import Amount, Flag, Group, Limits, Replies, SiteAnswer
from fedkit.warehouse.statistics.base import GRID
from fedkit.warehouse.statistics.frames import PERSON, taken
from fedkit.warehouse.statistics.moments import PARTS, MomentsQuestion, moments

YEARS = Amount("birth_year", 1900, 2020)
SEX = Group("sex", ("female", "male"))
SOMEBODY = Has("mentions", Compare("label", "in", ("IMPLANT",)))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(20, 400), seed=st.integers(0, 10**6))
def test_mean_and_variance_are_those_of_all_rows_in_one_place(n: int, seed: int) -> None:
    frame = patients(n, seed)
    sites = divided({"rows": frame}, np.random.default_rng(seed).integers(0, len(SITES), n))
    found = moments(asking(sites), view="patients", of=YEARS, by=SEX)
    for number, name in enumerate(("female", "male")):
        values = frame["birth_year"][(frame["sex"] == number) & ~np.isnan(frame["birth_year"])]
        assert found[name].n == len(values)
        if len(values) >= 2:
            assert found[name].mean == pytest.approx(values.mean(), rel=1e-10)
            assert found[name].variance == pytest.approx(values.var(ddof=1), rel=1e-8)
            assert found[name].standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(len(values)), rel=1e-8)


def test_a_variance_far_from_zero_keeps_its_digits() -> None:
    """The mean is 10⁵ times the deviation: sums of squares of the values themselves would lose half their digits."""
    values = 1e6 + np.random.default_rng(3).normal(0, 10, 5_000)
    frame = {PERSON: np.arange(5_000), "characters": values}
    question = MomentsQuestion("notes", Amount("characters", 999_900, 1_000_000 + 100))
    rows = asking(divided({"rows": frame}, np.arange(5_000) % 5))
    assert question.of_sums(question.added(rows(question)))["all"].variance == pytest.approx(values.var(ddof=1), rel=1e-8)


def test_datashields_published_means_and_variances_of_its_studies_give_its_published_pooled_ones() -> None:
    """CNSIM, LAB_TSC: per study and pooled as in dsBaseClient's own tests (test-smk-ds.mean.R and test-smk-ds.var.R)."""
    studies = {"sim1": (1807, 5.87211344770338, 1.229163), "sim2": (2539, 5.84526388341867, 1.140606)}
    studies["sim3"] = (3479, 5.84630008623168, 1.134995)
    question = MomentsQuestion("patients", Amount("LAB_TSC", 0, 20))
    answers = {}
    for study, (n, mean, variance) in studies.items():
        away = (mean - 10) / 10
        figures = (n, n * away, (n - 1) * variance / 100 + n * away**2)
        parts = zip(PARTS, figures, strict=True)
        table = [{"group": "all", "part": part, "persons": n, "value": value} for part, value in parts]
        answers[study] = SiteAnswer(tables={ANSWER: table})
    pooled = question.of_sums(question.added(Replies(answers)))["all"]
    assert pooled.n == 7825
    assert pooled.mean == pytest.approx(5.85192485623003, abs=1e-14 * 5.85 * 10)
    assert pooled.variance == pytest.approx(1.158384, abs=1e-6)


def test_values_beyond_the_bounds_are_cut_to_them() -> None:
    frame = {PERSON: np.arange(40), "birth_year": np.r_[np.full(20, 1800.0), np.full(20, 2500.0)]}
    found = moments(asking({"no": {"rows": frame}}), view="patients", of=YEARS)
    assert found["all"].mean == 1960
    assert found["all"].n == 40


def test_groups_by_edges_and_by_condition() -> None:
    frame = {**patients(300, 1), "notes": np.arange(300) % 7.0}
    ask = asking({"no": {"rows": frame}})
    by_edges = moments(ask, view="patients", of=Amount("notes", 0, 10), by=Group("birth_year", edges=(1920, 1950, 2010)))
    inside = (frame["birth_year"] >= 1920) & (frame["birth_year"] < 1950)
    assert by_edges["1920-1949"].mean == pytest.approx(frame["notes"][inside].mean())
    flag = moments(ask, view="patients", of=Amount("notes", 0, 10), by=Flag("implant", SOMEBODY))
    assert flag["yes"].n + flag["no"].n == 300


def test_too_few_persons_and_two_who_outweigh_all_others_hold_the_site_back() -> None:
    few = {"rows": taken(patients(200, 2), np.arange(200) < 7)}
    question = MomentsQuestion("patients", YEARS)
    with pytest.raises(OutputRefused, match="too few persons"):
        question.answer(few, Limits())
    values = np.full(60, 5_000.0)
    values[:2] = (0, 9_000)
    lopsided = {"rows": {PERSON: np.arange(60), "notes": values}}
    with pytest.raises(OutputRefused, match="two persons make up most"):
        MomentsQuestion("patients", Amount("notes", 0, 10_000)).answer(lopsided, Limits())
    everybody = MomentsQuestion("patients", YEARS).answer({"rows": patients(200, 2)}, Limits())
    assert len(everybody.tables[ANSWER]) == 3


def test_many_rows_of_one_person_are_one_person() -> None:
    frame = {PERSON: np.zeros(500, dtype=np.int64), "characters": np.arange(500.0)}
    with pytest.raises(OutputRefused, match="too few persons"):
        MomentsQuestion("notes", Amount("characters", 0, 1000)).answer({"rows": frame}, Limits())


def test_a_site_that_holds_back_is_named_and_the_others_answer() -> None:
    sites = divided({"rows": patients(400, 5)}, np.r_[np.zeros(5, dtype=int), np.arange(395) % 4 + 1])
    found = moments(asking(sites, Limits()), view="patients", of=YEARS)
    assert found.sites == ("sv", "da", "fi", "et")
    assert "too few persons" in found.missing["no"]
    with pytest.raises(SiteError, match="no site answered"):
        moments(asking({"no": {"rows": patients(5, 1)}}, Limits()), view="patients", of=YEARS)


def test_a_group_that_a_site_kept_back_is_of_the_others_and_says_so() -> None:
    """At the first site the men are too few; the women stay there as well, since all rows less the women would be the men."""
    frame = patients(500, 4)
    place = np.arange(500) % 5
    few = np.flatnonzero((place == 0) & (frame["sex"] == 1))[4:]
    frame = taken(frame, ~np.isin(frame[PERSON], few))
    found = moments(
        asking(divided({"rows": frame}, place), Limits()), view="patients", of=YEARS, by=Group("sex", ("female", "male"))
    )
    assert found.hidden == {"female": ("no",), "male": ("no",)}
    assert found.sites == SITES
    values = frame["birth_year"][(frame["sex"] == 0) & (place[frame[PERSON]] != 0)]
    assert found["female"].n == (~np.isnan(values)).sum()
    assert found["female"].mean == pytest.approx(np.nanmean(values), rel=1e-10)


def test_a_site_that_rounds_counts_rounds_the_number_of_rows_and_the_mean_stays_near() -> None:
    frame = patients(1_003, 4)
    ask = asking(divided({"rows": frame}, np.arange(1_003) % 5), Limits(rounding=5))
    found = moments(ask, view="patients", of=YEARS)["all"]
    values = frame["birth_year"][~np.isnan(frame["birth_year"])]
    assert found.n % 5 == 0
    assert found.n == pytest.approx(len(values), abs=12.5)
    assert found.mean == pytest.approx(values.mean(), abs=0.2)
    assert found.variance == pytest.approx(values.var(ddof=1), rel=0.01)


def test_sums_go_with_their_rounded_count_in_proportion_and_to_a_tenth() -> None:
    """Of exact ratios one could tell the count that they are fractions of."""
    assert Limits(rounding=5).in_proportion((1003.0, 100.3, 501.5)) == [1005.0, 100.5, 502.5]
    assert Limits(rounding=5).in_proportion((1003.0, 1.0 / 3, 0.0)) == [1005.0, 0.3, 0.0]
    assert Limits().in_proportion((1003.0, 1.0 / 3)) == [1003.0, 1.0 / 3]
    assert Limits(rounding=5).in_proportion((0.0, 0.0)) == [0.0, 0.0]


def test_a_group_of_nobody_keeps_no_other_back_and_has_no_mean() -> None:
    frame = patients(400, 4)
    ask = asking(divided({"rows": frame}, np.arange(400) % 5), Limits())
    found = moments(ask, view="patients", of=YEARS, by=Group("sex", ("female", "male", "other")))
    assert found["male"].n > 0
    assert found["other"].n == 0
    assert math.isnan(found["other"].mean)


def test_a_part_of_a_group_counts_as_none_of_it() -> None:
    question = MomentsQuestion("patients", YEARS, SEX)
    whole = question.answer({"rows": patients(300, 4)}, Limits())
    part = SiteAnswer(tables={ANSWER: whole.tables[ANSWER][:5]})
    both = Replies({"no": part, "sv": whole})
    assert question.hidden(both) == {"male": ("no",)}
    found = question.of_sums(question.added(both))
    assert found["male"].n * 2 == question.of_sums(question.added(Replies({"no": whole, "sv": whole})))["male"].n


NOISY = Protection("noise", rho=0.5)


def test_with_noise_the_mean_is_near_and_the_noise_is_what_was_paid_for() -> None:
    frame = patients(4_000, 6)
    sites = divided({"rows": frame}, np.arange(4_000) % 5)
    for ask, protection in ((asking(sites), NOISY), (pooling(sites), Protection("pooled", rho=0.5))):
        found = moments(ask, view="patients", of=YEARS, by=SEX, protection=protection)["female"]
        values = frame["birth_year"][(frame["sex"] == 0) & ~np.isnan(frame["birth_year"])]
        assert found.mean == pytest.approx(values.mean(), abs=1.5)
        assert found.n == pytest.approx(len(values), abs=60)
        assert found.standard_deviation == pytest.approx(values.std(ddof=1), rel=0.1)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 4), person=st.integers(0, 19))
def test_no_person_moves_the_sums_by_more_than_their_price_says(seed: int, rows: int, person: int) -> None:
    """Also where a person's rows lie in several groups, and in whatever order the rows come."""
    draw = np.random.default_rng(seed)
    n = 200
    frame = {
        PERSON: draw.integers(0, 20, n),
        "characters": draw.choice([0.0, 1000.0, 417.0], n),
        "language": draw.integers(-1, 3, n),
    }
    by = Group("language", ("nb", "sv", "da"))
    question = MomentsQuestion("notes", Amount("characters", 0, 1000), by, None, Protection("noise", 0.1, rows_per_person=rows))
    with_, left = question.sums({"rows": frame}), question.sums({"rows": taken(frame, frame[PERSON] != person)})
    assert np.linalg.norm(with_ - left) <= float(question.sensitivity())


def test_the_order_of_the_rows_tells_nothing() -> None:
    frame = patients(500, 8)
    question = MomentsQuestion("patients", YEARS, SEX, None, NOISY)
    assert (question.sums({"rows": frame}) == question.sums({"rows": shuffled(frame, 1)})).all()


def test_sums_are_whole_steps_of_the_grid_rounded_to_the_nearest() -> None:
    frame = {PERSON: np.arange(3), "birth_year": np.array([2020.0, 1900.0, 2020.0])}
    question = MomentsQuestion("patients", YEARS, None, None, NOISY)
    assert question.sums({"rows": frame}).tolist() == [3 * GRID, 1 * GRID, 3 * GRID]
    frame["birth_year"] = np.array([1960.0, 1960.4, 1960.0])
    assert question.sums({"rows": frame}).tolist() == [3 * GRID, 0, 0]


def test_questions_are_data_and_read_strictly() -> None:
    question = MomentsQuestion("patients", YEARS, Flag("implant", SOMEBODY), None, NOISY)
    assert from_json(question.to_json()) == question
    assert from_json(question.to_json()).digest == question.digest
    for broken in ({"of": {"amount": "birth_year"}}, {"by": YEARS.to_json()}, {"more": 1}, {"view": 3}):
        with pytest.raises(RequestError):
            from_json({**question.to_json(), **broken})


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (MomentsQuestion("patients", Amount("birthyear", 1900, 2000)), "birth_year"),
        (MomentsQuestion("patients", Amount("sex", 0, 1)), "sex is no number"),
        (MomentsQuestion("patients", Amount("birth_year", 0, 2000)), "wider than the column"),
        (MomentsQuestion("patients", YEARS, Group("site")), "no variable of a statistic"),
        (MomentsQuestion("people", YEARS), "no view people"),
    ],
)
def test_what_does_not_fit_the_schema_is_named(question: MomentsQuestion, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        question.check()
    assert said in refused.value.diagnostics()


def test_bounds_and_names_that_cannot_be() -> None:
    with pytest.raises(RequestError, match="wrong way round"):
        Amount("birth_year", 2000, 1900)
    with pytest.raises(RequestError, match="stands twice"):
        MomentsQuestion("patients", YEARS, Group("birth_year", edges=(1900, 1950)))
    with pytest.raises(RequestError, match="identifier"):
        Flag("a b", SOMEBODY)
