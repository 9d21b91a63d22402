"""The names that a ledger's processes know, in one file: several may add to it at the same moment, and none is lost."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fedkit.errors import LedgerError
from fedkit.storage import unwritable, write_whole

_one_thread = threading.Lock()  # the kernel's record locks do not tell the threads of a process apart


class NameFile:
    """A JSON list of names, at `path`; no file is no names. Raises LedgerError for one that cannot be read, StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> list[str]:
        """All names."""
        try:
            self._seen = self._state()
            row = json.loads(self.path.read_bytes())
            return [name for name in row if isinstance(name, str)] if isinstance(row, list) else _unreadable(self.path)
        except FileNotFoundError:
            return []
        except (OSError, ValueError):
            return _unreadable(self.path)

    def add(self, names: Iterable[str]) -> None:
        """Put names to those that are there."""
        with self._alone():
            write_whole(self.path, json.dumps(sorted({*self.read(), *names})).encode())

    def changed(self) -> bool:
        """Whether somebody wrote it since it was read here last."""
        return self._state() != self._seen

    def _state(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with _one_thread:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            except OSError as error:
                raise unwritable(self.path, error) from None
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def _unreadable(path: Path) -> list[str]:
    raise LedgerError(
        f"{path.name} cannot be read", expected="a list of names", got="something else", help="restore it from a backup"
    )
