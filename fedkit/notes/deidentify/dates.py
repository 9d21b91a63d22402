"""Dates: found by their shape, read exactly, and written again in the same form.

    found = list(find_dates("Innlagt 12. mai 2018, ut 14.05.18.", "nb"))
    found[0].value                          # date(2018, 5, 12)
    found[0].written(date(2018, 6, 2))      # '2. juni 2018'

The patterns are written by hand, for the five countries: day before month, or year before month before day, in figures with any
separators, with month names in all their cases, with Roman months, without separators. What has the shape of a full date is
found even if no calendar has that day ("31.02.2018"): it then has no `value`, and a caller must mask it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fedkit.notes.deidentify.months import ALONE, BESIDE_NUMBER, ROMAN, MonthWord, has_month, has_roman_month, month_word
from fedkit.notes.deidentify.scanning import Figures, at_numbers, figures

_YEAR = r"(?:1[6-9]|20|21)\d\d"
_S = r"[\s./\-,_]{1,3}"
_BEFORE = r"(?<!\d)(?<!\d[.,/])"
_NTH = r"(?:\.?:?(?:e|a|de|te|th|st|nd|rd|ndal|\s?päivänä)\b)?"

_FULL = (
    ("date.ymd", rf"{_BEFORE}(?P<y>{_YEAR})[\s./\-_]{{1,3}}(?P<m>\d{{1,2}})[\s./\-_]{{1,3}}(?P<d>\d{{1,2}})(?!\d)"),
    ("date.dmy", rf"(?<!\d)(?P<d>\d{{1,2}}){_S}(?P<m>\d{{1,2}}){_S}(?P<y>{_YEAR})(?!\d)"),
    (
        "date.dmy",
        rf"{_BEFORE}(?<!\d[./]\s)(?:(?<!\d-)(?<!\d-\s)(?<!\d\s-\s)|(?=\d{{1,2}}\s?[./]))(?P<d>\d{{1,2}})\s?(?P<s>[./\-])\s?(?P<m>\d{{1,2}})\s?(?P=s)\s?(?P<y>\d\d)(?!\d)(?!\s?(?P=s)\s?\d)(?![.,]\s?\d)",
    ),
    (
        "date.dmy",
        rf"{_BEFORE}(?<!\d[\s\-_])(?<!\d[\s\-_.]\s)(?<!\d\s-\s)(?P<d>\d\d)[\s./\-_]{{1,3}}(?P<m>\d\d)[\s./\-_]{{1,3}}(?P<y>\d\d)(?!\d)(?![\s./\-,]{{1,3}}\d)",
    ),
    ("date.roman", rf"{_BEFORE}(?P<d>\d{{1,2}})[\s./\-]{{1,3}}(?P<w>{ROMAN})[\s./\-]{{1,3}}(?P<y>{_YEAR}|\d\d)(?!\d)"),
    (
        "date.word",
        rf"(?<!\d)(?P<d>\d{{1,2}}){_NTH}[\s./\-]{{0,3}}(?P<w>{BESIDE_NUMBER})(?:[\s.,'/\-]{{1,3}}|(?=\d{{4}}))"
        rf"(?:(?P<y>{_YEAR})|(?P<y2>\d\d))(?!\d)(?![:.,]\d)(?!\s?[^\W\d_])",
    ),
    (
        "date.word",
        rf"(?<!\d)(?P<d>\d{{1,2}}){_NTH}[\s./\-]{{0,3}}(?P<w>{BESIDE_NUMBER})(?:[\s.,'/\-]{{1,3}}|(?=\d{{4}}))(?P<y>{_YEAR})(?!\d)",
    ),
    ("date.word", rf"(?<![^\W\d_])(?P<w>{BESIDE_NUMBER})[\s.]{{1,3}}(?P<d>\d{{1,2}}){_NTH}[\s.,]{{1,3}}(?P<y>{_YEAR})(?!\d)"),
    ("date.compact", r"(?<!\d)(?<!\d[.,])(?P<c>\d{8}|\d{6})(?!\d)(?![.,]\d)(?!\s?(?:mg|ml|g|ie|iu|enh|kr|/)\b)"),
)
_PART = (
    ("date.month-year", rf"(?<![^\W\d_])(?P<w>{BESIDE_NUMBER})[\s.,'/\-]{{1,3}}(?:i\s|år\s)?(?P<y>{_YEAR})(?!\d)"),
    ("date.month-year", rf"(?<![^\W\d_])(?P<w>{BESIDE_NUMBER})\s?['\-]\s?(?P<y>\d\d)(?!\d)"),
    ("date.month-year", rf"{_BEFORE}(?P<m>0?[1-9]|1[0-2])\s?[./\-]\s?(?P<y>(?:19|20)\d\d)(?!\d)(?![.,]\d)"),
    ("date.day-month", rf"(?<!\d)(?P<d>\d{{1,2}}){_NTH}[\s.]{{0,3}}(?P<w>{BESIDE_NUMBER})(?![^\W_])"),
    ("date.day-month", rf"(?<![^\W\d_])(?P<w>{BESIDE_NUMBER})\s(?P<d>\d{{1,2}})(?:\.|(?:st|nd|rd|th)\b)"),
    (
        "date.day-month",
        rf"{_BEFORE}(?P<d>0?[1-9]|[12]\d|3[01])(?P<s>[./])\s?(?P<m>0?[1-9]|1[0-2])(?P=s)?(?=\s?(?:-|til|till|og|och|ja|kuni)\s?\d{{1,2}}(?P=s))",
    ),
    (
        "date.day-month cued",
        r"(?<!\d)(?P<d>0?[1-9]|[12]\d|3[01])(?P<s>[./])\s?(?P<m>0?[1-9]|1[0-2])(?P=s)?(?!\d|[.,/%]\d|\s?(?:%|mg|mmol|ml|mm|cm|kg|g|l|x|tim|t|ganger)\b)",
    ),
    ("date.day-month", rf"{_BEFORE}(?P<d>0?[1-9]|[12]\d|3[01])\.\s?(?P<m>0?[1-9]|1[0-2])\.(?=\s?[^\W\d_]|\s?[,;)–-]|:)"),
    ("date.month", rf"(?<![^\W_])(?P<w>{ALONE})(?![^\W_])"),
    ("date.year", r"(?<![\d.,/\-:])(?<![^\W\d_])(?P<y>(?:19|20)\d\d)(?![\d%°])(?![.,:]\d)"),
)
_NOT_IN_WORD = "(?<![^\\W"  # how the patterns begin that do not begin with a digit
_FULL_PATTERNS = tuple((rule, re.compile(pattern, re.IGNORECASE if rule == "date.word" else 0)) for rule, pattern in _FULL)
#: Rule, pattern, what must stand in the text for it to find something, whether it begins with a word.
_PARTS = tuple(
    (
        rule,
        re.compile(pattern, re.IGNORECASE),
        "word" if "(?P<w>" in pattern else "year" if "(?P<y>" in pattern else "day and month",
        pattern.startswith(_NOT_IN_WORD),
    )
    for rule, pattern in _PART
)
_DAY_MONTH = re.compile(r"(?:0?[1-9]|[12]\d|3[01])[./]\s?(?:0?[1-9]|1[0-2])")

#: What stands before a day and month that would pass for a fraction otherwise.
_DAY_CUE = re.compile(
    r"(?<![^\W\d_])(?:den|d\.|dato|datert|fra|frå|från|til|till|siden|sidan|sedan|per|pr\.|innen|kontroll|innlagt|utskrevet|inlagd|utskriven|indlagt|udskrevet|operert|opererad|opereret|time|tid|alkaen|asti|saakka|kuni|alates|kuupäev|pvm|klo|ma(?:ndag)?|ti(?:rsdag)?|on(?:sdag)?|to(?:rsdag)?|fr(?:edag)?|lø(?:rdag)?|lö(?:rdag)?|sø(?:ndag)?|sö(?:ndag)?|må(?:ndag)?|tisdag)\.?,?:?\s{1,2}$",
    re.IGNORECASE,
)

#: What stands before a month that is meant as one; Finnish and Estonian say it with an ending.
_MONTH_CUE = re.compile(
    r"(?:\b(?:i|fra|frå|från|til|till|siden|sidan|sedan|medio|primo|ultimo|slutten av|begynnelsen av|starten av|start"
    r"|slutet av|början av"
    r"|midten av|mitten av|innen|fram til|frem til|før|før|etter|efter|in|since|until|by|av|af|og|och|eller|to|from)\s"
    r"|[-–/]\s?)$",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\s?(?:mg|mcg|µg|ug|ml|dl|cl|l|g|kg|ie|iu|enh|enheter|e|kr|kroner|nok|sek|dkk|eur|euro|euroa|eurot|krooni|kcal|kj|kalorier|mm|cm|m|km|meter"
    r"|metri[aä]|meetrit|%|prosent|procent|pasienter|patienter|personer|mennesker|människor|potilasta|henkeä|inimest|ganger|gånger|stk|st|kpl|tk|watt|w|hz)(?![^\W\d_])"
    r"|\s?[%°]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DateFound:
    """A date in a text.

    text: as it stands there.   value: the day; for a month its 15th, for a year 2 July; None if no calendar has it.
    full: it has day, month and year.   pieces: (start, end, field) in `text` of what a change of date rewrites; field is d, m,
    y, w (a month's name) or c (all of it without separators, `layout` saying how).
    """

    start: int
    end: int
    text: str
    rule: str
    full: bool
    value: date | None
    pieces: tuple[tuple[int, int, str], ...]
    layout: str = ""
    word: MonthWord | None = None

    def written(self, other: date) -> str:
        """The text of this date with the day, month and year of another one, in the same form."""
        padded = any(self.text[a:b].startswith("0") and b - a == 2 for a, b, field in self.pieces if field in "dm")
        out, at = [], 0
        for a, b, field in self.pieces:
            old = self.text[a:b]
            out.append(self.text[at:a])
            if field == "w":
                assert self.word is not None
                out.append(self.word.written(other.month, old))
            elif field == "y":
                out.append(f"{other.year:04d}"[-len(old) :])
            elif field == "c":
                out.append(
                    other.strftime({"ymd8": "%Y%m%d", "dmy8": "%d%m%Y", "ymd6": "%y%m%d", "dmy6": "%d%m%y"}[self.layout])
                )
            else:
                number = other.day if field == "d" else other.month
                out.append(f"{number:02d}" if padded else str(number))
            at = b
        return "".join(out) + self.text[at:]


def find_full_dates(text: str, language: str = "", year: int | None = None) -> Iterator[DateFound]:
    """Everything of the shape of day, month and year. May overlap: a caller unites.

    text: folded (`fold`).   language: tells 18-05-12 apart (Swedish writes the year first).
    year: of writing, to read years of two figures: the last that is not after it. Without it 00–39 are of this century.
    """
    seen = figures(text)
    if not seen.places:
        return
    places = {  # of each rule, where it can find something
        "date.ymd": seen.of(6, 3),
        "date.dmy": seen.of(4, 3),
        "date.roman": seen.places if has_roman_month(text) else (),
        "date.word": seen.places if has_month(text) else (),
        "date.compact": seen.long(6, 8),
    }
    for rule, pattern in _FULL_PATTERNS:
        if not places[rule]:
            continue
        first_is_word = pattern.pattern.startswith(_NOT_IN_WORD)
        for match in pattern.finditer(text) if first_is_word else at_numbers(pattern, text, places[rule]):
            found = _read(match, rule, language, year, full=True)
            if found is not None:
                yield found


def find_part_dates(text: str, language: str = "", year: int | None = None) -> Iterator[DateFound]:
    """Months with a year, days with a month, months and years by themselves.

    year: of writing; a date without a year is taken to be of that year, without it of 2001 (what counts is the distance).
    """
    for rule, pattern, first_is_word in _patterns_of_parts(text):
        for match in pattern.finditer(text) if first_is_word else at_numbers(pattern, text, figures(text).places):
            if rule == "date.year" and _QUANTITY.match(text, match.end()):
                continue
            if rule == "date.month" and not (
                _MONTH_CUE.search(text, max(0, match.start() - 20), match.start())
                or re.search("kuu", match.group(), re.IGNORECASE)
            ):
                continue
            if rule == "date.day-month cued" and not _DAY_CUE.search(text, max(0, match.start() - 16), match.start()):
                continue
            found = _read(match, rule.removesuffix(" cued"), language, year, full=False)
            if found is not None:
                yield found


def _patterns_of_parts(text: str) -> Iterator[tuple[str, re.Pattern[str], bool]]:
    """Rule, pattern and whether it begins with a word, of those that can find something."""
    seen, named = figures(text), has_month(text)
    year = _has_year(seen)
    day = bool(seen.of(2, 2)) and any(_DAY_MONTH.match(text, place) for place in seen.of(2, 2))
    for rule, pattern, needs, first_is_word in _PARTS:
        if (named if needs == "word" else year if needs == "year" else day) and (seen.places or rule == "date.month"):
            yield rule, pattern, first_is_word


def _has_year(seen: Figures) -> bool:
    return any(len(run) == 4 and run[:2] in ("19", "20") for run in seen.runs)


def _read(match: re.Match[str], rule: str, language: str, year: int | None, full: bool) -> DateFound | None:
    groups = {k: v for k, v in match.groupdict().items() if v is not None and k != "s"}
    field_of = {"y2": "y"}
    places = sorted((match.start(k), match.end(k), field_of.get(k, k)) for k in groups)
    start, end = match.span()
    if rule in ("date.day-month", "date.month-year") and places:
        start = places[0][0]
    pieces = tuple((a - start, b - start, field) for a, b, field in places)
    text = match.string[start:end]
    word = month_word(groups["w"], language) if "w" in groups else None
    if "w" in groups and word is None:
        return None
    if "c" in groups:
        layout, value = _compact(groups["c"], language, year)
        return DateFound(start, end, text, rule, True, value, pieces, layout) if value else None
    y_text = groups.get("y") or groups.get("y2")
    written_year = _century(y_text, year) if y_text else (year or 2001)
    month = word.month if word else int(groups["m"]) if "m" in groups else None
    day = int(groups["d"]) if "d" in groups else None
    if rule == "date.dmy" and y_text and len(y_text) == 2 and (swapped := _year_first(groups, match, language, year)):
        layout_pieces = tuple((a, b, {"d": "y", "y": "d"}.get(f, f)) for a, b, f in pieces)
        return DateFound(start, end, text, rule, True, swapped, layout_pieces)
    value = _day(written_year, month or 7, day or (15 if month else 2))
    if value is None and rule == "date.dmy" and month and day and (value := _day(written_year, day, month)):
        pieces = tuple((a, b, {"d": "m", "m": "d"}.get(f, f)) for a, b, f in pieces)
    if value is None and (not full or (y_text and len(y_text) == 2)):
        return None  # "45.13.18" is a row of figures; with four figures of a year it keeps the shape of a date
    return DateFound(start, end, text, rule, full, value, pieces, "", word)


def _year_first(groups: dict[str, str], match: re.Match[str], language: str, year: int | None) -> date | None:
    """The day of yy-mm-dd, if that is how it must or, in Swedish with hyphens, may well be read."""
    first, month, last = groups["d"], int(groups["m"]), int(groups["y"])
    as_day_first = _day(_century(groups["y"], year), month, int(first))
    hyphens = match.string[match.end("d") : match.start("m")] == "-"
    if len(first) == 2 and (as_day_first is None or (language == "sv" and hyphens)):
        return _day(_century(first, year), month, last)
    return None


def _compact(digits: str, language: str, year: int | None) -> tuple[str, date | None]:
    if len(digits) == 8:
        readings = [("ymd8", digits[:4], digits[4:6], digits[6:]), ("dmy8", digits[4:], digits[2:4], digits[:2])]
        readings = [r for r in readings if "1800" <= r[1] < "2100"]
    else:
        readings = [("dmy6", digits[4:], digits[2:4], digits[:2]), ("ymd6", digits[:2], digits[2:4], digits[4:])]
        if language == "sv":
            readings.reverse()
    for layout, y, m, d in readings:
        value = _day(_century(y, year), int(m), int(d))
        if value:
            return layout, value
    return "", None


def _century(figures: str, year: int | None) -> int:
    number = int(figures)
    if len(figures) > 2:
        return number
    latest = year if year is not None else 2039
    return number + (latest - number) // 100 * 100


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
