"""What a statistic could tell of few persons, tried from outside: bounds that cut few off, regions, rules before running."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statistics_world import patients

from fedkit.errors import OutputRefused, RequestError
from fedkit.warehouse.disclosure import STRICTEST, verdicts
from fedkit.warehouse.explain import explain
from fedkit.warehouse.memory import Memory
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import KINDS, Asked, Measure, Protection, Question
from fedkit.warehouse.scope import views_of
from fedkit.warehouse.statistics import Amount, Event, Flag, Group, Limits, Statistic
from fedkit.warehouse.statistics.contingency import Contingency
from fedkit.warehouse.statistics.frames import PERSON, Frame, Holds
from fedkit.warehouse.statistics.glm import GLMStep
from fedkit.warehouse.statistics.moments import MomentsQuestion
from fedkit.warehouse.statistics.quantiles import Quantiles
from fedkit.warehouse.statistics.survival import Survival

SEX, YEARS = Group("sex", ("female", "male")), Amount("birth_year", 1900, 2020)
MENTIONED = Has("mentions", Compare("label", "in", ("IMPLANT",)))
IMPLANT = Flag("implant", MENTIONED)
EVERY_KIND: tuple[Statistic, ...] = (
    MomentsQuestion("patients", YEARS, SEX),
    Contingency("patients", SEX, IMPLANT),
    Quantiles("patients", YEARS, None, Protection("noise", 0.1)),
    GLMStep("patients", "binomial", IMPLANT, (SEX, YEARS)),
    Survival(Event("visits"), Event("mentions"), (0, 30, 60), SEX),
)


def refused(question: Asked) -> list[str]:
    return [verdict.rule for verdict in verdicts(question, STRICTEST) if not verdict.passed]


@pytest.mark.parametrize("values", [[2000.0] * 3, [1999.5] * 3, [1990.0, 2001.0, 2015.0]])
def test_bounds_that_few_lie_within_are_a_count_in_disguise(values: list[float]) -> None:
    """All but three were born before 1980: cut to 1980 … 2020, the sum is about these three."""
    frame = {PERSON: np.arange(200), "birth_year": np.r_[values, np.full(197, 1950.0)]}
    narrow, wide = Amount("birth_year", 1980, 2020), YEARS
    with pytest.raises(OutputRefused, match="above the lower bound of birth_year"):
        MomentsQuestion("patients", narrow).answer({"rows": frame}, Limits())
    upside = {PERSON: np.arange(200), "birth_year": np.r_[values, np.full(197, 2020.0)]}
    with pytest.raises(OutputRefused, match="below the upper bound of birth_year"):
        MomentsQuestion("patients", wide).answer({"rows": upside}, Limits())


def test_the_same_holds_for_the_terms_and_the_response_of_a_model() -> None:
    frame = {**patients(200, 1), "sex": np.arange(200) % 2}
    frame["birth_year"] = np.r_[np.full(3, 2000.0), np.full(197, 1950.0)]
    frame["notes"] = np.arange(200) % 50.0
    narrow = Amount("birth_year", 1980, 2020)
    for step in (
        GLMStep("patients", "binomial", IMPLANT, (narrow,)),
        GLMStep("patients", "gaussian", narrow, (SEX,)),
        GLMStep("patients", "poisson", Amount("notes", 0, 100), (narrow,)),
    ):
        with pytest.raises(OutputRefused, match="above the lower bound of birth_year"):
            step.answer({"rows": frame}, Limits())
    counts = {**frame, "notes": np.r_[np.full(4, 90.0), np.zeros(196)]}
    with pytest.raises(OutputRefused, match="above the lower bound of notes"):
        GLMStep("patients", "poisson", Amount("notes", 0, 100), (SEX,)).answer({"rows": counts}, Limits())


def test_rules_before_running_look_at_statistics_as_at_sums() -> None:
    assert refused(MomentsQuestion("patients", Amount("birth_year", 1950, 1951))) == ["wide bounds"]
    assert refused(GLMStep("patients", "binomial", IMPLANT, (Amount("birth_year", 1950, 1951),))) == ["wide bounds"]
    many = Group("notes", edges=tuple(range(0, 60)))
    assert refused(MomentsQuestion("patients", YEARS, many)) == ["group limit"]
    noise = Protection("noise", 0.1)
    assert refused(MomentsQuestion("patients", Amount("birth_year", 1950, 1951), many, protection=noise)) == []
    for question in EVERY_KIND:
        assert refused(question) == []


def test_every_kind_says_which_persons_it_tells_of() -> None:
    """A memory of answers compares these: the counts in each group, on either side of a flag, with and without the event."""
    found = {question.kind: question.regions() for question in EVERY_KIND}
    assert [len(found[kind]) for kind in ("moments", "contingency", "quantiles", "glm_step", "survival")] == [1, 2, 0, 4, 2]
    for question in EVERY_KIND:
        for region in question.regions():
            region.check()
    assert found["moments"][0].by == (SEX,)
    assert found["contingency"][0].where == MENTIONED
    steps = [GLMStep("patients", "binomial", IMPLANT, (SEX, YEARS), coefficients=(k, 0.0, 0.0)) for k in (0.1, 0.2)]
    assert steps[0].regions() == steps[1].regions()


SINCE, A_DAY_LATER = (Compare("date", ">=", (day,)) for day in ("2020-01-01", "2020-01-02"))
LENGTHS = Amount("characters", 0, 5000)


@pytest.mark.parametrize(
    "second",
    [
        MomentsQuestion("notes", LENGTHS, None, A_DAY_LATER),
        Contingency("notes", SEX, IMPLANT, A_DAY_LATER),
        GLMStep("notes", "gaussian", LENGTHS, (SEX,), (), A_DAY_LATER),
    ],
)
def test_two_answers_that_differ_by_a_day_are_not_both_given_whatever_kinds_they_are(second: Statistic) -> None:
    """Subtracting one from the other would tell of the persons of that day."""
    count = Question("notes", (Measure("persons"),), SINCE)
    for first in (count, MomentsQuestion("notes", LENGTHS, None, SINCE)):
        with pytest.raises(OutputRefused, match="by subtraction"):
            Memory([first]).check(second, STRICTEST.difference)
        with pytest.raises(OutputRefused):
            Memory([second]).check(first, STRICTEST.difference)
    noise = replace(second, protection=Protection("noise", 0.1)) if not isinstance(second, GLMStep) else second
    if noise is not second:
        Memory([count]).check(noise, STRICTEST.difference)
        Memory([noise]).check(count, STRICTEST.difference)


@pytest.mark.parametrize(
    "first", [MomentsQuestion("patients", YEARS), Question("patients", (Measure("sum", "birth_year", 1900, 2020),))]
)
@pytest.mark.parametrize("kind", ["moments", "glm", "sum"])
def test_sums_over_shifted_bounds_do_not_count_who_lies_between_them(first: Asked, kind: str) -> None:
    """Values cut to 2019 add one less for everybody born from 2020 on: three such sums are a count of one year's persons."""
    shifted = Amount("birth_year", 1900, 2019)
    second: Asked = {
        "moments": MomentsQuestion("patients", shifted),
        "glm": GLMStep("patients", "binomial", IMPLANT, (shifted,)),
        "sum": Question("patients", (Measure("sum", "birth_year", 1900, 2019),)),
    }[kind]
    with pytest.raises(OutputRefused, match="would count who lies between its bounds of birth_year") as refused:
        Memory([first]).check(second, STRICTEST.difference)
    assert "1900 to 2020" in refused.value.help
    Memory([replace(first, protection=Protection("noise", 0.1))]).check(second, STRICTEST.difference)  # type: ignore[type-var]


