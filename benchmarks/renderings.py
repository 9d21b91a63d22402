"""Identifiers as people and programs write them: seeded renderings of ids, phones, mail addresses and full dates.

Separators are drawn from those of the keyboard and of typesetting (no-break and thin blanks, dashes, full stops, slashes),
digits from five scripts. `survivors` says which letters and digits of a rendering are in no identifier that was found.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

SEPARATORS = (" ", "-", "–", "—", "‑", "−", "\u00a0", "\u202f", "\u2009", ".", "/", " - ", ". ", "  ", "·")
MORE_SEPARATORS = (*SEPARATORS, "", "_", ":", "\t", ",")
ZEROS = ("0", "0", "0", "０", "٠", "०", "۰", "𝟎")

LANGUAGE = {"NO": "nb", "SE": "sv", "DK": "da", "FI": "fi", "EE": "et"}
FRAMES = (
    "{}",
    "Pas. {} kom",
    "fnr: {}.",
    "({})",
    "Ringte {} i dag",
    "{}\n",
    "x {} og",
    "nr={};",
    "den {} kl",
    "tlf. {} eller",
    "kl 14 {} og",
)
PHONES = {
    "nb": ("+47 ## ## ## ##", "## ## ## ##", "### ## ###", "########", "0047 ########", "(+47) ########"),
    "sv": ("+46 (0)8 ### ### ##", "08-### ### ##", "07#-### ## ##", "0##-## ## ##", "0###-## ## ##", "+46 7# ### ## ##"),
    "da": ("+45 ## ## ## ##", "## ## ## ##", "#### ####", "########", "+45########"),
    "fi": ("+358 4# ### ####", "04# ### ####", "09 ### ####", "050 #######", "0##-#######"),
    "et": ("+372 5### ####", "5### ####", "6## ####", "+372 6######", "7## ####", "5#######"),
}
MONTHS = {
    "nb": [
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
    ],
    "sv": [
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
    ],
    "da": [
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
    ],
    "fi": [
        f"{m}kuuta"
        for m in ["tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu"]
    ],
    "et": [
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
    ],
}


@dataclass(frozen=True, slots=True)
class Rendering:
    """A value in a sentence: `text[start:end]`."""

    kind: str
    language: str
    text: str
    start: int
    end: int


def renderings(vectors: Iterable[tuple[str, str]], seed: int = 1) -> Iterator[Rendering]:
    """Without end, of all kinds in turn.   vectors: (country, personal number) to write in other ways."""
    draw = random.Random(seed)
    ids = list(vectors)
    kinds = {
        "ID": lambda _code: fuzzed_id(draw, *draw.choice(ids)),
        "PHONE": lambda code: phone(draw, code),
        "EMAIL": lambda code: email(draw, code),
        "DATE": lambda code: full_date(draw, code),
    }
    while True:
        for kind, make in kinds.items():
            language = draw.choice(list(PHONES))
            value = make(language)
            if kind == "ID":
                language, value = value  # type: ignore[misc]
            frame = draw.choice(FRAMES)
            start = frame.index("{}")
            yield Rendering(kind, language, frame.format(value), start, start + len(value))


def fuzzed_id(draw: random.Random, country: str, number: str) -> tuple[str, str]:
    """A number of the vectors cut at the borders of day, month, year and serial, or at some of them, with any separators."""
    found = re.fullmatch((r"(\d{8})" if country == "SE" else r"(\d{6})") + r"([-+A-FU-Y/ ]?)(.*)", number)
    long_swede = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d{4})", number)
    if country == "EE":
        parts = [number[:1], number[1:3], number[3:5], number[5:7], number[7:]]
    elif country == "SE" and long_swede:
        parts = list(long_swede.groups())
    elif found:
        day = found[1]
        head = [day[:-4], day[-4:-2], day[-2:]]
        century = found[2] if found[2].isalpha() else "-" if country == "FI" else ""
        parts = [*head, century + found[3]]
    else:
        parts = [number]
    how = draw.random()
    if how < 0.5:
        text = "".join(parts[:-1]) + draw.choice(MORE_SEPARATORS) + parts[-1]
    elif how < 0.8:
        text = draw.choice(MORE_SEPARATORS).join(parts)
    else:
        text = "".join(part + draw.choice(MORE_SEPARATORS) for part in parts[:-1]) + parts[-1]
    return LANGUAGE[country], in_script(draw, text)


def phone(draw: random.Random, language: str) -> str:
    text = re.sub("#", lambda _: str(draw.randrange(10)), draw.choice(PHONES[language]))
    if draw.random() < 0.5:
        separator = draw.choice(SEPARATORS)
        text = re.sub(r"[ \-]+", lambda _: separator, text)
    return in_script(draw, text)


def email(draw: random.Random, language: str) -> str:
    letters = "abcdefghijklmnoprstuvwxyz"
    word = lambda n: "".join(draw.choice(letters) for _ in range(n))  # noqa: E731
    sign = draw.choice(("@", "@", "@", " @ ", "(at)", "[at]", " (at) "))
    tail = {"nb": "no", "sv": "se", "da": "dk", "fi": "fi", "et": "ee"}[language]
    person = word(5) + draw.choice((".", "_", "-", "")) + word(6) + draw.choice(("", "12"))
    return f"{person}{sign}{word(7)}{draw.choice(('', '.' + word(4)))}.{tail}"


def full_date(draw: random.Random, language: str) -> str:
    day = date(1900, 1, 1) + timedelta(draw.randrange(45_000))
    d, m = (f"{day.day:02d}", f"{day.month:02d}") if draw.random() < 0.5 else (str(day.day), str(day.month))
    one, other = draw.choice(SEPARATORS), draw.choice(SEPARATORS)
    gap, tie = draw.choice((".", " ", ". ")), draw.choice((" ", ", ", "-", "\u00a0"))
    text = draw.choice(
        (
            f"{d}{one}{m}{one}{day.year}",
            f"{d}{one}{m}{other}{day.year}",
            f"{day.year}{one}{day:%m}{one}{day:%d}",
            f"{day:%d}{one}{day:%m}{one}{day:%y}",
            f"{day:%Y%m%d}",
            f"{day:%d%m%Y}",
            f"{day:%y%m%d}" if language == "sv" else f"{day:%d%m%y}",
            f"{day.day}. {MONTHS[language][day.month - 1]} {day.year}",
            f"{day.day}{gap}{MONTHS[language][day.month - 1].upper()}{tie}{day.year}",
        )
    )
    return in_script(draw, text)


def in_script(draw: random.Random, text: str) -> str:
    """The digits of the text in one script."""
    zero = ord(draw.choice(ZEROS))
    return "".join(chr(zero + int(c)) if c in "0123456789" else c for c in text)


def survivors(rendering: Rendering, found: Iterable[tuple[int, int]]) -> list[int]:
    """Places of letters and digits of the value that no found stretch covers."""
    spans = list(found)
    return [
        i
        for i in range(rendering.start, rendering.end)
        if rendering.text[i].isalnum() and not any(a <= i < b for a, b in spans)
    ]
