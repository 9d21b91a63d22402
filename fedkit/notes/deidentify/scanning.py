"""What a text holds, at a glance: its words and numbers, read once, so that a rule looks only where it can find something.

    sign = word_sign("fnr|hetu|isikukood")         # a rule names the words without which it finds nothing …
    shows("Hetu: 131052-308T", sign)               # True: … and asks for them before it reads the text
    figures("BT 120/80, ring 22 33 44 55").parts   # runs of figures that only separators part: 5 figures, then 8

Most of a note is no number and no telling word, and the words of notes repeat (Zipf): what a word can be a part of is decided
once and remembered. Every glance asks for what is necessary, never for what is enough: the rule decides. So
whatever a glance leaves out, the rule could not have found (`tests/notes/deidentify/test_scanning.py` reads with and without).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from fedkit.notes.memory import Memory

#: A word as the rules of names read it: letters, perhaps joined by hyphens and apostrophes.
TOKEN = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")

_LETTERS = re.compile(r"[^\W\d_]+")
_RUN = re.compile(r"\d+")
#: Figures, between which stand at most five signs that part a number, a letter, and five signs.
_GAP = r"[\s.\-/_:,;|~*+()·]{0,5}"
_PART = re.compile(rf"\d+(?:{_GAP}(?:[A-Za-z]{_GAP})?\d+)*")

class Part(NamedTuple):
    """Runs of figures that stand so close that they can be one number: how many figures, and where the runs begin."""

    size: int
    places: tuple[int, ...]


class Figures(NamedTuple):
    """The runs of figures of a text: where they begin, what they are, and which stand together."""

    places: tuple[int, ...]
    runs: tuple[str, ...]
    parts: tuple[Part, ...]

    def of(self, size: int, runs: int = 1) -> tuple[int, ...]:
        """Where runs begin that stand in a part of at least so many figures and runs."""
        return tuple(place for part in self.parts if part.size >= size and len(part.places) >= runs for place in part.places)

    def long(self, *sizes: int) -> tuple[int, ...]:
        """Where runs of exactly one of these lengths begin."""
        return tuple(place for place, run in zip(self.places, self.runs, strict=True) if len(run) in sizes)

    @property
    def longest(self) -> int:
        """Figures of the longest run; 0 without any."""
        return max(map(len, self.runs), default=0)


@lru_cache(maxsize=16)
def figures(text: str) -> Figures:
    """The figures of a text."""
    places: list[int] = []
    runs: list[str] = []
    parts: list[Part] = []
    for match in _PART.finditer(text):
        start, whole = match.start(), match.group()
        if whole.isdecimal():
            inside = [start]
            runs.append(whole)
            size = len(whole)
        else:
            found = [(start + m.start(), m.group()) for m in _RUN.finditer(whole)]
            inside = [place for place, _ in found]
            runs += [run for _, run in found]
            size = sum(len(run) for _, run in found)
        places += inside
        parts.append(Part(size, tuple(inside)))
    return Figures(tuple(places), tuple(runs), tuple(parts))


def numbers(text: str) -> tuple[int, ...]:
    """Where runs of digits begin."""
    return figures(text).places


def at_numbers(pattern: re.Pattern[str], text: str, places: tuple[int, ...], *, before: str = "") -> Iterator[re.Match[str]]:
    """As `finditer`, for a pattern that begins with the digit at one of `places`, or a sign of `before` in front."""
    done = 0
    for place in places:
        start = place - 1 if place and text[place - 1] in before else place
        if place < done:
            continue
        match = pattern.match(text, max(start, done)) or (pattern.match(text, place) if start != place else None)
        if match is not None:
            yield match
            done = match.end()


@lru_cache(maxsize=16)
def spelled(text: str) -> tuple[list[int], list[str]]:
    """Where the words of a text begin, and the words (see `TOKEN`)."""
    found = [(match.start(), match[0]) for match in TOKEN.finditer(text)]
    return [start for start, _ in found], [word for _, word in found]


@lru_cache(maxsize=16)
def tokens(text: str) -> frozenset[str]:
    """The different words of a text."""
    return frozenset(spelled(text)[1])


# --- signs ---------------------------------------------------------------------------------------------------------------


_patterns: list[re.Pattern[str]] = []


def _signs_of(token: str) -> int:
    """The signs of a token, as bits."""
    bits = 0
    for word in _LETTERS.findall(token):
        for place, pattern in enumerate(_patterns):
            if pattern.fullmatch(word):
                bits |= 1 << place
    return bits


_words = Memory(_signs_of)


def word_sign(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> int:
    """A sign for the words (runs of letters) that a pattern describes as a whole; ask for it with `shows`."""
    _patterns.append(re.compile(pattern, flags))
    _words.clear()
    return 1 << (len(_patterns) - 1)


@lru_cache(maxsize=16)
def _signs(text: str) -> int:
    bits = 0
    for token in tokens(text):
        bits |= _words[token]
    return bits


def signed(text: str, sign: int) -> Iterator[tuple[int, int]]:
    """Where the words of a sign stand in a text."""
    if shows(text, sign):
        for start, word in zip(*spelled(text), strict=True):
            if _words[word] & sign:
                yield start, start + len(word)


def shows(text: str, sign: int) -> bool:
    """Whether one of the words of a sign stands in a text (or of several signs: `a | b`)."""
    return bool(_signs(text) & sign)
