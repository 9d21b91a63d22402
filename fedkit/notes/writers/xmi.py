"""UIMA CAS in XMI, for INCEpTION: a file a note and one TypeSystem.xml, by dkpro-cassis.

Spans are of the custom layer `webanno.custom.Mention` with `value`, `identifier` (the first concept) and a feature for each of
`CONTEXT_ATTRIBUTES`; other attributes, concepts and fragments stand as JSON in `more`. Relations are `webanno.custom.Tie`.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fedkit.notes.note import CONTEXT_ATTRIBUTES, Note, Span
from fedkit.notes.writers.base import NoteWriter
from fedkit.notes.writers.brat import file_name

_CORE = "de.tudarmstadt.ukp.dkpro.core.api."
_FACTS = ("patient", "date", "author_role", "department", "type")


class XmiWriter(NoteWriter):
    """One CAS a note, named by its id."""

    name = "xmi"
    title = "UIMA CAS XMI"
    suffixes = (".xmi", ".xml")
    holds = frozenset(
        {
            "tokens",
            "sentences",
            "relations",
            "language",
            "meta",
            "attributes",
            "concepts",
            "fragments",
            "attributes of relations",
        }
        | set(_FACTS)
    )

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        from cassis import Cas

        types = _types()
        types.to_xml(str(target / "TypeSystem.xml"))
        used: set[str] = {"typesystem"}
        for note in notes:
            cas = Cas(types)
            cas.sofa_string = note.text
            cas.sofa_mime = "text/plain"
            _fill(cas, types, note)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cas.to_xmi(str(target / f"{file_name(note.id, used)}.xmi"))


def _types() -> Any:
    from cassis import TypeSystem

    types = TypeSystem()
    string, integer = "uima.cas.String", "uima.cas.Integer"
    for name in ("segmentation.type.Sentence", "segmentation.type.Token"):
        types.create_type(_CORE + name, "uima.tcas.Annotation")
    about = types.create_type(_CORE + "metadata.type.DocumentMetaData", "uima.tcas.DocumentAnnotation")
    for name in ("documentId", "documentTitle"):
        types.create_feature(about, name, string)
    fact = types.create_type(_CORE + "metadata.type.MetaDataStringField", "uima.cas.TOP")
    for name in ("key", "value"):
        types.create_feature(fact, name, string)
    mention = types.create_type("webanno.custom.Mention", "uima.tcas.Annotation")
    for name in ("value", "identifier", *CONTEXT_ATTRIBUTES, "more"):
        types.create_feature(mention, name, string)
    types.create_feature(mention, "number", integer)
    tie = types.create_type("webanno.custom.Tie", "uima.tcas.Annotation")
    for name in ("Governor", "Dependent"):
        types.create_feature(tie, name, mention)
    for name in ("value", "more"):
        types.create_feature(tie, name, string)
    return types


def _fill(cas: Any, types: Any, note: Note) -> None:
    def kind(name: str) -> Any:
        return types.get_type(name)

    about = kind(_CORE + "metadata.type.DocumentMetaData")
    size = len(note.text)
    cas.add(about(begin=0, end=size, language=note.language or "x-unspecified", documentId=note.id, documentTitle=note.id))
    fact = kind(_CORE + "metadata.type.MetaDataStringField")
    facts = {name: value for name in _FACTS if (value := getattr(note, name)) is not None}
    for key, value in {**{f"meta.{k}": v for k, v in note.meta.items()}, **facts}.items():
        cas.add(fact(key=key, value=value))
    for start, end in note.sentences:
        cas.add(kind(_CORE + "segmentation.type.Sentence")(begin=start, end=end))
    at = 0
    for token in note.tokens or ():
        start = note.text.find(token, at)
        at = start + len(token)
        cas.add(kind(_CORE + "segmentation.type.Token")(begin=start, end=at))
    mentions = [kind("webanno.custom.Mention")(number=i, **_features(span)) for i, span in enumerate(note.spans)]
    for mention in mentions:
        cas.add(mention)
    for relation in note.relations:
        head, tail = mentions[relation.head], mentions[relation.tail]
        more = json.dumps({"attributes": dict(relation.attributes)}, ensure_ascii=False) if relation.attributes else None
        ends = {"begin": tail.begin, "end": tail.end, "Governor": head, "Dependent": tail}
        cas.add(kind("webanno.custom.Tie")(value=relation.label, more=more, **ends))


def _features(span: Span) -> dict[str, Any]:
    first = span.concepts[0] if span.concepts else None
    plain = {name: span.attributes[name] for name in CONTEXT_ATTRIBUTES if name in span.attributes}
    others = {name: value for name, value in span.attributes.items() if name not in plain}
    more: dict[str, Any] = {"attributes": others} if others else {}
    if first is not None and (len(span.concepts) > 1 or first.name or "/" in first.code + first.system or ":" in first.code):
        more["concepts"] = [[c.system, c.code, c.name] for c in span.concepts]
    if span.fragments:
        more["fragments"] = [list(pair) for pair in span.fragments]
    return {
        "begin": span.start,
        "end": span.end,
        "value": span.label,
        "identifier": f"{first.system}:{first.code}" if first else None,
        "more": json.dumps(more, ensure_ascii=False) if more else None,
        **plain,
    }
