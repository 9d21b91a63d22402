"""Bytes to text: encodings told apart, lines of any kind, and memory that stays flat whatever a line holds."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fedkit.errors import CorpusError
from fedkit.notes.readers.base import Problem

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. `text` is None where `problem` says why. `number` counts from 1, by line feeds."""

    number: int
    text: str | None
    problem: Problem | None = None


def lines(path: Path, encoding: str, limit: int, *, keep_returns: bool = False) -> Iterator[Line]:
    """The lines of a file, cut at line feeds only (a note may hold U+2028). A carriage return at the end is taken off.

    encoding: used where the file has no byte order mark. limit: the longest line in bytes that is kept; a longer one is passed
    over without being held. Raises OSError; CorpusError for an encoding that Python does not know.
    """
    with path.open("rb") as file:
        mark, encoding = encoding_of(file.read(4), encoding)
        file.seek(len(mark))
        feed = "\n".encode(encoding)
        number = 0
        for raw, size in _pieces(file, feed, limit):
            number += 1
            if raw is None:
                yield Line(number, None, Problem("too large", f"{size:,} bytes in one line, at most {limit:,}"))
                continue
            text, problem = decode(raw, encoding)
            yield Line(number, text if text is None or keep_returns else text.removesuffix("\r"), problem)


def read_text(path: Path, encoding: str, limit: int) -> tuple[str | None, Problem | None]:
    """The whole of a file as text, line ends as they stand; or None and why not. Raises OSError, CorpusError."""
    size = path.stat().st_size
    if size > limit:
        return None, Problem("too large", f"{size:,} bytes, at most {limit:,}")
    data = path.read_bytes()
    mark, encoding = encoding_of(data[:4], encoding)
    return decode(data[len(mark) :], encoding)


def encoding_of(head: bytes, encoding: str) -> tuple[bytes, str]:
    """(byte order mark, encoding) of a file that begins like this. Raises CorpusError for an encoding nobody knows."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return mark, name
    try:
        return b"", codecs.lookup(encoding).name
    except LookupError:
        raise CorpusError(
            f"no such encoding: {encoding[:40]!r}",
            expected="a name such as utf-8, iso-8859-1 or cp1252",
            got="another word",
            help="give the encoding of the source with --encoding",
        ) from None


def decode(raw: bytes, encoding: str) -> tuple[str | None, Problem | None]:
    """The text of some bytes, or None and the place of the first byte that is none."""
    try:
        return raw.decode(encoding), None
    except UnicodeDecodeError as error:
        nulls = raw.count(0)
        hint = ", many NULs: perhaps UTF-16 without a mark" if nulls > len(raw) // 3 else ""
        return None, Problem("encoding", f"byte 0x{raw[error.start]:02x} at {error.start + 1} is not {encoding}{hint}")


def _pieces(file, feed: bytes, limit: int) -> Iterator[tuple[bytes | None, int]]:  # type: ignore[no-untyped-def]
    """(bytes, size) between line feeds; (None, size) for what is longer than `limit`."""
    rest, dropped, width = b"", 0, len(feed)
    while chunk := file.read(_CHUNK):
        rest += chunk
        at = 0
        while (end := _find(rest, feed, at)) >= 0:
            size = dropped + end - at
            yield (rest[at:end], size) if size <= limit else (None, size)
            dropped, at = 0, end + width
        rest = rest[at:]
        if dropped + len(rest) > limit:
            keep = len(rest) % width  # a unit of two bytes may be cut by the chunk
            dropped += len(rest) - keep
            rest = rest[len(rest) - keep :]
    if rest or dropped:
        size = dropped + len(rest)
        yield (rest, size) if size <= limit else (None, size)


def _find(data: bytes, feed: bytes, at: int) -> int:
    """As `bytes.find`, but only where a whole unit of the encoding begins."""
    end = data.find(feed, at)
    while end >= 0 and (end - at) % len(feed):
        end = data.find(feed, end + 1)
    return end
