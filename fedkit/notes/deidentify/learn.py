"""Words that a site's own notes write in lower case, beyond the lists that are shipped: terms, short forms, product names.

Only what is frequent counts, and never a word that the lists of names know, so that names in notes without capitals stay names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from fedkit.notes.deidentify.name_lists import lists_for
from fedkit.notes.deidentify.words import words_for
from fedkit.notes.note import Note

#: A word must stand this often in lower case, and at least as often so as with a capital within a sentence.
LEAST = 5

#: Different words of a language that are remembered while counting; rare ones are let go beyond it, so that memory stays flat.
_ROOM = 500_000

_WORD = re.compile(r"[^\W\d_]{3,}")


def learn_words(notes: Iterable[Note], least: int = LEAST) -> dict[str, frozenset[str]]:
    """Language → words to read its notes with (`Deidentifier(learnt=…)`). Words only, no counts."""
    lower: dict[str, Counter[str]] = {}
    capital: dict[str, Counter[str]] = {}
    for note in notes:
        low, high = lower.setdefault(note.language, Counter()), capital.setdefault(note.language, Counter())
        for match in _WORD.finditer(note.text):
            word = match.group()
            if word.islower():
                low[word] += 1
            elif word[1:].islower() and note.text[max(0, match.start() - 2) : match.start()].strip(" "):
                high[word.lower()] += note.text[match.start() - 2 : match.start() - 1] not in ".!?:\n"
        for counter in (low, high):
            if len(counter) > _ROOM:
                for word in [w for w, n in counter.items() if n < 2]:
                    del counter[word]
    return {
        language: frozenset(w for w, n in low.items() if n >= least and n >= capital[language][w] and _is_new(w, language))
        for language, low in lower.items()
    }


def _is_new(word: str, language: str) -> bool:
    lists = lists_for(language)
    return word not in lists.given and word not in lists.family and not words_for(language).holds(word)
