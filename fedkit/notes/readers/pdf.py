"""PDF: the text layer, page by page. A scanned page has none, and nothing here reads pictures."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.draft import build


class PdfReader(NoteReader):
    """One record a file, by pypdf. Pages are parted by an empty line; how many there were is kept in meta."""

    name = "pdf"
    title = "PDF"
    suffixes = (".pdf",)

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return b"%PDF-" in head[:1024]

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        with path.open("rb") as file:
            text, pages, problems = text_layer(file)
        if problems and text is None:
            yield skipped(name, problems[0].kind, problems[0].detail)
            return
        yield build(
            name, self.rules, id=name.rpartition(".")[0], text=text or "", meta={"pages": str(pages)}, problems=problems
        )


def text_layer(file: BinaryIO | bytes) -> tuple[str | None, int, list[Problem]]:
    """(text, pages, problems) of a PDF; text is None if it cannot be opened. A page that goes wrong is named and left out."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns in words of the file
    problems: list[Problem] = []
    try:
        reader = pypdf.PdfReader(io.BytesIO(file) if isinstance(file, bytes) else file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return None, 0, [Problem("unreadable", "encrypted, and the password is not empty")]
        count = len(reader.pages)
    except Exception as error:  # pypdf raises what its parsing meets
        return None, 0, [Problem("unreadable", type(error).__name__)]
    texts = []
    for number in range(count):
        try:
            texts.append(reader.pages[number].extract_text().strip())
        except Exception as error:
            problems.append(Problem("unreadable", f"page {number + 1}: {type(error).__name__}"))
    scanned = sum(not text for text in texts)
    if scanned:
        problems.append(Problem("empty", f"{scanned} of {count} pages have no text layer"))
    return "\n\n".join(text for text in texts if text), count, problems
