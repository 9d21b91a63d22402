"""A note with its annotation, as a picture: marked words with their labels, sections, sentences and what joins them.

    AnnotatedNote(note)                                    # ends a cell
    AnnotatedNote(note, labels=("DRUG", "REACTION"))       # some labels only

It is plain HTML and looks the same live, on GitHub and on paper. Every mark carries its label in words, since nobody should
have to tell two colours apart, and since GitHub keeps tags and drops styles. It shows the text of the note: for synthetic and
mock notes, or inside the site.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from fedkit.notes.note import CONTEXT_ATTRIBUTES, Note, Span
from fedkit.widgets.base import escape, table_html
from fedkit.widgets.theme import OKABE_ITO, STYLE

#: Colour and line of the labels that are known; others get what is left over, in the order of the alphabet.
_ORDER = ("DRUG", "REACTION", "IMPLANT", "MODEL", "MANUFACTURER", "BODY_SITE")
_LINES = ("solid", "double", "dashed", "dotted")

_VIEW = """<style>
.fk-note { white-space: pre-wrap; line-height: 2.1; overflow-wrap: anywhere; }
.fk-note mark { color: inherit; background: none; padding: 1px 0; border-bottom-width: 3px; }
.fk-note small { font-size: .72em; padding: 0 3px; margin: 0 2px; border-radius: 3px; white-space: nowrap;
  background: var(--fk-wash); border: 1px solid var(--fk-line); }
.fk-note .fk-end { color: var(--fk-soft); }
</style>"""


class AnnotatedNote:
    """A view of a note. Nothing of it can be changed, and the note is not kept in any widget's state.

    labels: show the spans of these alone; None: all.   sentences: put a ¦ where a sentence ends.   caption: a line above.
    attributes: names of attributes to show with the label; None: context, status and how a concept was found.
    """

    def __init__(
        self,
        note: Note,
        *,
        labels: Iterable[str] | None = None,
        sentences: bool = False,
        caption: str = "",
        attributes: Iterable[str] | None = None,
    ) -> None:
        wanted = None if labels is None else frozenset(labels)
        shown = [s for s in note.spans if wanted is None or s.label in wanted]
        self._spans = tuple(sorted(shown, key=lambda s: (s.start, -s.end)))
        self._note, self._sentences, self._caption = note, sentences, caption
        self._attributes = tuple(attributes) if attributes is not None else (*CONTEXT_ATTRIBUTES, "status", "match")
        self._looks = _looks({s.label for s in self._spans})

    def _repr_html_(self) -> str:
        heading = f"<p><b>{escape(self._caption)}</b></p>" if self._caption else ""
        return f'{STYLE}{_VIEW}<div class="fk">{heading}<div class="fk-note">{self._text_html()}</div>{self._relations()}</div>'

    def __repr__(self) -> str:
        """The text with its marks in brackets, for a terminal, a screen reader and the comparison of notebooks."""
        pieces, last = [], 0
        for span in self._spans:
            if span.start >= last:  # of spans that overlap the first is marked
                words = self._note.text[span.start : span.end]
                pieces += [self._note.text[last : span.start], f"[{words} | {self._says(span)}]"]
                last = span.end
        text = "".join(pieces) + self._note.text[last:]
        return f"{self._caption}\n{text}" if self._caption else text

    def _text_html(self) -> str:
        text, spans = self._note.text, self._spans
        ends = {end for _, end in self._note.sentences} if self._sentences else set()
        headings = [(s.start, s.header_end) for s in self._note.sections if s.header_end > s.start]
        cuts = {0, len(text), *ends}
        cuts |= {edge for s in spans for edge in (s.start, s.end)} | {edge for pair in headings for edge in pair}
        pieces: list[str] = []
        for start, end in pairwise(sorted(cuts)):
            piece = escape(text[start:end]).replace("\n", "<br>")
            if any(a <= start and end <= b for a, b in headings):
                piece = f"<b>{piece}</b>"
            for span in spans:
                if span.start <= start and end <= span.end:
                    piece = f'<mark style="{self._looks[span.label]}">{piece}</mark>'
            pieces.append(piece)
            pieces += [f"<small> {escape(self._says(s))}</small>" for s in spans if s.end == end]
            if end in ends:
                pieces.append('<span class="fk-end">¦</span>')
        return "".join(pieces)

    def _says(self, span: Span) -> str:
        """The label, what the words around say, and the first code."""
        found = [span.label]
        for name in self._attributes:
            value = span.attributes.get(name)
            if value is not None:
                found.append(name if value in ("true", "yes") else value)
        found += [f"{c.system} {c.code}" for c in span.concepts[:1]]
        return " · ".join(found)

    def _relations(self) -> str:
        note = self._note
        rows = [
            (
                note.text_of(note.spans[r.head]),
                r.label.replace("_", " "),
                note.text_of(note.spans[r.tail]),
                ", ".join(f"{k} {v}" for k, v in r.attributes.items()),
            )
            for r in note.relations
            if note.spans[r.head] in self._spans and note.spans[r.tail] in self._spans
        ]
        return table_html(rows, ("From", "Relation", "To", "Facts")) if rows else ""


def _looks(labels: set[str]) -> dict[str, str]:
    order = [*_ORDER, *sorted(labels - set(_ORDER))]
    looks = {}
    for number, label in enumerate(order):
        colour, line = OKABE_ITO[number % len(OKABE_ITO)], _LINES[(number // len(OKABE_ITO)) % len(_LINES)]
        looks[label] = f"border-bottom: 3px {line} {colour}"
    return looks
