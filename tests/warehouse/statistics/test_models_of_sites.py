"""Generalised linear models over sites: R's published ones, the pooled ones to 1e-8, and what a site holds back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from statistics_world import SITES, asking, divided, patients, pooling

from fedkit.errors import LimitReached, OutputRefused, RequestError, TrainingError
from fedkit.warehouse.predicates import Has
from fedkit.warehouse.question import ANSWER, Protection, from_json
from fedkit.warehouse.statistics import Amount, Flag, Group, Limits, Replies
from fedkit.warehouse.statistics.base import Ask, Statistic
from fedkit.warehouse.statistics.fitting import Model, fit, fit_of
from fedkit.warehouse.statistics.frames import PERSON, taken
from fedkit.warehouse.statistics.glm import MAX_ANSWERS, GLMStep
from fedkit.warehouse.statistics.limits import NONE

SEX = Group("sex", ("female", "male"))
YEARS = Amount("birth_year", 1900, 2020)
IMPLANT = Flag("implant", Has("mentions"))


def pooled(x: np.ndarray, y: np.ndarray, family: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, standard errors and deviance by Newton's method on all rows at once, written for this test."""
    beta = np.linalg.lstsq(x, y, rcond=None)[0] if family == "gaussian" else np.zeros(x.shape[1])
    if family != "gaussian":
        beta[0] = math.log(y.mean()) if family == "poisson" else math.log(y.mean() / (1 - y.mean()))
    for _ in range(0 if family == "gaussian" else 100):
        mean = np.exp(x @ beta) if family == "poisson" else 1 / (1 + np.exp(-x @ beta))
        weight = mean if family == "poisson" else mean * (1 - mean)
        beta = beta + np.linalg.solve((x.T * weight) @ x, x.T @ (y - mean))
    if family == "gaussian":
        rest = y - x @ beta
        deviance, scale, weight = rest @ rest, rest @ rest / (len(y) - x.shape[1]), np.ones(len(y))
    else:
        scale = 1.0
        mean = np.exp(x @ beta) if family == "poisson" else 1 / (1 + np.exp(-x @ beta))
        weight = mean if family == "poisson" else mean * (1 - mean)
        if family == "poisson":
            own = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mean), 0)
            deviance = 2 * (own - (y - mean)).sum()
        else:
            deviance = -2 * np.where(y > 0, np.log(mean), np.log(1 - mean)).sum()
    errors = np.sqrt(np.diag(np.linalg.inv((x.T * weight) @ x)) * scale)
    return beta, errors, float(deviance)


