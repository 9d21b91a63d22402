"""Words, tags and spans: what is written is read back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import CorpusError
from fedkit.ner.encoding import best_tags, spans_of, tag_names, tags_of, words_of
from fedkit.notes.note import Note, Span

LABELS = ("DRUG", "IMPLANT")


def texts(note):
    words = words_of(note)
    return [note.text[a:b] for a, b in zip(words.starts, words.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fikk Exeter V40, 32mm.", ["Fikk", "Exeter", "V", "40", ",", "32", "mm", "."]),
        ("aspirin-utløst", ["aspirin", "-", "utløst"]),
        ("H&M:n äiti", ["H", "&", "M", ":", "n", "äiti"]),
        ("a\u0308iti", ["a\u0308iti"]),
        ("  \n", []),
    ],
)
def test_fedkits_own_words(text, words):
    assert texts(Note("a", text, "fi")) == words


def test_the_corpus_own_tokens_are_aligned_to_the_text():
    note = Note("a", "Vi så H&M:n i  Oslo.", "nb", tokens=("Vi", "så", "H&M:n", "i", "Oslo", "."))
    assert texts(note) == list(note.tokens)


@pytest.mark.parametrize("tokens", [("Oslo", "Vi"), ("Vi", "Bergen"), ("Oslo",)])
def test_tokens_that_do_not_stand_in_the_text_are_refused_without_showing_it(tokens):
    with pytest.raises(CorpusError) as caught:
        words_of(Note("n7", "Vi så Oslo", "nb", tokens=tokens))
    assert "n7" in str(caught.value)
    assert "Oslo" not in caught.value.diagnostics()


@st.composite
def notes_with_spans(draw):
    words = draw(st.lists(st.sampled_from(["Marevan", "V", "40", "hofte", ",", "Ärr"]), min_size=1, max_size=12))
    text = " ".join(words)
    starts = [0, *itertools.accumulate(len(w) + 1 for w in words)]
    spans, at = [], 0
    while at < len(words):
        length = draw(st.integers(0, 3))
        if length and at + length <= len(words):
            last = at + length - 1
            spans.append(Span(starts[at], starts[last] + len(words[last]), draw(st.sampled_from(LABELS))))
        at += max(1, length)
    return Note("a", text, "nb", tuple(spans))


@given(notes_with_spans())
def test_spans_on_word_borders_survive_tags(note):
    words = words_of(note)
    assert spans_of(words, tags_of(words, note.spans, LABELS), LABELS) == note.spans


@given(st.lists(st.integers(0, 4), max_size=12))
def test_any_tag_sequence_gives_spans_in_order_that_do_not_overlap(tags):
    note = Note("a", " ".join("abc" for _ in tags), "nb")
    Note("a", note.text, "nb", spans_of(words_of(note), tags, LABELS)).check()


def test_a_span_that_ends_inside_a_word_takes_the_whole_word():
    note = Note("a", "hofteprotesen satt", "nb", (Span(0, 11, "IMPLANT"),))
    words = words_of(note)
    assert spans_of(words, tags_of(words, note.spans, LABELS), LABELS) == (Span(0, 13, "IMPLANT"),)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_the_best_tags_are_those_of_trying_all_allowed_sequences(lengths, seed):
    rng = np.random.default_rng(seed)
    scores = [rng.normal(size=(length, 5)).astype(np.float32) for length in lengths]
    names = tag_names(LABELS)

    def allowed(sequence):
        before = ("O", *(names[t] for t in sequence))
        return all(not b.startswith("I-") or a[2:] == b[2:] for a, b in itertools.pairwise(before))

    for score, tags in zip(scores, best_tags(scores), strict=True):
        best = max(
            (s for s in itertools.product(range(5), repeat=len(score)) if allowed(s)),
            key=lambda s: sum(float(score[i, t]) for i, t in enumerate(s)),
        )
        assert tags.tolist() == list(best)
