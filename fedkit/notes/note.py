"""Notes and spans: the data that everything else is about.

Offsets are Python code points, `end` exclusive. (UIMA and browsers count UTF-16 units: readers and widgets convert.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fedkit.errors import CorpusError

#: The entity labels of fedkit's own clinical samples. A user's corpus may bring its own.
CLINICAL_LABELS = ("DRUG", "REACTION", "IMPLANT", "MANUFACTURER", "MODEL", "BODY_SITE")

#: Languages of the five workshop sites and Nynorsk (ISO 639-1).
LANGUAGES = ("nb", "nn", "sv", "da", "fi", "et")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a note: `text[start:end]`, with attributes such as negated or severity."""

    start: int
    end: int
    label: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """One note (or sentence) with its spans, in order of `start`, not overlapping.

    tokens: the corpus' own tokenisation if it has one; None to use fedkit's.
    patient: pseudonymous patient id, if known; counts of persons use it.
    """

    id: str
    text: str
    language: str
    spans: tuple[Span, ...] = ()
    tokens: tuple[str, ...] | None = None
    patient: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        # A note in a traceback, a log or a notebook output must not show its text.
        return f"Note({self.id!r}, {self.language!r}, {len(self.text)} characters, {len(self.spans)} spans)"

    def to_row(self) -> dict[str, Any]:
        """The JSONL row of this note (see `from_row`)."""
        row: dict[str, Any] = {"id": self.id, "lang": self.language, "text": self.text}
        if self.tokens is not None:
            row["tokens"] = list(self.tokens)
        row["spans"] = [
            {"start": s.start, "end": s.end, "label": s.label, **({"attributes": dict(s.attributes)} if s.attributes else {})}
            for s in self.spans
        ]
        if self.patient is not None:
            row["patient"] = self.patient
        if self.meta:
            row["meta"] = dict(self.meta)
        return row

    @staticmethod
    def from_row(row: Mapping[str, Any], where: str = "row") -> Note:
        """A note from a JSONL row: `{"id", "lang", "text", "spans": [{"start", "end", "label"}], "tokens"?, "patient"?}`.

        where: file and line, for the error. Raises CorpusError, which names the place and the field but not the text.
        """
        try:
            text, spans = row["text"], row.get("spans") or []
            note = Note(
                id=str(row["id"]),
                text=text,
                language=str(row.get("lang", "")),
                spans=tuple(
                    sorted(
                        (
                            Span(
                                int(s["start"]),
                                int(s["end"]),
                                str(s["label"]),
                                {str(k): str(v) for k, v in (s.get("attributes") or {}).items()},
                            )
                            for s in spans
                        ),
                        key=lambda s: (s.start, s.end),
                    )
                ),
                tokens=tuple(row["tokens"]) if row.get("tokens") is not None else None,
                patient=str(row["patient"]) if row.get("patient") is not None else None,
                meta={str(k): str(v) for k, v in (row.get("meta") or {}).items()},
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
        """Raises CorpusError if text or spans do not fit each other."""
        if not isinstance(self.text, str):
            raise CorpusError(f"{where}: text is no string", expected="a string", got=type(self.text).__name__)
        last = 0
        for span in self.spans:
            if not 0 <= span.start < span.end <= len(self.text):
                raise CorpusError(
                    f"{where}: span {span.label} lies outside its note",
                    expected=f"0 <= start < end <= {len(self.text)}",
                    got=f"{span.start}–{span.end}",
                    help="offsets are Python code points, end exclusive",
                )
            if span.start < last:
                raise CorpusError(
                    f"{where}: spans overlap",
                    expected="spans that do not overlap",
                    got=f"{span.label} starts at {span.start}, before {last}",
                    help="keep the longest span",
                )
            last = span.end
