"""What the words around a mention say about it: negated, uncertain, historical, of the family, hypothetical.

    note = with_context(Note("1", "Ingen feber, hoste eller dyspné, men smerter.", "nb", mentions))
    [s.attributes for s in note.spans]        # negated three times, then nothing

ConText (Harkema, Dowling, Thornblade & Chapman 2009) over NegEx (Chapman et al. 2001), with what Nordic and Finnic languages
ask for besides:

1. Cues are looked up in the words of a sentence, the longest first; pseudo cues ("ikke bare") and terminators ("men") as well.
2. A cue that stands before reaches the next `WINDOW` words, up to a terminator; one that stands after reaches back as far.
3. Each listed mention opens the window anew, so a list of any length is one scope: "ingen feber, hoste, dyspné eller ødem".
   A verb or a subject right after a comma or conjunction begins a clause and ends it.
4. A cue that may stand on either side (Finnish and Estonian negative verbs: "kuumetta ei ole", "ei kuumetta") reaches back only
   if it finds nothing ahead in its own clause; the same holds for "ikke" after its subject.
5. Finnish and Estonian negate in the word itself as well, by the abessive: "kuumeetta", "palavikuta".

The cues are data (`data/context/*.tsv`), each with its source and the evidence for it in text that nobody here wrote.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from fedkit.notes.note import CONTEXT_ATTRIBUTES, Note, Section, Span
from fedkit.notes.resources import read_table
from fedkit.notes.sentences import sentences as split_sentences
from fedkit.notes.tokens import words

#: Words that a cue reaches. No limit costs plain NegEx 6 points of precision on the Norwegian gold corpus; here, where clauses
#: end scopes as well, 0 there, and 10 for Swedish and 5 for Bokmål by the trees of UD, with next to no recall won.
WINDOW = 6
#: Words that a cue which usually stands before reaches back.
BACK = 4

#: Section names whose mentions have an attribute wherever they stand.
SECTION_ATTRIBUTES = {"family_history": "family", "past_history": "historical"}


@dataclass(frozen=True, slots=True)
class Cue:
    """category: one of `CONTEXT_ATTRIBUTES`, or "pseudo", "terminator", "clause", "corrective" (negates, but after a negation
    ends it: Swedish "utan").   direction: "before" the mention, "after" it, "both", or "".
    source, evidence: where it is from, and what was found for it in text that nobody here wrote."""

    words: tuple[str, ...]
    category: str
    direction: str
    source: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Scope:
    """`text[cue_start:cue_end]` says `category` of the spans (by their places) in `spans`."""

    category: str
    cue_start: int
    cue_end: int
    spans: tuple[int, ...]


@cache
def cues(language: str) -> tuple[Cue, ...]:
    """The cues of a language, in the order of its file; none for an unknown one."""
    return tuple(
        Cue(tuple(row["cue"].split()), row["category"], row["direction"], row["source"], row["evidence"])
        for row in read_table(f"context/{language}.tsv")
    )


def with_context(note: Note) -> Note:
    """The note with the context attributes of its spans set to "true" where a cue, a section or the word itself says so.

    Uses the note's sentences and sections where it has them. Attributes that are there already stay.
    """
    if not note.spans:
        return note
    said = context_of(note.text, note.spans, note.language, note.sentences, note.sections)
    spans = tuple(
        Span(  # `replace` takes four times as long
            span.start,
            span.end,
            span.label,
            {**{name: "true" for name in CONTEXT_ATTRIBUTES if name in names}, **span.attributes},
            span.concepts,
            span.fragments,
        )
        if names
        else span
        for span, names in zip(note.spans, said, strict=True)
    )
    return replace(note, spans=spans)


def context_of(
    text: str,
    spans: Sequence[Span],
    language: str,
    sentences: Sequence[tuple[int, int]] = (),
    sections: Sequence[Section] = (),
) -> list[set[str]]:
    """For each span, the names of what holds for it (see the module). Without sentences, fedkit's own are used."""
    said: list[set[str]] = [set() for _ in spans]
    for scope in scopes(text, spans, language, sentences):
        for place in scope.spans:
            said[place].add(scope.category)
    for section in sections:
        if section.name in SECTION_ATTRIBUTES:
            for place, span in enumerate(spans):
                if section.header_end <= span.start < section.end:
                    said[place].add(SECTION_ATTRIBUTES[section.name])
    abessive = _ABESSIVE.get(language)
    if abessive:
        for place, span in enumerate(spans):
            if abessive.search(text, span.start, span.end):
                said[place].add("negated")
    return said


