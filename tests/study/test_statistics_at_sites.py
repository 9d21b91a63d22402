"""Statistics over five real sites, each a process of its own, as an analyst asks them: equal to all persons in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import CensoredData, chi2_contingency, ecdf
from statistics_corpus import SITES, People, write

import fedkit
from fedkit.errors import FedkitError, OutputRefused, RequestError, SiteError
from fedkit.sites.launch import Federation, launch
from fedkit.study.warehouse import Warehouse
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import ANSWER, Protection
from fedkit.warehouse.statistics import Amount, Event, Flag, Group, Statistics
from fedkit.warehouse.statistics.glm import GLMStep

PERSONS = 90
SEX = Group("sex", ("female", "male"))
YEARS = Amount("birth_year", 1920, 2010)
IMPLANT = Flag("implant", Has("mentions", Compare("label", "in", ("IMPLANT",))))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[People, Path]:
    corpus = tmp_path_factory.mktemp("corpus") / "five"
    return write(corpus, PERSONS), corpus


@pytest.fixture(scope="module")
def federation(people: tuple[People, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    rules = {"preset": "teaching", "threshold": 3, "rounding": 1}
    with launch(
        "statistics", tmp_path_factory.mktemp("federation"), corpus=people[1], isolation="process", policy=rules
    ) as running:
        running.add_user(running.sites, "ana", level="analyst")
        yield running


@pytest.fixture(scope="module")
def warehouse(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with fedkit.Warehouse(federation, tmp_path_factory.mktemp("asked") / "request", user="ana") as made:
        made.open(title="Implants", purpose="Plan MRI capacity", questions=60, rho=5.0, pooled=True)
        made.approve()
        yield made


@pytest.fixture(scope="module")
def ask(warehouse: Warehouse) -> Statistics:
    return warehouse.statistics


def test_means_and_variances(ask: Statistics, people: tuple[People, Path]) -> None:
    everybody = people[0]
    found = ask.moments(view="patients", of=YEARS, by=SEX)
    assert found.sites == tuple(SITES)
    for number, name in enumerate(("female", "male")):
        years = everybody.birth_year[everybody.male == number]
        assert found[name].n == len(years)
        assert found[name].mean == pytest.approx(years.mean(), rel=1e-10)
        assert found[name].variance == pytest.approx(years.var(ddof=1), rel=1e-8)


def test_a_contingency_table(ask: Statistics, people: tuple[People, Path]) -> None:
    everybody = people[0]
    found = ask.contingency(view="patients", rows=SEX, columns=IMPLANT)
    counts = [[((everybody.male == m) & (everybody.implant == i)).sum() for i in (0, 1)] for m in (0, 1)]
    assert found.counts.tolist() == counts
    assert found.chi_square().p == pytest.approx(chi2_contingency(counts, correction=False).pvalue, rel=1e-8)


def test_a_logistic_model(ask: Statistics, people: tuple[People, Path]) -> None:
    everybody = people[0]
    model = ask.glm(view="patients", family="binomial", response=IMPLANT, terms=(SEX, YEARS))
    x = np.stack([np.ones(len(everybody.male)), everybody.male, everybody.birth_year - 1965], axis=1)
    beta = np.zeros(3)
    for _ in range(50):
        mean = 1 / (1 + np.exp(-x @ beta))
        weight = mean * (1 - mean)
        beta = beta + np.linalg.solve((x.T * weight) @ x, x.T @ (everybody.implant - mean))
    errors = np.sqrt(np.diag(np.linalg.inv((x.T * weight) @ x)))
    beta[0] -= 1965 * beta[2]
    assert [c.estimate for c in model.coefficients] == pytest.approx(beta, rel=1e-8)
    assert [c.error for c in model.coefficients][1:] == pytest.approx(errors[1:], rel=1e-8)
    assert sorted(model.sites) == sorted(SITES)


def test_poisson_and_gaussian_models(ask: Statistics, people: tuple[People, Path]) -> None:
    everybody = people[0]
    counts = ask.glm(view="patients", family="poisson", response=Amount("notes", 0, 100), terms=(SEX,))
    means = [everybody.notes[everybody.male == m].mean() for m in (0, 1)]
    assert counts["intercept"].estimate == pytest.approx(np.log(means[0]), rel=1e-8)
    assert counts["sex=male"].estimate == pytest.approx(np.log(means[1] / means[0]), rel=1e-7, abs=1e-9)
    years = ask.glm(view="patients", family="gaussian", response=YEARS, terms=(IMPLANT,))
    with_, without = everybody.birth_year[everybody.implant], everybody.birth_year[~everybody.implant]
    assert years["implant"].estimate == pytest.approx(with_.mean() - without.mean(), rel=1e-8)


def test_survival_in_wide_intervals(ask: Statistics, people: tuple[People, Path]) -> None:
    everybody, edges = people[0], (0, 300, 500)
    found = ask.survival(start=Event("notes"), event=Event("mentions", IMPLANT.when.where), edges=edges)
    ended = everybody.day >= 0
    days = np.where(ended, everybody.day, everybody.seen)
    interval = np.searchsorted(edges, days, side="right") - 1.0
    theirs = ecdf(CensoredData(uncensored=interval[ended], right=interval[~ended])).sf
    assert found.curve().survival == pytest.approx(theirs.evaluate(np.arange(2)), abs=1e-10)


@pytest.mark.parametrize("mode", ["noise", "pooled"])
def test_with_noise(ask: Statistics, people: tuple[People, Path], mode: str) -> None:
    everybody, noise = people[0], Protection(mode, rho=0.2)
    mean = ask.moments(view="patients", of=YEARS, protection=noise)
    assert mean["all"].mean == pytest.approx(everybody.birth_year.mean(), abs=4)
    middle = ask.quantiles(view="patients", of=YEARS, at=(0.5,), protection=noise)
    assert (everybody.birth_year <= middle[0.5]).mean() == pytest.approx(0.5, abs=0.2)
    curve = ask.survival(
        start=Event("notes"), event=Event("mentions", IMPLANT.when.where), edges=tuple(range(0, 701, 100)), protection=noise
    ).curve()
    assert 0 <= curve.survival[-1] < curve.survival[0] <= 1
    model = ask.glm(view="patients", family="gaussian", response=YEARS, terms=(SEX,), protection=noise)
    assert model.questions == 1
    assert sorted(model.sites) == sorted(SITES)


def test_what_left_is_what_the_contract_says_and_the_audit_finds_it_clean(warehouse: Warehouse, ask: Statistics) -> None:
    ask.moments(view="patients", of=YEARS, by=SEX)
    for answer in warehouse.answers():
        for site, tables in answer.tables.items():
            for row in tables.get(ANSWER, ()):
                assert set(row) <= {"cell", "row", "column", "group", "end", "part", "persons", "value"}, site
    report = warehouse.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]


def test_a_plan_says_what_would_be_read_and_a_price(warehouse: Warehouse) -> None:
    step = GLMStep("patients", "gaussian", YEARS, (SEX,), protection=Protection("noise", 0.25))
    plan = warehouse.plan(step)
    assert plan.cost_rho == 0.25
    for report in plan.reports.values():
        assert "birth_year" in report.sql
        assert report.groups == len(step.cells())


def test_the_examples_of_the_documentation_run(warehouse: Warehouse, root: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "statistics.md").read_text("utf-8"), re.DOTALL)
    found: dict[str, object] = {"warehouse": warehouse}
    exec(compile(example, "docs/statistics.md", "exec"), found)
    assert "curves" in found


def test_sums_over_shifted_bounds_are_refused_by_every_site(ask: Statistics) -> None:
    """Two sums over values cut to 2010 and to 2009 would count who was born in 2010 or later."""
    ask.moments(view="patients", of=YEARS)
    with pytest.raises(FedkitError, match="between its bounds of birth_year"):
        ask.moments(view="patients", of=Amount("birth_year", 1920, 2009))


def test_daily_intervals_stay_at_the_sites(ask: Statistics) -> None:
    with pytest.raises(OutputRefused, match="held back"):
        ask.survival(start=Event("notes"), event=Event("mentions"), edges=tuple(range(0, 400)))


def test_models_that_would_tell_of_single_persons_are_refused_by_every_site(ask: Statistics) -> None:
    """A flag that is true of hardly anybody, and coefficients far from any fit."""
    rare = Flag("rare", Compare("notes", ">=", (6,)))
    with pytest.raises(FedkitError) as refused:
        ask.glm(view="patients", family="gaussian", response=YEARS, terms=(rare,))
    assert "too unevenly" in refused.value.diagnostics()
    step = GLMStep("patients", "binomial", IMPLANT, (YEARS,), coefficients=(0.0, 500.0))
    with pytest.raises(FedkitError) as far:
        ask.ask(step)
    assert "cannot be otherwise" in far.value.diagnostics()


def test_a_question_that_was_not_vetted_here_is_vetted_there(warehouse: Warehouse) -> None:
    """As JSON, straight to a site: a strange column, a nested kind, noise with rho 0. Each refusal is in the journal."""
    session = warehouse.study.session("no", "ana")
    digest = warehouse.study.requested().digest
    good = GLMStep("patients", "gaussian", YEARS, (SEX,)).to_json()
    before = len(warehouse.study.session("no", "auditor").journal())
    hostile = [
        {**good, "terms": [{"amount": "note_text", "low": 0, "high": 1}]},
        {**good, "response": {"flag": "x', 1) --", "when": {"has": "mentions", "where": None}}},
        {**good, "view": "note"},
        {**good, "kind": "glm"},
        {**good, "protection": {**good["protection"], "mode": "noise"}},
        {**good, "coefficients": [1e308, 1e308]},
        {**good, "terms": [{"flag": "person_id", "when": {"has": "mentions", "where": None}}]},
    ]
    for row in hostile:
        with pytest.raises(RequestError):
            session._call("plan", digest=digest, question=row)
    rows = warehouse.study.session("no", "auditor").journal()[before:]
    assert sum("question.refused" in json.dumps(r if isinstance(r, dict) else vars(r), default=str) for r in rows) == len(
        hostile
    )


def test_a_site_that_is_not_there_is_named_in_the_statistic(
    warehouse: Warehouse, federation: Federation, people: tuple[People, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.study.let_go("et")
    login = federation.login

    def away(name: str, user: str) -> object:
        if name == "et":
            raise SiteError("et cannot be reached", help="ask again when it is back")
        return login(name, user)

    monkeypatch.setattr(federation, "login", away)
    found = Statistics(warehouse.replies).moments(view="patients", of=Amount("notes", 0, 100))
    there = people[0].notes[people[0].site != 4]
    assert found.sites == ("no", "sv", "da", "fi")
    assert "et" in found.missing
    assert found["all"].mean == pytest.approx(there.mean(), rel=1e-10)
