"""HL7 CDA Release 2, as national archives hold it (Finnish Kanta, Estonian ENHIS, C-CDA): the narrative, section by section.

An entry that points into the narrative (`<reference value="#id"/>`) becomes a span over what it points at, with the codes of
the entry; its label is the kind of statement ("observation", "substanceAdministration"), and `negationInd` is `negated`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fedkit.notes.note import Concept, Section, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.markup import Narrative, known_kind, parse_xml, text_of_html
from fedkit.notes.readers.pdf import text_layer
from fedkit.notes.readers.text import decode

_STATEMENTS = frozenset({"act", "encounter", "observation", "organizer", "procedure", "substanceAdministration", "supply"})


class CdaReader(NoteReader):
    """One record a document."""

    name = "cda"
    title = "CDA R2"
    suffixes = (".xml", ".cda")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return b"<ClinicalDocument" in head or b":ClinicalDocument" in head

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        from lxml import etree

        size = path.stat().st_size
        if size > 32 * self.rules.max_characters:
            yield skipped(name, "too large", f"{size:,} bytes")
            return
        try:
            root = parse_xml(path.read_bytes())
        except etree.XMLSyntaxError as error:
            line, column = error.position
            yield skipped(name, "syntax", f"not well-formed XML at line {line}, column {column}")
            return
        if _tag(root) != "ClinicalDocument":
            yield skipped(name, "syntax", "no ClinicalDocument")
            return
        yield self._one(name, partial(self._document, root, name))

    def _document(self, root: Any, name: str) -> Record:
        body = body_of(root)
        code = _child(root, "code")
        author = _path(root, "author", "assignedAuthor")
        patient = _path(root, "recordTarget", "patientRole", "id")
        return build(
            name,
            self.rules,
            id=_identifier(_child(root, "id")),
            text=body.text.rstrip(),
            language=_attribute(_child(root, "languageCode"), "code"),
            spans=body.spans,
            sections=body.sections,
            patient=_identifier(patient),
            date=_attribute(_child(root, "effectiveTime"), "value"),
            author_role=_attribute(_child(author, "code"), "displayName") or _attribute(_child(author, "code"), "code"),
            department=_words(_path(author, "representedOrganization", "name"))
            or _words(_path(root, "custodian", "assignedCustodian", "representedCustodianOrganization", "name")),
            type=_words(_child(root, "title")) or _attribute(code, "displayName"),
            meta={
                "type_system": _attribute(code, "codeSystem"),
                "type_code": _attribute(code, "code"),
                "type_name": _attribute(code, "displayName"),
            },
            problems=body.problems,
        )


def body_of(root: Any) -> Body:
    """What the body of a ClinicalDocument (an element of lxml) says; its text may have blank lines at the end."""
    body = Body()
    component = _child(root, "component")
    structured, plain = _child(component, "structuredBody"), _child(component, "nonXMLBody")
    if structured is not None:
        for part in _children(structured, "component"):
            body.section(_child(part, "section"))
    elif plain is not None:
        body.text = _plain(_child(plain, "text"), body.problems)
    return body


class Body:
    """The text of a structured body, grown section by section, with its spans and what was found wrong."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: list[Span] = []
        self.sections: list[Section] = []
        self.problems: list[Problem] = []

    def section(self, section: Any) -> None:
        if section is None:
            return
        title = " ".join((_words(_child(section, "title")) or "").split())
        narrative = Narrative()
        block = _child(section, "text")
        if block is not None:
            narrative.element(block)
        words = narrative.text.strip()
        lead = len(narrative.text) - len(narrative.text.lstrip())
        if title or words:
            self.text += "\n" if self.text else ""
            start = len(self.text)
            self.text += title + ("\n" if title and words else "")
            base = len(self.text) - lead
            self.text += words
            self.sections.append(Section(start, len(self.text), title or "content", start + len(title)))
            self.text += "\n"
            self._entries(section, {k: (base + a, base + b) for k, (a, b) in narrative.places.items()})
        for part in _children(section, "component"):
            self.section(_child(part, "section"))

    def _entries(self, section: Any, places: dict[str, tuple[int, int]]) -> None:
        """A span for every place of the narrative that a statement points at, once, with the codes of the statement."""
        taken: dict[tuple[int, int], int] = {}
        for entry in _children(section, "entry"):
            for reference in entry.iter("{*}reference"):
                target = (reference.get("value") or "").removeprefix("#")
                holder = reference.getparent()
                if _tag(holder) not in ("originalText", "text") or not target:
                    continue
                place = places.get(target)
                if place is None or place[0] >= place[1]:
                    self.problems.append(Problem("span outside", "an entry points at nothing in the narrative"))
                    continue
                statement = next((a for a in holder.iterancestors() if _tag(a) in _STATEMENTS), entry)
                coded = holder.getparent() if _tag(holder) == "originalText" else None
                concepts = _concepts(coded if coded is not None and coded.get("code") else statement)
                if place in taken:
                    old = self.spans[taken[place]]
                    both = (*old.concepts, *(c for c in concepts if c not in old.concepts))
                    self.spans[taken[place]] = Span(*place, old.label, old.attributes, both)
                    continue
                taken[place] = len(self.spans)
                negated = {"negated": "true"} if statement.get("negationInd") == "true" else {}
                self.spans.append(Span(*place, _tag(statement), negated, concepts))


def _concepts(element: Any) -> tuple[Concept, ...]:
    """The codes of a coded element with their translations, or those of a statement's value and code."""
    found: list[Any] = [element] if element.get("code") else [*_children(element, "value"), *_children(element, "code")]
    found += [t for e in list(found) for t in _children(e, "translation")]
    concepts = (Concept(e.get("codeSystem") or "", e.get("code"), e.get("displayName") or "") for e in found if e.get("code"))
    return tuple(dict.fromkeys(concepts))


def _plain(text: Any, problems: list[Problem]) -> str:
    """The text of a nonXMLBody: plain, HTML or a PDF, as it stands or in base64."""
    if text is None or _child(text, "reference") is not None:
        problems.append(Problem("text elsewhere", "a body behind an address"))
        return ""
    words = "".join(text.itertext())
    kind = (text.get("mediaType") or "text/plain").split(";")[0].strip().lower()
    raw = words.encode("utf-8")
    if text.get("representation") == "B64":
        try:
            raw = base64.b64decode("".join(words.split()), validate=True)
        except (binascii.Error, ValueError):
            problems.append(Problem("syntax", "a body that is not base64"))
            return ""
    if kind == "application/pdf":
        layer, _, found = text_layer(raw)
        problems += found
        return layer or ""
    if kind == "text/html":
        return text_of_html(raw)
    if kind != "text/plain":
        problems.append(Problem("left out", f"a body of {known_kind(kind)}"))
        return ""
    plain, problem = decode(raw, "utf-8")
    problems += [problem] if problem else []
    return plain or ""


def _identifier(element: Any) -> str | None:
    """root^extension, as HL7 writes an II in one string."""
    if element is None:
        return None
    return "^".join(filter(None, (element.get("root"), element.get("extension")))) or None


def _tag(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: Any, tag: str) -> list[Any]:
    return [] if element is None else [child for child in element if _tag(child) == tag]


def _child(element: Any, tag: str) -> Any:
    return next(iter(_children(element, tag)), None)


def _path(element: Any, *tags: str) -> Any:
    for tag in tags:
        element = _child(element, tag)
    return element


def _attribute(element: Any, name: str) -> str | None:
    return None if element is None else element.get(name)


def _words(element: Any) -> str | None:
    return None if element is None else "".join(element.itertext()).strip() or None