def test_the_steps_of_a_fit_and_a_larger_model_of_the_same_persons_follow_each_other() -> None:
    steps = [GLMStep("patients", "binomial", IMPLANT, (SEX, YEARS), coefficients=(k / 10, 0.0, 0.0)) for k in range(8)]
    more = GLMStep("patients", "binomial", IMPLANT, (SEX, YEARS, Group("language", ("nb", "sv"))))
    asked: list[Asked] = []
    for question in (*steps, more, MomentsQuestion("patients", YEARS, SEX), Contingency("patients", SEX, IMPLANT)):
        Memory(asked).check(question, STRICTEST.difference)
        asked.append(question)


def test_every_kind_is_read_by_its_name_and_names_every_view_that_it_reads() -> None:
    for question in EVERY_KIND:
        assert question.kind in KINDS
        frames = question.frames().values()
        read = {frame.view for frame in frames} | {v for frame in frames for v in within(frame)}
        assert read <= views_of(question), f"{question.kind} reads a view that a data request cannot withhold"
    assert {kind for kind in KINDS if kind != "table"} == {question.kind for question in EVERY_KIND}


def within(frame: Frame) -> set[str]:
    conditions = [item.when for item in frame.items.values() if isinstance(item, Holds)]
    return {part.view for part in conditions if isinstance(part, Has)}


def test_no_refusal_repeats_a_figure_of_the_data() -> None:
    """A threshold is the site's and may be told; how many there were may not."""
    frame = {
        PERSON: np.arange(7),
        "birth_year": np.full(7, 1951.0),
        "sex": np.zeros(7, dtype=int),
        "implant": np.zeros(7, dtype=int),
    }
    for question in (MomentsQuestion("patients", YEARS), GLMStep("patients", "binomial", IMPLANT, (SEX,))):
        with pytest.raises(OutputRefused) as told:
            question.answer({"rows": frame}, Limits())
        assert "7" not in told.value.diagnostics()
        assert "1951" not in told.value.diagnostics()


def test_names_that_would_hide_the_persons_are_refused() -> None:
    for name in ("person_id", "PERSON_ID"):
        with pytest.raises(RequestError, match="no flag can be called"):
            Flag(name, MENTIONED)
    with pytest.raises(RequestError, match="stands twice"):
        Contingency("patients", SEX, Flag("Sex", MENTIONED))


@pytest.mark.parametrize(
    ("question", "words"),
    zip(
        EVERY_KIND,
        (
            "Asks for mean and variance of birth year from 1900 to 2020, by sex in 2 groups, among patients. Exact figures",
            "Asks for a table of sex in 2 groups against implant (a person who has mentions with label IMPLANT)",
            "Asks for quantiles of birth year from 1900 to 2020 among patients. Each site adds noise",
            "Asks for one step of a binomial model of implant (a person who has mentions with",
            "Asks for times from the visits to the mentions, in 2 intervals, by sex in 2 groups, among patients",
        ),
        strict=True,
    ),
    ids=lambda value: getattr(value, "kind", ""),
)
def test_every_kind_is_told_in_words(question: Statistic, words: str) -> None:
    assert explain(question).startswith(words)
