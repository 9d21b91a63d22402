"""Writing a file whole or not at all: the one way in which fedkit puts a file on disk that somebody will read again.

The bytes go to a temporary file beside the target (whose folder is made), are flushed to the disk, and take the target's name
in one step; then the folder is flushed, so that the name survives a power cut as well.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from fedkit.errors import StorageError


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write `data` so that `path` holds all of it or what it held before.

    mode: of the new file; by default only its owner reads it.   Raises StorageError, with nothing left behind.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        _fill(part, data, mode)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(path, error, len(data)) from None


def write_new(path: Path, data: bytes, *, mode: int = 0o600) -> bool:
    """Write a file that is not there yet; False, and nothing is changed, if it is. The first of two writers wins.

    Raises StorageError, with nothing left behind.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        _fill(part, data, mode)
        os.link(part, path)
        sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise unwritable(path, error, len(data)) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return True


def _fill(part: Path, data: bytes, mode: int) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def unwritable(path: Path, error: OSError, size: int = 0) -> StorageError:
    """What to raise where a file could not be written. The system's own words are kept, the path's parents are not."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"{path.name} cannot be written",
        expected=f"{size:,} bytes of room and leave to write" if size else "room and leave to write in its folder",
        got="no space left" if full else (os.strerror(error.errno) if error.errno else "an error"),
        help="free some space, or choose another folder, and run the same command again: what was complete is kept",
    )
