"""Finding identifiers in a text: all rules, in an order that lets the surest read a stretch first.

    for one in find_identifiers("Kari Nordmann (fnr. 13884140220) ringte 22 33 44 55.", "nb"):
        print(one.label, one.start, one.end, one.rule)

1. Fold the text (digits of all scripts, blanks, dashes, invisible signs).
2. E-mail and web addresses; telephone numbers with a country code; personal numbers in the national
   shapes; numbers after a word for telephone.
3. Full dates.
4. Streets and postcodes; telephone numbers by their grouping; other numbers of persons, records and devices.
5. Dates in part; ages; places of care; names; places.
6. Unite what overlaps and lead it back to the original text.

After each of steps 2 to 4 what was found is blotted out, so that a later rule cannot read across it; nothing found is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fedkit.notes.deidentify.ages import ages
from fedkit.notes.deidentify.care_units import care_units
from fedkit.notes.deidentify.contacts import called_numbers, electronic, national_calls, numbers_abroad
from fedkit.notes.deidentify.dates import DateFound, find_full_dates, find_part_dates
from fedkit.notes.deidentify.folding import Folded, fold
from fedkit.notes.deidentify.ids import national_numbers, other_numbers
from fedkit.notes.deidentify.model import TAG, Identifier, union
from fedkit.notes.deidentify.names import names
from fedkit.notes.deidentify.places import addresses, place_names
from fedkit.notes.deidentify.scanning import BLOT, blotted
from fedkit.notes.deidentify.words import Words, words_for


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found in one text, in folded offsets; `dates` and `ages` hold what was read, by where it starts."""

    folded: Folded
    identifiers: tuple[Identifier, ...]
    dates: dict[int, DateFound]
    ages: dict[int, int]


def find_identifiers(
    text: str, language: str = "", *, words: Words | None = None, year: int | None = None
) -> tuple[Identifier, ...]:
    """The identifiers of a text in order, not overlapping; offsets are code points of `text`.

    language: ISO 639-1; "" reads it against the words of all languages.   words: what is written in lower case, by default
    the lists that are shipped (`words_for`).   year: when the text was written, to read dates that lack it.

    Ages of all sizes and countries' towns are found as well; `Deidentifier` decides what is changed.
    """
    found = scan(text, language, words=words, year=year)
    return tuple(Identifier(*found.folded.span(i.start, i.end), i.label, i.rule) for i in found.identifiers)


def scan(text: str, language: str = "", *, words: Words | None = None, year: int | None = None) -> Scan:
    """As `find_identifiers`, in folded offsets, with what was read."""
    words = words or words_for(language)
    folded = fold(text)  # 1
    found: list[Identifier] = []
    dates: dict[int, DateFound] = {}

    def take(rest: str, new: Iterable[Identifier]) -> str:
        new = list(new)
        if not new:
            return rest
        found.extend(new)
        return blotted(rest, [(one.start, one.end) for one in new])

    rest = folded.text
    if "[" in rest:
        rest = TAG.sub(lambda tag: BLOT * len(tag.group()), rest)  # what an earlier run put there is no identifier
    for rule in (electronic, numbers_abroad, national_numbers, called_numbers):  # 2
        rest = take(rest, rule(rest))
    rest = take(rest, _dates(find_full_dates(rest, language, year), "DATE", dates))  # 3
    rest = take(rest, addresses(rest, language))  # 4
    rest = take(rest, national_calls(rest))
    rest = take(rest, other_numbers(rest))
    found.extend(_dates(find_part_dates(rest, language, year or _year_of(dates)), "DATE_PART", dates))  # 5
    with_years = list(ages(rest))
    found.extend(one for one, _ in with_years)
    found.extend(care_units(rest))
    found.extend(_names_and_places(list(names(rest, language, words)), list(place_names(rest, language))))
    return Scan(folded, tuple(union(found)), dates, {one.start: years for one, years in with_years})  # 6


def _names_and_places(called: list[Identifier], places: list[Identifier]) -> list[Identifier]:
    """A run of words that is a town and nothing more is a place; a town's name within a person's is the person's."""
    spots = {(p.start, p.end) for p in places}
    return [
        *(n for n in called if (n.start, n.end) not in spots or n.rule in ("name.list", "name.title")),
        *(
            p
            for p in places
            if all(n.end <= p.start or p.end <= n.start or (n.start, n.end) == (p.start, p.end) for n in called)
        ),
    ]


def _dates(found: Iterable[DateFound], label: str, seen: dict[int, DateFound]) -> list[Identifier]:
    """Dates as identifiers, the longest reading of each stretch alone."""
    kept: list[Identifier] = []
    for one in sorted(found, key=lambda d: (d.start - d.end, d.start)):
        if all(one.end <= k.start or k.end <= one.start for k in kept):
            kept.append(Identifier(one.start, one.end, label, one.rule))
            seen[one.start] = one
    return kept


def _year_of(dates: dict[int, DateFound]) -> int | None:
    """The year that a date without one is taken to be of: that of the first full date."""
    return next((d.value.year for _, d in sorted(dates.items()) if d.value is not None), None)
