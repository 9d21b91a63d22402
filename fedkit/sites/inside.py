"""What runs inside a worker: it reads the notes, confines itself, then serves calls of one request until its pipe closes.

Everything in this module from `serve` on shares a process with approved code and may be bent by it, so nothing here is a
boundary: that is `confinement`, and what the parent checks of a reply.
"""

from __future__ import annotations

import builtins
import json
import linecache
import math
import os
import random
import re
import select
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fedkit import errors
from fedkit.digests import digest
from fedkit.notes.note import Note
from fedkit.sites import frames
from fedkit.sites.confinement import Limits, confine, die_with_parent
from fedkit.sites.store import read_rows

#: The name under which a request's source stands in tracebacks.
SOURCE_NAME = "<request>"

_TRACEBACK = 16_384  # characters
_READ_AHEAD = 5_000  # notes of a split

#: Exceptions whose class name may leave a site: Python's own and fedkit's. A class that the code defines could carry text.
KNOWN_ERRORS = frozenset(
    name
    for space in (vars(builtins), vars(errors))
    for name, kind in space.items()
    if isinstance(kind, type) and issubclass(kind, BaseException)
)


class NoteSet:
    """The notes as approved code sees them: `.train`, `.dev`, `.test` (tuples of `Note`, made on first use) and `.cache`.

    On the mock twin all three are the mock notes. cache: a dict that lives as long as the worker, for what is costly to make
    anew in every round (encoded notes, an optimiser); it may be empty again at any call.
    """

    def __init__(self, rows: Mapping[str, Sequence[str]]) -> None:
        self._rows = rows
        self._read: dict[str, tuple[Note, ...]] = {}
        self.cache: dict[Any, Any] = {}

    @property
    def train(self) -> tuple[Note, ...]:
        return self._split("train")

    @property
    def dev(self) -> tuple[Note, ...]:
        return self._split("dev")

    @property
    def test(self) -> tuple[Note, ...]:
        return self._split("test")

    def read_ahead(self, wanted: Callable[[], bool]) -> None:
        """Make the notes of small splits while nobody wants something else."""
        for split, rows in self._rows.items():
            if wanted():
                return
            if len(rows) <= _READ_AHEAD:
                self._split(split)

    def _split(self, name: str) -> tuple[Note, ...]:
        name = "mock" if "mock" in self._rows else name
        if name not in self._read:
            self._read[name] = tuple(Note.from_row(json.loads(row)) for row in self._rows[name])
        return self._read[name]

    def __repr__(self) -> str:
        return f"NoteSet({', '.join(f'{len(rows)} {split}' for split, rows in self._rows.items())})"


def work(order: Mapping[str, Any], handles: tuple[int, int, int], scratch: Path, zygote: int) -> None:
    """The life of a worker, from the fork on; does not return.

    order: {"file", "view", "limits", "read"}.   handles: pipe to read requests from, to reply to, and for stdout and stderr.
    """
    try:
        die_with_parent(zygote)
        requests, replies, output = handles
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        keep = {0, 1, 2, requests, replies}
        for handle in _open_handles() - keep:
            os.close(handle)
        os.chdir(scratch)
        os.environ.update(HOME=str(scratch), TMPDIR=str(scratch))
        tempfile.tempdir = str(scratch)
        sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        limits = Limits(**order["limits"])
        # Read now, so that the code needs no right to open a store: not this one, and none beside it.
        rows = read_rows(Path(order["file"]))
        confine(limits, write=scratch, read=map(Path, order["read"]))
        notes = NoteSet(rows)
        notes.read_ahead(lambda: bool(select.select([requests], [], [], 0)[0]))
        serve(requests, replies, notes, order["view"], limits)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(2)


def serve(requests: int, replies: int, notes: NoteSet, view: str, limits: Limits) -> None:
    """Answer calls until the pipe closes. The first frame brings the source."""
    module = None
    while (frame := frames.read_frame(requests, limits.result)) is not None:
        header, weights = frame
        try:
            settings = header["settings"]
            _seed(settings)
            if module is None:
                module = _module(header["source"])
            function: Callable[..., Any] = getattr(module, header["entry"])
            arrays, numbers, tables = _plain(function(notes, weights if header["weights"] else None, settings))
            reply = frames.pack({"call": header["call"], "numbers": numbers, "tables": tables}, arrays)
        except BaseException as error:
            traceback.print_exc()
            reply = frames.pack({"call": header["call"], **_describe(error, with_message=view == "mock")})
        sys.stdout.flush()
        sys.stderr.flush()
        frames.write_frame(replies, reply)
        del weights, frame, reply


