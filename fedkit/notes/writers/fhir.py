"""FHIR R4: a Bundle of DocumentReferences, plain text in base64. FHIR has no place for spans: they are counted as left out."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fedkit.notes.note import Note
from fedkit.notes.writers.base import NoteWriter


class FhirWriter(NoteWriter):
    """Codes that came with a note (`type_system`, `type_code`, `status`) go back to where FHIR has them."""

    name = "fhir"
    title = "FHIR R4"
    holds = frozenset(
        {"language", "patient", "date", "author_role", "department", "type", "attributes", "concepts", "fragments"}
    )

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        with target.open("w", encoding="utf-8", newline="\n") as file:
            file.write('{"resourceType": "Bundle", "type": "collection", "entry": [')
            for number, note in enumerate(notes):
                losses["spans"] += len(note.spans)
                losses["meta"] += len(set(note.meta) - {"type_system", "type_code", "status"})
                file.write(",\n" if number else "\n")
                json.dump({"resource": _document(note)}, file, ensure_ascii=False)
            file.write("\n]}\n")


def _document(note: Note) -> dict[str, Any]:
    attachment = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(note.text.encode()).decode()}
    resource: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": note.id,
        "status": note.meta.get("status", "current"),
        "content": [{"attachment": attachment | ({"language": note.language} if note.language else {})}],
    }
    if note.patient is not None:
        resource["subject"] = {"reference": f"Patient/{note.patient}"}
    if note.date is not None:
        resource["date"] = note.date
    if note.type is not None or "type_code" in note.meta:
        coding = {k: note.meta[m] for k, m in (("system", "type_system"), ("code", "type_code")) if m in note.meta}
        resource["type"] = {"text": note.type or note.meta["type_code"]} | ({"coding": [coding]} if coding else {})
    if note.author_role is not None:
        role = {"resourceType": "PractitionerRole", "id": "author", "code": [{"text": note.author_role}]}
        resource |= {"contained": [role], "author": [{"reference": "#author"}]}
    if note.department is not None:
        resource["context"] = {"practiceSetting": {"text": note.department}}
    return resource
