"""Dates: read as they are meant, moved by exact days, written in the form in which they stood."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from renderings import MONTHS

from fedkit.notes.deidentify import Deidentifier, ProjectKey
from fedkit.notes.deidentify.dates import find_full_dates, find_part_dates
from fedkit.notes.deidentify.months import month_word

DAYS = st.dates(date(1941, 1, 1), date(2038, 12, 31))


def only(text: str, language: str, year: int | None = None):
    found = sorted(find_full_dates(text, language, year), key=lambda d: d.start - d.end)
    assert found, text
    return found[0]


def forms(day: date, language: str) -> list[str]:
    month = MONTHS[language][day.month - 1]
    numeric = [
        f"{day:%d.%m.%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%Y-%m-%d}",
        f"{day.day}/{day.month} {day.year}",
        f"{day:%Y%m%d}",
    ]
    return [*numeric, f"{day:%d.%m.%y}", f"{day.day}. {month} {day.year}", f"{day.day}. {month.capitalize()} {day.year}"]


@settings(deadline=None)
@given(DAYS, DAYS, st.sampled_from(list(MONTHS)))
def test_a_date_is_read_and_written_in_its_own_form(day: date, other: date, language: str) -> None:
    for text, expected in zip(forms(day, language), forms(other, language), strict=True):
        found = only(text, language, 2038)
        assert found.value == day, text
        again = found.written(other)
        assert only(again, language, 2038).value == other
        if "0" not in text:  # with no leading nought in sight, one day's form does not say whether there would be one
            continue
        if "." in text and text[0] == "0":
            assert again == expected


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("12.5.2018", "nb", date(2018, 5, 12)),
        ("18-05-12", "sv", date(2018, 5, 12)),
        ("18-05-12", "nb", date(2012, 5, 18)),
        ("12/31/2018", "nb", date(2018, 12, 31)),
        ("120518", "nb", date(2018, 5, 12)),
        ("180512", "sv", date(2018, 5, 12)),
        ("12. maj 2018", "da", date(2018, 5, 12)),
        ("12:e maj 2018", "sv", date(2018, 5, 12)),
        ("12. toukokuuta 2018", "fi", date(2018, 5, 12)),
        ("toukokuun 12. päivänä 2018", "fi", date(2018, 5, 12)),
        ("12. mail 2018. a", "et", date(2018, 5, 12)),
        ("12/V-2018", "da", date(2018, 5, 12)),
        ("3. des. 2018", "nb", date(2018, 12, 3)),
    ],
)
def test_dates_are_read_as_the_country_means_them(text: str, language: str, value: date) -> None:
    assert only(text, language).value == value


def test_years_of_two_figures_are_the_last_before_the_note() -> None:
    assert only("12.05.38", "nb", 2024).value == date(1938, 5, 12)
    assert only("12.05.18", "nb", 2024).value == date(2018, 5, 12)


def test_a_day_that_no_calendar_has_keeps_its_shape_and_gets_no_value() -> None:
    assert only("31.02.2018", "nb").value is None
    assert list(find_full_dates("45.13.18", "nb")) == []


@pytest.mark.parametrize(
    ("word", "language", "month", "row"),
    [
        ("toukokuuta", "fi", 5, "fi"),
        ("septembris", "et", 9, "et genitive"),
        ("maj", "sv", 5, "sv"),
        ("maj", "da", 5, "da"),
        ("desember", "nn", 12, "nb"),
    ],
)
def test_months_are_known_in_their_cases(word: str, language: str, month: int, row: str) -> None:
    found = month_word(word, language)
    assert found is not None
    assert (found.month, found.row) == (month, row)


def test_a_month_takes_over_case_and_capitals() -> None:
    found = month_word("toukokuussa", "fi")
    assert found is not None
    assert found.written(12, "TOUKOKUUSSA") == "JOULUKUUSSA"
    assert found.written(6, "Toukokuussa") == "Kesäkuussa"


def test_parts_of_dates_are_taken_in_the_year_of_the_note() -> None:
    (found,) = [d for d in find_part_dates("kontroll den 12.5.", "nb", 2018) if d.rule == "date.day-month"][:1]
    assert found.value == date(2018, 5, 12)


@settings(deadline=None)
@given(DAYS, st.integers(1, 4000), st.sampled_from(list(MONTHS)), st.text("abc", min_size=1, max_size=4))
def test_intervals_of_a_patient_are_exact(day: date, days: int, language: str, patient: str) -> None:
    worker = Deidentifier(ProjectKey(b"k" * 32))
    later = day + timedelta(days)
    for one, two in zip(forms(day, language)[:5], forms(later, language)[:5], strict=True):
        moved = [only(worker.text(text, language, patient=patient).text, language).value for text in (one, two)]
        assert None not in moved
        assert moved[1] - moved[0] == timedelta(days)  # type: ignore[operator]
        assert moved[0] != day
        assert moved[0].weekday() == day.weekday()  # type: ignore[union-attr]


def test_what_lies_more_than_89_years_back_loses_its_place_in_time(worker: Deidentifier) -> None:
    changed = worker.text("Født 12.05.1930, innlagt 12.05.2024.", "nb", patient="p", written=date(2024, 5, 12))
    assert changed.text.startswith("Født [DATE], innlagt ")


def test_what_cannot_be_moved_is_masked_by_its_class(worker: Deidentifier) -> None:
    assert worker.text("Innlagt 31.02.2018.", "nb", patient="p").text == "Innlagt [DATE]."
    assert worker.text("I 1999-12-31, 9999-12-31", "nb", patient="p").text.count("1999") == 0
