"""The note: offsets are always valid, rows hold all of it, and nothing that is printed by accident shows its text."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import CorpusError
from fedkit.notes.jsonl import parse_row
from fedkit.notes.note import Concept, Note, Relation, Section, Span, is_iso_date
from fedkit.notes.offsets import Utf16

CANARY = "Kanarifugl"
_words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@st.composite
def notes(draw: st.DrawFn) -> Note:
    """Any valid note: overlapping and discontinuous spans, relations, sections and sentences included."""
    text = draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=2, max_size=60))
    offset = st.integers(0, len(text))

    def cuts(size: int) -> list[int]:
        return sorted(draw(st.sets(offset, max_size=size)))

    spans = []
    for _ in range(draw(st.integers(0, 4))):
        at = cuts(6)
        pieces = tuple(zip(at[::2], at[1::2], strict=False))
        if pieces:
            concepts = draw(st.lists(st.builds(Concept, _words, _words, st.just("") | _words), max_size=2))
            attributes = draw(st.dictionaries(_words, _words, max_size=2))
            fragments = pieces if len(pieces) > 1 else ()
            spans.append(Span(pieces[0][0], pieces[-1][1], draw(_words), attributes, tuple(concepts), fragments))
    ends = st.integers(0, max(0, len(spans) - 1))
    relations = draw(st.lists(st.builds(Relation, ends, ends, _words, st.just({})), max_size=3)) if spans else []
    edges = cuts(6)
    sections = tuple(Section(a, b, draw(_words), draw(st.integers(a, b))) for a, b in pairwise(edges))
    maybe = st.none() | _words
    note = Note(
        draw(_words),
        text,
        draw(st.sampled_from(("nb", "fi", ""))),
        patient=draw(maybe),
        meta=draw(st.dictionaries(_words, _words, max_size=2)),
        date=draw(st.none() | st.dates().map(lambda d: d.isoformat()) | st.datetimes().map(lambda d: d.isoformat())),
        author_role=draw(maybe),
        department=draw(maybe),
        type=draw(maybe),
        sections=sections,
        sentences=tuple(zip(edges[::2], edges[1::2], strict=False)),
    )
    return note.with_spans(spans, relations)


@given(note=notes())
def test_a_row_holds_all_of_a_note(note: Note) -> None:
    note.check()
    row = json.loads(json.dumps(note.to_row(), ensure_ascii=False))
    assert Note.from_row(row) == note


@given(note=notes(), shuffled=st.randoms(use_true_random=False))
def test_relations_mean_the_same_spans_in_whatever_order_a_row_lists_them(note: Note, shuffled) -> None:
    row = note.to_row()
    order = list(range(len(note.spans)))
    shuffled.shuffle(order)
    row["spans"] = [row["spans"][i] for i in order]
    row["relations"] = [{"head": order.index(r.head), "tail": order.index(r.tail), "label": r.label} for r in note.relations]
    again = Note.from_row(row)

    def meant(one: Note) -> list[tuple[Span, Span, str]]:
        return [(one.spans[r.head], one.spans[r.tail], r.label) for r in one.relations]

    assert meant(again) == meant(note)
    assert [(s.start, s.end) for s in again.spans] == sorted((s.start, s.end) for s in note.spans)


@given(note=notes(), shift=st.integers(1, 1000))
def test_a_text_too_short_for_any_offset_is_refused(note: Note, shift: int) -> None:
    ends = [s.end for s in note.spans] + [s.end for s in note.sections] + [end for _, end in note.sentences]
    if not ends:
        return
    with pytest.raises(CorpusError, match="outside"):
        replace(note, text=note.text[: max(0, max(ends) - shift)]).check()


TEXT = f"{CANARY} har kvalme av Marevan."
BAD: dict[str, tuple[Note, str]] = {
    "span beyond the end": (Note("a", TEXT, "nb", (Span(0, 99, "X"),)), "outside"),
    "span of nothing": (Note("a", TEXT, "nb", (Span(3, 3, "X"),)), "outside"),
    "span before the text": (Note("a", TEXT, "nb", (Span(-1, 3, "X"),)), "outside"),
    "spans out of order": (Note("a", TEXT, "nb", (Span(5, 9, "X"), Span(0, 3, "X"))), "not in order"),
    "one piece": (Note("a", TEXT, "nb", (Span(0, 9, "X", fragments=((0, 9),)),)), "a piece of span X"),
    "pieces that touch": (Note("a", TEXT, "nb", (Span(0, 9, "X", fragments=((0, 4), (4, 9))),)), "a piece of span X"),
    "pieces of another span": (Note("a", TEXT, "nb", (Span(0, 9, "X", fragments=((0, 3), (5, 8))),)), "a piece of span X"),
    "section backwards": (Note("a", TEXT, "nb", sections=(Section(5, 9, "x", 4),)), "section"),
    "sections that overlap": (Note("a", TEXT, "nb", sections=(Section(0, 9, "x", 0), Section(8, 12, "y", 8))), "section"),
    "sentences that overlap": (Note("a", TEXT, "nb", sentences=((0, 9), (8, 12))), "sentence"),
    "relation to nothing": (
        Note("a", TEXT, "nb", (Span(0, 3, "X"),), relations=(Relation(0, 1, "causes"),)),
        "relation causes",
    ),
    "relation from before": (
        Note("a", TEXT, "nb", (Span(0, 3, "X"),), relations=(Relation(-1, 0, "causes"),)),
        "relation causes",
    ),
    "a date of no calendar": (Note("a", TEXT, "nb", date="2024-02-30"), "date"),
    "a date in another form": (Note("a", TEXT, "nb", date="1.3.2024"), "date"),
}


@pytest.mark.parametrize(("note", "told"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_named_with_its_place_and_without_the_text(note: Note, told: str) -> None:
    with pytest.raises(CorpusError, match=told) as caught:
        note.check("file, line 3")
    said = caught.value.diagnostics()
    assert "file, line 3" in said
    assert CANARY not in said
    if note.spans != tuple(sorted(note.spans, key=lambda s: s.start)):
        return  # a row puts spans in order
    with pytest.raises(CorpusError):
        Note.from_row(note.to_row(), "row")


def test_overlapping_spans_are_a_note_and_no_training_note() -> None:
    note = Note("a", TEXT, "nb", (Span(0, 9, "A"), Span(5, 12, "B")))
    note.check()
    with pytest.raises(CorpusError, match="overlap"):
        note.check_flat()
    with pytest.raises(CorpusError, match="overlap"):
        parse_row(json.dumps(note.to_row()).encode(), "corpus, line 1")
    Note("a", TEXT, "nb", (Span(0, 5, "A"), Span(5, 12, "B"))).check_flat()


def test_a_discontinuous_span_reads_as_its_pieces() -> None:
    note = Note("a", "smerter i hofte og kne", "nb", (Span(0, 22, "X", fragments=((0, 9), (19, 22))),))
    note.check()
    assert note.text_of(note.spans[0]) == "smerter i kne"


def test_a_corpus_with_our_names_in_other_shapes_is_read_as_before() -> None:
    row = {
        "id": "a",
        "text": TEXT,
        "spans": [{"start": 15, "end": 21, "label": "R"}],
        "relations": [{"type": "ADR", "drug": 0, "reaction": 0}],
        "sentences": ["one", "two"],
        "sections": {"a": 1},
        "date": "mars 2024",
        "type": {"code": 1},
    }
    note = parse_row(json.dumps(row).encode(), "line 1")
    assert (note.relations, note.sentences, note.sections, note.date, note.type) == ((), (), (), None, None)
    assert note.meta == {"date": "mars 2024"}


def test_printing_a_note_by_accident_shows_no_text() -> None:
    assert CANARY not in repr(Note("a", TEXT, "nb", (Span(0, 10, "X"),)))


@pytest.mark.parametrize("good", ["2024-02-29", "2024-03-01T10:30", "2024-03-01T10:30:59.123Z", "2024-03-01T10:30:00+02:00"])
def test_iso_dates(good: str) -> None:
    assert is_iso_date(good)


@pytest.mark.parametrize(
    "bad", ["", "2024", "2023-02-29", "20240301", "2024-03-01 10:30", "2024-03-01T25:00", "٢٠٢٤-٠٣-٠١", "2024-03-01\n"]
)
def test_other_dates_are_none(bad: str) -> None:
    assert not is_iso_date(bad)


@given(text=st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("😀𝄞é"), max_size=30))
def test_utf16_offsets_are_those_of_the_encoded_text(text: str) -> None:
    places = Utf16(text)
    encoded = [len(text[:i].encode("utf-16-le")) // 2 for i in range(len(text) + 1)]
    assert [places.units(i) for i in range(len(text) + 1)] == encoded
    for unit in range(-1, encoded[-1] + 3):
        assert places.code_points(unit) == (encoded.index(unit) if unit in encoded else None)
    assert places.same == (encoded[-1] == len(text))
