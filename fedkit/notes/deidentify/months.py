"""The names of the months in the languages of the sites, in full, short and inflected: read, and written in the same form.

Finnish and Estonian take case endings (toukokuuta, maikuus, septembril): the ending is kept and moves to the other month.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fedkit.notes.deidentify.scanning import shows, word_sign

_FI = "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu"

#: Twelve names a row. A row is one language and form; rows that differ in no month are not repeated.
_ROWS: dict[str, tuple[str, ...]] = {
    "nb": (
        "januar",
        "februar",
        "mars",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "desember",
    ),
    "da": (
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ),
    "sv": (
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ),
    "fi": tuple(f"{name}kuu" for name in _FI.split()),
    "et": (
        "jaanuar",
        "veebruar",
        "märts",
        "aprill",
        "mai",
        "juuni",
        "juuli",
        "august",
        "september",
        "oktoober",
        "november",
        "detsember",
    ),
    "et genitive": (
        "jaanuari",
        "veebruari",
        "märtsi",
        "aprilli",
        "mai",
        "juuni",
        "juuli",
        "augusti",
        "septembri",
        "oktoobri",
        "novembri",
        "detsembri",
    ),
    "en": tuple("January February March April May June July August September October November December".lower().split()),
    "nb short": ("jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "des"),
    "da short": ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sept", "okt", "nov", "dec"),
    "et short": ("jaan", "veebr", "märts", "apr", "mai", "juuni", "juuli", "aug", "sept", "okt", "nov", "dets"),
    "en short": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "fi short": tuple(_FI.split()),
    "roman": ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"),
}

#: Endings that a row takes. Finnish: partitive, genitive, the local cases, essive, translative; Estonian likewise.
_ENDINGS = {
    "fi": "(?:ta|n|ssa|sta|hun|lla|lta|lle|na|ksi)?",
    "et genitive": "(?:kuu(?:s|st|sse|ni|l|ks)?|s|st|sse|l|lt|le|na|ni|ks)?",
    "nb": "s?",
    "da": "s?",
    "sv": "s?",
}

#: Rows that a day or a year must stand beside, since the words mean other things as well.
_NEEDS_A_NUMBER = frozenset({"nb short", "da short", "et short", "en short", "fi short", "roman"})

_ORDER = sorted(
    ((name, month, row) for row, names in _ROWS.items() if row != "roman" for month, name in enumerate(names, 1)),
    key=lambda r: -len(r[0]),
)


@dataclass(frozen=True, slots=True)
class MonthWord:
    """A month as it was written: its number 1–12, the row of names it comes from, its ending."""

    month: int
    row: str
    ending: str

    def written(self, month: int, like: str) -> str:
        """Another month in the same form, with the capitals of `like`."""
        word = _ROWS[self.row][month - 1] + self.ending
        if (like.isupper() and len(like) > 1) or self.row == "roman":
            return word.upper() if like.isupper() else word
        return word.capitalize() if like[:1].isupper() else word


def _pattern(rows: frozenset[str] | set[str]) -> str:
    found: dict[str, str] = {}
    for name, _, row in _ORDER:
        if row in rows:
            found.setdefault(name + _ENDINGS.get(row, ""), "")
    return "|".join(sorted(found, key=lambda f: -len(f)))


#: A month in any form, to stand beside a day or a year; and one that says by itself that it is a month.
BESIDE_NUMBER = f"(?:{_pattern(set(_ROWS) - {'roman'})})"
ALONE = f"(?:{_pattern(set(_ROWS) - _NEEDS_A_NUMBER)})"
ROMAN = "(?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})"


_MONTH = word_sign(BESIDE_NUMBER)
_ROMAN_MONTH = word_sign(ROMAN, re.NOFLAG)


def has_month(text: str) -> bool:
    """Whether a month is named, or a word that could be one ("mars")."""
    return shows(text, _MONTH)


def has_roman_month(text: str) -> bool:
    """Whether a Roman number from I to XII stands in a text."""
    return shows(text, _ROMAN_MONTH)


def month_word(word: str, language: str = "") -> MonthWord | None:
    """The month that a word names, or None; the language's own row where several have the same name."""
    lower = word.lower()
    if re.fullmatch(ROMAN, word):
        return MonthWord(_ROWS["roman"].index(lower) + 1, "roman", "")
    found = [
        MonthWord(month, row, lower[len(name) :])
        for name, month, row in _ORDER
        if lower.startswith(name) and re.fullmatch(_ENDINGS.get(row, ""), lower[len(name) :])
    ]
    own = {"nn": "nb"}.get(language, language)
    return max(found, key=lambda m: (m.row.split()[0] == own, -len(m.ending)), default=None)
