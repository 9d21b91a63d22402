"""Putting surrogates where identifiers stood.

    worker = Deidentifier(ProjectKey.new())
    changed = worker.text("Kari Hansen, innlagt 12.05.2018.", "nb", patient="p1")
    changed.text                               # 'Ingrid Fjellvik, innlagt 15.09.2018.'
    changed.offsets.to_original(0, 15)         # (0, 11)

Within a project (a key) the same name, number or address becomes the same surrogate in every note, and all dates of a
patient move by the same number of days. Nothing of a project's surrogates can be computed in another one. A rule that misses
an identifier leaves it where it was: the result is de-identified as well as the review report says, and is not anonymous.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from fedkit.errors import ConfigurationError
from fedkit.notes.deidentify.find import Scan, scan
from fedkit.notes.deidentify.keys import ProjectKey
from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.offsets import OffsetMap, Replacement
from fedkit.notes.deidentify.surrogates import (
    surrogate_address,
    surrogate_care_unit,
    surrogate_email,
    surrogate_id,
    surrogate_name,
    surrogate_phone,
    surrogate_place,
)
from fedkit.notes.deidentify.words import Words, words_for

#: Ages above this become "90+", and dates more than this many years before the note lose their place in time.
OLDEST = 89

Mode = Literal["surrogates", "tags"]

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Deidentified:
    """A changed text, and where what was changed. `repr` shows neither text."""

    text: str
    replacements: tuple[Replacement, ...]

    def __repr__(self) -> str:
        return f"Deidentified({len(self.text)} characters, {len(self.replacements)} replacements)"

    @cached_property
    def offsets(self) -> OffsetMap:
        return OffsetMap(self.replacements)


class Deidentifier:
    """De-identifies the texts of one project.

    key: the project's.
    mode: "surrogates" puts something of the same kind in each place; "tags" puts the class in brackets, "[NAME]", dates
    included. learnt: language → words that the site's notes write in lower case (`learn_words`), beyond the lists that are
    shipped.
    """

    def __init__(
        self, key: ProjectKey, *, mode: Mode = "surrogates", learnt: Mapping[str, frozenset[str]] | None = None
    ) -> None:
        if mode not in ("surrogates", "tags"):
            raise ConfigurationError(
                f"no mode {mode!r}", expected="surrogates or tags", got=repr(mode), help="tags for review, surrogates for work"
            )
        self.key, self.mode = key, mode
        self._learnt = dict(learnt or {})

    def words(self, language: str) -> Words:
        """What counts as written in lower case in this language."""
        return words_for(language, self._learnt.get(language, frozenset()))

    def text(self, text: str, language: str = "", *, patient: str = "", written: date | None = None) -> Deidentified:
        """The text with surrogates, and the way back.

        language: ISO 639-1, "" if unknown.   patient: whose dates move together; the empty string is one more patient.
        written: the day of the note, to read dates without a year and to know what lies more than 89 years back.
        """
        found = scan(text, language, words=self.words(language), year=written.year if written else None)
        avoid = {word.lower() for word in _WORD.findall(text)}
        out: list[str] = []
        replacements: list[Replacement] = []
        at = length = 0
        for one in found.identifiers:
            new = self._surrogate(one, found, language, patient, written, avoid)
            if new is None:
                continue
            start, end = found.folded.span(one.start, one.end)
            out += (text[at:start], new)
            length += start - at
            replacements.append(Replacement(start, end, length, length + len(new), one.label, one.rule))
            length += len(new)
            at = end
        return Deidentified("".join((*out, text[at:])), tuple(replacements))

    def _surrogate(
        self, one: Identifier, found: Scan, language: str, patient: str, written: date | None, avoid: set[str]
    ) -> str | None:
        """What stands in its place; None to leave it."""
        text = found.folded.text[one.start : one.end]
        if one.label == "AGE":
            return (
                re.sub(r"\d{2,3}|^[^\W\d_]+", f"{OLDEST + 1}+", text, count=1)
                if found.ages.get(one.start, OLDEST + 1) > OLDEST
                else None
            )
        if self.mode == "tags":
            return f"[{one.label}]"
        if one.label in ("DATE", "DATE_PART"):
            return self._date(one, found, patient, written)
        if one.label == "NAME":
            return surrogate_name(text, language, self.key, avoid)
        if one.label == "ID":
            return surrogate_id(text, language, self.key)
        if one.label == "PHONE":
            return surrogate_phone(text, language, self.key)
        if one.label == "EMAIL":
            return surrogate_email(text, self.key)
        if one.label in _PLACES:
            return _PLACES[one.label](text, language, self.key)
        return f"[{one.label}]"

    def _date(self, one: Identifier, found: Scan, patient: str, written: date | None) -> str:
        read = found.dates.get(one.start)
        if read is None or read.end != one.end or read.value is None:
            return f"[{one.label}]"
        if written is not None and read.value.year < written.year - OLDEST:
            return f"[{one.label}]"
        try:
            return read.written(read.value + timedelta(self.key.shift_days(patient)))
        except OverflowError:
            return f"[{one.label}]"


_PLACES = {"PLACE": surrogate_place, "ADDRESS": surrogate_address, "CARE_UNIT": surrogate_care_unit}
