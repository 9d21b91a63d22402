"""CSV and its kin (RFC 4180): commas, semicolons, tabs or bars; a heading, then a note a row.

A quotation mark that is never closed would swallow the rest of the file. So a row that cannot be understood costs its first
line only, and reading goes on with the next.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from fedkit.notes.readers.base import NoteReader, Record, skipped
from fedkit.notes.readers.table import Columns, looks_like_columns
from fedkit.notes.readers.text import Line, lines

DELIMITERS = ",;\t|"
_LINES_IN_A_ROW = 20_000  # of one quoted cell


class CsvReader(NoteReader):
    """Comma-separated values. The separator is the one that cuts the heading into the most columns."""

    name = "csv"
    title = "CSV"
    suffixes = (".csv", ".tsv")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        if b"\0" in head[:4] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return False
        encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
        first = re.split("[\r\n]", head.decode(encoding, "replace"), maxsplit=1)[0]
        names = next(csv.reader([first], delimiter=_delimiter(first)), [])
        return path.suffix.lower() in cls.suffixes or looks_like_columns(names)

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        csv.field_size_limit(max(csv.field_size_limit(), 4 * self.rules.max_characters))
        source = lines(path, self.rules.encoding, 4 * self.rules.max_characters, keep_returns=True)
        heading = next((line for line in source if line.text is None or line.text.strip()), None)
        if heading is None:
            return
        if heading.text is None:
            yield skipped(f"{name}, line {heading.number}", "unreadable", "the heading is not text")
            return
        delimiter = _delimiter(heading.text)
        names = _parse([heading], delimiter)
        if not isinstance(names, list):
            yield skipped(f"{name}, line {heading.number}", "unreadable", "the heading is no row")
            return
        columns = Columns(names, self.rules, name)
        for number, cells in _rows(source, delimiter, len(columns.names), 4 * self.rules.max_characters):
            place = f"{name}, line {number}"
            if isinstance(cells, list):
                yield self._one(place, partial(columns.record, cells, place))
            else:
                yield skipped(place, *cells)


def _rows(source: Iterator[Line], delimiter: str, width: int, limit: int) -> Iterator[tuple[int, list[str] | tuple[str, str]]]:
    """(number of its first line, cells) of every row, or (kind, detail) of what is wrong with it."""
    waiting: deque[Line] = deque()  # lines that were read ahead for a row that came to nothing

    def following() -> Line | None:
        return waiting.popleft() if waiting else next(source, None)

    while (first := following()) is not None:
        if first.text is None:
            assert first.problem is not None
            yield first.number, (first.problem.kind, first.problem.detail)
            continue
        if not first.text.strip():
            continue
        block, size = [first], len(first.text)
        cells = _parse(block, delimiter)
        while cells is None and len(block) < _LINES_IN_A_ROW and size <= limit:
            line = following()
            if line is None:
                break
            block.append(line)
            if line.text is None:
                break
            size += len(line.text)
            if '"' in line.text:  # only a mark can close the cell
                cells = _parse(block, delimiter)
        if isinstance(cells, list) and len(cells) == width:
            yield first.number, cells
            continue
        waiting.extendleft(reversed(block[1:]))
        if cells is None:
            yield first.number, ("syntax", "a quotation mark that is never closed")
        elif isinstance(cells, str):
            yield first.number, ("syntax", cells)
        else:
            yield first.number, ("syntax", f"{len(cells)} cells, the heading has {width}")


def _parse(block: list[Line], delimiter: str) -> list[str] | str | None:
    """The cells of a row that spans these lines; None while a cell is open; a word for what is wrong."""
    text = "\n".join(line.text or "" for line in block)
    try:
        rows = list(csv.reader([piece + "\n" for piece in text.split("\n")], delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None
        if "new-line" in str(error):
            return "a carriage return outside a quoted cell"
        return "a cell longer than the limit" if "limit" in str(error) else "a quotation mark inside a quoted cell"
    return rows[0] if len(rows) == 1 else "a line end outside a quoted cell"


def _delimiter(heading: str) -> str:
    return max(DELIMITERS, key=heading.count)
