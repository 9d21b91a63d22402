"""Sentences of notes and prose: rules over periods, capitals, line ends and the abbreviations of the language.

    sentences("Innlagt pga. brystsmerter.\\nIngen feber. Tbl. Albyl-E 75 mg x 1", "nb")
    # ((0, 26), (27, 39), (40, 63))

A note is full of periods that end nothing (`tbl.`, `12. mai`, `2.5`, `J. Hansen`) and of line ends that end a sentence without
any; general splitters fall for both. Ranges are code points, in order, not overlapping; what lies outside is blank.
"""

from __future__ import annotations

import re

from fedkit.notes.abbreviations import closing, dotted

_END = re.compile(
    r"""
      (?<![.!?…])(?P<mark>[.!?…]++)(?:["»”’')\]]|\s?[:;]-?[)(D](?!\w))*(?=\s)  # a mark, what closes with it or smiles, a blank
    | (?P<smile>[:;]-?[)(D])(?=\s)
    | (?P<colon>:)(?=[ \u00a0])
    | (?<=[^\W\d_][^\W\d_])(?P<glued>\.)(?=[A-ZÆØÅÄÖÕÜŠŽ][a-zæøåäöõüšž]{2})   # "feber.Ingen", a blank forgotten
    | (?P<line>\n\s*)
    """,
    re.VERBOSE,
)
_MARK = re.compile(r"[.!?…:;\n]")  # what all of these begin with
_LAST = re.compile(r"[^\s(\[\"«”»/]+\Z")
_PARTING = re.compile(r"[(\[\"«”»/]")  # signs that part words beside blanks
_OPENING = re.compile(r"[\s\"«”»“„'’(\[–—•*-]*")
_BULLET = re.compile(r"(?:[-–—•*·>]|\d{1,2}[.)]|[a-zA-Z]\))\s")

_WRAP = 60  # a line at least this long, without a mark at its end, may have been broken by the editor
_NEAR = 80  # characters before a mark that are looked at: no text takes more than linear time
_CLAUSE = 4  # blanks before a colon from which on it may end a sentence: "Vurdering: Stabil" stays one

#: Where a colon before a capital ends a clause more often than not; in Danish, Finnish and Estonian, counting it costs F1.
_COLON = frozenset({"nb", "nn", "no", "sv"})


def sentences(text: str, language: str = "") -> tuple[tuple[int, int], ...]:
    """The sentences of a text as (start, end).

    language: ISO 639-1, for its abbreviations; with "" those of all languages count.
    """
    short, may_end = dotted(language), closing(language)
    colons = language in _COLON
    found: list[tuple[int, int]] = []
    start = 0
    done = 0
    for place in _MARK.finditer(text):
        match = _END.match(text, place.start()) if place.start() >= done else None
        if match is None:
            continue
        done = match.end()
        kind = match.lastgroup
        if kind == "line":
            end = start + len(text[start : match.start()].rstrip())
            if not _breaks_line(text, start, end, match.end()):
                continue
        elif kind == "glued":
            end = match.end()
        elif kind in ("smile", "colon"):
            end = match.end()
            if not _capital(text, end) or (
                kind == "colon" and (not colons or text.count(" ", max(start, end - _NEAR), end) < _CLAUSE)
            ):
                continue
        else:
            end = match.end()
            if not _ends(text, start, match.start("mark"), end, match["mark"], short, may_end):
                continue
        _add(text, start, end, found)
        start = end
    _add(text, start, len(text), found)
    return tuple(found)


def _add(text: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
    """Add the range without the blanks around it, if anything is left."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        found.append((start + left, start + len(piece.rstrip())))


def _ends(text: str, start: int, mark: int, end: int, marks: str, short: frozenset[str], may_end: frozenset[str]) -> bool:
    """Whether the mark at `mark` ends the sentence that began at `start`; `end` is after what closes with it."""
    following = _next_word(text, end)
    if following >= len(text):
        return False  # the end of the text ends it
    after = text[following]
    blanks = text[end:following]
    if after.islower() and "\n" not in blanks:
        return False
    if marks != ".":
        return True
    written = _last_word(text[max(start, mark - _NEAR) : mark])
    word = written.lower()
    if not word:
        return True
    if word.isdigit():
        if len(word) <= 2 and _only_blanks(text, start, mark - len(written)):
            return False  # "1. Paracet": a numbered line
        return after.isupper() or not after.isalnum()
    if len(word) == 1 and word.isalpha() and text[mark - 1].isupper():
        return False  # an initial
    dotted_word = word + "."
    if dotted_word in short:
        return dotted_word in may_end and after.isupper()
    return not after.isdigit() or len(word) > 3


def _next_word(text: str, at: int) -> int:
    """Where what follows at `at` begins, behind blanks and signs that open it."""
    if text[at : at + 1] == " " and text[at + 1 : at + 2].isalnum():
        return at + 1  # the usual case at once
    return _OPENING.match(text, at).end()  # type: ignore[union-attr]  # matches the empty string at least


def _last_word(text: str) -> str:
    """What a text ends with, back to the last blank, bracket or quotation mark."""
    if not text or text[-1].isspace():
        return ""
    last = text.rsplit(None, 1)[-1]
    if _PARTING.search(last):
        found = _LAST.search(last)
        return found.group() if found else ""
    return last


def _only_blanks(text: str, start: int, end: int) -> bool:
    return end - start < _NEAR and not text[start:end].strip()


def _capital(text: str, at: int) -> bool:
    """Whether the next word after `at` begins with a capital."""
    following = _next_word(text, at)
    return following < len(text) and text[following].isupper()


def _breaks_line(text: str, start: int, end: int, following: int) -> bool:
    """Whether a line end is the end of a sentence as well: everything but a line that the editor broke."""
    if following >= len(text) or "\n\n" in text[end:following].replace(" ", "").replace("\r", ""):
        return True
    line_start = max(text.rfind("\n", 0, end) + 1, start)
    long_enough = end - line_start >= _WRAP
    goes_on = text[following].islower() or (long_enough and text[end - 1] in ",–-")
    return not (goes_on and not _BULLET.match(text, following))
