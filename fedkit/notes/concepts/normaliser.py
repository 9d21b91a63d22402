"""Finding the things a vocabulary knows in text, and saying which they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from fedkit.notes.concepts.index import LEAST, Index, Match
from fedkit.notes.concepts.spelling import plain
from fedkit.notes.concepts.terms import NOT_A_NAME, Term, built_in
from fedkit.notes.memory import Memory
from fedkit.notes.note import Concept, Note, Span
from fedkit.notes.tokens import PIECE

_LONGEST_PIECE = 80  # characters of a piece that can be part of a name, with room for combining marks


class _Piece(NamedTuple):
    """What a piece is by itself, and whether a longer form may begin with it."""

    match: Match | None
    longer: bool


class _Known(Memory["_Piece | None"]):
    """Piece → what it is or may begin, the same wherever it stands; None for nothing."""

    __slots__ = ("wanted",)

    def __init__(self, index: Index, wanted: frozenset[str] | None) -> None:
        def look(piece: str) -> _Piece | None:
            if len(piece) > _LONGEST_PIECE:
                piece = ""
            lengths = index.starts.get(plain(piece), ())
            form = index.phrase([piece], 0, wanted) if 1 in lengths else None
            match = form[0] if form else index.word(piece, wanted)
            longer = any(n > 1 for n in lengths)
            return _Piece(match, longer) if match is not None or longer else None

        super().__init__(look)
        self.wanted = wanted


class Normaliser:
    """Mentions → concepts, with one or several vocabularies.

        n = Normaliser()
        n.lookup("metoprololia", "DRUG", "fi").term.concepts     # (Concept("ATC", "C07AB02", "metoprolol"),)
        n.find("Fikk utslett av penisillin.", "nb")              # two spans with concepts
        n.annotate(note)                                         # codes for its spans, and spans for what is not labelled yet

    vocabularies: terms (`loaders`), the first first: where two know the same form with the same label, the codes of both are
    given, in this order. Default: fedkit's own, and to leave it out is allowed.
    least: likeness from which a word counts as a misspelt name, in percent; above 100 none does.
    """

    def __init__(self, *vocabularies: Iterable[Term], least: float = LEAST) -> None:
        self._terms = _merge(vocabularies or (built_in(),))
        self._least = least
        self._indexes: dict[str, Index] = {}
        self._memory: dict[tuple[str, frozenset[str] | None], _Known] = {}
        self._languages = {t.language for t in self._terms}
        #: The labels of its terms.
        self.labels = frozenset(t.label for t in self._terms) - {NOT_A_NAME}

    @property
    def size(self) -> int:
        """How many forms it knows."""
        return len(self._terms)

    def lookup(self, mention: str, label: str, language: str = "") -> Match | None:
        """What a mention of a label stands for, or None. language: ISO 639-1; "" tries all.

        If only its beginning is known ("metoprolol 50 mg"), `how` is "part" and `score` the share of it.
        """
        index, wanted = self._index(language), frozenset((label,))
        pieces = PIECE.findall(mention)
        if not pieces:
            return None
        found = index.phrase(pieces, 0, wanted)
        if found and found[0].term.label == NOT_A_NAME:
            return None
        if found and found[1] == len(pieces):
            return found[0]
        whole = index.word(mention.strip(), wanted)
        return whole or (replace(found[0], how="part", score=found[1] / len(pieces)) if found else None)

    def find(self, text: str, language: str = "", labels: Iterable[str] | None = None) -> tuple[Span, ...]:
        """Spans of the things the vocabulary knows, in order, not overlapping, the longest first where several begin.

        The attribute `match` says how a span was found unless it is a form of the vocabulary (see `index`).
        """
        index = self._index(language)
        known = self._known(language, frozenset(labels) if labels is not None else None)
        pieces = PIECE.findall(text)
        spans: list[Span] = []
        at = end = reached = 0  # the piece up to which spans were made; where the piece `reached` begins to be looked for
        for i, entry in enumerate(map(known.__getitem__, pieces)):
            if entry is None or i < at:
                continue
            match, taken = entry.match, 1
            if entry.longer and (found := index.phrase(pieces, i, known.wanted)):
                match, taken = found
            at = i + taken
            if match is None or match.term.label == NOT_A_NAME:
                continue
            for piece in pieces[reached:i]:  # only blanks lie between pieces, so each is the next of its kind
                end = text.index(piece, end) + len(piece)
            start = end = text.index(pieces[i], end)
            for piece in pieces[i:at]:
                end = text.index(piece, end) + len(piece)
            reached = at
            attributes = {"match": match.how} if match.how != "form" else {}
            spans.append(Span(start, end - match.cut, match.term.label, attributes, match.term.concepts))
        return tuple(spans)

    def _known(self, language: str, wanted: frozenset[str] | None) -> _Known:
        key = (language if language in self._languages else "", wanted)
        if key not in self._memory:
            self._memory[key] = _Known(self._index(language), wanted)
        return self._memory[key]

    def annotate(self, note: Note, *, add: bool = True) -> Note:
        """The note with concepts on its spans, where they have none yet.

        add: also new spans for what the vocabulary knows, where no span with a label of the vocabulary stands. (A sentence that
        is marked as foreign, or a name, does not hide a drug.) Relations stay with their spans.
        """
        spans = [self._coded(note, span) for span in note.spans]
        if add:
            spans += _apart(self.find(note.text, note.language), [s for s in spans if s.label in self.labels])
        return note.with_spans(spans, note.relations)

    def _coded(self, note: Note, span: Span) -> Span:
        if span.concepts:
            return span
        match = self.lookup(note.text_of(span), span.label, note.language)
        return replace(span, concepts=match.term.concepts) if match else span

    def _index(self, language: str) -> Index:
        language = language if language in self._languages else ""
        if language not in self._indexes:
            self._indexes[language] = Index(self._terms, language, self._least)
        return self._indexes[language]


def _apart(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """The spans that touch none of those taken, in one pass over both."""
    by_start = sorted(taken, key=lambda s: s.start)
    found, at, reach = [], 0, 0
    for span in spans:
        while at < len(by_start) and by_start[at].start < span.end:
            reach = max(reach, by_start[at].end)
            at += 1
        if reach <= span.start:
            found.append(span)
    return found


def _merge(vocabularies: Sequence[Iterable[Term]]) -> tuple[Term, ...]:
    merged: dict[tuple[str, str, str], Term] = {}
    for vocabulary in vocabularies:
        for term in vocabulary:
            key = (term.text.casefold(), term.label, term.language)
            if key in merged:
                both: dict[Concept, None] = dict.fromkeys((*merged[key].concepts, *term.concepts))
                merged[key] = replace(merged[key], concepts=tuple(both))
            else:
                merged[key] = term
    return tuple(merged.values())
