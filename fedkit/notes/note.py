"""The note and what stands in it: the data that everything else is about.

    note = Note("n1", "Ikke allergi mot penicillin.", "nb", (Span(17, 27, "DRUG", {"negated": "true"}),))
    note.text_of(note.spans[0])                     # 'penicillin'

Offsets are Python code points, `end` exclusive. (UIMA and browsers count UTF-16 units: readers and widgets convert.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fedkit.errors import CorpusError
from fedkit.notes.span import CONTEXT_ATTRIBUTES, Concept, Relation, Section, Span, fits, row_of_span, span_of_row, words

#: The parts of a note are imported from here as well.
__all__ = [
    "CLINICAL_LABELS",
    "CONTEXT_ATTRIBUTES",
    "LANGUAGES",
    "Concept",
    "Note",
    "Relation",
    "Section",
    "Span",
    "is_iso_date",
]

#: The entity labels of fedkit's own clinical samples. A user's corpus may bring its own.
CLINICAL_LABELS = ("DRUG", "REACTION", "IMPLANT", "MANUFACTURER", "MODEL", "BODY_SITE")

#: Languages of the five workshop sites and Nynorsk (ISO 639-1).
LANGUAGES = ("nb", "nn", "sv", "da", "fi", "et")

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Note:
    """One note (or sentence) with what is known about it.

    language: ISO 639-1, or "" if unknown.
    spans: by `start`, then `end`. They may overlap, as in BRAT; notes to train on may not (`check_flat`).
    tokens: the corpus' own tokenisation if it has one; None to use fedkit's.
    patient: pseudonymous patient id, if known; counts of persons use it.
    meta: what a source says beyond the fields here, source codes above all.
    date: when the note was written, ISO 8601: `YYYY-MM-DD`, perhaps with a time and a zone.
    author_role, department, type: in the words or codes of the source ("nurse", "Ortopedi", "discharge summary").
    sections, sentences: in order, not overlapping; a sentence is (start, end).
    """

    id: str
    text: str
    language: str
    spans: tuple[Span, ...] = ()
    tokens: tuple[str, ...] | None = None
    patient: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    date: str | None = None
    author_role: str | None = None
    department: str | None = None
    type: str | None = None
    sections: tuple[Section, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    relations: tuple[Relation, ...] = ()

    def __repr__(self) -> str:
        # A note in a traceback, a log or a notebook output must not show its text.
        return f"Note({self.id!r}, {self.language!r}, {len(self.text)} characters, {len(self.spans)} spans)"

    def text_of(self, span: Span) -> str:
        """The words of a span; the pieces of a discontinuous one with a blank between."""
        return " ".join(self.text[a:b] for a, b in span.fragments) or self.text[span.start : span.end]

    def with_spans(self, spans: Sequence[Span], relations: Sequence[Relation] = ()) -> Note:
        """This note with these spans in order, and relations that index the spans as they are given here."""
        ordered, moved = _in_order(spans, relations)
        return replace(self, spans=ordered, relations=moved)

    def to_row(self) -> dict[str, Any]:
        """The JSONL row of this note (see `from_row`). Fields that hold nothing are left out."""
        row: dict[str, Any] = {"id": self.id, "lang": self.language, "text": self.text}
        if self.tokens is not None:
            row["tokens"] = list(self.tokens)
        row["spans"] = [row_of_span(s) for s in self.spans]
        for name in ("patient", "date", "author_role", "department", "type"):
            if getattr(self, name) is not None:
                row[name] = getattr(self, name)
        if self.sections:
            row["sections"] = [
                {"start": s.start, "end": s.end, "name": s.name, "header_end": s.header_end} for s in self.sections
            ]
        if self.sentences:
            row["sentences"] = [list(pair) for pair in self.sentences]
        if self.relations:
            row["relations"] = [
                {
                    "head": r.head,
                    "tail": r.tail,
                    "label": r.label,
                    **({"attributes": dict(r.attributes)} if r.attributes else {}),
                }
                for r in self.relations
            ]
        if self.meta:
            row["meta"] = dict(self.meta)
        return row

    @staticmethod
    def from_row(row: Mapping[str, Any], where: str = "row") -> Note:
        """A note from a JSONL row: `{"id", "lang", "text", "spans": [{"start", "end", "label", "attributes"?, "concepts"?,
        "fragments"?}], "tokens"?, "patient"?, "date"?, "author_role"?, "department"?, "type"?, "sections"?, "sentences"?,
        "relations": [{"head", "tail", "label", "attributes"?}], "meta"?}`. Relations index the spans as the row lists them.

        where: file and line, for the error. Raises CorpusError, which names the place and the field but not the text.
        """
        try:
            spans, relations = _in_order(
                [span_of_row(s) for s in row.get("spans") or []],
                [
                    Relation(int(r["head"]), int(r["tail"]), str(r["label"]), words(r.get("attributes")))
                    for r in row.get("relations") or []
                ],
            )
            note = Note(
                id=str(row["id"]),
                text=row["text"],
                language=str(row.get("lang", "")),
                spans=spans,
                tokens=tuple(row["tokens"]) if row.get("tokens") is not None else None,
                patient=_word(row.get("patient")),
                meta=words(row.get("meta")),
                date=_word(row.get("date")),
                author_role=_word(row.get("author_role")),
                department=_word(row.get("department")),
                type=_word(row.get("type")),
                sections=tuple(
                    Section(int(s["start"]), int(s["end"]), str(s["name"]), int(s["header_end"]))
                    for s in row.get("sections") or []
                ),
                sentences=tuple((int(a), int(b)) for a, b in row.get("sentences") or []),
                relations=relations,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            field_name = error.args[0] if isinstance(error, KeyError) else type(error).__name__
            raise CorpusError(
                f"{where}: not a note",
                expected='{"id", "text", "spans": [{"start", "end", "label"}]}',
                got=f"missing or malformed field: {field_name}",
                help="mend the row; offsets are code points, end exclusive",
            ) from None
        note.check(where)
        return note

    def check(self, where: str = "note") -> None:
        """Raises CorpusError if the text, the offsets, the relations or the date do not fit each other."""
        if not isinstance(self.text, str):
            raise CorpusError(f"{where}: text is no string", expected="a string", got=type(self.text).__name__)
        size = len(self.text)
        last = 0
        for span in self.spans:
            if not 0 <= span.start < span.end <= size:
                raise _outside(where, f"span {span.label}", f"0 <= start < end <= {size}", f"{span.start}–{span.end}")
            if span.start < last:
                raise CorpusError(
                    f"{where}: spans are not in order", expected="spans by their start", got=f"{span.start} after {last}"
                )
            last = span.start
            if not fits(span, size):
                expected = f"two or more in order, from {span.start} to {span.end}"
                raise _outside(where, f"a piece of span {span.label}", expected, "others")
        last = 0
        for section in self.sections:
            if not last <= section.start <= section.header_end <= section.end <= size or section.start == section.end:
                raise _outside(
                    where,
                    "a section",
                    f"{last} <= start <= header_end <= end <= {size}",
                    f"{section.start}–{section.header_end}–{section.end}",
                )
            last = section.end
        last = 0
        for start, end in self.sentences:
            if not last <= start < end <= size:
                raise _outside(where, "a sentence", f"{last} <= start < end <= {size}", f"{start}–{end}")
            last = end
        for relation in self.relations:
            if not (0 <= relation.head < len(self.spans) and 0 <= relation.tail < len(self.spans)):
                raise CorpusError(
                    f"{where}: relation {relation.label} joins a span that is not there",
                    expected=f"two places among {len(self.spans)} spans, from 0",
                    got=f"{relation.head} and {relation.tail}",
                )
        if self.date is not None and not is_iso_date(self.date):
            raise CorpusError(
                f"{where}: the date is malformed",
                expected="ISO 8601: YYYY-MM-DD, or with Thh:mm:ss and a zone",
                got="another form",
                help="keep another form in meta",
            )

    def check_flat(self, where: str = "note") -> None:
        """Raises CorpusError if two spans overlap: a tag per word (IOB2), so what is trained on, can hold only one of them."""
        last = 0
        for span in self.spans:
            if span.start < last:
                raise CorpusError(
                    f"{where}: spans overlap",
                    expected="spans that do not overlap",
                    got=f"{span.label} starts at {span.start}, before {last}",
                    help="keep the longest span",
                )
            last = span.end


def is_iso_date(text: str) -> bool:
    """True for a full date of the calendar, perhaps with a time of day and a zone, in the extended form of ISO 8601."""
    if not _DATE.fullmatch(text) or not text.isascii():
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _in_order(spans: Sequence[Span], relations: Sequence[Relation]) -> tuple[tuple[Span, ...], tuple[Relation, ...]]:
    """Spans by start and end, and the relations with the places that their spans have now."""
    order = sorted(range(len(spans)), key=lambda i: (spans[i].start, spans[i].end))
    place = {old: new for new, old in enumerate(order)}
    # A place that is not there stays as it is, for `check` to name.
    moved = (replace(r, head=place.get(r.head, r.head), tail=place.get(r.tail, r.tail)) for r in relations)
    return tuple(spans[i] for i in order), tuple(moved)


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def _outside(where: str, what: str, expected: str, got: str) -> CorpusError:
    return CorpusError(
        f"{where}: {what} lies outside its note",
        expected=expected,
        got=got,
        help="offsets are Python code points, end exclusive",
    )
