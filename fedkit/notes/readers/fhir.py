"""HL7 FHIR R4 in JSON or XML: DocumentReference, Composition, DiagnosticReport, alone, in a Bundle, one a line (bulk data).

A DocumentReference gives the text of the plainest of its attachments: plain text, then HTML, a CDA with its sections and spans,
the text layer of a PDF, held in the attachment or in a Binary of the same Bundle. A Composition gives its sections with their
narrative. Codes stay as they are in meta: `type_system` and `type_code` of the document, `category`, `status`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fedkit.errors import CorpusError
from fedkit.notes.note import Section, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.cda import body_of
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.fhir_xml import FHIR, resource_of
from fedkit.notes.readers.jsonl import first_object, json_rows
from fedkit.notes.readers.markup import Narrative, known_kind, parse_xml, text_of_html
from fedkit.notes.readers.pdf import text_layer
from fedkit.notes.readers.text import decode, encoding_of, read_text

_NOTES = ("DocumentReference", "Composition", "DiagnosticReport")
#: A CDA comes under any of these (IHE XDS.b has text/xml).
_CDA = ("text/xml", "application/xml", "application/hl7-v3+xml", "application/cda+xml")
_ORDER = ("text/plain", "text/html", "application/xhtml+xml", *_CDA, "application/pdf")


class FhirReader(NoteReader):
    """One record for each document; other resources are looked up where a document refers to them."""

    name = "fhir"
    title = "FHIR R4"
    suffixes = (".json", ".ndjson", ".jsonl", ".xml")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        return (start.startswith(b"{") and b'"resourceType"' in head) or (start.startswith(b"<") and FHIR.encode() in head)

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        found = 0
        for place, resource in self._resources(path, name):
            if isinstance(resource, Record):
                found += 1
                yield resource
                continue
            for record in self._documents(resource, place):
                found += 1
                yield record
        if not found:
            yield skipped(name, "empty", f"no {', '.join(_NOTES[:2])} or {_NOTES[2]}")

    def _resources(self, path: Path, name: str) -> Iterator[tuple[str, dict[str, Any] | Record]]:
        with path.open("rb") as file:
            first = file.readline(1 << 22)
        if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or path.suffix.lower() == ".xml":
            yield name, self._from_xml(path, name)
            return
        if path.suffix.lower() in (".ndjson", ".jsonl") or (len(first) < 1 << 22 and first_object(first) and _several(path)):
            yield from json_rows(path, name, "utf-8", 8 * self.rules.max_characters)
            return
        text, problem = read_text(path, "utf-8", 256 * self.rules.max_characters)
        if text is None:
            assert problem is not None
            yield name, skipped(name, problem.kind, problem.detail)
            return
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            yield name, skipped(name, "syntax", f"{error.msg} at line {error.lineno}, column {error.colno}")
            return
        yield name, value if isinstance(value, dict) else skipped(name, "syntax", "no resource")

    def _from_xml(self, path: Path, name: str) -> dict[str, Any] | Record:
        from lxml import etree

        size = path.stat().st_size
        if size > 256 * self.rules.max_characters:
            return skipped(name, "too large", f"{size:,} bytes")
        try:
            root = parse_xml(path.read_bytes())
        except etree.XMLSyntaxError as error:
            line, column = error.position
            return skipped(name, "syntax", f"not well-formed XML at line {line}, column {column}")
        return resource_of(root) or skipped(name, "syntax", "no resource")

    def _documents(self, resource: dict[str, Any], place: str) -> Iterator[Record]:
        if resource.get("resourceType") != "Bundle":
            if resource.get("resourceType") in _NOTES:
                yield self._one(place, partial(self._document, resource, _Known([]), place))
            return
        entries = [entry if isinstance(entry, dict) else {} for entry in _list(resource.get("entry"))]
        known = _Known(entries)
        for number, entry in enumerate(entries, start=1):
            inner = entry.get("resource")
            if isinstance(inner, dict) and inner.get("resourceType") in _NOTES:
                yield self._one(f"{place}, entry {number}", partial(self._document, inner, known, f"{place}, entry {number}"))

    def _document(self, resource: dict[str, Any], known: _Known, place: str) -> Record:
        known = known.within(resource)
        problems: list[Problem] = []
        sections: list[Section] = []
        spans: list[Span] = []
        kind = resource["resourceType"]
        language = resource.get("language")
        if kind == "Composition":
            text, sections = _composition(resource, problems)
        else:
            attachments = (
                [_map(_map(c).get("attachment")) for c in _list(resource.get("content"))]
                if kind == "DocumentReference"
                else [_map(a) for a in _list(resource.get("presentedForm"))]
            )
            found = _attachment(attachments, known, problems)
            text, language = found.text, found.language or language
            sections, spans = list(found.sections), list(found.spans)
            if text is None and kind == "DiagnosticReport" and isinstance(resource.get("conclusion"), str):
                text, problems = resource["conclusion"], []
        if text is None:
            return Record(place, None, tuple(problems) or (Problem("empty"),))
        code = _map(resource.get("type") or resource.get("code"))
        coding = next((_map(c) for c in _list(code.get("coding"))), {})
        author = _first(resource, "author", "performer", "resultsInterpreter")
        context = _map(resource.get("context"))
        return build(
            place,
            self.rules,
            id=_word(resource.get("id")) or _word(_map(resource.get("masterIdentifier")).get("value")),
            text=text,
            language=_word(language),
            sections=sections,
            spans=spans,
            patient=known.id_of(_map(resource.get("subject"))),
            date=_word(_first(resource, "date", "effectiveDateTime", "issued"))
            or _word(_map(context.get("period")).get("start")),
            author_role=known.role_of(_map(author)),
            department=_concept_words(context.get("practiceSetting")) or known.name_of(_map(resource.get("custodian"))),
            type=_concept_words(code),
            meta={
                "type_system": _word(coding.get("system")),
                "type_code": _word(coding.get("code")),
                "category": _concept_words(next(iter(_list(resource.get("category"))), None)),
                "status": _word(resource.get("status")),
                "encounter": _word(
                    _map(next(iter(_list(context.get("encounter"))), resource.get("encounter"))).get("reference")
                ),
            },
            problems=problems,
        )


class _Known:
    """The resources that references can mean: those of the Bundle, by address and by `Type/id`, and those contained."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.by: dict[str, dict[str, Any]] = {}
        for entry in entries:
            inner = entry.get("resource")
            if isinstance(inner, dict):
                if isinstance(entry.get("fullUrl"), str):
                    self.by[entry["fullUrl"]] = inner
                self.by[f"{inner.get('resourceType')}/{inner.get('id')}"] = inner

    def within(self, resource: dict[str, Any]) -> _Known:
        """What is known inside a resource: its contained resources as well."""
        inner = _Known([])
        inner.by = self.by | {f"#{c.get('id')}": c for c in _list(resource.get("contained")) if isinstance(c, dict)}
        return inner

    def get(self, reference: Mapping[str, Any]) -> dict[str, Any]:
        address = str(reference.get("reference") or "")
        return self.by.get(address) or self.by.get("/".join(address.split("/")[-2:])) or {}

    def id_of(self, reference: Mapping[str, Any]) -> str | None:
        """The id of what is meant, without its type: "Patient/17" and the Bundle's own "urn:uuid:…" give the same."""
        address = _word(reference.get("reference"))
        own = _word(self.get(reference).get("id"))
        return own or (address.rpartition("/")[2] if address else _word(_map(reference.get("identifier")).get("value")))

    def name_of(self, reference: Mapping[str, Any]) -> str | None:
        return _word(self.get(reference).get("name")) or _word(reference.get("display"))

    def role_of(self, reference: Mapping[str, Any]) -> str | None:
        """What kind of person wrote it. Never `display`: that is their name."""
        who = self.get(reference)
        if who.get("resourceType") == "PractitionerRole":
            return _concept_words(next(iter(_list(who.get("code")) or _list(who.get("specialty"))), None))
        qualification = _map(next(iter(_list(who.get("qualification"))), None))
        return _concept_words(qualification.get("code")) or _word(reference.get("type")) or _word(who.get("resourceType"))


