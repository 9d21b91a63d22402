"""UIMA CAS in XMI (OASIS UIMA 1.0; INCEpTION, WebAnno, cTAKES), by dkpro-cassis, which counts code points like us.

The type system is looked for beside the file, or inside the zip that INCEpTION exports. Sentences and tokens of DKPro Core
become ours; every other annotation with a begin and an end is a span, labelled by its `value` or `label` and else by its type's
name; what joins two spans (Governor and Dependent, source and target) is a relation.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fedkit.notes.note import Concept, Relation, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, Rules, skipped
from fedkit.notes.readers.draft import build

_SEGMENTATION = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type."
_META = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type."
_FACTS = ("patient", "date", "author_role", "department", "type")
_LABELS = ("value", "label", "category", "kind")
_ENDS = (("Governor", "Dependent"), ("source", "target"), ("head", "tail"))
_OWN = frozenset(
    {"begin", "end", "sofa", "type", "xmiID", "identifier", "uiOrder", "more", "number", "DependencyType", "flavor"}
    | {*_LABELS, *(end for pair in _ENDS for end in pair)}
)


class XmiReader(NoteReader):
    """One record a CAS."""

    name = "xmi"
    title = "UIMA CAS XMI"
    suffixes = (".xmi", ".zip")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        if head.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith(".xmi") for name in archive.namelist())
        return b"<xmi:XMI" in head

    @classmethod
    def fingerprint(cls, path: Path) -> str:
        system = None if path.suffix.lower() == ".zip" else _beside(path)
        return super().fingerprint(path) + (super().fingerprint(system) if system else "")

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        limit = 64 * self.rules.max_characters
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
                system = next((e for e in entries if "typesystem" in e.filename.lower() and e.filename.endswith(".xml")), None)
                types = archive.read(system) if system and system.file_size <= limit else b""
                for entry in sorted((e for e in entries if e.filename.endswith(".xmi")), key=lambda e: e.filename):
                    place = f"{name}, {entry.filename}"
                    if entry.file_size > limit:
                        yield skipped(place, "too large", f"{entry.file_size:,} bytes, at most {limit:,}")
                    else:
                        yield self._cas(archive.read(entry), types, place)
            return
        if path.stat().st_size > limit:
            yield skipped(name, "too large", f"{path.stat().st_size:,} bytes, at most {limit:,}")
            return
        beside = _beside(path)
        yield self._cas(path.read_bytes(), beside.read_bytes() if beside else b"", name)

    def _cas(self, data: bytes, types: bytes, place: str) -> Record:
        from cassis import load_cas_from_xmi, load_typesystem
        from lxml import etree

        if not types:
            return skipped(place, "unreadable", "no type system: TypeSystem.xml belongs beside the file")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about offsets outside the text, which are named below
                cas = load_cas_from_xmi(io.BytesIO(data), typesystem=load_typesystem(io.BytesIO(types)), lenient=True)
        except etree.XMLSyntaxError as error:
            line, column = error.position
            return skipped(place, "syntax", f"not well-formed XML at line {line}, column {column}")
        except Exception as error:  # whatever cassis meets in a document that is not as its type system says
            return skipped(place, "syntax", f"no CAS of this type system ({type(error).__name__})")
        return self._one(place, lambda: _Cas(cas).record(place, self.rules))


class _Cas:
    """What one CAS holds, sorted by what it is to a note."""

    def __init__(self, cas: Any) -> None:
        self.cas = cas
        self.problems: list[Problem] = []
        self.about: dict[str, str] = {}  # features of the document's own annotation
        self.facts: dict[str, str] = {}  # INCEpTION's MetaDataStringFields, and what our writer says of a note
        self.sentences: list[tuple[int, int]] = []
        self.tokens: list[tuple[int, int]] = []
        self.spans: dict[int, Span] = {}
        self.ties: list[tuple[Any, Any, Any]] = []
        for piece in cas.select_all_fs():
            self._take(piece, piece.type.name)

    def _take(self, piece: Any, kind: str) -> None:
        ends = next(((h, t) for h, t in _ENDS if _feature(piece, h) is not None and _feature(piece, t) is not None), None)
        if kind.startswith(_META) or kind == "uima.tcas.DocumentAnnotation":
            for name in ("documentId", "documentTitle", "language"):
                value = _word(_feature(piece, name))
                if value and value != "x-unspecified":
                    self.about[name] = value
            if _word(_feature(piece, "key")) and _word(_feature(piece, "value")):
                self.facts[str(piece.key)] = str(piece.value)
        elif kind == _SEGMENTATION + "Sentence":
            self.sentences.append((piece.begin, piece.end))
        elif kind == _SEGMENTATION + "Token":
            self.tokens.append((piece.begin, piece.end))
        elif ends:
            self.ties.append((_feature(piece, ends[0]), _feature(piece, ends[1]), piece))
        elif _feature(piece, "begin") is not None and not kind.startswith((_SEGMENTATION, "uima.cas.")):
            self.spans[id(piece)] = _span(piece)

    def record(self, place: str, rules: Rules) -> Record:
        text = self.cas.sofa_string
        if not isinstance(text, str):
            return skipped(place, "text elsewhere" if self.cas.sofa_uri else "empty", "no text in the CAS")
        places = {key: i for i, key in enumerate(self.spans)}
        relations = []
        for head, tail, piece in self.ties:
            if id(head) in places and id(tail) in places:
                label = next((w for k in ("DependencyType", *_LABELS) if (w := _word(_feature(piece, k)))), _short(piece))
                relations.append(Relation(places[id(head)], places[id(tail)], label, _attributes(piece)))
            else:
                self.problems.append(Problem("relation", "an end that is no span"))
        tokens = [text[a:b] for a, b in sorted(self.tokens) if isinstance(a, int) and isinstance(b, int)]
        meta = {key.removeprefix("meta."): value for key, value in self.facts.items() if key not in _FACTS}
        return build(
            place,
            rules,
            id=self.about.get("documentId") or self.about.get("documentTitle") or place.rpartition(".")[0],
            text=text,
            language=self.about.get("language"),
            spans=list(self.spans.values()),
            relations=relations,
            tokens=[t for t in tokens if t.strip()] or None,
            sentences=sorted(set(self.sentences)),
            patient=self.facts.get("patient"),
            date=self.facts.get("date"),
            author_role=self.facts.get("author_role"),
            department=self.facts.get("department"),
            type=self.facts.get("type"),
            meta=meta,
            problems=self.problems,
        )


def _span(piece: Any) -> Span:
    """The span of an annotation; `more` is what our writer has no feature for, as JSON."""
    label = next((w for k in _LABELS if (w := _word(_feature(piece, k)))), _short(piece))
    more = _more(piece)
    concepts = tuple(
        Concept(*(str(word) for word in c[:3])) for c in more.get("concepts", ()) if isinstance(c, list) and len(c) > 1
    )
    identifier = _word(_feature(piece, "identifier")) or ""
    if identifier and not concepts:
        system, _, code = identifier.rpartition("/" if "/" in identifier else ":")
        concepts = (Concept(system, code),) if code else ()
    fragments = tuple((p[0], p[1]) for p in more.get("fragments", ()) if isinstance(p, list) and len(p) == 2)
    return Span(piece.begin, piece.end, label, _attributes(piece), concepts, fragments)


def _attributes(piece: Any) -> dict[str, str]:
    """The plain features beside those that place and label it."""
    found = {feature.name: _word(_feature(piece, feature.name)) for feature in piece.type.all_features}
    plain = {name: value for name, value in found.items() if value and name not in _OWN}
    given = _more(piece).get("attributes", {})
    return plain | ({str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {})


def _more(piece: Any) -> dict[str, Any]:
    try:
        value = json.loads(_word(_feature(piece, "more")) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _beside(path: Path) -> Path | None:
    """The type system that belongs to a file: in its folder or the one above."""
    for folder in (path.parent, path.parent.parent):
        for found in sorted(folder.glob("*.xml")):
            with found.open("rb") as file:
                if b"typeSystemDescription" in file.read(4096):
                    return found
    return None


def _short(piece: Any) -> str:
    return str(piece.type.name).rpartition(".")[2]


def _feature(piece: Any, name: str) -> Any:
    return getattr(piece, name, None)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float | bool) and value != "" else None
