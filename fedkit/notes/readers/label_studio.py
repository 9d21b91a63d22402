"""Label Studio's JSON export: a list of tasks, the text under `data`, regions and relations under `annotations`.

Offsets are those of JavaScript (UTF-16 units). Of several annotations of a task the first that was not cancelled is read, one
marked as ground truth before others; predictions are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fedkit.notes.note import Relation, Span
from fedkit.notes.offsets import Utf16
from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.text import decode

#: Keys under `data` that hold facts about a note and not its text, in the names that our writer gives them.
_FACTS = ("lang", "patient", "date", "author_role", "department", "type")


class LabelStudioReader(NoteReader):
    """One record a task."""

    name = "label-studio"
    title = "Label Studio JSON"
    suffixes = (".json",)

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        return start.startswith(b"[") and b'"data"' in head and (b'"annotations"' in head or b'"predictions"' in head)

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        text, problem = decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), "utf-8")
        try:
            tasks = json.loads(text) if text is not None else None
        except (ValueError, RecursionError) as error:
            problem = Problem(
                "syntax", f"{error.msg} at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "nesting"
            )
            tasks = None
        if not isinstance(tasks, list):
            yield skipped(name, "unreadable", problem.detail if problem else "no list of tasks")
            return
        for number, task in enumerate(tasks, start=1):
            place = f"{name}, task {number}"
            if isinstance(task, dict) and isinstance(task.get("data"), dict):
                yield self._one(place, partial(self._task, task, place))
            else:
                yield skipped(place, "syntax", "no task with data")

    def _task(self, task: Mapping[str, Any], place: str) -> Record:
        data = task["data"]
        column = self.rules.columns.get("text") or next(
            (k for k in ("text", "note", "content") if isinstance(data.get(k), str)), ""
        )
        text = data.get(column)
        if not isinstance(text, str):
            return skipped(place, "empty", "no text under data; name its key with --column text=KEY")
        problems: list[Problem] = []
        spans, relations = _annotation(_chosen(task, problems), text, problems)
        own = data.get("id", task.get("id"))
        return build(
            place,
            self.rules,
            id=str(own) if isinstance(own, str | int) else None,
            text=text,
            language=_word(data.get("lang", data.get("language"))),
            spans=spans,
            relations=relations,
            meta={k: _word(v) for k, v in data.items() if k not in (column, "id", "language", *_FACTS)},
            problems=problems,
            patient=_word(data.get("patient")),
            date=_word(data.get("date")),
            author_role=_word(data.get("author_role")),
            department=_word(data.get("department")),
            type=_word(data.get("type")),
        )


def _chosen(task: Mapping[str, Any], problems: list[Problem]) -> list[Any]:
    found = [
        a
        for a in task.get("annotations") or task.get("completions") or []
        if isinstance(a, dict) and not a.get("was_cancelled")
    ]
    found.sort(key=lambda a: not a.get("ground_truth"))
    if len(found) > 1:
        problems.append(Problem("left out", f"{len(found) - 1} other annotations of the same task"))
    results = found[0].get("result") if found else []
    return results if isinstance(results, list) else []


def _annotation(results: list[Any], text: str, problems: list[Problem]) -> tuple[list[Span], list[Relation]]:
    places = Utf16(text)
    spans: list[Span] = []
    keys: dict[str, int] = {}
    attributes: dict[str, dict[str, str]] = {}
    for number, result in enumerate(results, start=1):
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict) or result.get("type") == "relation":
            continue
        labels = value.get(str(result.get("type")))
        if result.get("type") in ("labels", "hypertextlabels"):
            start, end = (places.code_points(value[k]) if isinstance(value.get(k), int) else None for k in ("start", "end"))
            if start is None or end is None or not isinstance(labels, list) or not labels:
                problems.append(Problem("span outside", f"result {number}"))
            elif isinstance(value.get("text"), str) and value["text"].split() != text[start:end].split():
                problems.append(Problem("span words", f"result {number}"))
            else:
                keys[str(result.get("id"))] = len(spans)
                spans.append(Span(start, end, str(labels[0]), attributes.setdefault(str(result.get("id")), {})))
        elif isinstance(labels, list):  # choices and the like about a region
            about = attributes.setdefault(str(result.get("id")), {})
            about[str(result.get("from_name"))] = ", ".join(map(str, labels))
    relations = []
    for result in results:
        if isinstance(result, dict) and result.get("type") == "relation":
            head, tail = keys.get(str(result.get("from_id"))), keys.get(str(result.get("to_id")))
            labels = result.get("labels") or ["relation"]
            if head is None or tail is None:
                problems.append(Problem("relation"))
            else:
                relations.append(Relation(head, tail, str(labels[0])))
    return spans, relations


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float | bool) else None