class _Found(NamedTuple):
    """What an attachment says."""

    text: str | None = None
    language: str | None = None
    sections: tuple[Section, ...] = ()
    spans: tuple[Span, ...] = ()


def _attachment(attachments: list[Mapping[str, Any]], known: _Known, problems: list[Problem]) -> _Found:
    """What the plainest attachment that holds a text says."""

    def rank(attachment: Mapping[str, Any]) -> int:
        kind = _kind_of(attachment)
        return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)

    for attachment in sorted(attachments, key=rank):
        if rank(attachment) == len(_ORDER):
            problems.append(Problem("left out", f"an attachment of {known_kind(_kind_of(attachment))}"))
            continue
        data = attachment.get("data")
        if data is None and attachment.get("url"):
            data = known.get({"reference": attachment["url"]}).get("data")
            if data is None:
                problems.append(Problem("text elsewhere", "an attachment behind an address"))
                continue
        try:
            raw = base64.b64decode("".join(str(data or "").split()), validate=True)
        except (binascii.Error, ValueError):
            problems.append(Problem("syntax", "an attachment that is not base64"))
            continue
        if _kind_of(attachment) in _CDA:
            if (found := _clinical_document(raw, problems)) is not None:
                return found._replace(language=_word(attachment.get("language")))
            continue
        text = _text(raw, attachment, problems)
        if text is not None and text.strip():
            return _Found(text, _word(attachment.get("language")))
    return _Found()


