"""Survival over sites: published curves and log-rank tests, the pooled ones exactly, and what comes of noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, ecdf, logrank
from statistics_world import SITES, asking, divided, pooling

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import ANSWER, Protection, from_json
from fedkit.warehouse.statistics import Event, Flag, Group, Limits, Replies, SiteAnswer
from fedkit.warehouse.statistics.curves import SurvivalTable, survival
from fedkit.warehouse.statistics.frames import PERSON, taken
from fedkit.warehouse.statistics.survival import Survival

SEX = Group("sex", ("female", "male"))
VISIT, IMPLANT = Event("visits"), Event("mentions", Compare("label", "in", ("IMPLANT",)))
DAILY = tuple(range(0, 200))


def frames_of(days: np.ndarray, ended: np.ndarray, group: np.ndarray | None = None, start: float = 17_000.0) -> dict:
    """The frames of persons whose times are these: a visit on the first day, and the event or a last note on the other."""
    person = np.arange(len(days))
    last = start + np.asarray(days, dtype=float)
    return {
        "persons": {PERSON: person, "sex": np.zeros(len(days), dtype=np.int64) if group is None else group},
        "start": {PERSON: person, "date": np.full(len(days), start)},
        "event": {PERSON: person[ended], "date": last[ended]},
        "seen": {PERSON: person, "date": last},
    }


def five(frames: dict) -> dict:
    return divided(frames, np.arange(len(frames["persons"][PERSON])) % 5)


def test_maintenance_of_leukaemia_as_r_publishes_it() -> None:
    """R's survival::aml (Miller 1981): survfit and survdiff, chi-square 3.4, p 0.0658; expected events 10.69 and 7.31."""
    days = np.array([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161, 5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45])
    ended = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1], dtype=bool)
    frames = frames_of(days, ended, np.repeat([0, 1], [11, 12]))
    found = survival(asking(five(frames)), Survival(VISIT, IMPLANT, DAILY, SEX))
    maintained = found.curve("female")
    published = {9: (0.909, 0.0867), 13: (0.818, 0.1163), 18: (0.716, 0.1397), 23: (0.614, 0.1526), 31: (0.491, 0.1642)}
    published |= {34: (0.368, 0.1627), 48: (0.184, 0.1535)}
    for day, (share, error) in published.items():
        assert maintained.survival[day] == pytest.approx(share, abs=6e-4)
        assert maintained.error[day] == pytest.approx(error, abs=6e-5)
    assert (maintained.median, found.curve("male").median) == (32, 24), "the ends of the days 31 and 23"
    test = found.log_rank()
    assert test.statistic == pytest.approx(3.4, abs=0.05)
    assert test.p == pytest.approx(0.0658, abs=5e-4)
    assert list(test.observed.values()) == [11 - 4, 11]
    assert list(test.expected.values()) == pytest.approx([10.69, 7.31], abs=5e-3)


def test_six_mercaptopurine_as_published() -> None:
    """Freireich et al., Blood 1963, in Kalbfleisch and Prentice: 9 and 21 relapses, 19.25 and 10.75 expected, test 16.79."""
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    ended = np.array([*relapsed, *[1] * 21], dtype=bool)
    frames = frames_of(np.array([*treated, *placebo]), ended, np.repeat([0, 1], 21))
    test = survival(asking(five(frames)), Survival(VISIT, IMPLANT, DAILY, SEX)).log_rank()
    assert test.statistic == pytest.approx(16.79, abs=5e-3)
    assert list(test.observed.values()) == [9, 21]
    assert list(test.expected.values()) == pytest.approx([19.25, 10.75], abs=5e-3)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(20, 200), seed=st.integers(0, 10**6))
