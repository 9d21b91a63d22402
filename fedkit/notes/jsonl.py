"""One JSONL file of notes: a row a note, UTF-8, one error for everything that can be wrong with it.

Row: see `Note.from_row`; spans may not overlap. Other fields with a plain value (text, number, truth value) are kept in
`Note.meta`, a date in another form than ISO 8601 as well; other nested fields, and ours in another shape, are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fedkit.errors import CorpusError
from fedkit.notes.note import Note, is_iso_date

_PLAIN = ("patient", "date", "author_role", "department", "type")
_FIELDS = frozenset({"id", "lang", "text", "spans", "tokens", "meta", "sections", "sentences", "relations", *_PLAIN})
#: What an entry of a nested field must hold to be ours; corpora use these names in shapes of their own.
_SHAPES = {"relations": ("head", "tail", "label"), "sections": ("start", "end", "name", "header_end")}


def read_notes(path: Path, where: str = "") -> tuple[Note, ...]:
    """The notes of one file, in order; blank lines and a byte order mark are passed over.

    where: how errors name the file (default: its own path). Raises CorpusError, naming file and line and never the text, for an
    unreadable file, another encoding than UTF-8, a broken row, offsets that do not fit, or an id that was used before.
    """
    where = where or str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorpusError(
            f"{where}: cannot be read",
            expected="a readable file",
            got=error.strerror or "an error",
            help="check path and rights",
        ) from None
    notes: list[Note] = []
    lines: dict[str, int] = {}
    # Split on line feeds only: str.splitlines would also break at U+2028 inside a note's text.
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        note = parse_row(raw, f"{where}, line {number}")
        if note.id in lines:
            raise CorpusError(
                f"{where}, line {number}: a note id is used twice",
                expected="ids that occur once in a site",
                got=f"the id of line {lines[note.id]} again",
                help="give every note an id of its own",
            )
        lines[note.id] = number
        notes.append(note)
    return tuple(notes)


def parse_row(raw: bytes, where: str) -> Note:
    """One note from the bytes of one line. Raises CorpusError (see `read_notes`)."""
    try:
        line = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{where}: not UTF-8",
            expected="text in UTF-8",
            got=f"byte 0x{raw[error.start]:02x} at column {error.start + 1}",
            help="convert the file, for example with: iconv -f ISO-8859-1 -t UTF-8",
        ) from None
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise CorpusError(
            f"{where}: broken JSON",
            expected="one JSON object in one line",
            got=f"{error.msg} at column {error.colno}",
            help="mend or remove the line; a file cut off in writing ends like this",
        ) from None
    except (RecursionError, ValueError):
        raise CorpusError(
            f"{where}: broken JSON", expected="one JSON object in one line", got="nesting or a number too large"
        ) from None
    if not isinstance(row, dict):
        raise CorpusError(
            f"{where}: not a note", expected="a JSON object", got=f"a JSON {_kind(row)}", help="one note in one line"
        )
    _check_row(row, where, may_hold_surrogates="\\u" in line)
    _set_foreign_aside(row)
    extra = {k: v for k, v in row.items() if k not in _FIELDS and isinstance(v, str | int | float | bool)}
    if extra:
        row["meta"] = {**extra, **(row["meta"] if isinstance(row.get("meta"), dict) else {})}
    note = Note.from_row(row, where)
    note.check_flat(where)
    return note


def dump_notes(notes: Iterable[Note]) -> bytes:
    """The bytes of a JSONL file: canonical enough to be compared byte for byte (fixed field order, no spaces, UTF-8)."""
    return b"".join(json.dumps(n.to_row(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for n in notes)


def _set_foreign_aside(row: dict[str, Any]) -> None:
    """Take out what has the name of one of our fields and another shape; a date in another form goes to meta."""
    for name, keys in _SHAPES.items():
        entries = row.get(name)
        if not (isinstance(entries, list) and all(isinstance(e, dict) and all(k in e for k in keys) for e in entries)):
            row.pop(name, None)
    sentences = row.get("sentences")
    if not (isinstance(sentences, list) and all(isinstance(s, list) and len(s) == 2 for s in sentences)):
        row.pop("sentences", None)
    for name in _PLAIN[1:]:
        if isinstance(row.get(name), dict | list):
            del row[name]
    date = row.get("date")
    if date is not None and not is_iso_date(str(date)):
        del row["date"]
        meta = row.get("meta") or {}
        row["meta"] = {"date": date, **meta} if isinstance(meta, dict) else meta


def _check_row(row: dict[str, Any], where: str, may_hold_surrogates: bool) -> None:
    """What `Note.from_row` would convert silently: numbers as text, a half of a character, tokens that are not the text's."""

    def bad(field: str, expected: str, got: str) -> CorpusError:
        return CorpusError(f"{where}: {field} is malformed", expected=expected, got=got, help="mend the row")

    if may_hold_surrogates:
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise bad("text", "whole characters", "half of a surrogate pair") from None
    if isinstance(row.get("id"), bool | dict | list | None) and "id" in row:
        raise bad("id", "a string", f"a JSON {_kind(row['id'])}")
    if "text" in row and not isinstance(row["text"], str):
        raise bad("text", "a string", f"a JSON {_kind(row['text'])}")
    spans = row.get("spans") or []
    if not isinstance(spans, list) or not all(isinstance(s, dict) for s in spans):
        raise bad(
            "spans",
            'a list of {"start", "end", "label"}',
            f"a JSON {_kind(spans)}" if not isinstance(spans, list) else "others",
        )
    for span in spans:
        for key in ("start", "end"):
            if key in span and (not isinstance(span[key], int) or isinstance(span[key], bool)):
                raise bad(f"a span's {key}", "a whole number", f"a JSON {_kind(span[key])}")
        if "label" in span and (not isinstance(span["label"], str) or not span["label"].strip()):
            raise bad("a span's label", "a word", f"a JSON {_kind(span['label'])}" if span["label"] != "" else "nothing")
    if row.get("tokens") is not None:
        _check_tokens(row["tokens"], str(row.get("text", "")), bad)


def _check_tokens(tokens: Any, text: str, bad: Any) -> None:
    if not isinstance(tokens, list) or not all(isinstance(t, str) and t for t in tokens):
        raise bad("tokens", "a list of words", "something else")
    at = 0
    for number, token in enumerate(tokens, start=1):
        found = text.find(token, at)
        if found < 0:
            raise bad("tokens", "words that stand in the text, in order", f"word {number} does not")
        at = found + len(token)


def _kind(value: object) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "null")