#: What is wrong with a result that no output contract can describe. The worker sends the word, the site knows the sentence.
NOT_DECLARABLE = {
    "form": "something other than a dict of tensors, numbers and tables",
    "names": "a name that is no string",
    "tensor": "a tensor that is no float32 array",
    "number": "a number that is not finite, or no number",
    "table": "a table that is no list of dicts",
    "cell": "a cell of a table that is no text, finite number or None",
}


class _NotDeclarable(Exception):
    """The function gave back something that no output contract can describe; a word of `NOT_DECLARABLE` says what."""


def _module(source: str) -> ModuleType:
    linecache.cache[SOURCE_NAME] = (len(source), None, source.splitlines(keepends=True), SOURCE_NAME)
    module = ModuleType("request")
    sys.modules["request"] = module
    exec(compile(source, SOURCE_NAME, "exec", dont_inherit=True), module.__dict__)
    return module


def _seed(settings: Mapping[str, Any]) -> None:
    """The same settings (with site and round in them) give the same random numbers, whatever ran before."""
    seed = int(digest(settings)[:8], 16)
    random.seed(seed)
    np.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
        torch.manual_seed(seed)


def _plain(result: Any) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, list[dict[str, Any]]]]:
    parts = ("tensors", "numbers", "tables")
    if not isinstance(result, Mapping) or not set(result) <= set(parts):
        raise _NotDeclarable("form")
    tensors, numbers, tables = (result.get(part) or {} for part in parts)
    if not all(isinstance(part, Mapping) for part in (tensors, numbers, tables)):
        raise _NotDeclarable("form")
    if not all(isinstance(name, str) for name in (*tensors, *numbers, *tables)):
        raise _NotDeclarable("names")
    return (
        {name: _array(value) for name, value in tensors.items()},
        {name: float(_number(value, "number")) for name, value in numbers.items()},
        {name: _rows(value) for name, value in tables.items()},
    )


def _array(value: Any) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray) or value.dtype != np.float32:
        raise _NotDeclarable("tensor")
    return value


def _number(value: Any, what: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not math.isfinite(value):
        raise _NotDeclarable(what)
    return int(value) if isinstance(value, int | np.integer) else float(value)


def _rows(table: Any) -> list[dict[str, Any]]:
    if not isinstance(table, list | tuple) or not all(isinstance(row, Mapping) for row in table):
        raise _NotDeclarable("table")
    if not all(isinstance(column, str) for row in table for column in row):
        raise _NotDeclarable("names")
    return [{column: _cell(value) for column, value in row.items()} for row in table]


def _cell(value: Any) -> str | int | float | None:
    return value if value is None or isinstance(value, str) else _number(value, "cell")


def _describe(error: BaseException, *, with_message: bool) -> dict[str, Any]:
    """What the parent hears of an error: a class name, a line of the source, and on the mock twin the message."""
    if isinstance(error, _NotDeclarable):
        return {"failed": "result", "name": str(error)}
    out_of_memory = isinstance(error, MemoryError) or "can't allocate memory" in str(error)
    names = (kind.__name__ for kind in type(error).__mro__ if kind.__module__ in ("builtins", errors.__name__))
    described: dict[str, Any] = {"failed": "memory" if out_of_memory else "error", "name": next(names, "Exception")}
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == SOURCE_NAME]
    if isinstance(error, SyntaxError) and error.filename == SOURCE_NAME:
        lines = [error.lineno]
    if lines:
        described["line"] = lines[-1]
    if with_message:
        described["message"] = str(error)[:500]
        described["traceback"] = _traceback(error)
    return described


def _traceback(error: BaseException) -> str:
    """As Python prints it, from the request's source on; a file of the installation by its last names, not by where it lies."""
    frames_ = error.__traceback__
    while frames_ is not None and frames_.tb_frame.f_code.co_filename != SOURCE_NAME:
        frames_ = frames_.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames_))
    return re.sub(r'File "[^"]*/([^/"]+/[^/"]+/[^/"]+)"', r'File "…/\1"', text)[-_TRACEBACK:]


def _open_handles() -> set[int]:
    folder = "/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd"
    found = {int(name) for name in os.listdir(folder)}  # noqa: PTH208 - names are all that is wanted
    return {handle for handle in found if _is_open(handle)}


def _is_open(handle: int) -> bool:
    try:
        os.fstat(handle)
    except OSError:
        return False
    return True
