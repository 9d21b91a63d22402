"""Shapes of e-mail and web addresses and telephone numbers, written as people in the five countries write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.scanning import at_numbers, figures, shows, signed, word_sign

# The local part and the host may be written with blanks around the sign, or with (at) and (dot) against harvesters.
_AT = r"\s?(?:@|\(at\)|\[at\]|\{at\}|\(a\)|\[a\]|\s(?:at|krøllalfa|snabel-?a|ät|miukumauku)\s)\s?"
_EMAIL = re.compile(
    r"[^\W_](?:[\w.+%'\-]*[\w+])?"
    + _AT
    + r"[^\W_][\w\-]*(?:(?:\.|\s\.\s|\s?[(\[](?:dot|punktum|piste|punkt)[)\]]\s?|\s(?:punktum|piste|punkt"
    r"|dot)\s)[^\W_][\w\-]*)+"
    r"|[^\W_](?:[\w.+%'\-]*[\w+])?@[\w\-]+(?:\.[\w\-]+)*",
    re.IGNORECASE,
)
#: Something of these stands in every e-mail address; looking for it first is quick.
_SIGN = re.compile(_AT + r"[^\W_][\w\-]*(?:\.|\s\.\s|\s?[(\[]|\s(?:punktum|piste|punkt|dot)\s)|@[\w\-]", re.IGNORECASE)
_SPELT_SIGN = word_sign("at|a|krøllalfa|snabel|snabela|ät|miukumauku")
_WEB = word_sign(".*https?|.*www")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']+[^\s<>\"'.,;:!?)\]]", re.IGNORECASE)

_S = r"[\s\-./()_,·]"
_GAP = _S + r"{0,4}"

#: A country code: + or 00, then 7 to 14 digits.
_ABROAD = re.compile(rf"(?<![\d+])(?:\+\s?|00\s?)\(?[1-9](?:{_GAP}\d){{6,13}}(?!\d)|\(\+\d{{1,3}}\)(?:{_GAP}\d){{5,12}}(?!\d)")

#: As in North America, an extension behind it perhaps.
_AMERICAN = re.compile(rf"(?<!\d)(?<!\d[.,/])\(?\d{{3}}\)?{_S}{{0,3}}\d{{3}}{_S}{{1,3}}\d{{4}}(?!\d)")
_EXTENSION = re.compile(r"\s?(?:x|ext\.?|linje|ank\.?)\s?\d{1,6}(?!\d)", re.IGNORECASE)

#: Without one, beginning with 0: 6 to 11 digits (Swedish and Finnish area and mobile codes).
_TRUNK = re.compile(rf"(?<!\d)(?<!\d[.,/\-])\(?0\d{{1,3}}\)?(?:{_GAP}\d){{4,9}}(?!\d)(?![.,]\d)")

#: Eight digits in the groupings of Norway and Denmark, seven and eight of Estonia and Finland.
_GROUPED = re.compile(
    rf"(?<!\d)(?<!\d[.,/])(?:\d\d(?:{_S}{{1,3}}\d\d){{3,5}}|\d{{3}}{_S}{{1,3}}\d\d{_S}{{1,3}}\d{{3}}|\d\d{_S}{{1,3}}\d{{3}}{_S}{{1,3}}\d{{3}}"
    rf"|\d{{4}}{_S}{{1,3}}\d{{4}}|\d{{2}}{_S}{{1,3}}\d{{6}}|\d{{3}}{_S}{{1,3}}\d{{5}}|\d{{3}}{_S}{{1,3}}\d{{3}}{_S}{{1,3}}\d{{2}}"
    rf"|[3-9]\d{{2}}{_S}{{1,3}}\d{{4}}|[3-9]\d{{2}}{_S}{{1,3}}\d\d{_S}{{1,3}}\d\d)(?!\d)(?![.,/]\d)"
)

#: After a word for telephone any number of four digits and more.
_CALLED = re.compile(
    r"""(?<![^\W\d_])(?:t(?:e)?lf(?:n?r)?|tel(?:e(?:fon|faks|fax)[a-zæøåäö]*)?|mob(?:il[a-zæøåäöõ]*)?|gsm|puh(?:elin[a-zäö]*)?|matkapuh[a-zäö]*
    |fax|faks(?:i|nr)?|ph(?:one)?|calling|søker|sökare|personsøker|internnr|sentralbord)\.?[^\w\n]{0,4}(?:n(?:umme)?r|nro|no)?[^\w\n+(]{0,4}
    (?P<value>[+(]{0,2}\d(?:[\s\-./()]{0,3}\d){3,14})(?!\d)""",
    re.VERBOSE | re.IGNORECASE,
)

#: One of these words is the cue, perhaps with "nr" behind it.
_CALLED_SIGN = word_sign(
    "te?lf.*|tel|tele.*|teln.*|mob.*|gsm.*|puh|puhn.*|puhelin.*|matkapuh.*|fax.*|faks.*|ph|phn.*|phone.*|calling.*|søker.*"
    "|sökare.*|personsøker.*|internnr.*|sentralbord.*"
)

_UNIT = re.compile(
    r"\s?(?:m?[gl]\b|[µu]g|mcg|mikrog|ml|dl|cl|cm|mm|kg|ie\b|iu\b|e/|enh|mmol|nmol|pmol|[µu]mol|u/l|kr\b|sek\b|nok\b|dkk\b|eur|euro|%|bpm|ms\b|khz|mhz|kcal|kj\b|x\b|°)",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(?:18|19|20)\d\d\D{1,3}(?:18|19|20)\d\d")
_TIMES = re.compile(r"(?:[01]?\d|2[0-4])[.:][0-5]\d(?:[^\d.:]{1,3}(?:[01]?\d|2[0-4])[.:][0-5]\d)+")


def electronic(text: str) -> Iterator[Identifier]:
    """E-mail addresses, spelt against harvesters as well, and web addresses."""
    spelt = (start - 1 for start, _ in signed(text, _SPELT_SIGN) if start)
    if ("@" in text and _SIGN.search(text)) or any(_SIGN.match(text, start) for start in spelt):
        for match in _EMAIL.finditer(text):
            yield Identifier(*match.span(), "EMAIL", "email")
    if shows(text, _WEB):
        for match in _URL.finditer(text):
            yield Identifier(*match.span(), "URL", "url")


def numbers_abroad(text: str) -> Iterator[Identifier]:
    """Telephone numbers with a country code."""
    if "+" not in text and not any(run.startswith("00") for run in figures(text).runs):
        return
    for match in _ABROAD.finditer(text):
        yield _extended(text, *match.span(), "phone.international")


def called_numbers(text: str) -> Iterator[Identifier]:
    """Whatever follows a word for telephone."""
    if not shows(text, _CALLED_SIGN) or not figures(text).of(4):
        return
    for match in _CALLED.finditer(text):
        yield _extended(text, *match.span("value"), "phone.cue")


def national_calls(text: str) -> Iterator[Identifier]:
    """Telephone numbers by their grouping. What a unit follows is a quantity; pairs of years and of clock times are none."""
    places = figures(text).of(6)
    if not places:
        return
    for rule, pattern in (("phone.trunk", _TRUNK), ("phone.grouped", _GROUPED), ("phone.american", _AMERICAN)):
        for match in at_numbers(pattern, text, places, before="("):
            number = match.group()
            if _UNIT.match(text, match.end()) or any(p.fullmatch(number) for p in (_YEARS, _TIMES)):
                continue
            yield _extended(text, *match.span(), rule)


def _extended(text: str, start: int, end: int, rule: str) -> Identifier:
    extension = _EXTENSION.match(text, end)
    return Identifier(start, extension.end() if extension else end, "PHONE", rule)
