"""openEHR compositions in canonical JSON (openEHR ITS-JSON, RM 1.0.x): the words of a composition in the order of its tree.

Every top-level item of the content is a section under its own name; below it each element is a line "name: value". A coded text
becomes a span with its code, labelled by the name of its element.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fedkit.notes.note import Concept, Section, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.jsonl import first_object, parse_object
from fedkit.notes.readers.text import lines, read_text

_MAX_DEPTH = 200


class OpenEhrReader(NoteReader):
    """One record a composition: in a file of its own, in a list, or one a line."""

    name = "openehr"
    title = "openEHR canonical JSON"
    suffixes = (".json", ".jsonl", ".ndjson")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        return start in (b"{", b"[") and b'"_type"' in head and b'"COMPOSITION"' in head

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        limit = 32 * self.rules.max_characters
        with path.open("rb") as file:
            by_line = first_object(file.read(1 << 22).split(b"\n")[0]) is not None and b"\n" in _rest(file)
        if by_line:
            for line in lines(path, self.rules.encoding, limit):
                place = f"{name}, line {line.number}"
                if line.text is None:
                    assert line.problem is not None
                    yield skipped(place, line.problem.kind, line.problem.detail)
                elif line.text.strip():
                    value = parse_object(line.text, place)
                    yield value if isinstance(value, Record) else self._one(place, partial(self._composition, value, place))
            return
        text, problem = read_text(path, self.rules.encoding, limit)
        if text is None:
            assert problem is not None
            yield skipped(name, problem.kind, problem.detail)
            return
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            yield skipped(name, "syntax", f"{error.msg} at line {error.lineno}, column {error.colno}")
            return
        items = value if isinstance(value, list) else [value]
        for number, item in enumerate(items, start=1):
            place = f"{name}, composition {number}" if isinstance(value, list) else name
            yield self._one(place, partial(self._composition, item, place))

    def _composition(self, value: Any, place: str) -> Record:
        if isinstance(value, dict) and value.get("_type") == "ORIGINAL_VERSION":
            value = value.get("data")
        if not isinstance(value, dict) or value.get("_type") != "COMPOSITION":
            return skipped(place, "syntax", "no COMPOSITION")
        tree = _Tree()
        for item in value.get("content") or []:
            tree.section(item)
        context = _map(value.get("context"))
        details = _map(value.get("archetype_details"))
        meta = {
            "archetype": _at(details, "archetype_id", "value") or _text(value.get("archetype_node_id")),
            "template": _at(details, "template_id", "value"),
            "category": _at(value, "category", "value"),
            "setting": _at(context, "setting", "value"),
        }
        return build(
            place,
            self.rules,
            id=_at(value, "uid", "value"),
            text=tree.text.rstrip(),
            language=_at(value, "language", "code_string"),
            spans=tree.spans,
            sections=tree.sections,
            patient=_at(value, "subject", "external_ref", "id", "value"),
            date=_at(context, "start_time", "value"),
            department=_at(context, "health_care_facility", "name"),
            type=_at(value, "name", "value"),
            meta=meta,
            problems=tree.problems,
        )


class _Tree:
    """The text of a composition, grown along its tree."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: list[Span] = []
        self.sections: list[Section] = []
        self.problems: list[Problem] = []

    def section(self, item: Any) -> None:
        start = len(self.text)
        name = _at(_map(item), "name", "value") or ""
        self.text += f"{name}\n" if name else ""
        header_end = start + len(name)
        before = len(self.text)
        for key in ("items", "data", "state", "protocol", "description", "activities", "ism_transition"):
            self.walk(_map(item).get(key), 0)
        if len(self.text) == before:  # nothing but a heading
            self.text = self.text[:start]
            return
        self.sections.append(Section(start, len(self.text.rstrip("\n")), name or "content", header_end))

    def walk(self, node: Any, depth: int) -> None:
        if depth > _MAX_DEPTH:
            if not any(p.kind == "left out" for p in self.problems):
                self.problems.append(Problem("left out", f"what is nested more than {_MAX_DEPTH} deep"))
        elif isinstance(node, list):
            for item in node:
                self.walk(item, depth + 1)
        elif isinstance(node, dict):
            if node.get("_type") == "ELEMENT":
                self.element(node)
                return
            if node.get("_type") == "SECTION" and _at(node, "name", "value"):
                self.text += f"{_at(node, 'name', 'value')}\n"
            for key, child in node.items():
                if key not in (
                    "name",
                    "archetype_details",
                    "links",
                    "feeder_audit",
                    "subject",
                    "language",
                    "encoding",
                    "provider",
                ):
                    self.walk(child, depth + 1)

    def element(self, node: Mapping[str, Any]) -> None:
        value = _map(node.get("value"))
        words = _words(value)
        if not words:
            return
        name = _at(node, "name", "value") or ""
        self.text += f"{name}: " if name else ""
        start = len(self.text)
        self.text += f"{words}\n"
        concepts = []
        if value.get("_type") == "DV_CODED_TEXT":
            concepts.append(_concept(_map(value.get("defining_code")), words))
        concepts += [_concept(_map(_map(m).get("target")), "") for m in value.get("mappings") or []]
        concepts = [c for c in concepts if c.code]
        if concepts:
            self.spans.append(Span(start, start + len(words), name or "coded", concepts=tuple(concepts)))


def _words(value: Mapping[str, Any]) -> str:
    """What a data value says, as a person would write it."""
    kind = str(value.get("_type", ""))
    if kind == "DV_QUANTITY":
        return " ".join(filter(None, (_text(value.get("magnitude")), _text(value.get("units")))))
    if kind == "DV_PROPORTION":
        return f"{value.get('numerator')}/{value.get('denominator')}"
    if kind in ("DV_COUNT", "DV_ORDINAL", "DV_SCALE"):
        return _text(value.get("magnitude")) or _at(_map(value.get("symbol")), "value") or _text(value.get("value")) or ""
    if kind == "DV_INTERVAL":
        return "–".join(filter(None, (_words(_map(value.get(k))) for k in ("lower", "upper"))))
    return (_text(value.get("value")) or "").strip()


def _concept(code: Mapping[str, Any], name: str) -> Concept:
    return Concept(_at(code, "terminology_id", "value") or "", _text(code.get("code_string")) or "", name)


def _at(value: Mapping[str, Any], *keys: str) -> str | None:
    found: Any = value
    for key in keys:
        found = _map(found).get(key)
    return _text(found)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float | bool) else None


def _rest(file: Any) -> bytes:
    file.seek(0)
    return file.read(1 << 22).rstrip()
