"""The check of mock notes: fedkit's own twins pass it, and every way to cheat is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.corpus import Corpus
from fedkit.notes.mock import mock_twin
from fedkit.notes.note import CLINICAL_LABELS, Note, Span
from fedkit.notes.privacy import check_mock, membership
from fedkit.notes.synthetic import synthesise
from fedkit.notes.synthetic.records import make_records


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return synthesise(notes_per_site=160, seed=11, splits={"dev": 5, "test": 5})


def halves(corpus: Corpus, site: str) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    notes = corpus.sites[site].train
    return notes[::2], notes[1::2]


@pytest.mark.parametrize("site", ["no", "sv", "da", "fi", "et"])
def test_a_twin_gives_nothing_away(corpus: Corpus, site: str) -> None:
    members, others = halves(corpus, site)
    report = check_mock(corpus.sites[site].mock, members, others)
    assert report.findings == ()
    assert report.membership is not None
    assert report.membership.low <= 0.5 <= report.membership.high


def test_a_twin_gives_nothing_away_of_whole_records() -> None:
    notes = [n for r in make_records("fi", "train", 30, seed=4) for n in r.notes]
    assert check_mock(mock_twin("fi", CLINICAL_LABELS, 40, 1), notes[::2], notes[1::2]).ok


def test_a_copied_note_a_copied_form_and_a_copied_run_are_found(corpus: Corpus) -> None:
    members, _ = halves(corpus, "no")
    mock = corpus.sites["no"].mock
    victim = next(n for n in members if n.spans)
    assert check_mock((*mock, replace(victim, id="m")), members).identical == 1
    form = victim.text_of(victim.spans[0])
    assert check_mock((*mock, Note("m", f"Oppføring 3: {form.upper()}.", "nb")), members).forms == 1
    run = " ".join(victim.text.split()[:7])
    report = check_mock((*mock, Note("m", run, "nb")), members)
    assert report.runs >= 1
    assert any("runs of 5 words" in finding for finding in report.findings)


def test_where_no_note_is_like_the_mock_notes_nobody_is_told_from_anybody(corpus: Corpus) -> None:
    members, others = halves(corpus, "no")
    found = membership([Note("m", "0123456789", "nb")], members, others[:10])
    assert (found.auc, found.ok) == (0.5, True)


def test_notes_that_were_used_are_told_from_notes_that_were_not(corpus: Corpus) -> None:
    """Private notes with one word in six changed: no note, and hardly a run, is the same, and membership shows all the same."""
    members, others = halves(corpus, "da")
    mock = []
    for n in members[:40]:
        words = n.text.split()
        words[::6] = ["xqi"] * len(words[::6])
        mock.append(Note(n.id, " ".join(words), "da"))
    found = membership(mock, members[:40], others[:40])
    assert not found.ok
    assert found.auc > 0.9
    assert any("told from others" in f for f in check_mock(mock, members[:40], others[:40]).findings)


def test_the_report_holds_no_word_of_a_note(corpus: Corpus) -> None:
    members, others = halves(corpus, "no")
    report = check_mock(members[:20], members, others)
    assert not report.ok
    private = {w for n in members for w in n.text.casefold().split() if len(w) > 6}
    assert not private & set(f"{report!r} {report.findings}".casefold().split())


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=30), min_size=3, max_size=8))
def test_any_text_can_be_checked_and_the_area_is_one(texts: list[str]) -> None:
    notes = [Note(str(i), t, "nb", (Span(0, len(t), "X"),) if t else ()) for i, t in enumerate(texts)]
    report = check_mock(notes[:1], notes[1:2], notes[2:])
    assert report.membership is not None
    assert 0 <= report.membership.low <= report.membership.auc <= report.membership.high <= 1


def test_without_notes_there_is_nothing_to_check() -> None:
    with pytest.raises(ValueError, match="mock notes and private notes"):
        check_mock((), ())
