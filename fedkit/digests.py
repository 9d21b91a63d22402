"""Canonical bytes and digests: the one way in which fedkit names content.

A digest is the lower-case hexadecimal SHA-256 (64 characters) of bytes, or of the canonical JSON (RFC 8785) of a value.
On the ledger the same 32 bytes stand as a `bytes32`.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """The canonical JSON (RFC 8785) of plain data: dict, list, str, bool, None, int below 2^53, finite float.

    Raises ValueError for anything else (NaN, bytes, larger integers: write those as strings).
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"not canonical JSON: {error}") from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes | memoryview) -> str:
    """SHA-256 of raw bytes."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_folder(folder: Path, pattern: str = "**/*") -> str:
    """One digest over the files below `folder` that match: of their sorted relative names and digests."""
    rows = {p.relative_to(folder).as_posix(): digest_file(p) for p in folder.glob(pattern) if p.is_file()}
    return digest(rows)


def salted(value: Any, salt: bytes) -> str:
    """HMAC-SHA-256 of the canonical JSON: for content that could be guessed (names, reasons, small counts)."""
    return hmac.new(salt, canonical(value), hashlib.sha256).hexdigest()


def short(name: str) -> str:
    """The first twelve characters of a digest, for people to read."""
    return name[:12]
