"""De-identifying a whole note: its text, and everything else in it that could say whose it is.

| field | becomes |
|---|---|
| text | with surrogates (`Deidentifier.text`) |
| id, patient | pseudonyms from the project's key |
| date | moved as the patient's dates in the text are |
| spans, sections, sentences, relations | where their words stand now; a name of a section that held an identifier goes |
| tokens | those of the text as it is now |
| attributes and departments with an identifier in them | left out |
| meta | left out, but for the names in `keep_meta`, and `deidentified`: the project's fingerprint |
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta

from fedkit.errors import CorpusError
from fedkit.notes.deidentify.apply import Deidentified, Deidentifier
from fedkit.notes.deidentify.find import find_identifiers
from fedkit.notes.deidentify.keys import ProjectKey
from fedkit.notes.deidentify.offsets import OffsetMap
from fedkit.notes.note import Note, Section, Span

#: The entry of `Note.meta` that says for which project a note was de-identified.
MARK = "deidentified"

_TOKEN = re.compile(r"\w+|[^\w\s]")


def deidentify_note(worker: Deidentifier, note: Note, *, keep_meta: Collection[str] = ()) -> tuple[Note, Deidentified]:
    """The note without identifiers, and where what was changed in its text.

    A note of this project comes back as it is, so a second run changes nothing. Dates of a note without a patient move by
    its own shift. Raises CorpusError for a note that was de-identified for another project: its surrogates would get
    surrogates.
    """
    mark = note.meta.get(MARK)
    if mark == worker.key.fingerprint:
        return note, Deidentified(note.text, ())
    if mark is not None:
        raise CorpusError(
            "a note was de-identified before, for another project",
            expected="a note as it was written",
            got=f"one of project {mark}; this is {worker.key.fingerprint}",
            help="start from the original notes",
        )
    patient = note.patient if note.patient is not None else f"note {note.id}"
    written = date.fromisoformat(note.date[:10]) if note.date else None
    changed = worker.text(note.text, note.language, patient=patient, written=written)
    offsets = changed.offsets
    new = replace(
        note,
        id=pseudonym(worker.key, "note", note.id),
        patient=None if note.patient is None else pseudonym(worker.key, "patient", note.patient),
        text=changed.text,
        tokens=_tokens(note, changed),
        meta={MARK: worker.key.fingerprint, **{k: v for k, v in note.meta.items() if k in keep_meta}},
        date=_moved(note.date, worker.key.shift_days(patient)),
        department=_clean(note.department, note.language),
        author_role=_clean(note.author_role, note.language),
        type=_clean(note.type, note.language),
        sections=_sections(note, changed),
        sentences=_stretches(note.sentences, offsets),
        spans=(),
        relations=(),
    )
    new = new.with_spans([_span(s, offsets, note.language) for s in note.spans], note.relations)
    new.check("a de-identified note")
    return new, changed


def pseudonym(key: ProjectKey, kind: str, value: str) -> str:
    """16 hexadecimal digits that stand for an id within the project."""
    return f"{kind[0]}{key.number(f'pseudonym.{kind}', value, 1 << 64):016x}"


def _moved(written: str | None, days: int) -> str | None:
    if written is None:
        return None
    try:
        return (date.fromisoformat(written[:10]) + timedelta(days)).isoformat() + written[10:]
    except OverflowError:
        return None


def _clean(text: str | None, language: str) -> str | None:
    """The text if no identifier is found in it."""
    return text if text is not None and not find_identifiers(text, language) else None


def _span(span: Span, offsets: OffsetMap, language: str) -> Span:
    start, end = offsets.to_changed(span.start, span.end)
    pieces = tuple(offsets.to_changed(a, b) for a, b in span.fragments)
    apart = all(a[1] < b[0] for a, b in itertools.pairwise(pieces))  # a surrogate may have closed the gap
    attributes = {k: v for k, v in span.attributes.items() if v in ("true", "false") or not find_identifiers(v, language)}
    return replace(span, start=start, end=end, attributes=attributes, fragments=pieces if apart else ())


def _sections(note: Note, changed: Deidentified) -> tuple[Section, ...]:
    found: list[Section] = []
    for section in note.sections:
        start, end = changed.offsets.to_changed(section.start, section.end)
        start = max(start, found[-1].end if found else 0)
        header = (
            changed.offsets.to_changed(section.start, section.header_end)[1] if section.header_end > section.start else start
        )
        touched = any(r.start < section.header_end and section.start < r.end for r in changed.replacements)
        if start < end:
            found.append(Section(start, end, "" if touched else section.name, min(max(header, start), end)))
    return tuple(found)


def _stretches(pairs: tuple[tuple[int, int], ...], offsets: OffsetMap) -> tuple[tuple[int, int], ...]:
    """Sentences where they stand now; what an identifier crossed belongs to the first."""
    found: list[tuple[int, int]] = []
    for start, end in pairs:
        start, end = offsets.to_changed(start, end)
        start = max(start, found[-1][1] if found else 0)
        if start < end:
            found.append((start, end))
    return tuple(found)


def _tokens(note: Note, changed: Deidentified) -> tuple[str, ...] | None:
    """The note's own tokens, those of surrogates in the place of the identifiers'; None if they do not fit the text."""
    if note.tokens is None:
        return None
    out: list[str] = []
    todo = list(changed.replacements)
    at = 0
    for token in note.tokens:
        start = note.text.find(token, at)
        if start < 0 or not token:
            return None
        at = start + len(token)
        while todo and todo[0].end <= start:
            r = todo.pop(0)
            out += _TOKEN.findall(changed.text[r.new_start : r.new_end])
        if todo and todo[0].start < at:
            r = todo[0]
            if start < r.start:
                out.append(note.text[start : r.start])
            while todo and todo[0].start < at:
                r = todo[0]
                if r.end > at:
                    break
                out += _TOKEN.findall(changed.text[r.new_start : r.new_end])
                todo.pop(0)
                if r.end < at and (not todo or todo[0].start >= at):
                    out.append(note.text[r.end : at])
            continue
        out.append(token)
    for r in todo:
        out += _TOKEN.findall(changed.text[r.new_start : r.new_end])
    return tuple(t for t in out if t.strip())
