"""Text as the shape rules read it: digits of all scripts as 0–9, all blanks, dashes and slashes as one, invisible signs left
out.

    folded = fold("tlf. ４７\\u00a012‑34 56")
    folded.text                  # 'tlf. 47 12-34 56'
    folded.span(5, 16)           # where that stands in the original

Every place in the folded text leads back to the original, so that what is found is masked where it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

#: Nothing to fold in a text of these alone: ASCII and the letters that our languages write.
_PLAIN = re.compile(r"[\x00-\x7f\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f§°½µ«»“”„…€]*")

_SLASHES = "\u2044\u2215\u29f8\uff0f"
_DOTS = "\u00b7\u2024\u2027\u2219\u22c5\u30fb\uff0e\uff65"
_QUOTES = "\u2018\u2019\u201b\u02bc\uff07"


@dataclass(frozen=True, slots=True)
class Folded:
    """The folded text, and for each of its characters where the original has it (None: at the same place)."""

    text: str
    starts: Sequence[int] | None
    ends: Sequence[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that `text[start:end]` stands for; `start < end`."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """The text as the rules read it. Never longer than the original, and the same where there is nothing to fold."""
    if _PLAIN.fullmatch(text):
        return Folded(text, None, None)
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, letter in enumerate(text):
        plain = letter if letter.isascii() else _plain(letter)
        if plain:
            letters.append(plain)
            starts.append(place)
            ends.append(place + 1)
        elif letters and unicodedata.category(letter)[0] == "M":
            whole = unicodedata.normalize("NFC", letters[-1] + letter)
            letters[-1] = whole if len(whole) == 1 else letters[-1]
            ends[-1] = place + 1
    return Folded("".join(letters), starts, ends)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    """One character for this one, or "" for what is not seen (format signs) or only marks the letter before it."""
    category = unicodedata.category(letter)
    if category in ("Nd", "No"):
        digit = unicodedata.digit(letter, None)
        return letter if digit is None else str(digit)
    if category in ("Cf", "Mn", "Me", "Mc"):
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or letter in "\u2212\u2043":
        return "-"
    if category in ("Zl", "Zp"):
        return "\n"
    for group, plain in ((_SLASHES, "/"), (_DOTS, "."), (_QUOTES, "'")):
        if letter in group:
            return plain
    compatible = unicodedata.normalize("NFKC", letter)
    return compatible if len(compatible) == 1 else letter