def scopes(text: str, spans: Sequence[Span], language: str, sentences: Sequence[tuple[int, int]] = ()) -> tuple[Scope, ...]:
    """Every cue that says something of a span, in order of the text. A cue inside a span says nothing of it."""
    index = _index(language)
    if not index or not spans:
        return ()
    speaking = _speaking(language)
    order = sorted(range(len(spans)), key=lambda place: spans[place].start)
    starts = [spans[place].start for place in order]
    found: list[Scope] = []
    for start, end in sentences or split_sentences(text, language):
        inside = order[bisect_left(starts, start) : bisect_left(starts, end)]
        if inside and _may_speak(speaking, frozenset(_CUE_WORD.findall(text[start:end].lower()))):
            sentence = _Sentence(text, start, end, language, [(place, spans[place]) for place in inside])
            found += sentence.scopes(index)
    return tuple(found)


def fired(text: str, language: str) -> tuple[tuple[int, int, Cue], ...]:
    """Every cue that fires in a text without mentions, pseudo cues and terminators as well: (start, end, cue)."""
    found: list[tuple[int, int, Cue]] = []
    for start, end in split_sentences(text, language):
        sentence = _Sentence(text, start, end, language, [])
        found += [(sentence.starts[i], sentence.ends[i + n - 1], cue) for i, n, cue in sentence.all_cues(_index(language))]
    return tuple(found)


#: The categories of cues that say something of mentions by themselves.
SPEAKING = frozenset({*CONTEXT_ATTRIBUTES, "corrective"})
_CUE_WORD = re.compile(r"[^\W\d_]+|\?")


_Index = dict[str, list[tuple[tuple[str, ...], tuple[Cue, ...]]]]


@cache
def _index(language: str) -> _Index:
    """First word → the cues that begin with it, longest first; cues of the same words together."""
    same: dict[tuple[str, ...], list[Cue]] = {}
    for cue in cues(language):
        same.setdefault(cue.words, []).append(cue)
    index: _Index = {}
    for key in sorted(same, key=len, reverse=True):
        index.setdefault(key[0], []).append((key, tuple(same[key])))
    return index


@cache
def _speaking(language: str) -> dict[str, tuple[frozenset[str], ...]]:
    """First word → the other words of each cue that begins with it and says something."""
    found: dict[str, set[frozenset[str]]] = {}
    for cue in cues(language):
        if cue.category in SPEAKING and (words_of := [w for word in cue.words for w in _CUE_WORD.findall(word)]):
            found.setdefault(words_of[0], set()).add(frozenset(words_of[1:]))
    return {first: tuple(sorted(others, key=len)) for first, others in found.items()}


def _may_speak(speaking: dict[str, tuple[frozenset[str], ...]], words_there: frozenset[str]) -> bool:
    """Whether all words of a cue stand in a sentence: one where they do not need not be looked at."""
    return any(others <= words_there for first in words_there & speaking.keys() for others in speaking[first])


@cache
def _joining(language: str) -> frozenset[str]:
    """What stands between the members of a list."""
    return frozenset({",", "/", "+", "&"} | _CONJUNCTIONS.get(language, set()))


_CONJUNCTIONS = {
    "nb": {"og", "eller", "samt"},
    "nn": {"og", "eller", "samt"},
    "sv": {"och", "eller", "samt"},
    "da": {"og", "eller", "samt"},
    "fi": {"ja", "tai", "eikä", "sekä"},
    "et": {"ja", "või", "ega", "ning"},
    "en": {"and", "or", "nor"},
}

#: The abessive ("without"), by endings that no other case of a noun shares: Finnish -eetta, -oitta, -eitta, -ksetta ("kuumetta"
#: is a partitive, "kuumeetta" is not); Estonian -uta, -ita, -eta and the verbal -mata. Of the nouns with these endings in the
#: Estonian UD dev set, 23 of 24 are abessives; the Finnish set has one.
_ABESSIVE = {
    "fi": re.compile(r"\w\w(?:eett[aä]|[oie]itt[aä]|[^\Waeiouyäö]itt[aä]|ksett[aä])(?!\w)"),
    "et": re.compile(r"\w\w\w(?:[uie]|ma)ta(?!\w)"),
}

_STOPS = frozenset({";", ".", "!", "?", "–", "—", "-", "--"})


