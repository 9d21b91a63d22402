"""The near name for one that is not there: what a misspelt word was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: Below this a name is another word and no misspelling of this one (the ratio of Ratcliff and Obershelp, 1988).
NEAR = 0.6

#: A longer word is none that anybody misspelt; comparing it would only take time.
LONGEST = 64


def near(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names that are spelt nearly like a word, nearest first; upper and lower case are alike."""
    by_folded: dict[str, str] = {}
    for name in names:
        by_folded.setdefault(name.casefold(), name)
    return [by_folded[n] for n in get_close_matches(word[:LONGEST].casefold(), list(by_folded), n=most, cutoff=NEAR)]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """What to do about a name that is not there, for `help` of an error: the near one, or all there are."""
    names = list(names)
    if found := near(word, names):
        return f"did you mean {' or '.join(found)}?"
    return f"there are {', '.join(names[:40])}" if names else ""


def shown(word: object) -> str:
    """A word that somebody typed, as an error may repeat it: short, and printable whatever it was."""
    text = word if isinstance(word, str) else type(word).__name__
    return "".join(c if c.isprintable() else "?" for c in text[:40])
