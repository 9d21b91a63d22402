"""Streets, postcodes with their towns, and places of the five countries by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from fedkit.notes.deidentify.model import Identifier
from fedkit.notes.deidentify.scanning import figures, shows, signed, tokens, word_sign
from fedkit.notes.memory import Memory

_UP = "[A-ZÆØÅÄÖÕÜŠŽÉ]"
_LOW = "[a-zæøåäöõüšžéèáóàü]"
_WORD = rf"{_UP}(?:{_LOW}|[-'](?={_UP}|{_LOW}))*"

# The last part of a street's name, as a word of its own or joined to what is before it.
_JOINED = (
    "gata|gaten|gate|gt|veien|vegen|vei|veg|vn|plassen|plass|allé(?:en)?|alle(?:en)?|svingen|bakken|bakke|stien|sti|tunet|haugen|lia|løkka|brygge"
    "|kroken|ringen|toppen|åsen|faret|tråkket|kaia|kaien|torget|torg|terrasse|gatan|vägen|väg|gränden|gränd|stigen|stig|plan|backen|allén|kajen"
    "|parken|slingan|leden|stråket|gången|gade|gaden|vej|vejen|stræde|strædet|plads|pladsen|torv|torvet|vænget|vænge|parken|bakken|haven|boulevard"
    "|toften|krogen|kaj|engen|lunden|marken|katu|kadun|kadulla|katua|tie|tien|tiellä|kuja|kujan|kujalla|polku|kaari|raitti|tori|ranta|rinne|väylä"
    "|penger|aukio|puistikko|tänav|tänava|tänaval|puiestee|maantee|põik|väljak|plats"
)
_APART = (
    "gate|gata|gt\\.?|vei|veg|plass|allé|alle|torg|väg|gränd|vej|gade|plads|torv|katu|tie|tee|tn\\.?|tänav|mnt\\.?"
    "|maantee|pst\\.?|puiestee|põik|tänava"
)
_NUMBER = (
    r"\d{1,3}(?!\d)(?:\s?[A-Za-z](?![^\W_])(?:\s\d{1,3}(?!\d))?)?(?:\s?[-–/]\s?\d{1,4}(?:\s?[A-Za-z](?![^\W_]))?)?"
    r"(?:,?\s(?:(?:leil|lgh|lägenhet|bolig|as|krt|st|tv|th|mf|kl|sal|etg|et|vån|tr|k|H|U)\.?\s?\d{0,4}|\d\.?\s?(?:tv|th|mf|sal|etg|et|vån|tr)\.?))*"
)


def _spelt(part: str) -> tuple[str, ...]:
    """The words that such a part stands for: "allé(?:en)?" for two."""
    plain = part.replace(r"\.?", "")
    return (plain.split("(")[0], plain.replace("(?:", "").replace(")?", "")) if "(" in plain else (plain,)


_STREET = re.compile(
    rf"(?<![^\W\d_])(?:{_WORD}\s){{0,2}}(?:{_UP}[^\W\d_'-]*(?:[-'][^\W\d_]+)*?(?:{_JOINED})|{_WORD}s?\s(?:{_APART}|{_APART.title()}))\s{_NUMBER}(?![^\W_])"
    rf"(?:,\s{{0,2}}|\s)?(?:(?:[A-Z]{{1,3}}-)?\d{{3}}\s?\d{{1,2}}\s{_WORD}(?:\s[A-ZÆØÅÖ](?![^\W_]))?)?"
)
_BOX = re.compile(r"(?<![^\W\d_])(?:[Pp]ostboks|[Pp]\.?\s?[Bb]oks|[Bb]ox|PL|[Pp]k|[Pp]ostkast)\s\d{1,5}(?![^\W_])")

#: The word before the number of a street, and that before the number of a box.
_STREET_ENDS = tuple({end for part in f"{_JOINED}|{_APART}".split("|") for end in _spelt(part)})
_STREET_WORD = word_sign(rf".*(?:{_JOINED})|{_APART}", ends=_STREET_ENDS)
_NUMBER_BEHIND = re.compile(r"\.?\s\d")
_BOX_WORD = word_sign("postboks|p|pboks|boks|box|pl|pk|postkast")

_TOWN = rf"{_WORD}(?:\s(?:i|på|{_UP}(?![a-zæøåäö])\b|{_WORD}))?"
_CODE = re.compile(
    rf"(?<![\d./,:+-])(?<!\d\s)(?:(?:N|NO|S|SE|D|DK|FI|FIN|EE|AX)[-\s])?(?:\d{{4,5}}|\d{{3}}\s\d{{2}})(?!\d),?\s{{1,2}}(?P<town>{_WORD}(?:\s{_WORD})?)"
)
#: A postcode without a town that we know, if something says so.
_CODE_CUE = re.compile(
    r"(?<![^\W\d_])(?:postnr|postnummer|postinumero|postiindeks|sihtnumber)\.?:?\s{0,2}(?P<code>\d{3}\s?\d{1,2})(?!\d)",
    re.IGNORECASE,
)

_CODE_WORD = word_sign("postnr|postnummer|postinumero|postiindeks|sihtnumber")
_BEFORE_TOWN = re.compile(rf"\d{{3,5}}(?:\s\d\d)?,?\s{{1,2}}{_UP}")

_TOKEN = re.compile(rf"(?<![^\W_]){_UP}[^\W\d_]+(?:[-'][^\W\d_]+)*(?:\s{_UP}[^\W\d_]+)?")

#: Case endings of place names: genitive everywhere, local cases in Finnish and Estonian.
_ENDINGS = {
    "fi": (
        "ssa",
        "ssä",
        "sta",
        "stä",
        "lla",
        "llä",
        "lta",
        "ltä",
        "lle",
        "seen",
        "hun",
        "an",
        "en",
        "on",
        "un",
        "yn",
        "in",
        "n",
        "a",
        "ä",
        "ta",
        "tä",
    ),
    "et": ("sse", "st", "s", "le", "l", "lt", "ks", "ni", "ga", "t", "d", "sse"),
}


@cache
def towns(language: str) -> frozenset[str]:
    """Places of 500 inhabitants and more in the country of a language (GeoNames, CC BY 4.0)."""
    path = files("fedkit.notes.deidentify").joinpath("data", "places", f"{'nb' if language == 'nn' else language}.txt")
    return frozenset(path.read_text("utf-8").split("\n")) - {""} if path.is_file() else frozenset()


@cache
def all_towns() -> frozenset[str]:
    return frozenset().union(*(towns(language) for language in ("nb", "sv", "da", "fi", "et")))


@lru_cache(maxsize=20_000)
def is_town(word: str, language: str) -> bool:
    """Whether a capitalised word, perhaps with a case ending, names a place of the country."""
    known = towns(language) or all_towns()
    word = word.replace("Aa", "Å").replace("aa", "å") if language == "da" and word not in known else word
    if word in known:
        return True
    ends = (*_ENDINGS.get(language, ()), "s")
    return any(word.endswith(e) and len(word) - len(e) > 2 and word[: -len(e)] in known for e in ends)


_LETTERS = re.compile(r"[^\W\d_]+")


@cache
def _may_be(language: str) -> Memory[bool]:
    """Whether a token can be a place of a language's country, or a word of one."""
    first = {found.group() for town in towns(language) or all_towns() if (found := _LETTERS.match(town))}

    def may_be(token: str) -> bool:
        return any(
            is_town(word, language) or word in first or word.replace("Aa", "Å").replace("aa", "å") in first
            for word in _LETTERS.findall(token)
            if word[0].isupper()
        )

    return Memory(may_be)


