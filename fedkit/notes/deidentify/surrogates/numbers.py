"""Personal numbers that belong to nobody, in the form in which the original was written.

| country | range | source |
|---|---|---|
| NO | month + 80, check digits right | Skatteetaten, Tenor: synthetic national identity numbers |
| SE | the test numbers of those born in 2017 | Skatteverket, testpersonnummer (open data, CC0) |
| DK | the 38 national test numbers | MedCom, "Nationale test-CPR-numre", revised 2024-07-02 |
| FI | individual number 900–999 | Finnish tax and digital agencies: temporary numbers, given to nobody |
| EE | born in 1850–1899, first digit 1 or 2 | Estonia keeps no test range; whoever was given one is not alive |

The Swedish and Danish lists are short, so two persons of a project may share a surrogate: whose note it is says `Note.patient`.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache

from fedkit.notes.deidentify.keys import ProjectKey

#: MedCom, "Nationale test-CPR-numre" (as published in HL7 Denmark's dk-core, CC0). They fail modulus 11, as real ones may.
_MEDCOM = [
    "0201609995",
    "0201609996",
    "0504909995",
    "0504909989",
    "0201919990",
    "0201919996",
    "0201919995",
    "0108589995",
    "0108629996",
    "0104909995",
    "0104909989",
    "1502799995",
    "1502829995",
    "0506889996",
    "2512489996",
    "0211223989",
    "2509479989",
    "0107729995",
    "1502779995",
    "2911829996",
    "1509819996",
    "0505059996",
    "0505109990",
    "0505159995",
    "0505209996",
    "0505239996",
    "3103979995",
    "3101229995",
    "1310169995",
    "1310169996",
    "1306249995",
    "1306249996",
    "0212159995",
    "1007059995",
    "1110109996",
    "3001749995",
    "2103009996",
    "2311143995",
]

_FI_SIGNS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_COUNTRY = {"nb": "NO", "nn": "NO", "no": "NO", "sv": "SE", "da": "DK", "fi": "FI", "et": "EE"}
_FI_SHAPE = re.compile(r"\d{6}[-+/A-FU-Ya-fu-y]?\d{3}[0-9A-Za-z]")


def surrogate_id(text: str, language: str, key: ProjectKey) -> str:
    """A test number with the separators of `text` (folded) where they are; "[ID]" for no national shape."""
    signs = re.sub(r"[^0-9A-Za-z+]", "", text)
    country = _country(text, signs, language)
    person = signs[-10:].upper() if country == "SE" else signs.upper()
    if country == "FI":
        person = re.sub(r"^(\d{6})[+A-FU-Y]?", r"\1", person)
        new = _finnish(key, person)
        if len(signs) == 10:
            new = new[:6] + new[7:]
        elif len(signs) == 11 and signs[6] in "+":
            new = new[:6] + "+" + new[7:]
    elif country == "NO":
        new = _norwegian(key, person)
    elif country == "SE":
        new = key.choice("id.se", person, [n for n in swedish_test_numbers() if n[2:] != person])
        new = new if len(signs) == 12 or "+" in signs else new[2:]
        signs = signs.replace("+", "")
    elif country == "DK":
        new = key.choice("id.dk", person, [n for n in _MEDCOM if n != person])
    elif country == "EE":
        new = _estonian(key, person)
    else:
        return "[ID]"
    return _in_form(text, new) or new


def _country(text: str, signs: str, language: str) -> str:
    """Whose number it is by its length and signs; the language decides between those that look alike."""
    home = _COUNTRY.get(language, "")
    digits = re.sub(r"\D", "", signs)
    if _FI_SHAPE.fullmatch(signs) and (home == "FI" or not signs.isdigit()) and not (signs.isdigit() and home != "FI"):
        return "FI"
    if len(digits) == 12 and digits == signs.replace("+", ""):
        return "SE"
    if signs.isdigit() and len(digits) == 11:
        return "EE" if home == "EE" or re.match(r"\d\D+\d", text) else "NO"
    if len(digits) == 10 and digits == signs.replace("+", ""):
        return home if home in ("SE", "DK") else "SE" if "+" in signs else "DK"
    return ""


def _in_form(text: str, new: str) -> str:
    """`new` with the separators of `text`; "" if they do not fit each other."""
    signs = iter(new)
    out = []
    for letter in text:
        if (letter.isascii() and letter.isalnum()) or (letter == "+" and "+" in new):
            out.append(next(signs, ""))
        else:
            out.append(letter)
    return "" if next(signs, None) is not None or sum(map(len, out)) != len(text) else "".join(out)


def _birth(key: ProjectKey, purpose: str, person: str) -> date:
    """A day of birth between 1930 and 2009."""
    return date(1930, 1, 1) + timedelta(key.number(f"{purpose}.birth", person, 80 * 365))


def _norwegian(key: ProjectKey, person: str) -> str:
    """ddmmyy with month + 80, individual digits, and both check digits (those that have none are passed over)."""
    born = _birth(key, "id.no", person)
    start = key.number("id.no", person, 500)
    for step in range(500):
        serial = (start + step) % 500 + (500 if born.year >= 2000 else 0)
        digits = [int(d) for d in f"{born.day:02d}{born.month + 80:02d}{born.year % 100:02d}{serial:03d}"]
        first = -sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2), digits, strict=True)) % 11
        second = -sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2), [*digits, first], strict=True)) % 11
        if first < 10 and second < 10:
            return "".join(map(str, (*digits, first, second)))
    raise AssertionError("one of 500 serials has check digits")


@cache
def swedish_test_numbers() -> tuple[str, ...]:
    """Skatteverket's test numbers of 2017: one a day, serials 239 and 238 in turn, twice repeating one."""
    found = []
    for day in range(365):
        born = date(2017, 1, 1) + timedelta(day)
        odd = (day + (born >= date(2017, 2, 28)) + (born >= date(2017, 10, 24))) % 2
        nine = f"{born:%y%m%d}{238 if odd else 239}"
        total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(nine))
        found.append(f"20{nine}{-total % 10}")
    return tuple(found)


def _finnish(key: ProjectKey, person: str) -> str:
    born = _birth(key, "id.fi", person)
    nine = f"{born:%d%m%y}{900 + key.number('id.fi', person, 100)}"
    return f"{nine[:6]}{'A' if born.year >= 2000 else '-'}{nine[6:]}{_FI_SIGNS[int(nine) % 31]}"


def _estonian(key: ProjectKey, person: str) -> str:
    born = date(1850, 1, 1) + timedelta(key.number("id.ee", person, 50 * 365))
    ten = f"{1 + key.number('id.ee.sex', person, 2)}{born:%y%m%d}{key.number('id.ee.serial', person, 1000):03d}"
    for first in (1, 3):
        rest = sum(int(d) * ((i + first - 1) % 9 + 1) for i, d in enumerate(ten)) % 11
        if rest < 10:
            return ten + str(rest)
    return ten + "0"