class _Sentence:
    """The words of a sentence, the mentions in it, and the cues found."""

    def __init__(self, text: str, start: int, end: int, language: str, spans: Iterable[tuple[int, Span]]) -> None:
        ranges = words(text[start:end], language)
        self.starts = [start + a for a, _ in ranges]
        self.ends = [start + b for _, b in ranges]
        self.words = [text[a:b].lower() for a, b in zip(self.starts, self.ends, strict=True)]
        self.joining = _joining(language)
        self.of: list[tuple[int, ...]] = [()] * len(self.words)  # places of the spans that a word belongs to
        for place, span in spans:
            for i in range(bisect_right(self.ends, span.start), bisect_left(self.starts, span.end)):
                self.of[i] = (*self.of[i], place)
        self.stops: set[int] = set()
        self.stops_ahead: set[int] = set()
        self.clauses: set[int] = set()
        self.says: dict[int, set[str]] = {}

    def scopes(self, index: _Index) -> list[Scope]:
        sides: dict[tuple[int, int, str], set[str]] = {}
        for i, n, cue in self._speaking(index):
            sides.setdefault((i, n, cue.category), set()).add(cue.direction)
            self.says.setdefault(i, set()).add(cue.category)
        found = []
        for (i, n, category), stands in sides.items():
            either = "both" in stands or len(stands) > 1
            reached: list[int] = []
            if stands != {"after"}:
                reached = self._ahead(i + n, category, either)
            if not reached and stands != {"before"}:
                reached = self._back(i - 1, BACK if either else WINDOW, either)
            if reached:
                found.append(Scope(category, self.starts[i], self.ends[i + n - 1], tuple(reached)))
        return found

    def all_cues(self, index: _Index) -> list[tuple[int, int, Cue]]:
        """(first word, number of words, cue) of everything that fires, the longest at each place; none inside a mention."""
        found: list[tuple[int, int, Cue]] = []
        i, size = 0, len(self.words)
        while i < size:
            step = 1
            for key, alike in index.get(self.words[i], ()):
                n = len(key)
                if (n == 1 or tuple(self.words[i : i + n]) == key) and not any(self.of[i : i + n]):
                    found += [(i, n, cue) for cue in alike]
                    step = n
                    break
            i += step
        return found

    def _speaking(self, index: _Index) -> list[tuple[int, int, Cue]]:
        """Those of the cues that say something of mentions; the others are noted as stops and beginnings of clauses."""
        found: list[tuple[int, int, Cue]] = []
        negated = False
        for i, n, cue in self.all_cues(index):
            kind = cue.category
            if kind == "corrective":
                kind = "terminator" if negated else "negated"
            if kind == "terminator":
                relative = cue.category == "terminator" and cue.direction == "before"
                (self.stops_ahead if relative else self.stops).update(range(i, i + n))
            elif kind == "clause":
                self.clauses.add(i)
            elif kind != "pseudo":
                negated = negated or kind == "negated"
                found.append((i, n, cue if kind == cue.category else replace(cue, category=kind)))
        return found

    def _ahead(self, first: int, category: str, own_clause: bool) -> list[int]:
        """The places of the spans that a cue reaches from word `first` on.

        own_clause: stop at the first comma unless a mention stood before it.
        """
        reached: list[int] = []
        item: list[int] = []  # what was reached since the last comma or conjunction
        left, joiner, after_comma = WINDOW, "", False
        for i in range(first, len(self.words)):
            word = self.words[i]
            if word in _STOPS or word == ":" or i in self.stops or i in self.stops_ahead:
                break
            if word in self.joining:
                if item:
                    left = WINDOW
                elif own_clause and word == ",":
                    break
                reached += item
                item, joiner, after_comma = [], word, word == ","
                continue
            if i in self.clauses:
                if joiner:
                    break  # ", pasienten har"
                if after_comma and item:
                    item = []  # ", yskää on": what the comma began was a clause
                    break
            if joiner == "," and i in self.says and category not in self.says[i]:
                break  # ", mulig"
            joiner = ""
            if self.of[i]:
                item += [place for place in self.of[i] if place not in item]
            elif word[0].isalnum():
                if left == 0:
                    break
                left -= 1
        return _once(reached + item)

    def _back(self, last: int, window: int, own_clause: bool) -> list[int]:
        """The same from word `last` back. own_clause: relative pronouns and colons stop it as well, and the first comma."""
        reached: list[int] = []
        left, listed = window, False
        for i in range(last, -1, -1):
            word = self.words[i]
            if word in _STOPS or i in self.stops or (own_clause and (word == ":" or i in self.stops_ahead)):
                break
            if word in self.joining:
                if listed:
                    left = window
                elif own_clause and word == ",":
                    break
                listed = False
            elif self.of[i]:
                listed = True
                reached += self.of[i]
            elif word[0].isalnum():
                if left == 0:
                    break
                left -= 1
        return _once(reached)


def _once(places: list[int]) -> list[int]:
    return list(dict.fromkeys(places))