def test_curves_and_tests_are_scipys_of_all_persons_in_one_place(n: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    days, ended, group = draw.integers(0, 60, n), draw.random(n) < 0.6, draw.integers(0, 2, n)
    group[:2], ended[:2] = (0, 1), True
    found = survival(asking(five(frames_of(days, ended, group))), Survival(VISIT, IMPLANT, DAILY, SEX))
    samples = []
    for number, name in enumerate(("female", "male")):
        mine = group == number
        sample = CensoredData(uncensored=days[mine & ended].astype(float), right=days[mine & ~ended].astype(float))
        samples.append(sample)
        theirs = ecdf(sample).sf
        curve = found.curve(name)
        assert curve.survival[:60] == pytest.approx(theirs.evaluate(np.arange(60)), abs=1e-10)
        assert curve.at(30) == pytest.approx(float(theirs.evaluate(29)), abs=1e-10)
    theirs = logrank(*samples)
    assert found.log_rank().statistic == pytest.approx(theirs.statistic**2, rel=1e-8)
    assert found.log_rank().p == pytest.approx(theirs.pvalue, rel=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_however_persons_lie_over_sites_the_curve_is_the_same(seed: int) -> None:
    draw = np.random.default_rng(seed)
    frames = frames_of(draw.integers(0, 500, 150), draw.random(150) < 0.5, draw.integers(-1, 2, 150))
    question = Survival(VISIT, IMPLANT, (0, 30, 90, 365), SEX)
    one = survival(asking({"no": frames}), question)
    many = survival(asking(divided(frames, draw.integers(0, 5, 150))), question)
    assert (one.events == many.events).all()
    assert (one.censored == many.censored).all()
    assert (one.beyond == many.beyond).all()
    assert many.sites == SITES


def test_times_start_at_the_first_row_and_end_at_the_first_event_after_it() -> None:
    """Person 0 has the event before they come in and again later; person 1 never; person 2 never comes in; 3 in no group."""
    frames = {
        "persons": {PERSON: np.array([3, 0, 1, 2]), "sex": np.array([-1, 0, 1, 0])},
        "start": {PERSON: np.array([1, 0, 0, 3, 9]), "date": np.array([100.0, 130.0, 100.0, 100.0, 100.0])},
        "event": {PERSON: np.array([0, 0, 0, 2]), "date": np.array([90.0, 150.0, 140.0, 100.0])},
        "seen": {PERSON: np.array([0, 1, 1, 2, 3]), "date": np.array([900.0, 90.0, 105.0, 110.0, np.nan])},
    }
    days, ended, group = Survival(VISIT, IMPLANT, (0, 50), SEX).times(frames)
    assert days.tolist() == [40, 5]
    assert ended.tolist() == [True, False]
    assert group.tolist() == [0, 1]


def test_a_person_who_lasts_beyond_the_last_edge_is_at_risk_all_the_way() -> None:
    frames = frames_of(np.array([10, 400, 50, 400]), np.array([True, True, False, False]))
    found = survival(asking({"no": frames}), Survival(VISIT, IMPLANT, (0, 30, 60)))
    assert found.beyond.tolist() == [2]
    curve = found.curve()
    assert curve.at_risk.tolist() == [4, 3]
    assert curve.survival.tolist() == [0.75, 0.75]
    assert curve.at(29) == 1.0
    assert curve.median is None
    assert [row["to"] for row in found.table()] == [30, 60]


def test_nobody_at_all_is_a_flat_curve_and_no_test() -> None:
    nobody = frames_of(np.zeros(0), np.zeros(0, dtype=bool))
    found = survival(asking({"no": nobody}), Survival(VISIT, IMPLANT, (0, 30), SEX))
    assert found.curve("female").survival.tolist() == [1.0]
    with pytest.raises(RequestError, match="nothing to compare"):
        found.log_rank()
    with pytest.raises(RequestError, match="no such group"):
        found.curve("other")
    with pytest.raises(RequestError, match="between groups"):
        survival(asking({"no": nobody}), Survival(VISIT, IMPLANT, (0, 30))).log_rank()


def test_counts_leave_as_counts_so_that_threshold_and_rounding_apply() -> None:
    draw = np.random.default_rng(2)
    frames = frames_of(draw.integers(0, 90, 400), draw.random(400) < 0.5)
    wide, daily = Survival(VISIT, IMPLANT, (0, 30, 60, 80)), Survival(VISIT, IMPLANT, tuple(range(0, 91)))
    rows = wide.answer(frames, Limits()).tables[ANSWER]
    assert set(rows[0]) == {"group", "end", "persons"}
    left = wide.contract().tables[ANSWER].at_least(10).protect(rows)
    assert wide.added(Replies({"no": SiteAnswer(tables={ANSWER: left})}))["0 0 event"] > 10
    thin = daily.contract().tables[ANSWER].at_least(10).protect(daily.answer(frames, Limits()).tables[ANSWER])
    with pytest.raises(OutputRefused, match="no held back"):
        daily.added(Replies({"no": SiteAnswer(tables={ANSWER: thin})}))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), person=st.integers(0, 39))
