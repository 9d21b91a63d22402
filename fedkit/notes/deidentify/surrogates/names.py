"""Names for names: family names put together as the country's own are, and given names of fiction-safe, common kind.

The same name gets the same surrogate in the whole project, a genitive or case ending stays, and a run of names is changed
word by word, so "Finn Eilertsen" and later "Eilertsen" still belong together. A surrogate is never a word of the text that
it goes into.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from fedkit.notes.deidentify.keys import ProjectKey

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_PARTICLES = frozenset(
    [
        "af",
        "av",
        "von",
        "van",
        "de",
        "der",
        "den",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "ben",
        "ter",
        "ten",
        "zu",
        "zur",
        "zum",
    ]
)
_ENDINGS = {
    "nb": ("s",), "nn": ("s",), "sv": ("s",), "da": ("s",), "en": ("'s", "s"),
    "fi": ("lla", "llä", "lle", "lta", "ltä", "ssa", "ssä", "sta", "stä", "n"),
    "et": ("lle", "le", "lt", "ga", "st", "l"),
}  # fmt: skip


@cache
def _parts(language: str) -> dict[str, tuple[str, ...]]:
    """The lists of one language in data/surrogates.tsv: female, male, first (of a family name), last, place, street."""
    text = files("fedkit.notes.deidentify").joinpath("data", "surrogates.tsv").read_text("utf-8")
    own = {"nn": "nb"}.get(language, language)
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in text.split("\n"):
        if row and not row.startswith("#"):
            code, kind, words = row.split("\t")
            found.setdefault(code, {})[kind] = tuple(words.split())
    return found.get(own) or found["nb"]


def parts(language: str, kind: str) -> tuple[str, ...]:
    """Words of one kind for one language (Norwegian where it is not known)."""
    return _parts(language)[kind]


@cache
def _sexes() -> tuple[frozenset[str], frozenset[str]]:
    """Given names (lower case) of women only and of men only."""
    women: set[str] = set()
    men: set[str] = set()
    for code in ("nb", "sv", "da", "fi", "et", "en"):
        for row in files("fedkit.notes.deidentify").joinpath("data", "names", f"{code}.tsv").read_text("utf-8").split("\n"):
            name, _, kind = row.lower().partition("\t")
            if kind in ("female", "male"):
                (women if kind == "female" else men).add(name)
    return frozenset(women - men), frozenset(men - women)


def surrogate_name(text: str, language: str, key: ProjectKey, avoid: Collection[str] = ()) -> str:
    """Another name, word by word in the same form.   avoid: words in lower case that it must not be (those of the note)."""
    words = list(_WORD.finditer(text))
    out, at = [], 0
    for number, match in enumerate(words):
        out.append(text[at : match.start()])
        last = len(words) > 1 and number == len(words) - 1
        out.append(_one(match.group(), language, key, avoid, last))
        at = match.end()
    return "".join(out) + text[at:]


def _one(word: str, language: str, key: ProjectKey, avoid: Collection[str], last: bool) -> str:
    lower = word.lower()
    if lower in _PARTICLES:
        return word
    if len(word) == 1:
        return key.choice("name.initial", lower, [c for c in "ABDEFGHIJKLMNOPRSTV" if c.lower() != lower])
    stem, ending = _stem(lower, language)
    women, men = _sexes()
    kind = "female" if stem in women else "male" if stem in men else ""
    for attempt in range(200):
        value = stem if not attempt else f"{stem}\x00{attempt}"
        if kind and not last:
            new = key.choice("name.given", value, parts(language, kind))
        else:
            new = key.choice("name.first", value, parts(language, "first")) + key.choice(
                "name.last", value, parts(language, "last")
            )
        if new.lower() != stem and new.lower() not in avoid and (new + ending).lower() not in avoid:
            break
    new += ending
    return new.upper() if word.isupper() else new


def _stem(lower: str, language: str) -> tuple[str, str]:
    """A name without its ending in this sentence, and that ending, where the lists know the name without it."""
    women, men = _sexes()
    for ending in _ENDINGS.get(language, ()):
        stem = lower.removesuffix(ending)
        if (
            stem != lower
            and len(stem) > 2
            and (stem in women or stem in men or (ending == "s" and stem.endswith(("sen", "son", "berg", "lund"))))
        ):
            return stem, ending
    return lower, ""
