"""Whatever a format says, the record is a valid note with the rest named, or no note at all: it never raises."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from fedkit.notes.note import Concept, Note, Relation, Section, Span
from fedkit.notes.readers.base import PROBLEMS, Rules
from fedkit.notes.readers.draft import build, from_row

_anything = st.text("\0\ud800 \na😀", max_size=3) | st.text(max_size=6)
_offset = st.integers(-3, 14)
_pairs = st.tuples(_offset, _offset)
_concepts = st.builds(Concept, _anything, _anything, _anything)
_spans = st.builds(
    Span, _offset, _offset, _anything, st.dictionaries(_anything, _anything, max_size=2),
    st.lists(_concepts, max_size=2).map(tuple), st.just(()) | st.lists(_pairs, max_size=3).map(tuple),
)  # fmt: skip
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 20) | st.floats() | _anything,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("start", "end", "label", "head", "x")), inner, max_size=3)
    ),
    max_leaves=8,
)
_FIELDS = ("id", "text", "lang", "spans", "relations", "tokens", "sentences", "sections", "patient", "date", "meta", "other")


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (words for pair in value.items() for part in pair for words in strings(part))
    elif isinstance(value, list):
        yield from (words for part in value for words in strings(part))


def sound(record) -> None:
    for problem in record.problems:
        assert problem.kind in PROBLEMS
    if record.note is None:
        assert record.problems
        return
    record.note.check()
    assert record.note.id
    assert Note.from_row(record.note.to_row()) == record.note
    for words in strings(record.note.to_row()):
        assert "\0" not in words
        words.encode()  # no half of a character anywhere


@given(
    text=st.text("ab c", min_size=1, max_size=12) | _anything,
    spans=st.lists(_spans, max_size=4),
    relations=st.lists(
        st.builds(
            Relation, st.integers(-2, 5), st.integers(-2, 5), _anything, st.dictionaries(_anything, _anything, max_size=1)
        ),
        max_size=3,
    ),
    sentences=st.lists(_pairs, max_size=3),
    sections=st.lists(st.builds(Section, _offset, _offset, _anything, _offset), max_size=3),
    tokens=st.none() | st.lists(st.text("ab c", min_size=1, max_size=3), max_size=3),
    words=st.tuples(*[st.none() | _anything] * 5),
    meta=st.dictionaries(_anything, st.none() | _anything, max_size=2),
)
def test_any_parts_make_a_valid_note_or_none(text, spans, relations, sentences, sections, tokens, words, meta) -> None:
    id, patient, date, role, kind = words
    facts = {"id": id, "patient": patient, "date": date, "author_role": role, "type": kind}
    parts = {"spans": spans, "relations": relations, "sentences": sentences, "sections": sections, "tokens": tokens}
    sound(build("place", Rules(max_characters=11), text=text, meta=meta, **parts, **facts))


@given(row=st.dictionaries(st.sampled_from(_FIELDS), _json, max_size=8))
def test_any_row_makes_a_valid_note_or_none(row) -> None:
    sound(from_row(row, "place", Rules()))


def test_relations_follow_their_spans_when_others_are_left_out() -> None:
    spans = [Span(0, 99, "A"), Span(4, 6, "B"), Span(0, 3, "C")]
    record = build("p", Rules(), id="a", text="abc defg", spans=spans, relations=[Relation(1, 2, "r"), Relation(0, 1, "lost")])
    assert record.note is not None
    (relation,) = record.note.relations
    assert [record.note.spans[i].label for i in (relation.head, relation.tail)] == ["B", "C"]
    assert sorted(p.kind for p in record.problems) == ["relation", "span outside"]
