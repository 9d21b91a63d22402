"""What leaves a site in answer to a question, rule by rule; for each there is a case in which it does not apply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from question_drawing import questions as drawn_questions

from fedkit.errors import OutputRefused
from fedkit.governance.suppression import determined, lines_of
from fedkit.warehouse.disclosure import PRESETS, RULES, STRICTEST, Preset, check, protect, verdicts
from fedkit.warehouse.disclosure.cells import Cells
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import ANSWER, Group, Measure, Protection, Question

SEX, PERSONS = Group("sex"), Measure("persons")
PLAIN = Preset("plain", "this test", threshold=5)


def asked(*by: Group, measures: tuple[Measure, ...] = (PERSONS,), where: Any = None, view: str = "patients") -> Question:
    return Question(view, measures, where, by)


def by_sex(**persons: int) -> list[dict[str, Any]]:
    return [{"sex": sex, "persons": count} for sex, count in persons.items()]


def summed(persons: int, total: float, first: float, second: float, with_value: int | None = None) -> dict[str, Any]:
    """A row without groups about the notes of persons, as an engine gives it."""
    n = persons if with_value is None else with_value
    return {
        "persons": persons,
        "n_notes": n,
        "sum_notes": total,
        "persons_notes": n,
        "first_notes": first,
        "second_notes": second,
    }


NOTES = asked(measures=(Measure("sum", "notes", 0, 10_000),))


def left(question: Question, rows: list[dict[str, Any]], preset: Preset = PLAIN) -> list[dict[str, Any]]:
    return protect(question, rows, preset).rows


# -- threshold
def test_a_row_of_enough_persons_leaves_and_one_of_fewer_stays() -> None:
    assert left(asked(SEX), by_sex(female=5, male=5)) == by_sex(female=5, male=5)
    assert left(asked(SEX), by_sex(female=4, male=4)) == []


def test_a_sum_rests_on_the_persons_with_a_value_and_not_on_all_in_the_row() -> None:
    assert left(NOTES, [summed(50, 500, 20, 19)])
    assert left(NOTES, [summed(50, 40, 10, 10, with_value=4)]) == []


def test_what_is_kept_for_the_rules_does_not_leave() -> None:
    assert set(left(NOTES, [summed(50, 500, 20, 19)])[0]) == set(NOTES.contract().tables[ANSWER].columns)


# -- rounding
def test_a_sum_goes_with_its_count_so_that_the_mean_stays() -> None:
    preset = Preset("rounds", "this test", threshold=5, rounding=5)
    (row,) = left(NOTES, [summed(52, 1040, 40, 39)], preset)
    assert (row["persons"], row["n_notes"], row["sum_notes"]) == (50, 50, 1000)
    assert row["sum_notes"] / row["n_notes"] == 1040 / 52


def test_rounding_shows_nobody_fewer_persons_than_the_threshold() -> None:
    preset = Preset("rounds", "this test", threshold=11, rounding=5)
    assert preset.least == 13
    assert left(asked(SEX), by_sex(female=12, male=12), preset) == []
    assert left(asked(SEX), by_sex(female=13, male=13), preset) == by_sex(female=15, male=15)


# -- dominance
@pytest.mark.parametrize(("first", "second", "leaves"), [(500, 399, True), (500, 400, False), (800, 10, True), (900, 1, False)])
def test_two_persons_are_less_than_nine_tenths_of_a_sum(first: float, second: float, leaves: bool) -> None:
    preset = Preset("dominance", "this test", threshold=5, top_two=0.9)
    assert bool(left(NOTES, [summed(50, 1000, first, second)], preset)) is leaves
    assert left(NOTES, [summed(50, 1000, first, second)], PLAIN), "without the rule it leaves"


def test_of_squares_alone_the_squares_are_shared() -> None:
    question = asked(measures=(Measure("sum_of_squares", "notes", 0, 10_000),))
    row = {"persons": 50, "n_notes": 50, "squares_notes": 1000, "persons_notes": 50, "first_notes": 950, "second_notes": 1}
    assert left(question, [row], PRESETS["acro"]) == []


def test_a_dominated_row_is_not_to_be_had_by_subtraction() -> None:
    question = asked(SEX, measures=NOTES.measures)
    rows = [
        {"sex": "female", **summed(50, 1000, 30, 20)},
        {"sex": "male", **summed(60, 1000, 950, 1)},
        {"sex": "other", **summed(40, 1000, 30, 20)},
    ]
    found = protect(question, rows, PRESETS["acro"])
    assert [row["sex"] for row in found.rows] == ["female"]
    assert found.hidden == {"dominance": 1, "complement": 1}


# -- all or nobody
def test_a_group_that_holds_everybody_of_its_line_stays() -> None:
    preset = Preset("all", "this test", threshold=5, all_or_nobody=True)
    assert left(asked(SEX), by_sex(female=80), preset) == []
    assert left(asked(SEX), by_sex(female=80, male=9), preset) == by_sex(female=80, male=9)
    assert left(asked(SEX), by_sex(female=80), PLAIN) == by_sex(female=80)


def test_a_group_that_the_condition_leaves_alone_says_nothing_new() -> None:
    preset = Preset("all", "this test", threshold=5, all_or_nobody=True)
    women = Compare("sex", "in", ("female",))
    assert left(asked(SEX, where=women), by_sex(female=80), preset) == by_sex(female=80)
    years = Group("year", edges=(2019, 2020, 2021))
    one_year = asked(years, where=Compare("year", ">=", (2020,)), view="notes")
    assert left(one_year, [{"year": "2020", "persons": 80}], preset) == [{"year": "2020", "persons": 80}]
    assert left(asked(years, view="notes"), [{"year": "2020", "persons": 80}], preset) == []


# -- complement and totals
def test_beside_a_small_row_another_stays_so_that_no_total_gives_it_away() -> None:
    found = protect(asked(SEX), by_sex(female=300, male=100, other=3), PLAIN)
    assert found.rows == by_sex(female=300)
    assert found.hidden == {"threshold": 1, "complement": 1}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=16, max_size=16), st.sampled_from(list(PRESETS.values())))
def test_no_hidden_small_cell_of_two_axes_follows_from_what_leaves(counts: list[int], preset: Preset) -> None:
    kind = ("inpatient", "outpatient", "emergency", "other")
    question = asked(SEX, Group("kind", values=kind), view="visits")
    pairs = [(sex, k) for sex in ("female", "male", "other", "unknown") for k in kind]
    rows = [{"sex": s, "kind": k, "persons": n} for (s, k), n in zip(pairs, counts, strict=True)]
    shown = {(row["sex"], row["kind"]) for row in left(question, rows, preset)}
    cells = Cells.of(question, rows)
    hidden = {at for at, row in enumerate(cells.rows) if (row["sex"], row["kind"]) not in shown}
    small = {at for at, row in enumerate(cells.rows) if row["persons"] < preset.threshold}
    assert small <= hidden
    assert not determined(lines_of(cells.keys, [None, None]), hidden) & small or len(hidden) == len(cells.rows)


# -- rules about questions
def refused(question: Any, preset: Preset) -> list[str]:
    return [verdict.rule for verdict in verdicts(question, preset) if not verdict.passed]


def test_a_sum_with_narrow_bounds_is_a_count_in_disguise() -> None:
    narrow = asked(measures=(Measure("mean", "birth_year", 1950, 1951),))
    assert refused(narrow, PLAIN) == ["wide bounds"]
    assert refused(asked(measures=(Measure("mean", "birth_year", 1900, 2020),)), PLAIN) == []
    noise = Question("patients", narrow.measures, protection=Protection("noise", 0.1))
    assert refused(noise, PLAIN) == []


def test_a_column_is_divided_into_so_many_groups_at_most() -> None:
    fine = asked(Group("birth_year", edges=tuple(range(1900, 1942))))
    assert refused(fine, PRESETS["datashield"]) == ["group limit"]
    assert refused(asked(Group("birth_year", edges=tuple(range(1900, 1941)))), PRESETS["datashield"]) == []
    with pytest.raises(OutputRefused, match="divided into 41 groups") as caught:
        check(fine, PRESETS["datashield"])
    assert caught.value.help


def test_every_rule_has_a_name_a_source_and_a_sentence_in_the_strictest_preset() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.source, rule.name
        assert rule.says(STRICTEST), rule.name


# -- noise
def test_with_noise_only_rows_of_too_few_are_left_out_and_nothing_else_is_hidden() -> None:
    question = Question("patients", (PERSONS,), None, (SEX,), Protection("noise", 0.1))
    rows = [{"sex": s, "persons": n} for s, n in (("female", 300), ("male", 100), ("other", 3), ("unknown", 0))]
    assert left(question, rows) == rows[:2]


# -- all together
@settings(max_examples=100, deadline=None)
@given(drawn_questions(), st.sampled_from([*PRESETS.values(), STRICTEST]), st.randoms(use_true_random=False))
def test_what_leaves_fits_the_contract_and_the_sites_second_look_finds_nothing(
    question: Question, preset: Preset, rng: Any
) -> None:
    """The gate holds tables against contract, threshold and rounding once more; it must not hide a row a second time."""
    axes = [(group.column, group.labels(column)) for group, column in question.columns()]
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for _ in range(12):
        key = tuple(rng.choice(labels) for _, labels in axes)
        persons = rng.randrange(60)
        row: dict[str, Any] = dict(zip((name for name, _ in axes), key, strict=True))
        row |= dict.fromkeys((*question.parts, *question.kept), persons)
        for column, (low, _) in question.bounds().items():
            row |= {f"{part}_{column}": max(low, 1) * persons for part in ("sum", "squares") if f"{part}_{column}" in row}
            row |= {f"first_{column}": max(low, 1), f"second_{column}": max(low, 1)}
        rows[key] = row
    leaves = left(question, list(rows.values()), preset)
    table = question.contract().tables[ANSWER].at_least(preset.threshold, preset.rounding)
    assert table.protect(leaves) == table.check(leaves)
    assert all(row["persons"] >= preset.threshold and row["persons"] % preset.rounding == 0 for row in leaves)
