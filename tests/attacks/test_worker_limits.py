"""Approved code that takes more than its share: time, memory, threads, disk, output. And workers that outlive their site."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from worker_world import LIGHT, PID, go, needs_seccomp, pid_of, store

from fedkit.errors import ExecutionFailed, FedkitError
from fedkit.sites.confinement import Limits
from fedkit.sites.worker import WorkerPool

__all__ = ["store"]  # a fixture

TIGHT = Limits(seconds=20, memory=300 << 20, result=1 << 20, output=10_000, scratch=1 << 20, files=32)


@pytest.fixture(scope="module")
def tight() -> Iterator[WorkerPool]:
    with WorkerPool(TIGHT, preload=LIGHT) as pool:
        yield pool


@pytest.fixture(scope="module")
def hasty() -> Iterator[WorkerPool]:
    with WorkerPool(Limits(seconds=1), preload=LIGHT) as pool:
        pool.start()
        yield pool


def still_works(pool: WorkerPool, store: Path) -> bool:
    return go(pool, store, 'return {"numbers": {"n": len(notes.train)}}').numbers == {"n": 4}


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "import signal\nfor n in {*range(1, 32)} - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "sum(range(10 ** 12))",
        "import os\nwhile True: os.write(1, b'x' * 60000)",
    ],
    ids=["loop", "sleep", "deaf", "in C", "chatter"],
)
def test_an_endless_loop_ends_at_the_deadline(hasty: WorkerPool, store: Path, body: str) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        go(hasty, store, body)
    assert failed.value.message == "go took longer than 1 s"
    assert still_works(hasty, store)


@pytest.mark.parametrize(
    "body",
    [
        "x = bytearray(10 << 30)",
        "import numpy\nx = numpy.ones(10 << 27)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "import mmap\nx = mmap.mmap(-1, 10 << 30)\nraise MemoryError",
    ],
    ids=["bytes", "numpy", "bit by bit", "shared"],
)
def test_ten_gigabytes_are_refused_by_name(tight: WorkerPool, store: Path, body: str) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        go(tight, store, body)
    assert "memory" in failed.value.message or "OSError" in failed.value.message
    assert still_works(tight, store)


@needs_seccomp
def test_a_fork_bomb_does_not_even_start(tight: WorkerPool, store: Path) -> None:
    body = """
        n = 0
        while True:
            try:
                os.fork()
            except PermissionError:
                return {"numbers": {"forks": n}}
            n += 1
    """
    assert go(tight, store, body, head="import os").numbers == {"forks": 0}


def test_a_thread_bomb_meets_the_memory_limit(tight: WorkerPool, store: Path) -> None:
    body = """
        n = 0
        try:
            while n < 20_000:
                threading.Thread(target=threading.Event().wait, daemon=True).start()
                n += 1
        except (RuntimeError, MemoryError):
            pass
        return {"numbers": {"n": n}}
    """
    assert go(tight, store, body, head="import threading").numbers["n"] < 1000
    assert still_works(tight, store)


def test_a_result_that_is_too_large_stays_inside(tight: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed, match="form"):
        go(tight, store, 'return {"tensors": {"t": numpy.zeros(10 << 20, numpy.float32)}}', head="import numpy")
    with pytest.raises(FedkitError):
        go(tight, store, 'return {"numbers": {f"n{i}": i for i in range(500_000)}}')
    with pytest.raises(FedkitError):
        go(tight, store, 'return {"numbers": {f"n{i}": i for i in range(5_000)}}')
    assert still_works(tight, store)


def test_output_is_cut(tight: WorkerPool, store: Path) -> None:
    result = go(tight, store, 'print("first", "x" * 5_000_000, "last")\nreturn {"numbers": {}}')
    assert len(result.output) < TIGHT.output + 100
    assert result.output.startswith("first")
    assert "bytes cut here" in result.output
    assert result.output.endswith("last\n")


def test_one_large_file_and_many_small_ones_are_stopped(tight: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed, match="OSError"):
        go(tight, store, 'open("big", "wb").write(bytes(2 << 20))')
    body = """
        n = 0
        while True:
            with open(f"f{n % 50}", "wb") as file:
                file.write(bytes(100_000))
            n += 1
    """
    with pytest.raises(ExecutionFailed, match="wrote more than 1 MB"):
        go(tight, store, body)
    assert still_works(tight, store)


def test_open_files_are_counted(tight: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed, match="OSError"):
        go(tight, store, 'x = [open(f"f{n}", "w") for n in range(100)]')


# -- no orphan, no zombie, no text left behind
SITE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from worker_world import LIGHT, pid_of, go, workers_of
from fedkit.sites.worker import WorkerPool
body = '''
import os
open("left.txt", "w").write(notes.train[0].text)
print("here", os.getpid(), os.getppid(), flush=True)
while True: pass
'''
import threading, psutil, time
pool = WorkerPool(preload=LIGHT)
first = pid_of(pool, Path(sys.argv[1]), key="first")
zygote = psutil.Process(first).parent()
threading.Thread(target=lambda: go(pool, Path(sys.argv[1]), body), daemon=True).start()
while len(workers_of(zygote)) < 2 or not list(Path(sys.argv[3]).rglob("left.txt")):
    time.sleep(0.01)
print(zygote.pid, *[p.pid for p in zygote.children() if p.pid != first], first, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers end with their zygote's next look")
def test_workers_die_with_their_site_however_it_dies(store: Path, tmp_path: Path, how: signal.Signals) -> None:
    """One worker idles, one computes without end, and both have a folder with a private note in it."""
    site = subprocess.Popen(
        [sys.executable, "-c", SITE, str(store), str(Path(__file__).parents[1]), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert site.stdout is not None
    family = [int(pid) for pid in site.stdout.readline().split()]
    assert len(family) >= 3
    assert all(psutil.pid_exists(pid) for pid in family)
    site.send_signal(how)
    site.wait()
    assert eventually(lambda: not any(psutil.pid_exists(pid) for pid in family))
    assert list(tmp_path.iterdir()) == []


def test_folders_of_a_killed_zygote_are_swept_by_the_next(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    body = 'open("left.txt", "w").write(notes.train[0].text)\n' + PID
    with WorkerPool(preload=LIGHT) as pool:
        worker = pid_of(pool, store, body)
        zygote = psutil.Process(worker).parent()
        assert zygote is not None
        zygote.kill()
        assert eventually(lambda: not psutil.pid_exists(worker))
        assert list(tmp_path.rglob("left.txt"))
        assert still_works(pool, store)
        assert not list(tmp_path.rglob("left.txt"))


def eventually(true) -> bool:  # type: ignore[no-untyped-def]
    """Wait for what other processes do, but not for ever."""
    for _ in range(600):
        if true():
            return True
        time.sleep(0.05)
    return False
