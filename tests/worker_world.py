"""Real confined workers for the tests: a store with text that must not leak, a pool, and a short way to run a few lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from fedkit.notes.corpus import SiteNotes
from fedkit.notes.note import Note, Span
from fedkit.sites.confinement import Limits, available
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.worker import WorkerPool, WorkerResult

#: Stands in every private note of the store, in no mock note, and may be found nowhere outside.
SECRET = "Kari Nordmann fikk utslett"

#: Without torch, a zygote is ready in a fraction of a second.
LIGHT = ("numpy", "duckdb", "fedkit.sites.inside", "fedkit.sites.store")

needs_landlock = pytest.mark.skipif("landlock" not in available(), reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif("seccomp" not in available(), reason="this machine has no seccomp, or we no table for it")

#: Lines that give the number which the worker's process has for itself.
PID = 'import os\nreturn {"numbers": {"pid": os.getpid()}}'

_keys = count()


def site_notes(name: str = "no", secret: str = SECRET) -> SiteNotes:
    """Three private splits of 4, 3 and 2 notes, and 5 mock notes."""

    def some(split: str, number: int, text: str) -> tuple[Note, ...]:
        return tuple(Note(f"{split}-{n}", f"{text}, {split} {n}", "nb", (Span(0, 4, "DRUG"),)) for n in range(number))

    private = {split: some(split, number, secret) for split, number in (("train", 4), ("dev", 3), ("test", 2))}
    return SiteNotes(name, name, "nb", **private, mock=some("mock", 5, "Syntetisk notat"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private file of a loaded store."""
    path = tmp_path_factory.mktemp("site") / "notes.duckdb"
    DuckDBNoteStore(path).load(site_notes())
    return path


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """A pool whose limits no honest test reaches."""
    with WorkerPool(Limits(seconds=60, memory=1 << 30), preload=LIGHT) as pool:
        yield pool


def workers_of(zygote: psutil.Process) -> dict[int, int]:
    """The workers of a zygote: number that a worker has for itself → number that it has here. They differ where there are
    namespaces; the first process of one, which only waits, is left out."""
    found = {}
    for child in zygote.children():
        status = Path(f"/proc/{child.pid}/status")
        numbers = re.findall(r"NSpid:(.*)", status.read_text()) if status.exists() else []
        inside = int(numbers[0].split()[-1]) if numbers else child.pid
        if inside != 1:
            found[inside] = child.pid
    return found


def pid_of(pool: WorkerPool, store: Path, body: str = PID, **changed: Any) -> int:
    """Run these lines, which give the number of their own process as "pid"; which process that is, seen from here."""
    inside = int(go(pool, store, body, **changed).numbers["pid"])
    assert pool._zygote is not None
    return workers_of(psutil.Process(pool._zygote._process.pid))[inside]


def function(body: str, head: str = "") -> str:
    """The source of a request with one entry, `go`, of these lines."""
    return f"{head}\n\ndef go(notes, weights, settings):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"


def go(pool: WorkerPool, store: Path, body: str, *, head: str = "", **changed: Any) -> WorkerResult:
    """Run these lines on the private notes, in a fresh worker unless a key is given."""
    arguments: dict[str, Any] = {
        "source": function(body, head),
        "entry": "go",
        "store": store,
        "view": "private",
        "weights": None,
        "settings": {},
        "key": f"key-{next(_keys)}",
    }
    return pool.run(**(arguments | changed))