def world(n: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A frame with responses of all three families, and the design matrix of its complete rows with the responses."""
    frame = patients(n, seed)
    draw = np.random.default_rng(seed + 1)
    frame["age"] = draw.integers(20, 90, n).astype(float)
    eta = 0.4 * (frame["sex"] == 1) - 0.02 * (frame["age"] - 50) + 0.5 * frame["implant"]
    frame["reaction"] = (draw.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int64)
    frame["mentions"] = draw.poisson(np.exp(0.8 + 0.5 * eta)).astype(float)
    frame["characters"] = 500 + 80 * eta + draw.normal(0, 60, n)
    keep = frame["sex"] >= 0
    x = np.stack([np.ones(n), frame["sex"] == 1, frame["age"], frame["implant"]], axis=1)[keep].astype(float)
    return frame, {"x": x, **{name: frame[name][keep].astype(float) for name in ("reaction", "mentions", "characters")}}


TERMS = (SEX, Amount("age", 0, 90), IMPLANT)
RESPONSES = {
    "gaussian": Amount("characters", 0, 3000),
    "binomial": Flag("reaction", Has("mentions")),
    "poisson": Amount("mentions", 0, 1000),
}


@settings(max_examples=12, deadline=None)
@given(n=st.integers(150, 600), seed=st.integers(0, 10**6), family=st.sampled_from(list(RESPONSES)))
def test_a_model_is_that_of_all_rows_in_one_place(n: int, seed: int, family: str) -> None:
    frame, rows = world(n, seed)
    place = np.random.default_rng(seed).integers(0, len(SITES), n)
    response = RESPONSES[family]
    model = fit(asking(divided({"rows": frame}, place)), view="notes", family=family, response=response, terms=TERMS)
    name = response.name
    beta, errors, deviance = pooled(rows["x"], rows[name], family)
    assert [c.term for c in model.coefficients] == ["intercept", "sex=male", "age", "implant"]
    assert [c.estimate for c in model.coefficients] == pytest.approx(beta, rel=1e-8, abs=1e-8)
    assert [c.error for c in model.coefficients] == pytest.approx(errors, rel=1e-8)
    assert model.deviance == pytest.approx(deviance, rel=1e-8)
    assert model.n == len(rows["x"])
    assert pooled(rows["x"][:, :1], rows[name], family)[2] == pytest.approx(model.null_deviance, rel=1e-8)


def test_sklearn_has_the_same_models() -> None:
    frame, rows = world(800, 4)
    ask = asking(divided({"rows": frame}, np.arange(800) % 5))
    ours = fit(ask, view="notes", family="binomial", response=RESPONSES["binomial"], terms=TERMS)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(
        rows["x"][:, 1:], rows["reaction"]
    )
    assert [c.estimate for c in ours.coefficients[1:]] == pytest.approx(theirs.coef_[0], rel=1e-5)
    counts = fit(ask, view="notes", family="poisson", response=RESPONSES["poisson"], terms=TERMS)
    them = PoissonRegressor(alpha=0, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(
        rows["x"][:, 1:], rows["mentions"]
    )
    assert [c.estimate for c in counts.coefficients[1:]] == pytest.approx(them.coef_, rel=1e-5)


def one_site(**columns: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    first = next(iter(columns.values()))
    return {"rows": {PERSON: np.arange(len(first)), **columns}}


def split(frames: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    return divided(frames, np.arange(len(frames["rows"][PERSON])) % 5)


def figures(model: Model, *terms: str) -> list[float]:
    return [value for term in terms for value in (model[term].estimate, model[term].error)]


def test_plant_weights_as_r_documents_them() -> None:
    """R, example(lm), after Dobson (1990): weight ~ group."""
    control = [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]
    treated = [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]
    frames = one_site(weight=np.array(control + treated), sex=np.repeat([0, 1], 10))
    question = {"view": "patients", "family": "gaussian", "response": Amount("weight", 0, 10), "terms": (SEX,)}
    model = fitted(asking(split(frames)), **question)
    assert figures(model, "intercept", "sex=male") == pytest.approx([5.0320, 0.2202, -0.3710, 0.3114], abs=5e-5)
    assert model["sex=male"].statistic == pytest.approx(-1.191, abs=5e-4)
    assert model["sex=male"].p == pytest.approx(0.249, abs=5e-4)
    assert math.sqrt(model.dispersion) == pytest.approx(0.6964, abs=5e-5)
    assert model.degrees_of_freedom == 18


def test_dobsons_randomised_trial_as_r_documents_it() -> None:
    """R, example(glm), after Dobson (1990), page 93: counts ~ outcome + treatment, poisson."""
    frames = one_site(
        counts=np.array([18, 17, 15, 20, 10, 20, 25, 13, 12.0]),
        outcome=np.tile([0, 1, 2], 3),
        treatment=np.repeat([0, 1, 2], 3),
    )
    terms = (Group("outcome", ("1", "2", "3")), Group("treatment", ("1", "2", "3")))
    model = fitted(asking(split(frames)), view="patients", family="poisson", response=Amount("counts", 0, 100), terms=terms)
    expected = [3.044522, 0.170899, -0.454255, 0.202171, -0.292987, 0.192742]
    assert figures(model, "intercept", "outcome=2", "outcome=3") == pytest.approx(expected, abs=5e-6)
    assert figures(model, "treatment=2", "treatment=3") == pytest.approx([0, 0.2, 0, 0.2], abs=5e-7)
    assert (model.deviance, model.null_deviance) == pytest.approx((5.129141, 10.58145), abs=5e-5)


def test_bliss_beetles_as_dobson_publishes_them() -> None:
    """Dobson, "An Introduction to Generalized Linear Models" (2002), table 7.4: logit of mortality on log dose."""
    dose = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839]
    beetles, killed = [59, 60, 62, 56, 63, 59, 62, 60], [6, 13, 18, 28, 52, 53, 61, 60]
    doses = np.repeat(dose, beetles)
    dead = np.concatenate([np.arange(n) < k for n, k in zip(beetles, killed, strict=True)]).astype(np.int64)
    frames = one_site(dose=doses, implant=dead)
    model = fitted(
        asking(split(frames)), view="patients", family="binomial", response=IMPLANT, terms=(Amount("dose", 1.6, 2.0),)
    )
    assert figures(model, "intercept", "dose") == pytest.approx([-60.72, 5.18, 34.27, 2.91], abs=5e-3)
    assert model.table()[1]["exp"] == pytest.approx(math.exp(model["dose"].estimate))


def fitted(ask: Ask, **question: Any) -> Model:
    """A fit of columns that no view has: published data are of plants and beetles."""
    return fit_of(ask, GLMStep(**question))


# -- what a site holds back


def step_of(**changes: Any) -> GLMStep:
    return GLMStep(**{"view": "notes", "family": "binomial", "response": RESPONSES["binomial"], "terms": TERMS, **changes})


def few_rows(n: int, **columns: Any) -> dict[str, dict[str, np.ndarray]]:
    frame, _ = world(400, 1)
    return {"rows": {**taken(frame, np.arange(400) < n), **columns}}


#: As the sex of sixty persons, but for three of either.
CROSSED = np.where(np.arange(60) < 6, 1 - np.arange(60) % 2, np.arange(60) % 2)


@pytest.mark.parametrize(
    ("n", "columns", "said"),
    [
        (6, {}, "too few persons"),
        (11, {"sex": np.arange(11) % 2}, "too many parameters"),
        (13, {"sex": np.arange(13) % 2}, "too few degrees of freedom"),
        (60, {"sex": (np.arange(60) < 4).astype(np.int64)}, "sex=female divides the persons too unevenly"),
        (60, {"implant": np.zeros(60, dtype=np.int64)}, "implant divides the persons too unevenly"),
        (60, {"sex": np.arange(60) % 2, "implant": (np.arange(60) < 57).astype(np.int64)}, "implant divides the persons"),
        (60, {"sex": np.arange(60) % 2, "implant": CROSSED, "reaction": np.arange(60) // 30}, "sex by implant"),
        (60, {"sex": np.arange(60) % 2, "reaction": (np.arange(60) < 3).astype(np.int64)}, "reaction divides the persons"),
    ],
)
def test_models_that_would_tell_of_single_persons_stay_at_the_site(n: int, columns: dict[str, np.ndarray], said: str) -> None:
    """DataSHIELD's nfilter.glm (0.33) and nfilter.tab, ACRO's degrees of freedom (10)."""
    with pytest.raises(OutputRefused) as refused:
        step_of().answer(few_rows(n, **columns), Limits())
    assert said in refused.value.message


def test_datashields_limit_is_a_third_of_the_persons() -> None:
    """nfilter.glm = 0.33: a model of 4 parameters needs 13 persons where nothing else limits it."""
    limits = Limits(persons=0, degrees_of_freedom=0)
    frames = few_rows(12, sex=np.arange(12) % 2)
    with pytest.raises(OutputRefused, match="too many parameters"):
        step_of().answer(frames, limits)
    assert step_of().answer(few_rows(13, sex=np.arange(13) % 2), limits).tables[ANSWER]


def test_a_step_tells_tables_and_so_their_cells_have_enough_persons() -> None:
    """X'X has the number of persons with both of two flags: a model would be a table without a threshold."""
    frames = few_rows(60, sex=np.arange(60) % 2, implant=CROSSED)
    told = step_of(family="gaussian", response=RESPONSES["gaussian"], terms=(SEX, IMPLANT))
    sums = {row["cell"]: row["value"] for row in told.answer(frames, NONE).tables[ANSWER]}
    assert sums["information 1 2"] == ((np.arange(60) % 2) * CROSSED).sum() == 27
    assert sums["information 0 2"] - sums["information 1 2"] == 3
    with pytest.raises(OutputRefused, match="a cell of the table sex by implant has too few persons"):
        told.answer(frames, Limits())


def test_many_rows_of_few_persons_are_no_full_cell() -> None:
    """Three persons with ten notes each: thirty rows, and a cell of three."""
    frames = few_rows(60, sex=np.arange(60) % 2, implant=CROSSED)
    many = {"rows": {name: np.repeat(values, 10) for name, values in frames["rows"].items()}}
    with pytest.raises(OutputRefused, match="a cell of the table sex by implant has too few persons"):
        step_of(family="gaussian", response=RESPONSES["gaussian"], terms=(SEX, IMPLANT)).answer(many, Limits())


def test_weights_that_coefficients_change_tell_tables_of_all_variables_at_once() -> None:
    """Cells of three variables have two persons, those of each two twenty and more: one weight for all tells pairs only."""
    number = np.arange(240)
    sex, implant = number % 2, number // 2 % 2
    third = np.where(number < 8, 1, sex ^ implant)  # with sex ^ implant = 0: a few of the first eight, two a cell
    frame = {PERSON: number, "sex": sex, "implant": implant, "reaction": third, "characters": 500.0 + number * 7 % 900}
    frames = {"rows": frame}
    three = Flag("reaction", Has("mentions"))
    pairs = step_of(family="gaussian", response=RESPONSES["gaussian"], terms=(SEX, IMPLANT, three))
    assert pairs.answer(frames, Limits()).tables
    with pytest.raises(OutputRefused, match="a cell of the table reaction by sex by implant"):
        step_of(terms=(SEX, IMPLANT)).answer(frames, Limits())


def test_a_group_in_which_it_is_the_same_for_everybody_is_refused() -> None:
    sex = np.arange(80) % 2
    frames = {"rows": {PERSON: np.arange(80), "sex": sex, "reaction": np.where(sex == 1, 1, np.arange(80) // 2 % 2)}}
    with pytest.raises(OutputRefused, match="reaction by sex it is the same for everybody"):
        step_of(terms=(SEX,)).answer(frames, Limits())


def test_an_amount_within_a_group_has_enough_persons_between_its_bounds() -> None:
    """X'X has the sum of an amount over a group: of the men all but two lie at the lower bound."""
    frame, _ = world(200, 2)
    sex = np.arange(200) % 2
    age = np.where((sex == 1) & (np.arange(200) > 4), 0.0, 40.0 + np.arange(200) % 40)
    step = step_of(family="gaussian", response=RESPONSES["gaussian"], terms=(SEX, Amount("age", 0, 90)))
    with pytest.raises(OutputRefused, match="above the lower bound of age where sex=male"):
        step.answer({"rows": {**frame, "sex": sex, "age": age}}, Limits())


def test_no_coefficients_can_be_chosen_that_single_somebody_out() -> None:
    """Far coefficients make every weight nothing but those near the border: a step would repeat these persons' rows."""
    frame, _ = world(300, 3)
    frames = {"rows": frame}
    assert step_of().answer(frames, Limits()).tables
    with pytest.raises(OutputRefused, match="cannot be otherwise"):
        step_of(coefficients=(0.0, 0.0, 400.0, 0.0)).answer(frames, Limits())
    oldest = np.where(np.arange(300) == 7, 90.0, 20.0 + np.arange(300) % 3)
    steep = GLMStep("notes", "poisson", RESPONSES["poisson"], (Amount("age", 0, 90),), (0.0, 14.0))
    with pytest.raises(OutputRefused, match="two persons make up most"):
        steep.answer({"rows": {**frame, "age": oldest}}, Limits())


def test_persons_are_counted_and_not_their_rows() -> None:
    frame, _ = world(300, 5)
    repeated = {**frame, PERSON: np.arange(300) % 8}
    with pytest.raises(OutputRefused, match="too few persons"):
        step_of().answer({"rows": repeated}, Limits())


def test_a_site_answers_so_many_steps_of_a_model_and_no_more() -> None:
    asked = [step_of(coefficients=(0.1 * k, 0.0, 0.0, 0.0)) for k in range(MAX_ANSWERS)]
    again, more = asked[3], step_of(coefficients=(77.0, 0.0, 0.0, 0.0))
    again.after(asked)
    more.after(asked[:-1])
    with pytest.raises(LimitReached, match="too many steps"):
        more.after(asked)
    step_of(coefficients=(77.0, 0.0, 0.0, 0.0), terms=TERMS[:1]).after(asked)


def test_a_response_that_the_terms_tell_exactly_is_refused_and_not_fitted_for_ever() -> None:
    frame, _ = world(400, 6)
    told = {"rows": {**frame, "reaction": (frame["age"] > 50).astype(np.int64)}}
    with pytest.raises(TrainingError, match=r"come to an end|each other exactly"):
        fit(asking({"no": told}), view="notes", family="binomial", response=RESPONSES["binomial"], terms=TERMS)
    with pytest.raises(Exception, match="no site answered") as refused:
        fit(asking({"no": told}, Limits()), view="notes", family="binomial", response=RESPONSES["binomial"], terms=TERMS)
    assert "cannot be otherwise" in refused.value.diagnostics()


def test_terms_that_are_sums_of_others_are_named_as_such() -> None:
    frame, _ = world(300, 7)
    frame["birth_year"] = frame["age"] + 1900
    terms = (Amount("age", 0, 90), YEARS)
    with pytest.raises(TrainingError, match="each other exactly"):
        fit(asking({"no": {"rows": frame}}), view="notes", family="binomial", response=RESPONSES["binomial"], terms=terms)


# -- the way of a fit


def test_a_fit_asks_little() -> None:
    frame, _ = world(500, 8)
    asked: list[Statistic] = []
    plain = asking(divided({"rows": frame}, np.arange(500) % 5))

    def ask(question: Statistic) -> Replies:
        asked.append(question)
        return plain(question)

    for family, most in (("gaussian", 3), ("binomial", 7), ("poisson", 7)):
        asked.clear()
        model = fit(ask, view="notes", family=family, response=RESPONSES[family], terms=TERMS)
        assert model.questions == len(asked) <= most
        assert len({q.digest for q in asked}) == len(asked), "no step is asked twice"


def test_a_site_that_falls_away_leaves_the_model_of_the_others_and_is_named() -> None:
    frame, rows = world(500, 9)
    place = np.arange(500) % 5
    plain, calls = asking(divided({"rows": frame}, place)), []

    def ask(question: Statistic) -> Replies:
        calls.append(question)
        replies = plain(question)
        if len(calls) < 3:
            return replies
        kept = {site: answer for site, answer in replies.answers.items() if site != "et"}
        return Replies(kept, {"et": "et is not running"})

    model = fit(ask, view="notes", family="binomial", response=RESPONSES["binomial"], terms=TERMS)
    there = (place != 4)[frame["sex"] >= 0]
    beta, _, _ = pooled(rows["x"][there], rows["reaction"][there], "binomial")
    assert model.sites == SITES[:4]
    assert model.missing == {"et": "et is not running"}
    assert [c.estimate for c in model.coefficients] == pytest.approx(beta, rel=1e-8, abs=1e-8)


def test_a_site_that_comes_back_makes_the_deviance_no_worse_than_it_is() -> None:
    """More sites have more deviance: that is no reason to go back half a step, for ever."""
    frame, rows = world(500, 9)
    plain, calls = asking(divided({"rows": frame}, np.arange(500) % 5)), []

    def ask(question: Statistic) -> Replies:
        calls.append(question)
        replies = plain(question)
        kept = {site: a for site, a in replies.answers.items() if site == "no" or len(calls) != 2}
        return Replies(kept, {} if len(kept) == 5 else dict.fromkeys(SITES[1:], "late"))

    model = fit(ask, view="notes", family="binomial", response=RESPONSES["binomial"], terms=TERMS)
    beta, _, _ = pooled(rows["x"], rows["reaction"], "binomial")
    assert (model.sites, model.missing) == (SITES, {})
    assert [c.estimate for c in model.coefficients] == pytest.approx(beta, rel=1e-8, abs=1e-8)


def test_a_start_far_away_comes_home() -> None:
    """Counts in the thousands: the first step from 0 would be beyond what a float holds."""
    frame, rows = world(300, 10)
    frame["mentions"] = frame["mentions"] * 800 + 5
    model = fit(
        asking({"no": {"rows": frame}}), view="notes", family="poisson", response=Amount("mentions", 0, 10_000), terms=TERMS
    )
    beta, _, _ = pooled(rows["x"], np.minimum(rows["mentions"] * 800 + 5, 10_000), "poisson")
    assert [c.estimate for c in model.coefficients] == pytest.approx(beta, rel=1e-8)


# -- with noise


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), person=st.integers(0, 19), rows=st.integers(1, 3))
def test_no_person_moves_the_sums_by_more_than_their_price_says(seed: int, person: int, rows: int) -> None:
    frame, _ = world(200, seed)
    frame[PERSON] = np.random.default_rng(seed).integers(0, 20, 200)
    protection = Protection("noise", 0.1, rows_per_person=rows)
    step = step_of(family="gaussian", response=RESPONSES["gaussian"], protection=protection)
    gone = step.sums({"rows": taken(frame, frame[PERSON] != person)})
    assert np.linalg.norm(step.sums({"rows": frame}) - gone) <= float(step.sensitivity())


@pytest.mark.parametrize("mode", ["noise", "pooled"])
def test_with_noise_a_gaussian_model_is_near_in_one_question(mode: str) -> None:
    frame, rows = world(4_000, 12)
    sites = divided({"rows": frame}, np.arange(4_000) % 5)
    ask = asking(sites) if mode == "noise" else pooling(sites)
    response = RESPONSES["gaussian"]
    model = fit(ask, view="notes", family="gaussian", response=response, terms=TERMS, protection=Protection(mode, rho=1.0))
    beta, errors, _ = pooled(rows["x"], rows["characters"], "gaussian")
    assert model.questions == 1
    for found, true, exact in zip(model.coefficients, beta, errors, strict=True):
        assert found.error > exact, "the noise is in the standard error"
        assert abs(found.estimate - true) < 5 * found.error


def test_with_noise_there_are_no_other_families_and_no_second_step() -> None:
    noise = Protection("noise", 0.1)
    for changes in ({}, {"family": "gaussian", "response": RESPONSES["gaussian"], "coefficients": (1.0, 0.0, 0.0, 0.0)}):
        with pytest.raises(RequestError, match="one step of a gaussian model"):
            step_of(protection=noise, **changes)


# -- a step as data


def test_steps_are_data_and_read_strictly() -> None:
    step = step_of(coefficients=(0.5, -1e-7, 3.0, 0.0))
    assert from_json(step.to_json()) == step
    assert step.model == step_of().model
    assert step.digest != step_of().digest
    for broken in (
        {"family": "gamma"},
        {"coefficients": ["1"]},
        {"coefficients": [float("nan")]},
        {"coefficients": [1e7]},
        {"terms": 3},
        {"more": 1},
    ):
        with pytest.raises(RequestError):
            from_json({**step.to_json(), **broken})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"family": "binomal"}, "binomial"),
        ({"family": "gaussian"}, "does not fit the family"),
        ({"response": YEARS}, "does not fit the family"),
        ({"family": "poisson", "response": Amount("age", -1, 90), "terms": (SEX,)}, "never below 0"),
        ({"terms": (*TERMS, SEX)}, "stands twice"),
        ({"coefficients": (1.0,)}, "another model"),
        ({"response": Group("sex", ("female", "male", "other")), "terms": ()}, "two values"),
        ({"terms": tuple(Flag(f"f{k}", Has("mentions")) for k in range(30))}, "too many parameters"),
    ],
)
def test_what_is_no_such_model_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError) as refused:
        step_of(**changes).check()
    assert said in refused.value.diagnostics()
