"""Shapes of personal and record numbers. On shape alone: a checksum says nothing about whether a number is somebody's.

Numbers that look wrong are as identifying as those that look right: test ranges, co-ordination numbers, Danish numbers without
modulus 11 since 2007, Norwegian ones after the reform of 2032, and slips of the pen. So every rule here reads digits and where
they are parted, none computes a check digit.

Shapes: NO ddmmyy 5 digits · SE (yy)yymmdd 4 signs · DK ddmmyy 4 digits · FI ddmmyy sign 3 digits and a check sign · EE digit
yymmdd 4 digits; the same with any separators in any place; long runs of digits; tokens after words such as "journalnr".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.scanning import at_numbers, figures, signed, word_sign

#: What may stand between the digits of one number: up to four signs, a line break among them (notes are wrapped).
SEP = r"[\s.\-/_:,;|~*+]"
_GAP = SEP + r"{0,4}"

#: Six digits that can be a date in the order day-month or month-day last, with the additions that registers use: day + 40 or
#: + 60 (D-numbers, co-ordination numbers), month + 20, + 40, + 60 or + 80 (Tenor, other test and replacement ranges).
_DAY = "(?:0[1-9]|[12][0-9]|3[01]|4[1-9]|[56][0-9]|7[01]|6[1-9]|[78][0-9]|9[01])"
_MONTH = "(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|4[1-9]|5[0-2]|6[1-9]|7[0-2]|8[1-9]|9[0-2])"
_DATE6 = re.compile(f"{_DAY}{_MONTH}[0-9]{{2}}|[0-9]{{2}}{_MONTH}{_DAY}")

_DATE_PARTED = r"\d{2}" + _GAP + r"\d{2}" + _GAP + r"\d{2}"
_CENTURY = r"(?:1[6-9]|2[01])"

#: National shapes with a letter in them, and those of digits alone.
_LETTERED = re.compile(
    rf"""(?<!\d)(?:
      {_DATE_PARTED}{_GAP}[A-FU-Ya-fu-y]{_GAP}\d{{3}}{_GAP}[0-9A-Za-z](?![^\W_])      # FI, a letter for the century
    | {_DATE_PARTED}{_GAP}\d{{3}}[\-./_]?[A-Za-z](?![^\W_])                          # FI, a sign or a blank for it
    | (?:\d\d{_GAP})?{_DATE_PARTED}{_GAP}[A-Za-z]{_GAP}\d{{3}}(?![^\W_])            # SE interim: a letter for the first digit
    )""",
    re.VERBOSE,
)
_NATIONAL = re.compile(
    rf"""(?<!\d)(?:
      {_CENTURY}?\d{{6}}\s?[-+/]\s?\d{{3,5}}(?:[A-Za-z](?![^\W_])|(?!\d))                             # SE, DK, NO with a
      sign; FI all digits; 3 too
    | (?:{_CENTURY}\d{{2}}|\d{{2}}){_GAP}\d{{2}}{_GAP}\d{{2}}{_GAP}\d{{4,5}}[A-Za-z]?(?![^\W_])
    | \d{_GAP}\d{{6}}{_GAP}\d{{4,5}}(?!\d)                                     # EE
    | \d{{6}}{_GAP}\d{{4,5}}(?:[A-Za-z](?![^\W_])|(?!\d))
    )""",
    re.VERBOSE,
)

#: 10 to 13 digits that other signs part in any way, with nothing numeric around.
_CHAIN = re.compile(rf"(?<!\d)(?<!\d[.,])\d(?:{_GAP}\d){{8,12}}(?:{SEP}?[A-Za-z](?![^\W_]))?(?![^\W_])(?!{SEP}?\d)")

#: Runs of digits that are long enough to be somebody's: 7 (authorisation numbers) and more, perhaps with a letter behind.
_RUN = re.compile(r"(?<![\d])(?<!\d[.,])\d{7,}[A-Za-z]?(?![^\W_])|(?<!\d)\d{10,}")

#: Letters and digits in one token with five digits in a row: serial numbers, laboratory and case numbers.
_MIXED = re.compile(
    r"(?<![^\W_])(?=[A-Za-z]{0,8}-?\d*[A-Za-z]*\d{5})[A-Za-z]{1,8}-?\d[A-Za-z0-9\-]{4,}(?![^\W_])|(?<![^\W_])\d{5,}[A-Z][A-Z0-9]*(?![^\W_])"
)

#: Words after which a token with digits is a number of somebody or something of theirs, in all languages of the sites.
_CUE = re.compile(
    r"""(?<![^\W\d_])(?:
      f(?:ødsels|ødsels-\s?og\s?person|\.?)n(?:umme)?r | fødselsn(?:umme)?r | fødselsnummer | fnr | d-?n(?:umme)?r |
      p(?:erson)?\.?nr
    | person(?:al)?(?:nummer|nr|kod|numre) | samordningsn(?:umme)?r | reservn(?:umme)?r | pnr | cpr(?:-?n(?:umme)?r\.?)? | hetu
    | henkilö(?:tunnus|nro) | syntymäaikatunnus | sotu | isikukood | ik
    |
    (?:journal|pasient|patient|sak|sags|ärende|case|prøve|prov|remiss|henvisnings|rekvisisjons|rekvisitions|potilas|näyte|lähete
       |haigus(?:loo|juhtumi)?|epikriisi|proovi|serie|serial|sarja|seeria|ref(?:erans|erence)?|episode|kontakt|opphalds|oppholds)
      [\s-]?(?:n(?:umme)?r|no|numbe?r|nummeret|numero|n:o|nro|id|loggi|kood)
    | (?:hpr|npr|mrn|ssn|nhs|sn|s/n|lot|udi|hsa|sor|ahv)(?:[\s-]?(?:n(?:umme)?r|no|id))?
    | (?:lege|läkar|arst|lääkärin)(?:[\s-]?(?:id|kood|tunnus))
    | pasient-?id | patient-?id | id(?:-?n(?:umme)?r)?
    )\s?[.:#=]{0,2}\s{0,2}(?P<value>(?=[^\s]*\d(?:[^\s]?\d){2})[^\W_](?:[^\W_]|[\-/.](?=[^\W_])){2,})""",
    re.VERBOSE | re.IGNORECASE,
)

