"""The channel beside PySyft: bytes (weights) by their SHA-256, in a folder of one site.

Who stored a blob owns it; others get it only once it was granted to them, as a result is by its receipt. A blob lies in the
file `ab/abcdef…` (mode 0600), written whole or not at all; who owns what and who may read it stands in a small SQLite index.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

from fedkit.digests import digest_bytes, short
from fedkit.errors import AccessRefused, DigestMismatch, LimitReached, StorageError
from fedkit.sites.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (digest TEXT NOT NULL, owner TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (digest, owner)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readers (digest TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (digest, user)) WITHOUT ROWID;
"""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Channel:
    """A content-addressed store of blobs in `folder`.

    size_limit: bytes of one blob (default 512 MB).   quota: bytes one owner may hold (default 4 GB).
    Safe for several threads and processes. Raises StorageError when the disk is full or not ours to write; nothing
    half-written stays.
    """

    def __init__(self, folder: Path, *, size_limit: int = 512 << 20, quota: int = 4 << 30) -> None:
        self.folder, self.size_limit, self.quota = folder, size_limit, quota
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for rest in folder.glob(".new-*"):
                rest.unlink(missing_ok=True)  # of a process that was killed
        except OSError as error:
            raise _unusable(error) from None
        self._index = Database(folder / "index.db", _SCHEMA, unusable=_unusable, durable=False)

    def put(self, owner: str, data: bytes) -> str:
        """Store bytes; returns their digest. Storing the same again changes nothing and counts once.

        Raises LimitReached if the blob is too large or the owner's quota is used up.
        """
        if len(data) > self.size_limit:
            raise LimitReached(
                "the blob is too large",
                expected=f"at most {self.size_limit} bytes",
                got=f"{len(data)} bytes",
                help="send a smaller model, or ask the site to raise the limit",
            )
        name = digest_bytes(data)
        with self._index.transaction() as db:
            held = db.execute("SELECT COALESCE(SUM(bytes), 0) FROM blobs WHERE owner = ? AND digest != ?", (owner, name))
            used = int(held.fetchone()[0])
            if used + len(data) > self.quota:
                raise LimitReached(
                    "the quota is used up",
                    expected=f"at most {self.quota} bytes in all",
                    got=f"{used} held, {len(data)} to store",
                    help="delete what is no longer needed",
                )
            self._write(name, data)
            db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", (name, owner, len(data)))
        return name

    def get(self, user: str, digest: str) -> bytes:
        """The bytes of that digest, checked against it.

        Raises AccessRefused if this user neither stored it nor was granted it (whether it exists or not: the same words),
        DigestMismatch if the file was changed, StorageError if it is lost.
        """
        if not self.may_read(user, digest):
            raise AccessRefused(
                "no such blob for you", expected="one you stored, or that left by a receipt of yours", got=short(str(digest))
            )
        try:
            data = self._path(digest).read_bytes()
        except OSError as error:
            raise StorageError(
                f"blob {short(digest)} is lost", expected="its file", got=type(error).__name__, help="store it again"
            ) from None
        if digest_bytes(data) != digest:
            raise DigestMismatch(
                f"blob {short(digest)} was changed on disk",
                expected=digest,
                got=digest_bytes(data),
                help="store it again, and find out who can write to the site's folder",
            )
        return data

    def may_read(self, user: str, digest: str) -> bool:
        """Whether `get` would find it."""
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            return False
        query = (
            "SELECT 1 FROM blobs WHERE (digest, owner) = (?, ?) UNION ALL SELECT 1 FROM readers WHERE (digest, user) = (?, ?)"
        )
        return self._index.one(query, digest, user, digest, user) is not None

    def grant(self, digest: str, user: str) -> None:
        """Let `user` read a blob that is stored here. Raises AccessRefused if there is none."""
        with self._index.transaction() as db:
            if db.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is None:
                raise AccessRefused("no such blob to grant", expected="a stored blob", got=short(str(digest)))
            db.execute("INSERT OR IGNORE INTO readers VALUES (?, ?)", (digest, user))

    def delete(self, owner: str, digest: str) -> None:
        """Give up one's own blob; the file goes with its last owner. Unknown blobs are none of an error."""
        with self._index.transaction() as db:
            db.execute("DELETE FROM blobs WHERE digest = ? AND owner = ?", (digest, owner))
            if db.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is None:
                db.execute("DELETE FROM readers WHERE digest = ?", (digest,))
                if _DIGEST.fullmatch(digest):
                    self._path(digest).unlink(missing_ok=True)

    def used(self, owner: str) -> int:
        """Bytes that count against the owner's quota."""
        return int(self._index.one("SELECT COALESCE(SUM(bytes), 0) FROM blobs WHERE owner = ?", owner)[0])

    def close(self) -> None:
        self._index.close()

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        if path.exists() and path.stat().st_size == len(data) and digest_bytes(path.read_bytes()) == name:
            return
        fresh = self.folder / f".new-{secrets.token_hex(8)}"
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise _unusable(error) from None


def _unusable(error: Exception) -> StorageError:
    return StorageError(
        "the site's channel cannot be used",
        expected="room and rights to write in its folder",
        got=type(error).__name__,
        help="free some space and check the rights of the folder; nothing half-written was left",
    )
