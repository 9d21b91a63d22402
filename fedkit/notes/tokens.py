"""One tokeniser with two grains: words, as treebanks and readers count them, and the pieces that words are made of.

    words("Fikk f.eks. 2,5 mg Marevan-tbl.", "nb")
    # [(0, 4), (5, 11), (12, 15), (16, 18), (19, 31)]

Every word is a run of whole pieces: rules, sections and context read words; the tagger reads pieces, since an entity may end
inside a word ("aspirin-utløst", "V40"). Ranges are code points, `end` exclusive; only blanks lie outside them.
"""

from __future__ import annotations

import re

from fedkit.notes.abbreviations import ambiguous, dotted

#: Letters (with combining marks), digits and every other sign apart.
_RUN = r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*"
PIECE = re.compile(rf"{_RUN}|\d+|[^\w\s]|_")

_WORD = re.compile(
    rf"""
      (?:https?://|www\.)[^\s<>"»]*[^\s<>"».,;:!?)\]]        # an address of the web
    | [\w.+-]{{1,64}}@\w[\w\u0300-\u036f-]*(?:\.[\w\u0300-\u036f-]+)+  # an e-mail address
    | \d+(?:(?:[.,:/–]|-+)\d+)*(?:[-–:'’]?{_RUN}(?:-{_RUN})*)?  # 2,5 · 12:30 · 1/2 · 1–2 · 80-tallet · 5:n · 3a
    | {_RUN}(?:[-–'’´:&]?(?:{_RUN}|\d+))*                      # S-Na · EU:n · H&M · B12 · don't
    | \.{{2,}} | -{{2,}}                                       # ellipsis, dashes typed as hyphens
    | [^\w\s] | _ | [\u0300-\u036f]
    """,
    re.VERBOSE,
)
_DOTTED = re.compile(rf"{_RUN}(?:\.-?{_RUN}){{0,5}}\.?")  # at most six parts, so that no text takes more than linear time
_DOMAIN = frozenset({"no", "se", "dk", "fi", "ee", "is", "de", "uk", "eu", "nu", "com", "org", "net", "info"})

#: Where a number with a period is an ordinal ("12. mai"); Swedish and English write none.
_ORDINAL = frozenset({"nb", "nn", "no", "da", "fi", "et"})


def pieces(text: str) -> list[tuple[int, int]]:
    """The finest cut: runs of letters, runs of digits, and every other sign by itself."""
    return [match.span() for match in PIECE.finditer(text)]


def words(text: str, language: str = "") -> list[tuple[int, int]]:
    """The words of a text: abbreviations with their period, numbers, compounds with their hyphens, signs by themselves.

    language: ISO 639-1, for its abbreviations; with "" those of all languages count.
    """
    short, also_words = dotted(language), ambiguous(language)
    ordinals = language in _ORDINAL
    found: list[tuple[int, int]] = []
    at, size = 0, len(text)
    while match := _WORD.search(text, at):
        start, at = match.span()
        if at < size:
            after, first = text[at], text[start]
            if after == ".":
                if first.isalpha():
                    at = _dotted_end(text, start, at, short, also_words)
                elif ordinals and first.isdigit() and text[at - 1].isdigit() and _goes_on(text, at + 1):
                    at += 1
            elif after == "-" and first.isalnum() and _hangs(text, at):
                at += 1  # "hud- og", "intra-"
            elif first == "-" and after.isalpha() and at - start == 1 and (start == 0 or text[start - 1].isspace()):
                at = _WORD.search(text, at).end()  # type: ignore[union-attr]  # "-avdelingen"
        found.append((start, at))
    return found


def _dotted_end(text: str, start: int, end: int, short: frozenset[str], also_words: frozenset[str]) -> int:
    """Where the word that begins at `start` and has a period at `end` ends, be it an abbreviation, initials or a word."""
    if end + 1 == len(text) and end - start > 1 and (word := text[start:end]).isalpha():
        word = word.lower()  # the last of a sentence, at once
        return end + 1 if word + "." in short and word not in also_words else end
    whole = _DOTTED.match(text, start)
    if whole is None or whole.end() <= end:
        return end
    stop = whole.end()
    candidate = text[start:stop].lower()
    if stop == end + 1 and end - start <= 3 and _goes_on(text, stop) and text[stop + 1].islower():
        return stop  # "m. bröstsmärta", "forv. us": what is this short and goes on was shortened
    while True:
        if candidate in short and (candidate[:-1] not in also_words or _goes_on(text, stop)):
            return stop
        bare = candidate.rstrip(".")
        parts = bare.split(".")
        if len(parts) > 1 and (bare + "." in short or parts[-1] in _DOMAIN):
            return start + len(bare)
        if all(len(part) == 1 for part in parts) and candidate.endswith(".") and text[start].isupper():
            return stop
        shorter = bare.rpartition(".")[0]
        if len(shorter) < end - start:
            return end
        candidate = shorter + "."
        stop = start + len(candidate)


def _goes_on(text: str, at: int) -> bool:
    """Whether the sentence goes on after a period: a blank, then a lower-case letter, a digit or a sign that opens none."""
    rest = text[at : at + 2]
    return len(rest) == 2 and rest[0] in " \u00a0" and (rest[1].islower() or rest[1].isdigit() or rest[1] in "(–-/")


def _hangs(text: str, at: int) -> bool:
    """Whether the hyphen at `at` hangs on the word before it: a blank, a comma or nothing follows."""
    return at + 1 >= len(text) or text[at + 1] in " \u00a0,;)\n/"
