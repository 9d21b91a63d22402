"""A worker's reply, read as data from a stranger: names, float32 arrays, finite numbers, rows of plain cells, all bounded.

What it says of a failure is put into our words: a class that everybody knows, a line of the source, one of a few fixed reasons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from fedkit.errors import ExecutionFailed, FedkitError, OutputRefused
from fedkit.sites.confinement import Limits
from fedkit.sites.inside import KNOWN_ERRORS, NOT_DECLARABLE

#: The longest traceback of a rehearsal (characters); of a longer one the end, where the error is.
TRACEBACK = 16_384

#: A table: rows of column → text, number or nothing.
Table: TypeAlias = list[dict[str, str | int | float | None]]

_NAMES = 4096  # tensors, or numbers, in one reply
_NAME_LENGTH = 256
_TABLES, _ROWS, _COLUMNS, _CELL_LENGTH = 64, 10_000, 64, 256

_EXPECTED = '{"tensors": {name: float32 array}, "numbers": {name: finite number}, "tables": {name: [{column: cell}]}}'


@dataclass(frozen=True)
class WorkerResult:
    """What a call gave, not yet checked against its output contract.

    tensors: float32 arrays.   numbers: finite.   seconds: wall clock of the call, a worker's start included.
    output:  stdout and stderr of the code, cut at `Limits.output` bytes. For the steward only: it may hold private text.
    tables:  name → rows; a cell is a str of up to 256 characters, an int below 2^53, a finite float or None. Up to 64 tables
             of 10,000 rows and 64 columns. Text in a cell may be private until the contract has looked at it.
    """

    tensors: dict[str, np.ndarray]
    numbers: dict[str, float]
    seconds: float
    output: str
    tables: dict[str, Table] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = f"{len(self.tensors)} tensors, {len(self.numbers)} numbers, {len(self.tables)} tables"
        return f"WorkerResult({counts}, {self.seconds:.3f} s)"


def read_result(
    frame: tuple[dict[str, Any], dict[str, np.ndarray]] | None,
    *,
    call: int,
    entry: str,
    lines: int,
    view: str,
    limits: Limits,
) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, Table]]:
    """Tensors, numbers and tables of a reply that answers `call`. Raises what it says failed, in our words, or OutputRefused.

    lines: of the request's source; a line number beyond them is not repeated.
    """
    if frame is None or frame[0].get("call") != call:
        raise _no_reply(entry)
    header, tensors = frame
    if "failed" in header:
        raise _failed(header, entry, lines, view, limits)
    numbers, tables = header.get("numbers"), header.get("tables", {})
    if not isinstance(numbers, dict) or not isinstance(tables, dict):
        raise _no_reply(entry)
    for names, most in ((tensors, _NAMES), (numbers, _NAMES), (tables, _TABLES)):
        if len(names) > most or any(len(name) > _NAME_LENGTH for name in names):
            raise _no_result(entry, got=f"{len(names)} names, or names of more than {_NAME_LENGTH} characters")
    if any(array.dtype != np.float32 for array in tensors.values()):
        raise _no_result(entry, got="a tensor of another type")
    for value in numbers.values():
        if not _is_number(value):
            raise _no_result(entry, got="something that is no finite number")
    checked = {name: _table(rows, entry) for name, rows in tables.items()}
    return dict(tensors), {name: float(value) for name, value in numbers.items()}, checked


def _table(rows: Any, entry: str) -> Table:
    if not isinstance(rows, list) or len(rows) > _ROWS:
        raise _no_result(entry, got=f"a table that is no list of up to {_ROWS:,} rows")
    for row in rows:
        if not isinstance(row, dict) or len(row) > _COLUMNS or any(len(column) > _NAME_LENGTH for column in row):
            raise _no_result(entry, got=f"a row that is no dict of up to {_COLUMNS} columns with short names")
        for cell in row.values():
            if not (cell is None or (len(cell) <= _CELL_LENGTH if isinstance(cell, str) else _is_number(cell))):
                raise _no_result(entry, got=f"a cell that is no number and no text of up to {_CELL_LENGTH} characters")
    return rows


def _is_number(value: Any) -> bool:
    """Finite, and such that canonical JSON can hold it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**53 if isinstance(value, int) else math.isfinite(value) and abs(value) < 1e300


def _failed(header: Mapping[str, Any], entry: str, lines: int, view: str, limits: Limits) -> FedkitError:
    message = header.get("message") if view == "mock" else None  # made of synthetic notes only
    shown = message[:500] if isinstance(message, str) else ""
    kind, name, line = header.get("failed"), header.get("name"), header.get("line")
    if kind == "result":
        return _no_result(entry, got=NOT_DECLARABLE.get(name, "something else") if isinstance(name, str) else "something else")
    known_line = isinstance(line, int) and not isinstance(line, bool) and 1 <= line <= lines
    where = f" in line {line}" if known_line else ""
    if kind == "memory":
        return ExecutionFailed(
            f"{entry} ran out of memory{where}",
            expected=f"at most {limits.memory >> 20} MB beyond the start",
            got="more",
            help="use smaller batches or a smaller model, or ask the site for a higher limit",
            killed="memory",
        )
    known = name if isinstance(name, str) and name in KNOWN_ERRORS else "Exception"
    if view == "mock":
        says = f": {shown}" if shown else ""
        trace = header.get("traceback")
        return ExecutionFailed(
            f"{entry} raised {known}{where}{says}",
            help="mend the code and rehearse again",
            traceback=trace[-TRACEBACK:] if isinstance(trace, str) else "",
        )
    return ExecutionFailed(f"{entry} raised {known}{where}", help="its message stays at the site; ask the steward")


def _no_reply(entry: str) -> ExecutionFailed:
    return ExecutionFailed(f"{entry} broke the form in which a worker answers", expected="one reply to one call")


def _no_result(entry: str, *, got: str) -> OutputRefused:
    return OutputRefused(
        f"{entry} gave back no result",
        expected=_EXPECTED,
        got=got,
        help="turn what you return into tensors, numbers or tables; objects, figures and text of one's own do not leave a site",
    )
