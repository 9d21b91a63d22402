"""What stands in a note: spans with their concepts, sections, relations; and the rows they are written as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: What the words around a mention say about it: `span.attributes[name] == "true"`, and absent where they do not
#: (ConText, Harkema et al. 2009).
CONTEXT_ATTRIBUTES = ("negated", "uncertain", "historical", "family", "hypothetical")


@dataclass(frozen=True, slots=True)
class Concept:
    """A code of a vocabulary, as the source or the normaliser gave it. `name` is the vocabulary's own wording, if known."""

    system: str
    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a note: `text[start:end]`.

    attributes: such as those of `CONTEXT_ATTRIBUTES`, severity or status.
    concepts: the codes it was normalised to, best first.
    fragments: the pieces of a discontinuous mention in order, the first from `start`, the last to `end`; empty for the usual
    mention in one piece.
    """

    start: int
    end: int
    label: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    concepts: tuple[Concept, ...] = ()
    fragments: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a note: `text[start:header_end]` is its heading, `text[header_end:end]` its body.

    name: what the heading stands for, the same in every language ("medication"), or the heading itself where that is not known.
    A part without a heading has `header_end == start`.
    """

    start: int
    end: int
    name: str
    header_end: int


@dataclass(frozen=True, slots=True)
class Relation:
    """What joins two spans of one note, by their places in `Note.spans`: drug and reaction, implant and model."""

    head: int
    tail: int
    label: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def fits(span: Span, size: int) -> bool:
    """True if a span lies inside a text of this length, and its fragments inside the span, in order and apart."""
    if not 0 <= span.start < span.end <= size:
        return False
    if not span.fragments:
        return True
    last = span.start - 1
    for start, end in span.fragments:
        if not last < start < end:
            return False
        last = end
    return len(span.fragments) > 1 and span.fragments[0][0] == span.start and last == span.end


def span_of_row(row: Mapping[str, Any]) -> Span:
    """A span from its part of a JSONL row, offsets unchecked. Raises KeyError, TypeError or ValueError for what is none."""
    return Span(
        int(row["start"]),
        int(row["end"]),
        str(row["label"]),
        words(row.get("attributes")),
        tuple(Concept(str(c["system"]), str(c["code"]), str(c.get("name", ""))) for c in row.get("concepts") or []),
        tuple((int(a), int(b)) for a, b in row.get("fragments") or []),
    )


def row_of_span(span: Span) -> dict[str, Any]:
    """The part of a JSONL row that `span_of_row` reads; fields that hold nothing are left out."""
    row: dict[str, Any] = {"start": span.start, "end": span.end, "label": span.label}
    if span.attributes:
        row["attributes"] = dict(span.attributes)
    if span.concepts:
        row["concepts"] = [{"system": c.system, "code": c.code, **({"name": c.name} if c.name else {})} for c in span.concepts]
    if span.fragments:
        row["fragments"] = [list(pair) for pair in span.fragments]
    return row


def words(value: Mapping[str, Any] | None) -> dict[str, str]:
    """Names and values as strings; none for None."""
    return {str(k): str(v) for k, v in (value or {}).items()}
