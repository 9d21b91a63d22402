"""BRAT standoff (Stenetorp et al. 2012): `a.txt` with its annotations in `a.ann`; a text without them is a plain note.

T lines become spans, discontinuous ones with `fragments`; A and M lines attributes; N lines concepts; # lines the attribute
"note"; R, E and * lines relations (an event is the relations from its trigger to its arguments, named by their roles).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fedkit.notes.note import Concept, Relation, Span
from fedkit.notes.readers.base import NoteReader, Problem, Record, skipped
from fedkit.notes.readers.draft import build
from fedkit.notes.readers.text import read_text

_TEXT_BOUND = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")


class BratReader(NoteReader):
    """One record a text file."""

    name = "brat"
    title = "BRAT standoff"
    suffixes = (".txt",)

    @classmethod
    def recognises(cls, path: Path, head: bytes) -> bool:
        return path.suffix.lower() == ".txt" and (path.with_suffix(".ann").is_file() or b"\0" not in head)

    @classmethod
    def fingerprint(cls, path: Path) -> str:
        annotations = path.with_suffix(".ann")
        return super().fingerprint(path) + (super().fingerprint(annotations) if annotations.is_file() else "")

    def _read(self, path: Path, name: str) -> Iterator[Record]:
        text, problem = read_text(path, self.rules.encoding, 4 * self.rules.max_characters)
        if text is None:
            assert problem is not None
            yield skipped(name, problem.kind, problem.detail)
            return
        path = path.with_suffix(".ann")
        standoff, problem = (
            read_text(path, self.rules.encoding, 64 * self.rules.max_characters) if path.is_file() else ("", None)
        )
        parsed = _Standoff(standoff or "", [Problem(problem.kind, f".ann: {problem.detail}")] if problem else [])
        spans, relations = parsed.note(text)
        yield build(
            name,
            self.rules,
            id=name.rpartition(".")[0],
            text=text,
            spans=spans,
            relations=relations,
            problems=parsed.problems,
        )


class _Standoff:
    """The lines of one .ann file, by what they are about."""

    def __init__(self, standoff: str, problems: list[Problem]) -> None:
        self.problems = problems
        self.spans: dict[str, tuple[Span, str | None]] = {}
        self.triggers: dict[str, str] = {}  # event → trigger
        self.ties: list[tuple[str, str, str]] = []  # head, tail, label
        self.more: list[tuple[str, str, str]] = []  # what, about, value of A, M and # lines
        self.concepts: list[tuple[str, Concept]] = []
        for number, line in enumerate(standoff.split("\n"), start=1):
            line = line.rstrip("\r")
            if line.strip() and not self._take(line):
                problems.append(Problem("syntax", f".ann, line {number}"))

    def _take(self, line: str) -> bool:
        key, _, rest = line.partition("\t")
        words = rest.split("\t")[0].split()
        match line[:1]:
            case "T":
                found = _TEXT_BOUND.fullmatch(line)
                if not found:
                    return False
                pieces = tuple((int(a), int(b)) for a, b in (piece.split() for piece in found[3].split(";")))
                fragments = pieces if len(pieces) > 1 else ()
                self.spans[key] = (Span(pieces[0][0], pieces[-1][1], found[2], fragments=fragments), found[4])
            case "E" if words and all(":" in word for word in words):
                self.triggers[key] = words[0].partition(":")[2]
                self.ties += [(key, word.partition(":")[2], word.partition(":")[0]) for word in words[1:]]
            case "R" if len(words) >= 3:
                self.ties.append((words[1].partition(":")[2], words[2].partition(":")[2], words[0]))
            case "*" if len(words) >= 3:
                self.ties += [(words[1], other, words[0]) for other in words[2:]]
            case "A" | "M" if len(words) >= 2:
                self.more.append((words[0], words[1], " ".join(words[2:]) or "true"))
            case "N" if len(words) >= 3:
                system, _, code = words[2].partition(":")
                self.concepts.append((words[1], Concept(system, code, rest.partition("\t")[2])))
            case "#" if len(words) >= 2:
                self.more.append(("note", words[1], rest.partition("\t")[2]))
            case "#":
                return True  # a note about the whole document
            case _:
                return False
        return True

    def note(self, text: str) -> tuple[list[Span], list[Relation]]:
        """Spans that say what they cover, and relations between them; the rest is named in `problems`."""
        counts_line_ends_once = _shift_of_line_ends(text) if "\r\n" in text and not self._fits(text) else None
        keys: dict[str, int] = {}
        spans: list[Span] = []
        for key, (span, words) in self.spans.items():
            if counts_line_ends_once:
                span = _moved(span, counts_line_ends_once)
            if words is not None and span.end <= len(text) and not _same(text, span, words):
                self.problems.append(Problem("span words", _key(key)))
                continue
            keys[key] = len(spans)
            spans.append(span)
        for what, about, value in self.more:
            at = keys.get(self.triggers.get(about, about))
            if at is not None:  # attributes of relations have no place in a note
                spans[at] = replace(spans[at], attributes={**spans[at].attributes, what: value})
            elif about not in self.spans and about not in self.triggers:
                self.problems.append(Problem("left out", f"an attribute or note of {_key(about)}"))
        for about, concept in self.concepts:
            at = keys.get(self.triggers.get(about, about))
            if at is not None:
                spans[at] = replace(spans[at], concepts=(*spans[at].concepts, concept))
        ties: list[Relation] = []
        for head, tail, label in self.ties:
            a, b = (keys.get(self.triggers.get(end, end)) for end in (head, tail))
            if a is None or b is None:
                self.problems.append(Problem("relation", f"from {_key(head)} to {_key(tail)}"))
            else:
                ties.append(Relation(a, b, label))
        return spans, ties

    def _fits(self, text: str) -> bool:
        return all(words is None or _same(text, span, words) for span, words in self.spans.values())


def _key(text: str) -> str:
    """An annotation's key for a report; a word that is none could be anything, so it is not repeated."""
    return text if re.fullmatch(r"[A-Z*#]\d{0,9}", text) else "what is no key"


def _same(text: str, span: Span, words: str) -> bool:
    pieces = span.fragments or ((span.start, span.end),)
    return " ".join(text[a:b] for a, b in pieces).split() == words.split()


def _shift_of_line_ends(text: str) -> list[int]:
    """Where each sign of the text with single line ends stands in the text with "\\r\\n": some tools counted like that."""
    kept = [i for i, sign in enumerate(text) if not (sign == "\r" and text[i + 1 : i + 2] == "\n")]
    return [*kept, len(text)]


def _moved(span: Span, places: list[int]) -> Span:
    def end(offset: int) -> int:
        return places[offset - 1] + 1 if 0 < offset < len(places) else len(places) + offset

    if span.start >= len(places):
        return span
    pieces = tuple((places[a], end(b)) for a, b in span.fragments) if span.fragments else ()
    return replace(span, start=places[span.start], end=end(span.end), fragments=pieces)
