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
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fedkit.notes.memory import Memory

#: A word as the rules of names read it: letters, perhaps joined by hyphens and apostrophes.
TOKEN = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")

#: Stands for what was found already: neither a letter, a digit nor a blank, so that no pattern reads across it.
BLOT = "\x00"

_LETTERS = re.compile(r"[^\W\d_]+")
_RUN = re.compile(r"\d+")
#: Figures, between which stand at most five signs that part a number, a letter, and five signs.
_GAP = r"[\s.\-/_:,;|~*+()·]{0,5}"
_PART = re.compile(rf"\d+(?:{_GAP}(?:[A-Za-z]{_GAP})?\d+)*")


class Part(NamedTuple):
    """Runs of figures that stand so close that they can be one number: how many figures, where the runs begin, and the runs."""

    size: int
    places: tuple[int, ...]
    runs: tuple[str, ...]

    @property
    def end(self) -> int:
        return self.places[-1] + len(self.runs[-1])


class Figures:
    """The runs of figures of a text, and which of them stand together."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.places = [place for part in parts for place in part.places]
        self.runs = [run for part in parts for run in part.runs]
        self.longest = max(map(len, self.runs), default=0)
        self._largest = max((part.size for part in parts), default=0)

    def of(self, size: int, runs: int = 1) -> list[int]:
        """Where runs begin that stand in a part of at least so many figures and runs."""
        if self._largest < size:
            return []
        return [place for part in self.parts if part.size >= size and len(part.places) >= runs for place in part.places]

    def long(self, *sizes: int) -> list[int]:
        """Where runs of exactly one of these lengths begin."""
        return [place for place, run in zip(self.places, self.runs, strict=True) if len(run) in sizes]


class Glance(NamedTuple):
    """What stands in one text: where its words begin and the words (see `TOKEN`), the different ones, their signs, figures."""

    text: str
    starts: Sequence[int]
    spelled: Sequence[str]
    tokens: frozenset[str]
    signs: int
    figures: Figures

    @staticmethod
    def at(text: str) -> Glance:
        """Look at a text."""
        found = [(match.start(), match[0]) for match in TOKEN.finditer(text)]
        spelled = [word for _, word in found]
        tokens = frozenset(spelled)
        signs = 0
        for token in tokens:
            signs |= _words[token]
        return Glance(text, [start for start, _ in found], spelled, tokens, signs, Figures(_parts(text, 0, len(text))))

    def without(self, text: str, blots: Sequence[tuple[int, int]]) -> Glance:
        """What is left where these stretches, in order, are blotted out in `text`: words and figures beside them stay as they
        are. (Signs and tokens of what went stay too, since they say only what is not there.)"""
        starts, spelled = [], []
        for start, word, cut in _beside(zip(self.starts, self.spelled, strict=True), blots):
            if cut:
                return Glance.at(text)  # a part of a word was found: rare, and the rest may be another word
            starts.append(start)
            spelled.append(word)
        parts: list[Part] = []
        at = 0
        for part in self.figures.parts:
            while at < len(blots) and blots[at][1] <= part.places[0]:
                at += 1
            touched = at < len(blots) and blots[at][0] < part.end
            parts += _parts(text, part.places[0], part.end) if touched else (part,)
        return self._replace(text=text, starts=starts, spelled=spelled, figures=Figures(parts))


def _beside(words: Iterator[tuple[int, str]], blots: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str, bool]]:
    """The words that are not within a blot, and whether one cuts them."""
    at = 0
    for start, word in words:
        end = start + len(word)
        while at < len(blots) and blots[at][1] <= start:
            at += 1
        if at == len(blots) or end <= blots[at][0]:
            yield start, word, False
        elif not (blots[at][0] <= start and end <= blots[at][1]):
            yield start, word, True


def _parts(text: str, start: int, end: int) -> list[Part]:
    parts: list[Part] = []
    for match in _PART.finditer(text, start, end):
        first, whole = match.start(), match[0]
        if whole.isdecimal():
            parts.append(Part(len(whole), (first,), (whole,)))
            continue
        found = [(first + m.start(), m[0]) for m in _RUN.finditer(whole)]
        parts.append(Part(sum(len(run) for _, run in found), tuple(p for p, _ in found), tuple(run for _, run in found)))
    return parts


#: The texts that were looked at last: rules ask for the same one, one after the other.
_glances: dict[str, Glance] = {}
_GLANCES = 16


def _keep(glance: Glance) -> Glance:
    while len(_glances) >= _GLANCES:
        _glances.pop(next(iter(_glances), ""), None)
    _glances[glance.text] = glance
    return glance


def glance(text: str) -> Glance:
    """What stands in a text, worked out once."""
    return _glances.get(text) or _keep(Glance.at(text))


def blotted(text: str, found: Sequence[tuple[int, int]]) -> str:
    """The text with these stretches blotted out; they may overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    pieces: list[str] = []
    at = 0
    for start, end in merged:
        pieces += text[at:start], BLOT * (end - start)
        at = end
    rest = "".join(pieces) + text[at:]
    _keep(glance(text).without(rest, merged))
    return rest


def figures(text: str) -> Figures:
    """The figures of a text."""
    return glance(text).figures


def tokens(text: str) -> frozenset[str]:
    """The different words of a text; of one that was blotted out some may be left."""
    return glance(text).tokens


def at_numbers(pattern: re.Pattern[str], text: str, places: Sequence[int], *, before: str = "") -> Iterator[re.Match[str]]:
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


# --- signs ---------------------------------------------------------------------------------------------------------------


#: Each sign: its pattern, and what one of its words ends with.
_patterns: list[tuple[re.Pattern[str], tuple[str, ...]]] = []


def _signs_of(token: str) -> int:
    """The signs of a token, as bits."""
    bits = 0
    for word in _LETTERS.findall(token):
        lower = word.casefold()
        for place, (pattern, ends) in enumerate(_patterns):
            if lower.endswith(ends) and pattern.fullmatch(word):
                bits |= 1 << place
    return bits


_words = Memory(_signs_of)


def word_sign(pattern: str, flags: re.RegexFlag = re.IGNORECASE, ends: tuple[str, ...] = ("",)) -> int:
    """A sign for the words (runs of letters) that a pattern describes as a whole; ask for it with `shows`.

    ends: what all of them end with, in lower case, where that is known: it is quicker to look at.
    """
    _patterns.append((re.compile(pattern, flags), ends))
    _words.clear()
    return 1 << (len(_patterns) - 1)


def shows(text: str, sign: int) -> bool:
    """Whether one of the words of a sign stands in a text (or of several signs: `a | b`)."""
    return bool(glance(text).signs & sign)


def signed(text: str, sign: int) -> Iterator[tuple[int, int]]:
    """Where the words of a sign stand in a text."""
    if shows(text, sign):
        seen = glance(text)
        for start, word in zip(seen.starts, seen.spelled, strict=True):
            if _words[word] & sign:
                yield start, start + len(word)