def test_a_person_is_in_one_count(seed: int, person: int) -> None:
    draw = np.random.default_rng(seed)
    frames = frames_of(draw.integers(0, 90, 40), draw.random(40) < 0.5, draw.integers(0, 2, 40))
    question = Survival(VISIT, IMPLANT, (0, 30, 60), SEX, protection=Protection("noise", 0.1))
    gone = {name: taken(columns, columns[PERSON] != person) for name, columns in frames.items()}
    assert np.abs(question.sums(frames) - question.sums(gone)).sum() == 1
    assert float(question.sensitivity()) == 1


@pytest.mark.parametrize("mode", ["noise", "pooled"])
def test_with_noise_the_curve_is_near_and_its_interval_wider(mode: str) -> None:
    draw = np.random.default_rng(3)
    frames = frames_of(draw.exponential(150, 3_000).astype(int), draw.random(3_000) < 0.7, draw.integers(0, 2, 3_000))
    edges = tuple(range(0, 361, 30))
    ask = asking(five(frames)) if mode == "noise" else pooling(five(frames))
    noisy = survival(ask, Survival(VISIT, IMPLANT, edges, SEX, protection=Protection(mode, 0.05)))
    exact = survival(asking(five(frames)), Survival(VISIT, IMPLANT, edges, SEX))
    assert noisy.noise == pytest.approx((5 if mode == "noise" else 1) / (2 * 0.05))
    for group in ("female", "male"):
        mine, true = noisy.curve(group), exact.curve(group)
        assert mine.survival == pytest.approx(true.survival, abs=0.05)
        assert (mine.error > true.error).all()
    assert noisy.log_rank().p > 1e-4


def test_questions_are_data_and_read_strictly() -> None:
    question = Survival(VISIT, IMPLANT, (0, 30, 60), Flag("any", Compare("notes", ">=", (1,))), seen=Event("visits"))
    assert from_json(question.to_json()) == question
    for edges in ([], [0], [5, 10], [0, 10, 10], [0, 1.5], [0, 10**6]):
        with pytest.raises(RequestError):
            from_json({**question.to_json(), "edges": edges})
    with pytest.raises(RequestError, match="about persons"):
        from_json({**question.to_json(), "view": "notes"})


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Survival(Event("patients"), IMPLANT, (0, 30)), "patients has no column date"),
        (Survival(VISIT, Event("mentions", Compare("lable", "in", ("IMPLANT",))), (0, 30)), "label"),
        (Survival(VISIT, IMPLANT, (0, 30), Group("department", ("x",))), "patients has no column department"),
        (Survival(VISIT, IMPLANT, tuple(range(900)), SEX), "too large"),
    ],
)
def test_what_does_not_fit_the_schema_is_named(question: Survival, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        question.check()
    assert said in refused.value.diagnostics()


def test_a_table_without_noise_has_the_textbook_errors_only() -> None:
    """Greenwood (1926), by hand: 4 of 10 in the first interval, 3 of 6 in the second."""
    table = SurvivalTable(("all",), (0, 1, 2), np.array([[4.0, 3.0]]), np.array([[0.0, 0.0]]), np.array([3.0]))
    curve = table.curve()
    assert curve.survival == pytest.approx([0.6, 0.3])
    assert curve.error == pytest.approx([0.6 * np.sqrt(4 / (10 * 6)), 0.3 * np.sqrt(4 / 60 + 3 / 18)])
