"""The index of a vocabulary for one language: from the words of a text to terms, exactly and roughly.

Four ways lead from a word to a term, tried in this order; the first that succeeds is the answer:

1. form         the words are a form of the vocabulary (Nordic articles, Finnish and Estonian cases are written out in it)
2. spelling     the same name by another country's rules, for drugs (`spelling.sound`)
3. inflection   the same without an ending or the head of a compound (metoprololin, Medtronics, penicillinallergi)
4. misspelling  nearly the same letters: `fuzz.ratio` of at least `least`, and a slip as `_one_slip` has it; for drugs in the
                spelling of 2
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from fedkit.notes.concepts.spelling import HEADS, endings, plain, sound, stem, stems
from fedkit.notes.concepts.terms import NOT_A_NAME, Term
from fedkit.notes.tokens import PIECE

#: The least likeness of a misspelt name, in percent. `benchmarks/concepts.py` measures what it finds and what it finds wrongly.
LEAST = 85.0

_SHORT = 4  # a name in capitals of at most this many letters is an abbreviation: PM, not "pm"
_ENDING = 6  # letters of the longest ending
_INFLECTED = 5  # the fewest letters a word needs to be taken for an inflected name
#: The fewest letters a word needs to be taken for a misspelt name. Parts of the body are too like ordinary words, and two
#: makers can be a letter apart.
_FEWEST = {"DRUG": 7, "REACTION": 9, "IMPLANT": 9}
_LONGEST = 40  # letters of a word that can be a name; a file without blanks is none
_LONG, _LONGER = 9, 11  # letters from which a letter may also stand elsewhere, from which two may be wrong
_NAMES = ("MANUFACTURER", "MODEL")  # written with a capital, where a common word of the same letters is not


@dataclass(frozen=True, slots=True)
class Match:
    """What a mention stands for. `how`: "form", "spelling", "inflection", "misspelling" or "part"; `score`: likeness, 0 to 1.

    cut: how many characters at the mention's end are not of the name (the head of a compound).
    """

    term: Term
    how: str
    score: float = 1.0
    cut: int = 0


class Index:
    """Terms of one language, with those that belong to every language. "" takes the terms of all languages."""

    def __init__(self, terms: Iterable[Term], language: str, least: float = LEAST) -> None:
        self.language, self.least = language, least
        self._forms: dict[tuple[str, ...], list[Term]] = defaultdict(list)
        self._sounds: dict[str, Term] = {}
        self._stems: dict[tuple[str, str], Term] = {}
        self._nearby: dict[tuple[str, str, int], list[str]] = {}  # at most a few letters and lengths of words
        lengths: dict[str, set[int]] = defaultdict(set)
        for term in terms:
            if language and term.language not in ("", language):
                continue
            pieces = tuple(plain(p) for p in PIECE.findall(term.text))
            if not pieces:
                continue
            self._forms[pieces].append(term)
            lengths[pieces[0]].add(len(pieces))
            if len(pieces) > 1 or len(pieces[0]) < _INFLECTED or is_abbreviation(term.text) or term.label == NOT_A_NAME:
                continue
            if term.label == "DRUG":
                self._sounds.setdefault(sound(term.text), term)
                self._stems.setdefault(("DRUG", stem(term.text)), term)
            else:
                self._stems.setdefault((term.label, term.text.casefold()), term)
        #: First piece of a form (`spelling.plain`) → how many pieces such forms have, the most first.
        self.starts = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
        seconds: dict[str, set[str]] = defaultdict(set)
        for pieces in self._forms:
            if len(pieces) > 1:
                seconds[pieces[0]].add(pieces[1])
        self._seconds = {first: tuple(found) for first, found in seconds.items()}

    def phrase(self, pieces: Sequence[str], at: int, labels: frozenset[str] | None) -> tuple[Match, int] | None:
        """The longest form that begins at a piece, and how many pieces it has. The last of several may carry an ending."""
        first = plain(pieces[at])
        second = plain(pieces[at + 1]) if at + 1 < len(pieces) else ""
        going_on = bool(second) and second.startswith(self._seconds.get(first, ()))
        for n in self.starts.get(first, ()):
            if at + n > len(pieces) or (n > 1 and not going_on):
                continue
            words = tuple(plain(p) for p in pieces[at : at + n])
            if term := self._fitting(words, pieces[at], labels):
                return Match(term, "form"), n
            if n > 1:
                last = words[-1]
                for size in range(1, min(_ENDING, len(last) - _SHORT) + 1):
                    cut = (*words[:-1], last[:-size])
                    if last[-size:] in endings(self.language) and (term := self._fitting(cut, pieces[at], labels)):
                        return Match(term, "inflection"), n
        return None

    def _fitting(self, words: tuple[str, ...], first: str, labels: frozenset[str] | None) -> Term | None:
        found = self._forms.get(words, ())
        return next((t for t in found if _wanted(t, labels) and _case_fits(first, t)), None)

    def word(self, word: str, labels: frozenset[str] | None, rough: bool = True) -> Match | None:
        """The term of a single word that is no form of the vocabulary. rough: try misspellings too."""
        word = unicodedata.normalize("NFC", word)
        if not _INFLECTED <= len(word) <= _LONGEST or not word.isalpha():
            return None
        wanted = [label for label in self._labels if labels is None or label in labels]
        if "DRUG" in wanted and (term := self._sounds.get(sound(word))):
            return Match(term, "spelling")
        if match := self._inflected(word, wanted) or self._compound(word, wanted):
            return match
        return self._misspelt(word, wanted) if rough and self.least <= 100 else None

    def _inflected(self, word: str, labels: Sequence[str]) -> Match | None:
        for label in labels:
            if label == "DRUG":
                for candidate in stems(word, self.language):
                    if len(candidate) >= _INFLECTED and (term := self._stems.get(("DRUG", candidate))):
                        return Match(term, "inflection")
                continue
            if label in _NAMES and not word[0].isupper():
                continue
            lower = word.casefold()
            for size in range(1, min(_ENDING, len(lower) - _INFLECTED) + 1):
                if lower[-size:] in endings(self.language) and (term := self._stems.get((label, lower[:-size]))):
                    return Match(term, "inflection")
        return None

    def _compound(self, word: str, labels: Sequence[str]) -> Match | None:
        lower = word.casefold()
        for head in HEADS.get(self.language, ()):
            if lower.endswith(head) and len(lower) - len(head) >= _INFLECTED:
                for link in ("s", "i", ""):  # penicillinsallergi does not exist, penisilliiniallergia does
                    first = lower[: -len(head)].removesuffix(link) if link else lower[: -len(head)]
                    if "DRUG" in labels and (term := self._stems.get(("DRUG", stem(first)))):
                        return Match(term, "inflection", cut=len(head) + (len(lower) - len(head) - len(first)))
        return None

    def _misspelt(self, word: str, labels: Sequence[str]) -> Match | None:
        from rapidfuzz import fuzz, process

        best: Match | None = None
        for label in labels:
            if label not in _FEWEST:
                continue
            queries = stems(word, self.language)[:3] if label == "DRUG" else [word.casefold()]
            for query in queries:
                if len(query) < _FEWEST[label] - 1 or len(word) < _FEWEST[label]:
                    continue
                choices = self._near(label, query[0], len(query))
                if not choices:
                    continue
                alike = process.extract(query, choices, scorer=fuzz.ratio, score_cutoff=self.least, limit=None)
                best_of: dict[int, tuple[str, float]] = {}  # by length, the likest
                for name, score, _ in alike:
                    if len(name) not in best_of:
                        best_of[len(name)] = name, score
                for _, (name, score) in sorted(best_of.items()):
                    if _one_slip(query, name, label) and (best is None or score / 100 > best.score):
                        best = Match(self._stems[label, name], "misspelling", score / 100)
        return best

    def _near(self, label: str, first: str, length: int) -> list[str]:
        """The names with this first letter that are as long as `_one_slip` lets a slip of so many letters be."""
        key = (label, first, length)
        if key not in self._nearby:
            near = 2 if label == "DRUG" else 1
            lengths = range(length - near, length + near + 1)
            self._nearby[key] = [name for n in lengths for name in self._choices.get((label, first, n), ())]
        return self._nearby[key]

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label for label, _ in self._stems))

    @cached_property
    def _choices(self) -> dict[tuple[str, str, int], list[str]]:
        # By label, first letter, which is rarely the one that is wrong, and length.
        found: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for label, key in self._stems:
            if len(key) >= _FEWEST.get(label, len(key) + 2) - 1:
                found[label, key[0], len(key)].append(key)
        return found


def _one_slip(word: str, name: str, label: str) -> bool:
    """One letter left out, added or swapped with the next. In the names of drugs, of which other names are far, also another
    letter; in long ones a letter that stands elsewhere, or two wrong."""
    from rapidfuzz.distance import OSA, Hamming, Indel

    slips = OSA.distance(word, name)
    if label != "DRUG":
        # One letter for another makes worse of confused (forverring, forvirring) and a heart of a brain.
        return slips == 1 and not (len(word) == len(name) and Hamming.distance(word, name) == 1)
    return slips <= (1 if len(word) < _LONGER else 2) or (len(word) >= _LONG and Indel.distance(word, name) <= 2)


def _wanted(term: Term, labels: frozenset[str] | None) -> bool:
    return labels is None or term.label in labels or term.label == NOT_A_NAME


def is_abbreviation(text: str) -> bool:
    """Whether a form is an abbreviation, which counts only in its own capitals."""
    return len(text) <= _SHORT and text.isupper()


def _case_fits(piece: str, term: Term) -> bool:
    if is_abbreviation(term.text):
        return piece.isupper() or not piece.isalpha()
    if term.label in _NAMES and term.text[0].isupper():
        return not piece[0].islower()
    return True
