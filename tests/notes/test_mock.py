"""Mock twins: the labels and language of a site, and nothing of its words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.corpus import Corpus
from fedkit.notes.mock import _MARKS, mock_twin
from fedkit.notes.note import LANGUAGES

_labels = st.lists(st.text("ABCDEFG_-é", min_size=1, max_size=8), min_size=1, max_size=9, unique=True)


@settings(max_examples=60, deadline=None)
@given(language=st.sampled_from((*LANGUAGES, "", "de")), labels=_labels, n=st.integers(1, 60), seed=st.integers())
def test_a_twin_fits_any_label_set_and_every_span_is_a_pseudo_word(language: str, labels: list[str], n: int, seed: int) -> None:
    twin = mock_twin(language, labels, n, seed)
    assert len(twin) == n
    assert len({note.id for note in twin}) == n
    assert {s.label for note in twin for s in note.spans} <= set(labels)
    for note in twin:
        note.check()
        for span in note.spans:
            word = note.text[span.start : span.end]
            assert re.fullmatch(r"\w{7,}", word)
            assert any(mark in word.casefold() for mark in _MARKS)


@settings(max_examples=20, deadline=None)
@given(labels=_labels, seed=st.integers(0, 2**32))
def test_forty_notes_hold_every_label(labels: list[str], seed: int) -> None:
    assert {s.label for note in mock_twin("nb", labels, 40, seed) for s in note.spans} == set(labels)


def test_equal_arguments_give_equal_notes_and_the_order_of_labels_is_none_of_them() -> None:
    assert mock_twin("fi", ("PER", "LOC"), 9, 4) == mock_twin("fi", ("LOC", "PER"), 9, 4)
    assert mock_twin("fi", ("PER", "LOC"), 9, 4) != mock_twin("fi", ("PER", "LOC"), 9, 5)


@pytest.mark.parametrize(("labels", "n"), [((), 3), (("A",), 0)])
def test_a_twin_of_nothing_is_refused(labels: tuple[str, ...], n: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        mock_twin("nb", labels, n, 1)


@pytest.mark.corpora
def test_no_name_of_the_real_benchmark_stands_in_its_twins(names5: Corpus) -> None:
    for site in names5.sites.values():
        words = {w.casefold() for note in site.mock for s in note.spans for w in [note.text[s.start : s.end]]}
        private = {n.text[s.start : s.end].casefold() for n in (*site.train, *site.dev, *site.test) for s in n.spans}
        assert words
        assert not words & private
