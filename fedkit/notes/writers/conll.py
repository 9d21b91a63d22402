"""CoNLL columns: token and tag, in IOB2 or BIOES, with `# newdoc` and `# text` so that the text comes back as it was.

A tag per token holds flat spans that end where tokens end: of overlapping ones the longer stays, others grow to whole tokens,
and both are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from fedkit.notes.note import Note, Span
from fedkit.notes.tokens import pieces
from fedkit.notes.writers.base import NoteWriter


class Iob2Writer(NoteWriter):
    """B at the beginning of every span, I inside (Tjong Kim Sang & Veenstra 1999)."""

    name = "iob2"
    title = "CoNLL with IOB2 tags"
    holds = frozenset({"tokens", "sentences"})
    single: ClassVar[str] = "B"
    last: ClassVar[str] = "I"

    def _write(self, notes: Iterable[Note], target: Path, losses: Counter[str]) -> None:
        with target.open("w", encoding="utf-8", newline="\n") as file:
            for note in notes:
                file.write(f"# newdoc id = {' '.join(note.id.split())}\n")
                sentences = note.sentences or _lines(note.text)
                losses["blanks and lines between sentences"] += "\n".join(note.text[a:b] for a, b in sentences) != note.text
                tokens = _tokens(note)
                tags = self._tags(note, tokens, losses)
                for (start, end), inside in zip(sentences, _shared_out(tokens, sentences), strict=True):
                    if not inside:
                        continue
                    whole = start <= tokens[inside[0]][0] and tokens[inside[-1]][1] <= end
                    if whole and not set("\r\n") & set(note.text[start:end]):
                        file.write(f"# text = {note.text[start:end]}\n")
                    file.write("".join(f"{note.text[tokens[i][0] : tokens[i][1]]}\t{tags[i]}\n" for i in inside) + "\n")

    def _tags(self, note: Note, tokens: Sequence[tuple[int, int]], losses: Counter[str]) -> list[str]:
        tags = ["O"] * len(tokens)
        for span in sorted(note.spans, key=lambda s: s.start - s.end):
            covered = [i for i, (a, b) in enumerate(tokens) if a < span.end and span.start < b]
            if not covered or any(tags[i] != "O" for i in covered):
                losses["spans that overlap others or no token"] += 1
                continue
            losses["spans that end inside a token"] += not _aligned(span, tokens[covered[0]], tokens[covered[-1]])
            label = "_".join(span.label.split())
            for i in covered:
                tags[i] = f"I-{label}"
            tags[covered[0]] = f"B-{label}"
            tags[covered[-1]] = f"{self.single if len(covered) == 1 else self.last}-{label}"
        return tags


class BioesWriter(Iob2Writer):
    """B, I and E for the first, the inner and the last token of a span, S for a span of one."""

    name = "bioes"
    title = "CoNLL with BIOES tags"
    single = "S"
    last = "E"


def _aligned(span: Span, first: tuple[int, int], last: tuple[int, int]) -> bool:
    return (first[0], last[1]) == (span.start, span.end)


def _shared_out(tokens: Sequence[tuple[int, int]], sentences: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The tokens of each sentence, by number; one that stands between two goes with the first, so that none is lost."""
    shares: list[list[int]] = [[] for _ in sentences]
    at = 0
    for number, (start, _) in enumerate(tokens):
        while at + 1 < len(sentences) and sentences[at + 1][0] <= start:
            at += 1
        shares[at].append(number)
    return shares


def _tokens(note: Note) -> list[tuple[int, int]]:
    """The note's own tokens, or the pieces of fedkit's tokeniser."""
    if note.tokens is None:
        return pieces(note.text)
    found, at = [], 0
    for token in note.tokens:
        start = note.text.find(token, at)
        if start < 0:
            return pieces(note.text)
        at = start + len(token)
        if token.split() == [token]:
            found.append((start, at))
        else:  # a column holds no blanks
            found += [(start + a, start + b) for a, b in pieces(token)]
    return found


def _lines(text: str) -> list[tuple[int, int]]:
    """Where sentences are not known, every line is one."""
    found, at = [], 0
    for line in text.split("\n"):
        if line.strip():
            found.append((at, at + len(line.rstrip("\r"))))
        at += len(line) + 1
    return found
