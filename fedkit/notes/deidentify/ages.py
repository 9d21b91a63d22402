"""Ages. All are found; only those above 89 are changed, into "90+" (HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C))."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.scanning import at_numbers, figures, shows, word_sign

_OLD = (
    r"år(?:s)?\s(?:gam(?:mel|al|malt|melt|le|la|malt)|alder|ålder)|årig[ea]?|åring(?:en|er|ar)?|års?\sgammel|års(?:\salder|åldern|\sålder|alderen)|år(?:ige|iga)|y/?o\b|year[-\s]?olds?|years?\sold"
    r"|vuotias[a-zäö]*|vuotiaa[a-zäö]*|vuoden\sikä[a-zäö]*|-?v\.?\s(?:mies|nainen|poika|tyttö)|aasta(?:ne|sel?t?|st|se)(?![^\W_])|a\.?\s?vanu[a-z]*|aastat?\svan[a-z]*|aasta\svanu[a-z]*"
)
_AFTER = re.compile(rf"(?<![\d.,/\-])(?P<n>1[0-2]\d|\d{{1,2}})(?P<rest>\s?-?\s?(?:{_OLD}))", re.IGNORECASE)
_BRACKETED = re.compile(
    r"(?<=[(,;:])\s?(?P<n>1[0-2]\d|\d{1,2})(?P<rest>\s?(?:år|vuotta|v\.?|aastat?))(?=\s?[),;])", re.IGNORECASE
)
_BEFORE = re.compile(
    r"(?<![^\W\d_])(?P<cue>(?:alder|ålder|aldre|age|ikä|vanus|i en alder av|vid en ålder av|iältään|vanuses"
    r"|aged)\s?[:=]?\s{0,2}(?:på\s|av\s|er\s|är\s|on\s|ca\.?\s)?)(?P<n>1[0-2]\d|\d{1,2})(?P<rest>(?:\s(?:år|vuotta|aastat?))?)(?![\d.,/]\d)(?!\d)",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"(?<![^\W\d_])(?:mann|kvinne|jente|gutt|dame|man|kvinna|pojke|flicka|mand|kvinde|dreng|pige|mies|nainen|mees|naine|mor|far|moren|faren|bror|søster|syster|sønn|datter|son|dotter|äiti|isä|ema|isa|pas(?:ient(?:en)?)?|pat(?:ient(?:en)?)?)"
    r"\s?,?\s?(?:på\s|er\s|är\s|on\s|(?:døde|dog|kuoli|suri)\s(?:da\shan\svar\s|da\shun\svar\s)?|ble\s|blev\s|nå\s|nu\s)?(?P<n>1[0-2]\d|\d{1,2})(?P<rest>\s?(?:år(?!\s(?:siden|sedan|tidligere|etter))|vuotta|v\b|aastat?(?!\stagasi)))",
    re.IGNORECASE,
)
#: A verb before, and nothing that makes a length of time of it behind.
_IS = re.compile(
    r"(?<![^\W\d_])(?:er|var|ble|blev|blei|fylte|fylde|fyller|fyllde|är|blir|on|oli|täytti|täyttää|oli|sai|saab|is|was|turned)\s(?:nå\s|nu\s|nyt\s|nüüd\s)?"
    r"(?P<n>1[0-2]\d|\d{1,2})(?P<rest>\s(?:år|vuotta|aastat|aastane|years?))(?=\s?[.,;)\n]|\s(?:og|och|ja|da|då|med|når|när|kun)\b|$)",
    re.IGNORECASE,
)
#: A decade of life.
_DECADE = re.compile(
    r"(?<![\d.,/\-])(?P<n>[1-9]0)(?P<rest>\s?[-'’]?\s?(?:årene|åra|årsalderen|årsåldern|talet(?=\s?\()|erne|vuotiaa[a-zäö]*))(?![^\W\d_])",
    re.IGNORECASE,
)
#: One of these words is a part of every age: years behind the number, or a word for age before it.
_OF_YEARS = word_sign(r"år.*|yo?|o|year.*|vuo.*|v|aasta.*|a|avanu.*|erne|talet")
_YEARS = re.compile(r"\d+\s?(?:år|vuotta|v|aasta|year)", re.IGNORECASE)
_OF_AGE = word_sign("(?:alder|ålder|aldre|age|ikä|vanus|iältään|vanuses|aged)(?:på|av|er|är|on|ca)?")
_HIGH = word_sign("(?:nitti|nittio|halvfems|hundre|hundra|yhdeksän|sata|üheksa|sada|ninety).*")

#: Ninety and more in words, as a compound with a word for old behind it.
_SPELT = re.compile(
    r"(?<![^\W\d_])(?P<n>(?:nitti|nittio|halvfems|hundre|hundra|yhdeksänkymmen|yhdeksänkymmentä|sata|üheksaküm|üheksakümmend|sada|ninety)[a-zæøåäöõü-]*)(?P<rest>\s?-?(?:år\sgam[a-z]+|årig[ea]?|åring(?:en)?|vuotia[a-zäö]*|aasta[a-z]*|year[-\s]old))",
    re.IGNORECASE,
)


#: Characters that hold all that these patterns read before and behind the number.
_BACK, _ON = 48, 48


def _around(pattern: re.Pattern[str], text: str, places: list[int]) -> Iterator[re.Match[str]]:
    """As `finditer`, for a pattern whose number begins at one of `places`."""
    done = 0
    for place in places:
        match = pattern.search(text, max(done, place - _BACK), place + _ON)
        if match is not None and match.start("n") == place:
            yield match
            done = match.end()


def ages(text: str) -> Iterator[tuple[Identifier, int]]:
    """Ages with the number of years; what is spelt out (90 and more only) counts as 90."""
    places = figures(text).places
    years = places and shows(text, _OF_YEARS)
    followed = [place for place in places if _YEARS.match(text, place)] if years else []
    of_age = places and shows(text, _OF_AGE)
    for pattern, sought in (
        (_AFTER, years),
        (_BRACKETED, followed),
        (_BEFORE, of_age),
        (_RELATIVE, followed),
        (_IS, followed),
        (_DECADE, years),
    ):
        if sought:
            for match in (
                at_numbers(pattern, text, places)
                if pattern in (_AFTER, _DECADE)
                else pattern.finditer(text)
                if pattern is _BEFORE
                else _around(pattern, text, followed)
            ):
                yield Identifier(match.start("n"), match.end("rest"), "AGE", "age"), int(match["n"])
    for match in _SPELT.finditer(text) if shows(text, _HIGH) else ():
        yield Identifier(match.start(), match.end("rest"), "AGE", "age.spelt"), 90