#: One of these words is such a cue or its end, where the number does not begin in the same word.
_SECOND = "n(?:umme)?r|no|numbe?r|nume?r|nummeret|numero|n|o|nro|id|loggi|kood|kod|tunnus|person(?:al)?kod"
_CUE_SIGN = word_sign(
    rf"{_SECOND}|(?:f(?:ødsels)?|d|p|p?erson|person(?:al)?|samordnings|reserv|p|cpr|id|h?pr|npr|mrn|ssn|nhs|sn|s|lot|udi|hsa|sor|ahv"
    r"|journal|pasient|patient|sak|sags|ärende|case|prøve|prov|remiss|henvisnings|rekvisisjons|rekvisitions|potilas|näyte|lähete"
    r"|haigus(?:loo|juhtumi)?|epikriisi|proovi|serie|serial|sarja|seeria|ref(?:erans|erence)?|episode|kontakt|opphalds|oppholds"
    rf"|lege|läkar|arst|lääkärin|henkilö)(?:{_SECOND}|numre)"
    "|cpr|hetu|syntymäaikatunnus|sotu|isikukood|ik|hpr|npr|mrn|ssn|nhs|sn|lot|udi|hsa|sor|ahv"
)
_VALUE = re.compile(r"\.?\s?[.:#=]{0,2}\s{0,2}(?=\S*\d)")
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")

