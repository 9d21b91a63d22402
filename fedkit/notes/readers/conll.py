"""CoNLL: a token a line, tags in the last column (IOB1, IOB2, BIOES or BILOU), a blank line after each sentence; and CoNLL-U.

The text is rebuilt: in CoNLL-U exactly (`# text`, SpaceAfter=No), elsewhere with a blank between tokens and a line feed between
sentences. A document (`-DOCSTART-`, `# newdoc`) is a note with sentences; in a file without documents each sentence is a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fedkit.notes.note import Span
from fedkit.notes.readers.base import NoteReader, Problem, Record
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.text import Line, lines

_TAG = re.compile(r"O|[BIESLU]-\S+")
_UD_ID = re.compile(r"\d+(?:[-.]\d+)?")


@dataclass
class _Sentence:
    line: int
    id: str = ""
    text: str | None = None
    tokens: list[str] = field(default_factory=list)
    glued: list[bool] = field(default_factory=list)  # no blank after this token
    tags: list[str] = field(default_factory=list)
    covered: int = 0  # words up to this number belong to a token of several words
    problem: Problem | None = None


class ConllReader(NoteReader):
    """Columns apart by tabs, or by blanks where no line has a tab."""

    name = "conll"
    title = "CoNLL"
    suffixes = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".bioes")

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        if path.suffix.lower() in cls.suffixes:
            return True
        rows = [line.split() for line in head.decode("utf-8", "replace").split("\n")[:60] if line.strip() and line[0] != "#"]
        return len(rows) > 2 and all(len(row) > 1 and _TAG.fullmatch(row[-1]) for row in rows[:-1])

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        document: list[_Sentence] = []
        document_id = ""
        documents = 0
        for item in _parts(lines(path, self.rules.encoding, 1 << 20)):
            if isinstance(item, str):
                yield from self._record(document, document_id, name, documents)
                documents, document, document_id = documents + 1, [], item
            elif documents:
                document.append(item)
            else:
                yield from self._record([item], item.id, name, 0)
        yield from self._record(document, document_id, name, documents)

    def _record(self, sentences: Sequence[_Sentence], id: str, name: str, document: int) -> Iterator[Record]:
        if not sentences:
            return
        place = f"{name}, line {sentences[0].line}"
        good = [s for s in sentences if s.problem is None]
        problems = [s.problem for s in sentences if s.problem is not None]
        if not good:
            yield Record(place, None, tuple(problems))
            return
        text = ""
        tokens: list[str] = []
        ends: list[tuple[int, int]] = []
        spans: list[Span] = []
        for sentence in good:
            text += "\n" if text else ""
            start = len(text)
            text, starts = _append(text, sentence)
            ends.append((start, len(text)))
            tokens += sentence.tokens
            spans += _spans(sentence, starts)
        yield build(
            place,
            self.rules,
            id=id or f"{name.rpartition('.')[0] or name}-{sentences[0].line}",
            text=text,
            tokens=tokens,
            spans=spans,
            sentences=ends,
            problems=problems,
        )


def _append(text: str, sentence: _Sentence) -> tuple[str, list[int]]:
    """The text with a sentence behind it, and where each of its tokens begins."""
    base = len(text)
    starts: list[int] = []
    if sentence.text is not None:  # CoNLL-U says it; tokens are found in it
        at = 0
        for token in sentence.tokens:
            found = sentence.text.find(token, at)
            if found < 0 or sentence.text[at:found].strip():
                break
            starts.append(base + found)
            at = found + len(token)
        else:
            return text + sentence.text, starts
        starts = []
    for token, glued in zip(sentence.tokens, sentence.glued, strict=True):
        starts.append(len(text))
        text += token + ("" if glued else " ")
    return text.rstrip(" ") if sentence.tokens else text, starts


def _spans(sentence: _Sentence, starts: list[int]) -> list[Span]:
    """Spans of the tags, in any of the schemes. An I or E that continues nothing begins a span, as in conlleval."""
    spans: list[Span] = []
    label, start, end = "", -1, -1
    for token, tag, at in zip(sentence.tokens, sentence.tags, starts, strict=True):
        prefix, _, kind = tag.partition("-")
        begins = bool(kind) and (prefix in "BSU" or kind != label or start < 0)
        if start >= 0 and (begins or not kind):
            spans.append(Span(start, end, label))
            start = -1
        if kind:
            label, start, end = kind, (at if start < 0 else start), at + len(token)
            if prefix in "ESLU":
                spans.append(Span(start, end, label))
                start = -1
    if start >= 0:
        spans.append(Span(start, end, label))
    return spans


def _parts(source: Iterator[Line]) -> Iterator[_Sentence | str]:
    """Sentences; and a string, the id, where a document begins."""
    sentence: _Sentence | None = None
    comments: dict[str, str] = {}
    for line in source:
        text = line.text
        if text is None:
            sentence = sentence or _Sentence(line.number)
            assert line.problem is not None
            sentence.problem = replace(line.problem, detail=f"line {line.number}: {line.problem.detail}")
        elif not text.strip():
            if sentence is not None and (sentence.tokens or sentence.problem):
                yield sentence
            sentence, comments = None, {}
        elif text.startswith("#") and sentence is None:
            key, _, value = text[1:].partition("=")
            comments[key.strip()] = value.strip()
            if key.strip().startswith("newdoc"):
                yield value.strip()
        elif text.startswith("-DOCSTART-"):
            yield ""
        else:
            if sentence is None:
                sentence = _Sentence(line.number, comments.get("sent_id", ""), comments.get("text"))
            _take(sentence, text, line.number)
    if sentence is not None and (sentence.tokens or sentence.problem):
        yield sentence


def _take(sentence: _Sentence, text: str, number: int) -> None:
    """One line of a sentence."""
    cells = text.split("\t") if "\t" in text else text.split()
    token, tag, glued = cells[0], cells[-1].strip(), False
    if len(cells) == 10 and _UD_ID.fullmatch(cells[0]):
        first, _, last = cells[0].partition("-")
        # An empty node is no word of the text, and the words of a token of several words are none either.
        if "." in first or (not last and int(first) <= sentence.covered):
            return
        sentence.covered = int(last) if last else sentence.covered
        misc = dict(pair.partition("=")[::2] for pair in cells[9].split("|"))
        token, glued = cells[1], misc.get("SpaceAfter") == "No"
        tag = misc.get("NE", misc.get("name", "O"))
        tag = tag if _TAG.fullmatch(tag) else "O"
    elif len(cells) < 2 or not token.strip() or not _TAG.fullmatch(tag):
        sentence.problem = sentence.problem or Problem("syntax", f"line {number}: no token and tag")
        return
    sentence.tokens.append(token)
    sentence.tags.append(tag)
    sentence.glued.append(glued)