def _clinical_document(raw: bytes, problems: list[Problem]) -> _Found | None:
    """What a CDA says, its header left to the FHIR resource; None for other XML and for one without a text."""
    try:
        root = parse_xml(raw)
    except Exception:  # lxml has its own for every way in which XML can be broken
        problems.append(Problem("syntax", "an attachment that is not well-formed XML"))
        return None
    if not isinstance(root.tag, str) or root.tag.rpartition("}")[2] != "ClinicalDocument":
        problems.append(Problem("left out", "an attachment of XML that is no CDA"))
        return None
    body = body_of(root)
    problems += body.problems
    return _Found(body.text.rstrip(), None, tuple(body.sections), tuple(body.spans)) if body.text.strip() else None


def _text(raw: bytes, attachment: Mapping[str, Any], problems: list[Problem]) -> str | None:
    kind = _kind_of(attachment)
    if kind == "application/pdf":
        text, _, found = text_layer(raw)
        problems += found
        return text
    try:
        mark, encoding = encoding_of(raw[:4], _charset(attachment) or "utf-8")
    except CorpusError:
        problems.append(Problem("encoding", "a character set that nobody knows"))
        return None
    if "html" in kind:
        return text_of_html(raw, encoding)
    text, problem = decode(raw[len(mark) :], encoding)
    problems += [problem] if problem else []
    return text


def _composition(resource: Mapping[str, Any], problems: list[Problem]) -> tuple[str | None, list[Section]]:
    """(text, sections): a heading and a narrative each, in order; sections inside sections follow their parent."""
    text = ""
    sections: list[Section] = []
    todo = [(_map(s), 0) for s in reversed(_list(resource.get("section")))]
    while todo:
        section, depth = todo.pop()
        title = (_word(section.get("title")) or _concept_words(section.get("code")) or "").strip()
        body = _narrative(_map(section.get("text")).get("div"), problems)
        if title or body:
            text += "\n" if text else ""
            start = len(text)
            text += title + ("\n" if title and body else "") + body
            sections.append(Section(start, len(text), title or "content", start + len(title)))
            text += "\n"
        if depth < 50:
            todo += [(_map(s), depth + 1) for s in reversed(_list(section.get("section")))]
    if not sections:
        body = _narrative(_map(resource.get("text")).get("div"), problems)
        return body or None, []
    return text.rstrip("\n"), sections


def _narrative(div: object, problems: list[Problem]) -> str:
    if not isinstance(div, str) or not div.strip():
        return ""
    narrative = Narrative()
    try:
        narrative.element(parse_xml(div.encode("utf-8", "replace")))
    except Exception:  # not well formed, as XHTML must be: read as browsers read it
        problems.append(Problem("syntax", "a narrative that is not well formed, read as HTML"))
        return text_of_html(div.encode("utf-8", "replace"), "utf-8")
    return narrative.text.strip()


def _several(path: Path) -> bool:
    with path.open("rb") as file:
        return sum(1 for _, line in zip(range(3), file, strict=False) if line.strip()) > 1


def _kind_of(attachment: Mapping[str, Any]) -> str:
    return str(attachment.get("contentType") or "").split(";")[0].strip().lower()


def _charset(attachment: Mapping[str, Any]) -> str | None:
    _, _, charset = str(attachment.get("contentType") or "").partition("charset=")
    return charset.split(";")[0].strip(' "') or None


def _concept_words(value: object) -> str | None:
    concept = _map(value)
    codings = [_map(c) for c in _list(concept.get("coding"))]
    return _word(concept.get("text")) or next(
        (w for c in codings if (w := _word(c.get("display")) or _word(c.get("code")))), None
    )


def _first(resource: Mapping[str, Any], *keys: str) -> Any:
    value = next((resource[k] for k in keys if resource.get(k)), None)
    return value[0] if isinstance(value, list) else value


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float | bool) else None
