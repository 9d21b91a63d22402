"""How one name is spelt in six languages, and which endings it takes: what makes forms of one name equal.

An international name of a drug (INN) is spelt by national rules: celecoxib is celekoksib in Norwegian, selekoksibi in Finnish
and tselekoksiib in Estonian. `sound` undoes those rules, so that the spellings meet; it is no pronunciation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from operator import itemgetter

#: (what must stand in a word for the rule to change it, the rule): looking for a letter is quicker than trying a pattern.
_RULES = tuple(
    (tuple(needed.split()), re.compile(pattern), instead)
    for needed, pattern, instead in (
        ("ä æ á à â", r"[äæáàâ]", "a"),
        ("ö ø ó ô oe", r"[öøóô]|oe", "o"),
        ("é è ê ë", r"[éèêë]", "e"),
        ("ph", "ph", "f"),
        ("th", "th", "t"),
        ("rh", "rh", "r"),
        ("qu kv kw", "qu|kv|kw", "k"),
        ("ts z š ž", "ts|tz|z|š|ž", "s"),
        ("c", "c(?=[eiyüaæä]?[eiyü])|sc(?=[eiyü])", "s"),
        ("c q", "ch|c|q", "k"),
        ("x", "x", "ks"),
        ("w", "w", "v"),
        ("y ü j", "[yüj]", "i"),
    )
)
_DOUBLED = re.compile(r"(.)\1+")
_ONCE = itemgetter(1)  # quicker than the template, which is put together for each match

#: Endings that a noun takes, by language, the longest first: cases, number, the definite article, clitics of Finnish.
ENDINGS: dict[str, tuple[str, ...]] = {
    "nb": ("enes", "ene", "ens", "ets", "en", "et", "er", "ne", "es", "a", "e", "n", "t", "s"),
    "nn": ("ane", "ene", "en", "et", "ar", "er", "or", "a", "e", "n", "t", "s"),
    "sv": ("ernas", "arnas", "erna", "arna", "orna", "ens", "ets", "en", "et", "er", "ar", "or", "na", "a", "n", "t", "s"),
    "da": ("ernes", "erne", "ens", "ets", "en", "et", "er", "ne", "e", "n", "t", "s"),
    "fi": (
        *("illaan", "issaan", "itään", "kaan", "kään", "lleen", "ssaan", "ssään", "staan", "iksi", "illa", "ille", "ilta"),
        *(
            "issa",
            "ista",
            "issä",
            "istä",
            "illä",
            "iltä",
            "ihin",
            "ssa",
            "ssä",
            "sta",
            "stä",
            "lla",
            "llä",
            "lta",
            "ltä",
            "lle",
        ),
        *(
            "ksi",
            "ien",
            "jen",
            "tta",
            "ttä",
            "iin",
            "aan",
            "ään",
            "een",
            "oon",
            "lle",
            "na",
            "nä",
            "ja",
            "jä",
            "ia",
            "iä",
            "ta",
        ),
        *("tä", "in", "en", "a", "ä", "i", "n", "t"),
    ),
    "et": (
        *("idega", "idele", "idest", "ides", "idel", "ide", "teta", "dega", "dele", "dest", "des", "del", "ga", "le", "lt"),
        *("st", "ks", "ta", "na", "ni", "te", "de", "id", "it", "ile", "i", "u", "a", "e", "s", "l", "t", "d"),
    ),
    "en": ("es", "s"),
}

#: Second parts of compounds that say nothing of what the first part is: penicillinallergi, metforminbehandling.
HEADS: dict[str, tuple[str, ...]] = {
    "nb": (
        "allergien",
        "allergi",
        "behandlingen",
        "behandling",
        "kuren",
        "kur",
        "tabletter",
        "tablett",
        "dosen",
        "dose",
        "bruk",
    ),
    "nn": ("allergi", "behandling", "kur", "tablettar", "tablett", "dose", "bruk"),
    "sv": ("allergin", "allergi", "behandlingen", "behandling", "kuren", "kur", "tabletter", "tablett", "dosen", "dos"),
    "da": ("allergien", "allergi", "behandlingen", "behandling", "kuren", "kur", "tabletter", "tablet", "dosis"),
    "fi": ("allergiaa", "allergia", "hoidon", "hoito", "hoitoa", "kuuri", "kuurin", "tabletti", "annos", "annosta", "lääkitys"),
    "et": ("allergiat", "allergia", "ravi", "ravil", "kuur", "kuuri", "tablett", "annus", "annust"),
}


@lru_cache(maxsize=1 << 15)
def plain(word: str) -> str:
    """A word without case and accents that do not tell words apart: the key of an exact match."""
    return unicodedata.normalize("NFC", word).casefold().replace("é", "e").replace("’", "'")


@cache
def _longest(language: str) -> int:
    """Letters of the longest ending."""
    return max(map(len, endings(language)))


@cache
def endings(language: str) -> frozenset[str]:
    """The endings of a language, or of all of them for "" and a language that is not here."""
    return frozenset(ENDINGS.get(language) or (e for found in ENDINGS.values() for e in found))


def sound(word: str) -> str:
    """The spelling that the national spellings of an international name share (see above)."""
    word = (word if word.isascii() else unicodedata.normalize("NFC", word)).casefold()
    for needed, pattern, instead in _RULES:
        for letters in needed:
            if letters in word:
                word = pattern.sub(instead, word)
                break
    return _DOUBLED.sub(_ONCE, word)


def stem(word: str) -> str:
    """`sound` without the last vowel, which Finnish adds and English and Estonian spell in their own ways."""
    return sound(word).rstrip("aeiou")


@lru_cache(maxsize=1 << 12)
def stems(word: str, language: str) -> tuple[str, ...]:
    """What `word` may be a form of, the longest first: its own stem, and those without an ending of the language."""
    lower = word.casefold()
    found = dict.fromkeys((stem(lower),))
    known = endings(language)
    for size in range(min(_longest(language), len(lower) - 4), 0, -1):
        if lower[-size:] in known:
            found.setdefault(stem(lower[:-size]))
    if language in ("et", ""):  # consonant gradation: metotreksaat, metotreksaadi
        found.update(dict.fromkeys(s[:-1] + "t" for s in tuple(found) if s.endswith("d")))
    return tuple(sorted(found, key=len, reverse=True))
