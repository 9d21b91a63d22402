"""From what a format said to a note that is whole: parts that do not fit are left out and named, the rest is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fedkit.errors import CorpusError
from fedkit.notes.note import Concept, Note, Relation, Section, Span, is_iso_date
from fedkit.notes.readers.base import Problem, Record, Rules, skipped
from fedkit.notes.span import fits, span_of_row

_SURROGATE = re.compile("[\ud800-\udfff]")

#: ISO 639-2 codes of the Nordic and Baltic archives → ISO 639-1.
_THREE_LETTERS = {"nob": "nb", "nno": "nn", "nor": "no", "swe": "sv", "dan": "da", "fin": "fi", "est": "et", "eng": "en"}


def build(
    place: str,
    rules: Rules,
    *,
    id: str | None,
    text: str,
    language: str | None = "",
    spans: Iterable[Span] = (),
    relations: Sequence[Relation] = (),
    tokens: Sequence[str] | None = None,
    sentences: Sequence[tuple[int, int]] = (),
    sections: Sequence[Section] = (),
    patient: str | None = None,
    date: str | None = None,
    author_role: str | None = None,
    department: str | None = None,
    type: str | None = None,
    meta: Mapping[str, str | None] | None = None,
    problems: Iterable[Problem] = (),
) -> Record:
    """The record of one note. Relations index `spans` as given; empty strings and None in the rest mean "not said".

    problems: those that the format itself has found. Never raises: what is beyond mending is a record without a note.
    """
    found = list(problems)
    if not text or not text.strip("\0 \t\r\n\f\v\u00a0\ufeff"):
        return Record(place, None, (*found, Problem("empty")))
    if len(text) > rules.max_characters:
        detail = f"{len(text):,} characters, at most {rules.max_characters:,}"
        return Record(place, None, (*found, Problem("too large", detail)))
    if not text.isascii() and _SURROGATE.search(text):
        return Record(place, None, (*found, Problem("half a character")))
    if "\0" in text:
        found.append(Problem("NUL", f"{text.count(chr(0)):,} of them"))
        text = text.replace("\0", " ")  # one sign for one: offsets stay
        tokens = None if tokens is None else [token.replace("\0", " ") for token in tokens]
    kept_spans, kept_relations = _fitting(list(spans), relations, len(text), rules, found)
    kept_meta = {clean(k): clean(v) for k, v in (meta or {}).items() if v not in (None, "")}
    if date and not is_iso_date(date):
        mended = iso_date(date)
        if mended is None:
            found.append(Problem("date"))
            kept_meta.setdefault("date", clean(date))
        date = mended
    id = clean(id)
    if not id:
        found.append(Problem("id missing"))
    note = Note(
        id=id or clean(place),
        text=text,
        language=language_code(language) or rules.language,
        patient=clean(patient) or None,
        meta=kept_meta,
        date=date or None,
        author_role=clean(author_role) or None,
        department=clean(department) or None,
        type=clean(type) or None,
    ).with_spans(kept_spans, kept_relations)
    note = _with_structure(note, tokens, sentences, sections, found)
    return Record(place, note, tuple(found))


def from_row(row: Mapping[str, object], place: str, rules: Rules) -> Record:
    """The record of one row of ours (`Note.from_row`), as JSONL and tables hold it, lenient where `Note.from_row` is strict."""
    problems: list[Problem] = []
    text = row.get("text")
    if not isinstance(text, str):
        return skipped(place, "syntax" if text is not None else "empty", "a text that is no string" if text is not None else "")
    spans, places = [], {}
    for number, entry in enumerate(_entries(row, "spans", problems)):
        # Span by span, so that one bad one is named alone.
        try:
            spans.append(span_of_row(entry))
            places[number] = len(spans) - 1
        except (KeyError, TypeError, ValueError, AttributeError):
            problems.append(Problem("span outside", f"span {number + 1}"))
    relations = []
    for entry in _entries(row, "relations", problems):
        relation = _relation(entry, places)
        if relation is None:
            problems.append(Problem("relation"))
        else:
            relations.append(relation)
    sections = []
    for entry in _entries(row, "sections", problems):
        try:
            start, end, header_end = (int(str(entry[k])) for k in ("start", "end", "header_end"))
            sections.append(Section(start, end, str(entry["name"]), header_end))
        except (KeyError, TypeError, ValueError):
            problems.append(Problem("structure", "a section"))
    sentences = row.get("sentences")
    pairs: list[tuple[int, int]] = []
    if isinstance(sentences, list):
        pairs = [(p[0], p[1]) for p in sentences if isinstance(p, list | tuple) and len(p) == 2]
    tokens = row.get("tokens")
    words = {name: _plain(row.get(name)) for name in ("patient", "date", "author_role", "department", "type")}
    own = {"id", "lang", "language", "text", "spans", "relations", "sections", "sentences", "tokens", "meta", *words}
    meta = {k: _plain(v) for k, v in row.items() if k not in own}
    given = row.get("meta")
    if isinstance(given, dict):
        meta |= {str(k): _plain(v) for k, v in given.items()}
    return build(
        place,
        rules,
        id=_plain(row.get("id")),
        text=text,
        language=_plain(row.get("lang", row.get("language"))),
        spans=spans,
        relations=relations,
        tokens=tokens if isinstance(tokens, list) and all(isinstance(t, str) and t for t in tokens) else None,
        sentences=pairs,
        sections=sections,
        meta=meta,
        problems=problems,
        **words,
    )


def _relation(entry: Mapping[str, object], places: Mapping[int, int]) -> Relation | None:
    """A relation of ours, or one that names its two ends by their roles: `{"type": "ADR", "drug": 1, "reaction": 0}`."""
    ends = [entry[k] for k in ("head", "tail") if k in entry]
    if not ends:
        ends = [value for value in entry.values() if isinstance(value, int) and not isinstance(value, bool)]
    label = entry.get("label", entry.get("type"))
    if len(ends) != 2 or not isinstance(label, str):
        return None
    head, tail = (places.get(end) if isinstance(end, int) else None for end in ends)
    attributes = entry.get("attributes")
    plain = {str(k): str(v) for k, v in attributes.items()} if isinstance(attributes, Mapping) else {}
    return None if head is None or tail is None else Relation(head, tail, label, plain)


def language_code(value: str | None) -> str:
    """The two-letter code of a language tag ("nb-NO", "nob", "sv_FI" → "nb", "nb", "sv"); "" for what is none."""
    tag = re.split(r"[-_]", (value or "").strip().lower())[0]
    tag = _THREE_LETTERS.get(tag, tag)
    return tag if len(tag) == 2 and tag.isalpha() and tag.isascii() else ""


def iso_date(value: str) -> str | None:
    """A full date in ISO 8601 from what hospital exports write: ISO with a blank or without seconds, `20240131`, HL7 timestamps
    (`20240131120500+0100`) and Nordic `31.01.2024`. None for anything else: 01/02/2024 is two days, so it is none of them."""
    value = value.strip()
    hl7 = re.fullmatch(
        r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d*)?)?)?([+-]\d\d:?\d\d|Z)?", value, re.ASCII
    )
    nordic = re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:[ T](\d\d:\d\d(?::\d\d)?))?", value, re.ASCII)
    iso = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)([.,]\d+)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?", value, re.ASCII | re.IGNORECASE
    )
    if hl7:
        year, month, day, hour, minute, second, fraction, zone = hl7.groups()
        text = f"{year}-{month}-{day}"
        if hour:
            text += f"T{hour}:{minute}:{second or '00'}{'.' + fraction if fraction else ''}"
            text += zone if not zone or ":" in zone or zone == "Z" else f"{zone[:3]}:{zone[3:]}"
    elif nordic:
        day, month, year, time = nordic.groups()
        text = f"{year}-{int(month):02d}-{int(day):02d}{'T' + time if time else ''}"
    elif iso:
        text, time, fraction, zone = iso.groups()
        zone = (zone or "").upper()
        if zone not in ("", "Z"):
            zone = f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}"
        text += f"T{time}{(fraction or '')[:7].replace(',', '.')}{zone}" if time else ""
    else:
        return None
    return text if is_iso_date(text) else None


def clean(value: str | None) -> str:
    """A word of a source without NULs and halves of characters, which no store takes, and without blanks at the ends."""
    value = value or ""
    if not value.isprintable():  # as nearly all are
        value = _SURROGATE.sub("\ufffd", value.replace("\0", " "))
    return value.strip()


def _fitting(
    spans: list[Span], relations: Sequence[Relation], size: int, rules: Rules, found: list[Problem]
) -> tuple[list[Span], list[Relation]]:
    kept: list[Span] = []
    places: dict[int, int] = {}
    for number, span in enumerate(spans):
        if not (isinstance(span.start, int) and isinstance(span.end, int) and fits(span, size)):
            found.append(Problem("span outside", f"span {number + 1}"))
            continue
        label = clean(rules.rename.get(span.label, span.label))
        if not label or (rules.labels is not None and label not in rules.labels):
            found.append(Problem("label unknown", f"span {number + 1}"))
            continue
        attributes = {clean(k): clean(v) for k, v in span.attributes.items()}
        concepts = tuple(Concept(clean(c.system), clean(c.code), clean(c.name)) for c in span.concepts)
        if (label, attributes, concepts) != (span.label, span.attributes, span.concepts):
            span = replace(span, label=label, attributes=attributes, concepts=concepts)
        places[number] = len(kept)
        kept.append(span)
    ties: list[Relation] = []
    for relation in relations:
        if relation.head in places and relation.tail in places:
            said = {clean(k): clean(v) for k, v in relation.attributes.items()}
            ties.append(Relation(places[relation.head], places[relation.tail], clean(relation.label), said))
        else:
            found.append(Problem("relation"))
    return kept, ties


def _with_structure(
    note: Note,
    tokens: Sequence[str] | None,
    sentences: Sequence[tuple[int, int]],
    sections: Sequence[Section],
    found: list[Problem],
) -> Note:
    """The note with what fits of each; a part that does not fit is left out whole, since its pieces hang together."""
    sections = [replace(section, name=clean(section.name)) for section in sections]
    for name, given in (("sentences", sentences), ("sections", sections)):
        if not given:
            continue
        try:
            larger = (
                replace(note, sentences=tuple(sentences)) if name == "sentences" else replace(note, sections=tuple(sections))
            )
            larger.check()
            note = larger
        except (CorpusError, TypeError):
            found.append(Problem("structure", name))
    if tokens is not None:
        at = 0
        for token in tokens:
            start = note.text.find(token, at)
            if start < 0 or note.text[at:start].strip():
                found.append(Problem("structure", "tokens"))
                return note
            at = start + len(token)
        note = replace(note, tokens=tuple(tokens))
    return note


def _entries(row: Mapping[str, object], name: str, problems: list[Problem]) -> list[Mapping[str, object]]:
    value = row.get(name) or []
    if not isinstance(value, list | tuple):
        problems.append(Problem("structure", name))
        return []
    return [entry if isinstance(entry, Mapping) else {} for entry in value]


def _plain(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float | bool) else None
