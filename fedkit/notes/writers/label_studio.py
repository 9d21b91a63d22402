"""Label Studio's JSON: a task a note with one annotation; offsets in UTF-16 units, as its editor counts.

Attributes are choices about a region under the attribute's name. Everything known of the note stands under `data`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fedkit.notes.note import Note
from fedkit.notes.offsets import Utf16
from fedkit.notes.writers.base import NoteWriter

_FACTS = ("patient", "date", "author_role", "department", "type")


class LabelStudioWriter(NoteWriter):
    """For a project whose labelling control is `label` on the text `text`."""

    name = "label-studio"
    title = "Label Studio JSON"
    holds = frozenset({"relations", "attributes", "language", "meta", *_FACTS})

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        with target.open("w", encoding="utf-8", newline="\n") as file:
            file.write("[")
            for number, note in enumerate(notes):
                file.write(",\n" if number else "\n")
                json.dump(_task(note, losses), file, ensure_ascii=False)
            file.write("\n]\n")


def _task(note: Note, losses: Counter[str]) -> dict[str, Any]:
    data = {"id": note.id, "text": note.text, "lang": note.language}
    data |= {name: value for name in _FACTS if (value := getattr(note, name)) is not None}
    for name, value in note.meta.items():
        if name in data or name in ("text", "language"):
            losses["meta"] += 1
        else:
            data[name] = value
    places = Utf16(note.text)
    result: list[dict[str, Any]] = []
    for number, span in enumerate(note.spans):
        start, end = places.units(span.start), places.units(span.end)
        place = {"start": start, "end": end, "text": note.text[span.start : span.end]}
        about = {"id": f"s{number}", "to_name": "text"}
        result.append(about | {"from_name": "label", "type": "labels", "value": place | {"labels": [span.label]}})
        for name, value in span.attributes.items():
            result.append(
                about | {"from_name": name, "type": "choices", "value": {"start": start, "end": end, "choices": [value]}}
            )
    for relation in note.relations:
        ends = {"from_id": f"s{relation.head}", "to_id": f"s{relation.tail}"}
        result.append(ends | {"type": "relation", "direction": "right", "labels": [relation.label]})
    return {"data": data, "annotations": [{"result": result}]}
