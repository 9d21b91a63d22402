"""What approved code printed, kept at the site for its stewards: private text may be in it, so it goes nowhere else.

One file (mode 0600) an execution, none for one that went well and printed nothing. The oldest are dropped when there are too
many, and all of them after some days: a log is for finding out why a run failed, no archive.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import threading
import time
from dataclasses import asdict
from pathlib import Path

from fedkit.errors import StorageError
from fedkit.governance.running import ExecutionLog
from fedkit.storage import write_whole

_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class ExecutionLogs:
    """The logs in `folder`.

    days: that one is kept.   total: bytes of all.   most: how many.   Safe for several threads of one process.
    """

    def __init__(self, folder: Path, *, days: float = 30, total: int = 64 << 20, most: int = 5_000) -> None:
        self.folder, self.days, self.total, self.most = folder, days, total, most
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}  # name → bytes; names sort by time
        if folder.is_dir():
            for rest in folder.glob(".*.part"):
                rest.unlink(missing_ok=True)  # of a process that was killed
            self._sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("*.json"))}
        self._drop()

    def add(self, request: str, log: ExecutionLog) -> bool:
        """Keep a log; False if the disk does not take it, since a run does not fail for that.

        Nothing is kept of one without text that went well.
        """
        if not log.text and log.outcome == "ok":
            return True
        text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", log.text.replace("\r\n", "\n"))
        data = json.dumps({**asdict(log), "text": text}, ensure_ascii=False).encode("utf-8", "replace")
        name = f"{int(log.began * 1000):015d}-{request}-{secrets.token_hex(4)}.json"
        with self._lock:
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_whole(self.folder / name, data)
            except (OSError, StorageError):
                return False
            self._sizes[name] = len(data)
            self._drop()
        return True

    def of(self, request: str) -> list[ExecutionLog]:
        """The logs of a request, oldest first."""
        with self._lock:
            self._drop()
            names = sorted(name for name in self._sizes if name.split("-")[1] == request)
        found = []
        for name in names:
            with contextlib.suppress(OSError, ValueError, TypeError):  # dropped meanwhile, or damaged
                found.append(ExecutionLog(**json.loads((self.folder / name).read_bytes())))
        return found

    def _drop(self) -> None:
        """The oldest, until what is left may stay."""
        first_kept = f"{int((time.time() - self.days * 86_400) * 1000):015d}"
        held = sum(self._sizes.values())
        for name in sorted(self._sizes):
            if name >= first_kept and held <= self.total and len(self._sizes) <= self.most:
                return
            with contextlib.suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)
            held -= self._sizes.pop(name)
