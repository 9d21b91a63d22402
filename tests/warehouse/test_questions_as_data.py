"""A question as data: one digest, exactly the declared fields, and a clear sentence for what does not fit the schema."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hostile_questions import HOSTILE, PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st
from question_drawing import questions

from fedkit.digests import canonical
from fedkit.errors import FedkitError, RequestError
from fedkit.warehouse import question as reading
from fedkit.warehouse.groups import Group
from fedkit.warehouse.measures import Measure
from fedkit.warehouse.plan_report import PlanReport, Verdict
from fedkit.warehouse.predicates import MAX_DEPTH, All, Compare, Has, Not, from_json
from fedkit.warehouse.predicates import Any as AnyOf
from fedkit.warehouse.question import ANSWER, Protection, Question
from fedkit.warehouse.schema import SCHEMA

FEMALE = Compare("sex", "in", ("female",))
ASKED = Question(
    "mentions",
    (Measure("persons"), Measure("mean", "age", 0, 90)),
    All((Compare("label", "in", ("DRUG",)), Not(Has("visits", Compare("year", ">=", (2020,)))))),
    (Group("site"), Group("sex"), Group("year", edges=(2020, 2021))),
)


@given(question=questions(("rules", "noise", "pooled")))
def test_a_question_is_its_json(question: Question) -> None:
    row = json.loads(canonical(question.to_json()))
    again = reading.from_json(row)
    assert again == question
    assert again.digest == question.digest


@given(question=questions(("rules", "noise")), data=st.data())
@settings(max_examples=200)
def test_json_that_is_changed_is_another_question_or_none(question: Question, data: st.DataObject) -> None:
    """Whatever is put in the place of whatever: no error but RequestError, and never the digest of the first one."""
    row = json.loads(canonical(question.to_json()))
    places = list(_places(row))
    *trail, last = data.draw(st.sampled_from(places))
    inner = row
    for step in trail:
        inner = inner[step]
    junk = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=80), st.just([]), st.just({}), st.just([[]]),
        st.just({"column": "sex", "op": "in", "values": ["female"]}), st.just("person_id"), st.just(2**60),
        st.just("' OR 1=1 --"),
    )  # fmt: skip
    inner[last] = put = data.draw(junk)
    refusal = None
    try:
        changed = reading.from_json(row)
        changed.check()
    except RequestError as error:
        refusal = error
    if refusal is None:
        assert changed == question or changed.digest != question.digest
    elif isinstance(put, str) and len(put) > 40:
        assert put not in refusal.diagnostics()


def _places(row: Any, trail: tuple[Any, ...] = ()) -> Any:
    steps = row.items() if isinstance(row, dict) else enumerate(row) if isinstance(row, list) else ()
    for step, inner in steps:
        yield (*trail, step)
        yield from _places(inner, (*trail, step))


@pytest.mark.parametrize(
    "trail", [(), ("measures", 0), ("where", "all", 0), ("by", 0), ("protection",), ("where", "all", 1, "not")]
)
def test_a_field_more_or_less_is_no_question(trail: tuple[Any, ...]) -> None:
    for change in ("more", "less"):
        row = copy.deepcopy(ASKED.to_json())
        inner: Any = row
        for step in trail:
            inner = inner[step]
        if change == "more":
            inner["sql"] = "SELECT * FROM note"
        else:
            del inner[next(iter(inner))]
        with pytest.raises(RequestError) as caught:
            reading.from_json(row)
        assert "note" not in caught.value.diagnostics()


@pytest.mark.parametrize("row", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_question(row: Any) -> None:
    with pytest.raises(RequestError) as caught:
        reading.from_json(row).check()
    assert caught.value.expected


def test_hostile_questions_are_nearly_questions() -> None:
    """What they are made of is one: so it is the hostile part that is refused."""
    reading.from_json(PLAIN).check()
    assert len(HOSTILE) >= 100


def test_a_condition_may_be_deep_and_no_deeper() -> None:
    row: Any = FEMALE.to_json()
    for _ in range(MAX_DEPTH - 1):
        row = {"not": row}
    assert from_json(row)
    for _ in range(100_000):
        row = {"not": row}
    with pytest.raises(RequestError, match="too deep"):
        from_json(row)


def test_a_condition_made_too_deep_in_python_is_refused_as_well() -> None:
    deep: Any = FEMALE
    for _ in range(MAX_DEPTH):
        deep = Not(deep)
    with pytest.raises(RequestError, match="too deep"):
        Question("patients", (Measure("persons"),), deep).check()


def test_there_may_be_many_comparisons_and_no_more() -> None:
    ten = AnyOf(tuple(Compare("birth_year", "in", (1900 + i,)) for i in range(10)))
    Question("patients", (Measure("persons"),), All((ten,) * 6)).check()
    with pytest.raises(RequestError, match="too many"):
        Question("patients", (Measure("persons"),), All((ten,) * 7)).check()


@pytest.mark.parametrize(
    ("question", "message", "help_has"),
    [
        (lambda: Question("patient", (Measure("persons"),)), "no view patient", "patients"),
        (
            lambda: Question("notes", (Measure("persons"),), Compare("departmet", "in", ("x",))),
            "no column departmet",
            "department",
        ),
        (lambda: Question("patients", (Measure("persons"),), Compare("sex", "in", ("femal",))), "no value femal", "female"),
        (lambda: Question("patients", (Measure("notes"),)), "cannot be counted by notes", ""),
        (lambda: Question("patients", (Measure("sum", "sex", 0, 1),)), "is no number", "group by it"),
        (lambda: Question("patients", (Measure("sum", "birth_year", 0, 2000),)), "wider than the column", ""),
        (lambda: Question("patients", (Measure("persons"),), Compare("person_id", "in", (1,))), "cannot be compared", ""),
        (lambda: Question("patients", (Measure("persons"),), Compare("sex", ">=", ("female",))), "no comparison", ""),
        (lambda: Question("patients", (Measure("persons"),), Compare("birth_year", "in", ("1950",))), "is a number", ""),
        (lambda: Question("notes", (Measure("persons"),), Compare("date", "in", ("2020-02-30",))), "is a date", ""),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("note_id"),)), "cannot be grouped", ""),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("date"),)), "cannot be grouped", "year, quarter"),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("year"),)), "grouped by edges", "condition on year"),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("department"),)), "not declared", "catalogue"),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("sex", edges=(1, 2)),)), "is no number", ""),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("site", ("no",)),)), "sites that answer", ""),
        (lambda: Question("notes", (Measure("persons"),), None, (Group("age", edges=(0, 92)),)), "go beyond", ""),
        (
            lambda: Question(
                "notes", (Measure("persons"),), None, (Group("birth_year", edges=tuple(range(1880, 2000))), Group("age_band"))
            ),
            "too large",
            "fewer",
        ),
        (lambda: Question("notes", (Measure("persons"),), Has("not_a_view")), "no view", ""),
        (
            lambda: Question("patients", (Measure("persons"),), Has("mentions", Compare("birth_yer", "in", (1,)))),
            "no column",
            "birth_year",
        ),
    ],
)
def test_what_does_not_fit_the_schema_is_a_sentence_with_the_near_name(question: Any, message: str, help_has: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        question().check()
    assert help_has in caught.value.help
    assert caught.value.expected


@pytest.mark.parametrize(
    "made",
    [
        lambda: Measure("median", "age", 0, 90),
        lambda: Measure("sum", "age"),
        lambda: Measure("sum", "age", 9, 9),
        lambda: Measure("sum", "age", float("nan"), 9),
        lambda: Measure("persons", "age"),
        lambda: Compare("sex", "=", ("female",)),
        lambda: Compare("sex", "in", ()),
        lambda: Compare("sex", "in", ("a", "a")),
        lambda: Compare("sex", "in", "female"),
        lambda: Compare("sex", "in", (True,)),
        lambda: Compare("sex", "in", ("a\x00",)),
        lambda: Compare("sex", "in", (" a",)),
        lambda: Compare("sex", "in", ("a" * 65,)),
        lambda: Compare("birth_year", ">=", (1900, 1901)),
        lambda: Compare("birth_year", "in", tuple(range(201))),
        lambda: All((FEMALE,)),
        lambda: AnyOf(("sex = 'female'", FEMALE)),
        lambda: Not("sex = 'female'"),
        lambda: Group("age", ("a",), (1, 2)),
        lambda: Group("age", edges=(2, 1)),
        lambda: Group("age", edges=(1,)),
        lambda: Group("sex", ("a", "a")),
        lambda: Protection("none"),
        lambda: Protection("rules", 0.1),
        lambda: Protection("noise", 0),
        lambda: Protection("noise", -1),
        lambda: Protection("noise", float("inf")),
        lambda: Protection("noise", True),
        lambda: Protection("noise", 0.1, 0),
        lambda: Protection("noise", 0.1, 1.0),
        lambda: Protection("rules", 0, 2),
        lambda: Question("notes", ()),
        lambda: Question("notes", (Measure("rows"), Measure("rows"))),
        lambda: Question("notes", (Measure("sum", "age", 0, 9), Measure("mean", "age", 0, 8))),
        lambda: Question("notes", (Measure("rows"),), None, (Group("sex"), Group("sex"))),
        lambda: Question("notes", (Measure("rows"),), None, (Group("site"),), Protection("pooled", 0.1)),
        lambda: Question("notes; DROP TABLE x" * 9, (Measure("rows"),)),
    ],
)
def test_what_is_malformed_cannot_be_made(made: Any) -> None:
    with pytest.raises(RequestError):
        made()


def test_what_may_leave_is_what_was_asked_and_nothing_beside() -> None:
    contract = ASKED.contract()
    table = contract.tables[ANSWER]
    assert list(table.columns) == ["sex", "year", "persons", "n_age", "sum_age"]
    assert table.max_rows == ASKED.cells() == 4
    assert not contract.tensors
    assert not contract.numbers
    row = {"sex": "female", "year": "2020", "persons": 3, "n_age": 4, "sum_age": 200}
    assert table.check([row]) == [row]
    assert not set(ASKED.kept) & set(table.columns), "what the rules look at stays at the site"


def test_pooled_figures_leave_as_one_tensor_of_every_group() -> None:
    pooled = Question("mentions", (Measure("persons"), Measure("rows")), None, (Group("sex"),), Protection("pooled", 0.2))
    assert pooled.contract().tensors == {ANSWER: (4, 2)}
    assert not pooled.contract().tables


@given(question=questions(("rules", "noise")))
@settings(max_examples=50)
def test_every_question_that_fits_has_a_contract(question: Question) -> None:
    question.check()
    table = question.contract().tables[ANSWER]
    assert table.max_rows == question.cells()
    assert [name for name in table.columns if name not in table.categories] == list(question.parts)


def test_one_person_counts_once_where_groups_are_their_own() -> None:
    noise = Protection("noise", 0.1, 3)
    assert Question("notes", (Measure("rows"),), None, (Group("sex"), Group("age_band")), noise).groups_of_one() == 1
    assert (
        Question("notes", (Measure("rows"),), None, (Group("sex"), Group("year", edges=(2020, 2021))), noise).groups_of_one()
        == 3
    )
    assert Question("notes", (Measure("rows"),), None, (Group("year", edges=(2020, 2021)),), noise).groups_of_one() == 1


def test_figures_are_computed_of_sums() -> None:
    row = {"persons": 3, "n_age": 4, "sum_age": 20, "squares_age": 120}
    assert Measure("mean", "age", 0, 90).of(row) == 5
    assert Measure("variance", "age", 0, 90).of(row) == pytest.approx(20 / 3)
    assert Measure("sum_of_squares", "age", 0, 90).of(row) == 120
    assert Measure("mean", "age", 0, 90).of({**row, "n_age": 0}) is None
    assert Measure("variance", "age", 0, 90).of({**row, "n_age": 1}) is None
    assert Measure("mean", "age", 0, 90).of({}) is None


def test_a_plan_goes_over_the_wire_and_comes_back() -> None:
    plan = PlanReport(
        "no", ASKED.digest, "SELECT 1", 4, 0.1, 0.05, (Verdict("threshold", True, "10 persons"), Verdict("groups", False, "9"))
    )
    assert PlanReport.from_json(json.loads(canonical(plan.to_json()))) == plan
    assert not plan.affordable
    assert not plan.allowed
    assert [v.rule for v in plan.refused] == ["groups"]
    remembered = PlanReport("no", ASKED.digest, "SELECT 1", 4, 0.1, 0.05, remembered=True)
    assert remembered.allowed
    assert PlanReport("no", ASKED.digest, "SELECT 1", 4, 0.0, None).allowed


@pytest.mark.parametrize(
    "change",
    [
        {"cost_rho": "free"}, {"cost_rho": float("nan")}, {"left_rho": True}, {"groups": -1}, {"groups": 1.5}, {"sql": None},
        {"remembered": 1}, {"verdicts": [{}]}, {"verdicts": [{"rule": "x", "passed": "yes", "why": ""}]}, {"extra": 1},
    ],
)  # fmt: skip
def test_what_is_no_plan(change: dict[str, Any]) -> None:
    row = {**PlanReport("no", ASKED.digest, "SELECT 1", 4, 0.1, None).to_json(), **change}
    with pytest.raises(FedkitError):
        PlanReport.from_json(row)


def test_no_view_has_text_and_every_view_has_its_persons() -> None:
    for view in SCHEMA.views.values():
        assert view.column("person_id").kind == "id"
        assert view.column("site").of_person
        assert not {"text", "note_text", "snippet", "lexical_variant"} & {c.name for c in view.columns}
        for column in view.columns:
            assert column.what
            assert (column.kind == "category") == bool(column.values or column.open)
            assert (column.kind == "number") == (column.low is not None and column.high is not None)