_NOT_DIGITS = re.compile(r"\D+")
_DATE_AND_CLOCK = re.compile(
    r"(?:\d{1,2}[./\-]\s?\d{1,2}[./\-]\s?(?:\d{4}|\d{2})|\d{4}-\d{1,2}-\d{1,2})[\s,T]{1,3}[0-2]?\d[:.][0-5]\d(?:[:.][0-5]\d)?"
)


def national_numbers(text: str) -> Iterator[Identifier]:
    """Numbers in the shapes of the five countries, whatever parts their digits."""
    places = figures(text).of(9)
    for match in at_numbers(_LETTERED, text, places):
        yield Identifier(*match.span(), "ID", "id.national")
    done = 0
    for place in places:
        chain = _CHAIN.match(text, place) if place >= done else None
        if chain and not _is_date_with_time(chain.group()) and _begins_as_id(chain.group()):
            yield Identifier(*chain.span(), "ID", "id.chain")
            done = chain.end()
    for match in at_numbers(_NATIONAL, text, places):
        if not _is_date_with_time(match.group()):
            yield Identifier(*match.span(), "ID", "id.national")


def other_numbers(text: str) -> Iterator[Identifier]:
    """Long runs, serial numbers, numbers after a word that says so, and chains of digits that begin as a birth date would."""
    longest = figures(text).longest
    if longest:
        for match in _CUE.finditer(text) if _glued(text) else _cued(text):
            yield Identifier(*match.span("value"), "ID", "id.cue")
    for rule, pattern in (("id.run", _RUN), ("id.serial", _MIXED)) if longest >= 5 else ():
        for match in pattern.finditer(text):
            yield Identifier(*match.span(), "ID", rule)


#: Characters that hold what stands before the last word of a cue, and what stands behind it.
_BACK, _ON = 48, 160


def _cued(text: str) -> Iterator[re.Match[str]]:
    """As `_CUE.finditer`, where every cue ends with a word of its sign."""
    done = 0
    for start, end in signed(text, _CUE_SIGN):
        if end <= done or not _VALUE.match(text, end):
            continue
        match = _CUE.search(text, max(done, start - _BACK), end + _ON)
        if match and match.end() == end + _ON:  # the value may go on
            match = _CUE.match(text, match.start())
        if match:
            yield match
            done = match.end()


def _glued(text: str) -> bool:
    """Whether figures follow letters without a blank between: "fnrX1234567" is a cue and its number in one word."""
    # Two letters and more part figures, so the first figure behind such a cue begins a part.
    if all(place == 0 or text[place - 1].isspace() for place in (part.places[0] for part in figures(text).parts)):
        return False
    for piece in text.split():
        if not piece.isalpha() and (letter := _LETTER.search(piece)) and _DIGIT.search(piece, letter.end()):
            return True
    return False


def _begins_as_id(chain: str) -> bool:
    """Whether a parted chain of 9 to 13 digits can be a personal number: a date, after one digit or a century, and its serial.

    Measurements in a row ("134 4.2 101 140") begin as no date or have parts that cross the borders of day, month and year; a
    date with a measurement behind it ("12.05.18: 120/80") has a date in parts and then more than one part.
    """
    digits = _NOT_DIGITS.sub("", chain)
    cuts, at = set(), 0
    for part in _NOT_DIGITS.split(chain):
        at += len(part)
        cuts.add(at)
    cuts.discard(len(digits))
    if len(cuts) >= len(digits) - 1:
        return True  # every digit by itself
    for skip in {11: (0, 1), 12: (2, 0, 1), 13: (2,)}.get(len(digits), (0,)):
        inner = {cut - skip for cut in cuts if 0 < cut - skip < 6}
        tail = {cut for cut in cuts if cut - skip > 6}
        aligned = inner <= {2, 4} and (not tail if inner else len(tail) < 2)
        if _DATE6.fullmatch(digits[skip : skip + 6]) and (aligned or len(cuts) > 5):
            return True
    return False


def _is_date_with_time(text: str) -> bool:
    return bool(_DATE_AND_CLOCK.fullmatch(text.strip()))
