"""Memory of a process and all its children, sampled: the peak of their sum, with shared pages counted once where Linux can."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from types import TracebackType

import psutil


@dataclass
class PeakMemory:
    """Samples while the `with` block runs.

    peak: bytes. The proportional set size (PSS) where the kernel gives it, since workers forked from one process share most
    of their pages; else the resident set size (RSS), which counts shared pages once for each process.
    """

    pid: int
    interval: float = 1.0  # each sample walks the page tables of every process
    peak: int = 0
    samples: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> PeakMemory:
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            if total := tree_memory(self.pid):
                self.peak = max(self.peak, total)
                self.samples += 1
            if self._stop.wait(self.interval):
                return


def tree_memory(pid: int) -> int:
    """Bytes of a process and its descendants now; 0 if it has gone."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += memory_of(process)
    return total


def memory_of(process: psutil.Process) -> int:
    """PSS of one process, or RSS where there is no PSS or it may not be read (a worker that gave up rights is not readable)."""
    try:
        info = process.memory_full_info()
        return int(getattr(info, "pss", 0) or info.rss)
    except (psutil.AccessDenied, psutil.ZombieProcess):
        return int(process.memory_info().rss)
