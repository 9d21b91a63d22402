"""Text to words, spans to tags, and back.

Words are code-point ranges of the note's text: its own tokens aligned to the text where the corpus has them, otherwise
fedkit's tokeniser. Tags are IOB2 (Ramshaw & Marcus 1995; Sang & Veenstra 1999): class 0 is O, then B- and I- of each label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fedkit.errors import CorpusError
from fedkit.notes.note import Note, Span
from fedkit.notes.tokens import pieces

#: The tag of a word that must not be learnt from, in `loss`.
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Words:
    """A note cut into words: `text[starts[i]:ends[i]]`; the arrays are int32 of shape (words,)."""

    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


def words_of(note: Note) -> Words:
    """The words of a note. Raises CorpusError if the note's own tokens do not occur in its text in this order."""
    if note.tokens is None:
        ranges = pieces(note.text)  # entities end at these, as in "V40" or "aspirin-utløst"
    else:
        ranges, at = [], 0
        for number, token in enumerate(note.tokens):
            start = note.text.find(token, at)
            if start < 0 or note.text[at:start].strip():
                raise CorpusError(
                    f"note {note.id}: token {number + 1} does not stand in the text where it should",
                    expected="tokens in the order of the text with only blanks between them",
                    got=f"a mismatch after character {at}",
                    help="mend the tokens, or leave them out to use fedkit's own",
                )
            at = start + len(token)
            if token.strip():
                ranges.append((start, at))
    array = np.asarray(ranges, dtype=np.int32).reshape(-1, 2)
    return Words(array[:, 0].copy(), array[:, 1].copy())


def tag_names(labels: Sequence[str]) -> tuple[str, ...]:
    """O, B-first, I-first, B-second, …: the name of every class."""
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def tags_of(words: Words, spans: Sequence[Span], labels: Sequence[str]) -> np.ndarray:
    """int64 (words,): the class of each word. A word that overlaps a span belongs to it; labels not asked for are O."""
    tags = np.zeros(len(words), dtype=np.int64)
    for span in spans:
        if span.label in labels:
            first = int(np.searchsorted(words.ends, span.start, side="right"))
            last = int(np.searchsorted(words.starts, span.end, side="left"))
            if first < last:
                begin = 1 + 2 * labels.index(span.label)
                tags[first:last] = begin + 1
                tags[first] = begin
    return tags


def spans_of(words: Words, tags: Sequence[int] | np.ndarray, labels: Sequence[str]) -> tuple[Span, ...]:
    """The spans of a tag sequence. An I- that continues nothing begins a span, as in conlleval."""
    found: list[Span] = []
    open_label, start, end = -1, 0, 0
    for i, tag in enumerate(np.asarray(tags).tolist()):
        label, inside = (tag - 1) // 2 if tag else -1, tag and tag % 2 == 0
        if open_label >= 0 and not (inside and label == open_label):
            found.append(Span(start, end, labels[open_label]))
            open_label = -1
        if label >= 0:
            if open_label < 0:
                open_label, start = label, int(words.starts[i])
            end = int(words.ends[i])
    if open_label >= 0:
        found.append(Span(start, end, labels[open_label]))
    return tuple(found)


def best_tags(scores: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The best IOB2 sequence for each note: Viterbi (1967) where I-x may follow only B-x or I-x.

    scores: for each note float32 (words, classes), log-probabilities up to a constant a word. Returns int64 (words,) each.
    Notes run side by side, so the loop is as long as the longest note, not as all of them.
    """
    if not scores:
        return []
    lengths = np.array([len(s) for s in scores])
    longest, classes = int(lengths.max()), scores[0].shape[1]
    padded = np.zeros((len(scores), longest, classes), dtype=np.float32)
    for row, score in enumerate(scores):
        padded[row, : len(score)] = score
    begins = np.arange(1, classes, 2)
    insides = begins + 1
    back = np.zeros((longest, len(scores), classes), dtype=np.int64)
    best = np.full((len(scores), classes), -np.inf, dtype=np.float32)
    if longest:
        best[:] = padded[:, 0]
        best[:, insides] = -np.inf
    final = best.copy()
    for t in range(1, longest):
        top = best.argmax(axis=1)
        back[t] = top[:, None]
        arriving = np.repeat(best.max(axis=1)[:, None], classes, axis=1)
        continues = best[:, insides] >= best[:, begins]
        back[t][:, insides] = np.where(continues, insides, begins)
        arriving[:, insides] = np.where(continues, best[:, insides], best[:, begins])
        best = arriving + padded[:, t]
        final[lengths > t] = best[lengths > t]
    tags = np.zeros((len(scores), longest), dtype=np.int64)
    current = final.argmax(axis=1)
    for t in range(longest - 1, -1, -1):
        inside = lengths > t
        tags[inside, t] = current[inside]
        current = np.where(inside, back[t][np.arange(len(scores)), current], current)
    return [tags[row, :length] for row, length in enumerate(lengths)]
