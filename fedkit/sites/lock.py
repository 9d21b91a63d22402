"""One process at a time holds a federation's folder.

The lock is the kernel's (POSIX record lock), so it goes when its process does, also after `kill -9`, a reboot or the reuse of
a process id; children do not inherit it. What stands in the file is for people.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from fedkit.errors import AlreadyRunning, StorageError

_held: set[Path] = set()  # record locks do not tell two openings in one process apart
_guard = threading.Lock()


class FolderLock:
    """Holds `folder/federation.lock` from construction to `release()`. Raises AlreadyRunning, StorageError."""

    def __init__(self, folder: Path) -> None:
        self._path = folder.resolve() / "federation.lock"
        with _guard:
            if self._path in _held:
                raise _running(folder, str(os.getpid()))
            try:
                self._handle = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            except OSError as error:
                raise StorageError(
                    f"{folder.name} cannot be used",
                    expected="a folder that can be written",
                    got=os.strerror(error.errno or 0),
                    help="check rights and free space, or choose another folder",
                ) from None
            try:
                fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(self._handle, 32).decode("ascii", "replace").strip()
                os.close(self._handle)
                raise _running(folder, holder) from None
            os.ftruncate(self._handle, 0)
            os.write(self._handle, f"{os.getpid()}\n".encode())
            _held.add(self._path)

    def release(self) -> None:
        with _guard:
            if self._path in _held:
                _held.discard(self._path)
                os.ftruncate(self._handle, 0)
                os.close(self._handle)


def _running(folder: Path, pid: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"the federation in {folder.name} is running already",
        expected="a federation that is down",
        got=f"process {pid or 'unknown'} holds it",
        help="use that one, close it there, or give folder=… for a second federation",
    )