def _may_name(text: str, language: str) -> bool:
    """Whether a word of a text can be of the name of a place."""
    return any(map(_may_be(language).__getitem__, tokens(text)))


def addresses(text: str, language: str) -> Iterator[Identifier]:
    """Street with number, post box, and postcode with town."""
    seen = figures(text)
    if not seen.places:
        return
    if any(_NUMBER_BEHIND.match(text, end) for _, end in signed(text, _STREET_WORD)):
        for match in _STREET.finditer(text):
            yield Identifier(*match.span(), "ADDRESS", "address.street")
    if any(_NUMBER_BEHIND.match(text, end) for _, end in signed(text, _BOX_WORD)):
        for match in _BOX.finditer(text):
            yield Identifier(*match.span(), "ADDRESS", "address.box")
    codes = seen.long(3, 4, 5)
    for match in _CODE.finditer(text) if codes and any(_BEFORE_TOWN.match(text, place) for place in codes) else ():
        words = match["town"].split()
        # A town that we know, or all in capitals as on envelopes; "2500 Kcal" and "1200 Marevan" are none.
        if any(is_town(w.capitalize() if w.isupper() else w, language) for w in (words[0], " ".join(words))):
            end = match.end() if len(words) == 1 or is_town(" ".join(words), language) else match.start("town") + len(words[0])
            yield Identifier(match.start(), end, "ADDRESS", "address.postcode")
        elif re.search(r"\d\d\d\s\d\d(?!\d)", match.group()) and not re.match(r"(?:19|20)\d\d(?!\d)", match.group()):
            yield Identifier(match.start(), match.start("town") + len(words[0]), "ADDRESS", "address.postcode")
    for match in _CODE_CUE.finditer(text) if shows(text, _CODE_WORD) else ():
        yield Identifier(*match.span("code"), "ADDRESS", "address.postcode")


def place_names(text: str, language: str) -> Iterator[Identifier]:
    """Towns of the country by name, in any case. Countries are none: a country identifies nobody."""
    for match in _TOKEN.finditer(text) if _may_name(text, language) else ():
        word, _, second = match.group().partition(" ")
        if second and is_town(match.group(), language):
            yield Identifier(*match.span(), "PLACE", "place.list")
        elif is_town(word, language):
            yield Identifier(match.start(), match.start() + len(word), "PLACE", "place.list")
        elif second and is_town(second, language):
            yield Identifier(match.end() - len(second), match.end(), "PLACE", "place.list")
