"""Counting patients and notes by conditions and groups, against counting them one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.notes.counting import OTHER, all_of, groups_of, tally, word_pattern
from fedkit.notes.note import Note, Span

NOTHING: dict[str, Any] = {"by": [], "values": {}, "labels": [], "negated": False, "words": [], "since": "", "until": ""}


def note(
    number: int, text: str = "Hofteprotese i 2019.", labels: tuple[str, ...] = (), *, negated: bool = False, **more: Any
) -> Note:
    said = {"negated": "true"} if negated else {}
    return Note(f"n{number}", text, "nb", tuple(Span(0, 5, label, said) for label in labels), **more)


def counted(notes: list[Note], **settings: Any) -> list[dict[str, Any]]:
    return tally(notes, {**NOTHING, **settings})


def test_patients_are_counted_once_and_notes_each() -> None:
    notes = [note(1, patient="a"), note(2, patient="a"), note(3, patient="b")]
    assert counted(notes) == [{"patients": 2, "notes": 3}]


def test_a_note_of_nobody_known_adds_no_patient() -> None:
    assert counted([note(1), note(2)]) == [{"patients": 0, "notes": 2}]


def test_a_mention_that_is_negated_counts_only_when_asked_for() -> None:
    notes = [note(1, labels=("DRUG",), patient="a", negated=True), note(2, labels=("DRUG",), patient="b")]
    by_label = {"by": ["label"], "values": {"label": ["DRUG"]}}
    assert counted(notes, labels=["DRUG"]) == [{"patients": 1, "notes": 1}]
    assert counted(notes, labels=["DRUG"], negated=True) == [{"patients": 2, "notes": 2}]
    assert counted(notes, **by_label) == [{"label": "DRUG", "patients": 1, "notes": 1}]
    assert counted(notes, **by_label, negated=True) == [{"label": "DRUG", "patients": 2, "notes": 2}]


@pytest.mark.parametrize("said", ["true", "yes"])
def test_negation_is_heard_from_the_pipeline_and_from_the_samples(said: str) -> None:
    one = Note("n", "Ingen feber", "nb", (Span(6, 11, "REACTION", {"negated": said}),), patient="a")
    assert counted([one], labels=["REACTION"]) == [{"patients": 0, "notes": 0}]


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("protese", "Ny protese.", True),
        ("protese", "Hofteprotese.", False),
        ("protese", "PROTESE", True),
        ("*protese", "Hofteprotese.", True),
        ("*protese", "Proteser", False),
        ("protese*", "Proteser", True),
        ("*protese*", "Hofteprotesene", True),
        ("høyre hofte", "Smerter i høyre hofte.", True),
        ("a.b", "axb", False),
    ],
)
def test_words_are_whole_words_unless_a_star_opens_them(word: str, text: str, found: bool) -> None:
    if "." in word:
        with pytest.raises(ValueError, match="not a word"):
            word_pattern([word])
    else:
        assert counted([note(1, text, patient="a")], words=[word])[0]["notes"] == int(found)


def test_a_period_includes_both_its_days_and_leaves_out_what_has_no_date() -> None:
    dates = ["2024-12-31T23:59", "2025-01-01", "2025-12-31", "2026-01-01", None]
    notes = [note(i, date=date) for i, date in enumerate(dates)]
    assert counted(notes, since="2025-01-01", until="2025-12-31")[0]["notes"] == 2
    assert counted(notes, since="2025-01-01")[0]["notes"] == 3
    assert counted(notes, until="2025-12-31")[0]["notes"] == 3


def test_a_group_that_was_not_declared_is_counted_under_other_and_never_named() -> None:
    notes = [note(1, type="Epikrise"), note(2, type="Kari Nordmann"), note(3)]
    rows = counted(notes, by=["type"], values={"type": ["Epikrise"]})
    assert rows == [{"type": "Epikrise", "patients": 0, "notes": 1}, {"type": OTHER, "patients": 0, "notes": 2}]


def test_which_rows_there_are_says_nothing_about_the_notes() -> None:
    settings = {"by": ["label", "year"], "values": {"label": ["A", "B"], "year": ["2024", "2025"]}}
    some = [note(1, labels=("A",), date="2024-05-01")]
    assert [list(row.values())[:2] for row in counted([], **settings)] == [
        list(row.values())[:2] for row in counted(some, **settings)
    ]


def test_where_noise_is_paid_for_notes_are_not_counted() -> None:
    """How many notes one person has is bounded by nothing, so no noise covers it."""
    assert counted([note(1, patient="a"), note(2, patient="a")], rho=0.5) == [{"patients": 1}]


def test_the_splits_of_a_mock_twin_are_not_counted_three_times() -> None:
    notes = (note(1), note(2))
    assert len(all_of(SimpleNamespace(train=notes, dev=notes, test=notes))) == 2


LABELS = ("A", "B", "C")
NOTES = st.lists(
    st.builds(
        lambda labels, negated, patient, year: (labels, negated, patient, year),
        st.sets(st.sampled_from(LABELS)),
        st.booleans(),
        st.sampled_from([None, "p1", "p2", "p3"]),
        st.sampled_from([None, "2023-01-02", "2024-01-02"]),
    ),
    max_size=12,
).map(
    lambda rows: [
        note(i, labels=tuple(sorted(labels)), negated=negated, patient=patient, date=date)
        for i, (labels, negated, patient, date) in enumerate(rows)
    ]
)


@given(notes=NOTES, negated=st.booleans(), wanted=st.sets(st.sampled_from(LABELS)))
def test_every_cell_is_what_counting_by_hand_gives(notes: list[Note], negated: bool, wanted: set[str]) -> None:
    values = {"label": ["A", "B"], "year": ["2023"]}
    rows = counted(notes, by=["label", "year"], values=values, negated=negated, labels=sorted(wanted))
    assert len(rows) == 2 * len(groups_of("year", ["2023"]))
    for row in rows:
        inside = []
        for one in notes:
            here = {s.label for s in one.spans if negated or s.attributes.get("negated") != "true"}
            year = (one.date or "")[:4] if (one.date or "")[:4] == "2023" else OTHER
            if row["label"] in here and year == row["year"] and (not wanted or wanted & here):
                inside.append(one)
        assert row["notes"] == len(inside)
        assert row["patients"] == len({one.patient for one in inside} - {None})
        assert row["patients"] <= row["notes"]
