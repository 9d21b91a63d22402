"""Answers of the warehouse: sites' parts add up, means are of the sums, and what is missing is said and never guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.digests import digest_bytes
from fedkit.errors import DigestMismatch, OutputRefused, RequestError
from fedkit.federation.parameters import encode
from fedkit.governance.decision import NOTHING, Receipt, digest_of_numbers
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.results import Answer, WarehouseAnswer
from fedkit.results.warehouse import POOLED_THRESHOLD, answer_from_json
from fedkit.templates import Data, template
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.question import Asked, Protection, Question

SEXES = ("female", "male")
BY_SEX = (Group("sex", SEXES),)
COUNTED = Question("patients", (Measure("persons"),), by=BY_SEX)
MEANS = Question("patients", (Measure("mean", "notes", 0, 100), Measure("variance", "notes", 0, 100)), by=BY_SEX)
POOLED = replace(COUNTED, protection=Protection("pooled", 0.5))


def request() -> CodeRequest:
    made = template("warehouse")
    settings = {**made.settings({"questions": 5, "rho": 1.0}, Data((), {})), "study": "tests"}
    permit = DataPermit("p-1", "Plan", ("notes",), "2099-01-01")
    return made.request(
        settings, title="T", purpose="P", researcher="0x" + "1" * 40, permit=permit, dataset="notes", source=None
    )


REQUEST = request()


def answer(site: str, question: Asked, rows: list[dict[str, Any]] | None = None, number: int = 1) -> Answer:
    data = encode({}, {"answer": rows}) if rows else None
    outputs = digest_bytes(data) if data else NOTHING
    said = digest_of_numbers({}, "ab" * 32)
    receipt = Receipt(REQUEST.digest, site, "query", number, question.digest, outputs, {}, said, salt="ab" * 32)
    return Answer(receipt, data)


def row(sex: str, persons: int, **more: float) -> dict[str, Any]:
    return {"sex": sex, "persons": persons, **more}


def combined(question: Question, parts: Mapping[str, list[dict[str, Any]]], **more: Any) -> WarehouseAnswer:
    answers = {site: answer(site, question, rows) for site, rows in parts.items()}
    return WarehouseAnswer.of(REQUEST, question, answers, more.pop("missing", {}), **more)


def test_counts_add_up_and_a_row_that_a_site_kept_back_is_marked_and_not_guessed() -> None:
    made = combined(COUNTED, {"no": [row("female", 20), row("male", 15)], "fi": [row("female", 30)]})
    assert made.combined == [
        {"sex": "female", "persons": 50, "hidden": []},
        {"sex": "male", "persons": 15, "hidden": ["fi"]},
    ]
    assert made.suppressed == 1
    text = repr(made)
    assert "15+" in text
    assert "kept the row back" in text


def test_a_row_that_no_site_gave_has_no_figure_and_is_shown_as_hidden() -> None:
    made = combined(COUNTED, {"no": [row("female", 20)], "fi": [row("female", 30)]})
    assert made.combined[1] == {"sex": "male", "persons": None, "hidden": ["no", "fi"]}
    assert "hidden" in repr(made).splitlines()[3]
    assert list(csv.DictReader(io.StringIO(made.to_csv())))[1] == {"sex": "male", "persons": "", "hidden": "no fi"}


def test_an_answer_of_which_everything_was_kept_back_says_what_to_do() -> None:
    made = combined(COUNTED, {"no": [], "fi": []})
    assert all(line["persons"] is None for line in made.combined)
    assert "Every row was kept back: ask for wider groups, or with noise, or pooled." in made.note()


def test_by_site_each_site_has_its_own_row_in_the_order_of_the_question() -> None:
    by_site = replace(COUNTED, by=(Group("site"), *BY_SEX))
    made = combined(by_site, {"no": [row("female", 20)], "fi": [row("female", 30), row("male", 10)]})
    assert [(line["site"], line["sex"], line["persons"]) for line in made.combined] == [
        ("no", "female", 20),
        ("fi", "female", 30),
        ("no", "male", None),
        ("fi", "male", 10),
    ]
    assert list(made.cells().head) == ["site", "sex", "persons"]


notes = st.lists(st.integers(0, 100), min_size=2, max_size=40)


@given(st.dictionaries(st.sampled_from(["no", "sv", "da", "fi", "et"]), notes, min_size=1))
def test_means_and_variances_of_all_sites_are_those_of_the_pooled_values(values: dict[str, list[int]]) -> None:
    def part(xs: list[int]) -> dict[str, Any]:
        return row("female", len(xs), n_notes=len(xs), sum_notes=sum(xs), squares_notes=sum(x * x for x in xs))

    made = combined(MEANS, {site: [part(xs)] for site, xs in values.items()}).combined[0]
    pooled = np.array([x for xs in values.values() for x in xs], float)
    assert made["mean_notes"] == pytest.approx(pooled.mean(), abs=1e-8)
    assert made["variance_notes"] == pytest.approx(pooled.var(ddof=1), abs=1e-8)


def test_sites_that_gave_nothing_are_named_and_only_their_names_are_in_the_digest() -> None:
    parts = {"no": [row("female", 20)]}
    one, other, third = (combined(COUNTED, parts, missing=m) for m in ({"fi": "it is not running"}, {"fi": "no budget"}, {}))
    assert "fi gave nothing: it is not running" in repr(one)
    assert one.digest == other.digest != third.digest


@pytest.mark.parametrize(
    "strange",
    [
        {"no": answer("no", COUNTED, number=1), "fi": answer("fi", COUNTED, number=2)},
        {"no": answer("no", MEANS)},
        {},
    ],
    ids=["two numbers", "another question", "nothing"],
)
def test_answers_to_something_else_are_no_answer(strange: Mapping[str, Answer]) -> None:
    with pytest.raises(DigestMismatch):
        WarehouseAnswer.of(REQUEST, COUNTED, strange, {})


@pytest.mark.parametrize("rows", [[row("other", 20)], [{"sex": "female", "persons": 20, "name": 1}], [row("female", -1)]])
def test_rows_that_the_question_did_not_declare_are_refused_without_being_repeated(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(OutputRefused) as refused:
        combined(COUNTED, {"no": rows})
    assert "name" not in refused.value.diagnostics()


def test_verify_finds_a_changed_figure_and_a_changed_total() -> None:
    answers = {"no": answer("no", COUNTED, [row("female", 20)])}
    made = WarehouseAnswer.of(REQUEST, COUNTED, answers, {})
    assert made.verify(REQUEST, answers) == ()
    forged = replace(made, tables={"no": {"answer": [row("female", 25)]}})
    assert forged.verify(REQUEST, answers) == ("its figures are not those that the answers give",)
    assert made.verify(REQUEST, {"no": answer("no", COUNTED, [row("female", 25)])})


# -- pooled


def pooled(*persons: int) -> WarehouseAnswer:
    answers = {site: answer(site, POOLED) for site in ("no", "fi", "et")}
    return WarehouseAnswer.of(REQUEST, POOLED, answers, {}, np.array(persons, np.int64), ("et", "fi", "no"))


def test_the_threshold_is_on_the_pooled_count_so_that_small_sites_are_not_erased() -> None:
    made = pooled(POOLED_THRESHOLD, POOLED_THRESHOLD - 1)
    assert [line["persons"] for line in made.combined] == [POOLED_THRESHOLD, None]
    assert made.combined[1]["hidden"] == ["et", "fi", "no"]
    assert "fewer than 10 persons at all sites together" in made.note()


def test_of_a_pooled_answer_no_site_has_a_part() -> None:
    made = pooled(100, 90)
    assert made.parts == {}
    assert all(not part["tables"] for part in made.per_site.values())
    assert made.title() == "Question 1 at 3 sites, pooled under masks"


def test_a_sum_that_was_not_opened_has_no_figure_and_says_why() -> None:
    answers, alone = {"no": answer("no", POOLED)}, replace(POOLED, by=())
    made = WarehouseAnswer.of(REQUEST, POOLED, answers, {"fi": "it is not running"})
    assert made.combined == []
    assert WarehouseAnswer.of(REQUEST, alone, {"no": answer("no", alone)}, {}).value is None
    assert "Too few sites answered to open the sum" in repr(made)


@pytest.mark.parametrize(
    "made", [pooled(30, 4), combined(MEANS, {"no": [row("male", 12, n_notes=12, sum_notes=20, squares_notes=50)]})]
)
def test_an_answer_that_was_written_down_is_read_the_same(made: WarehouseAnswer) -> None:
    read = answer_from_json(made.to_json())
    assert (read.digest, read.combined, read.title()) == (made.digest, made.combined, made.title())


def test_one_figure_is_the_value_and_several_are_none() -> None:
    alone = replace(COUNTED, by=())
    assert combined(alone, {"no": [{"persons": 20}], "fi": [{"persons": 30}]}).value == 50
    assert combined(alone, {"no": [], "fi": []}).value is None
    with pytest.raises(RequestError, match="several figures"):
        combined(COUNTED, {"no": [row("female", 20)]}).value  # noqa: B018


def test_what_all_sites_gave_together_is_checked_before_it_is_published() -> None:
    alone = combined(COUNTED, {"no": [row("female", 20)], "fi": [row("female", 30)], "et": []})
    failed = {verdict.rule: verdict.why for verdict in alone.checks if not verdict.passed}
    assert list(failed) == ["one site left out"]
    assert "female (et)" in failed["one site left out"]
    assert "Before it is published, one site left out: female (et)" in alone.note()
    whole = combined(COUNTED, {"no": [row("female", 20)], "fi": [row("female", 30)]})
    assert all(verdict.passed for verdict in whole.checks)
    assert "published" not in whole.note()
    assert pooled(30, 40).checks == ()


def test_noise_says_how_large_it_is() -> None:
    noisy = replace(COUNTED, protection=Protection("noise", 0.5))
    answers = {site: answer(site, noisy, [row("female", 20)]) for site in ("no", "fi", "et", "da")}
    # One person changes one count by one: sigma² = 1 / (2 rho) = 1 at each of four sites.
    assert "Its standard deviation is 2 persons at all sites." in WarehouseAnswer.of(REQUEST, noisy, answers, {}).note()
    assert "Its standard deviation is 1 persons or more." in pooled(30, 4).note()


def test_an_answer_is_built_for_its_question_only() -> None:
    with pytest.raises(RequestError, match="built for its question"):
        WarehouseAnswer.build(REQUEST, {}, {})
