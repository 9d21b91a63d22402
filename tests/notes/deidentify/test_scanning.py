"""A glance leaves out only what a rule could not have found: every rule reads with and without, and finds the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.notes.deidentify import Identifier, ages, care_units, contacts, dates, find_identifiers, ids, months, places
from fedkit.notes.deidentify.scanning import BLOT, TOKEN, Glance, blotted, figures, glance, shows, word_sign
from fedkit.notes.memory import LONGEST, Memory

MODULES = (ages, care_units, contacts, dates, ids, months, places)
LANGUAGES = ("nb", "nn", "sv", "da", "fi", "et", "en", "")

#: What rules look for, and what is nearly that.
PIECES = (
    "12.05.18", "12. mai 2018", "1.2.18", "den 5/12", "10. og 12. mai", "12 V 2018", "i mars", "januar 2019", "20180512",
    "5/12-2018", "3-4 2019", "07:30", "tlf 22334455", "tlf:22 33 44 55", "telf. 22", "puh 123456", "+47 22 33 44 55",
    "0046 8 123 456", "(08) 12 34 56", "070-123 45 67 ank. 5", "fnr 13884140220", "131052-308T", "138841 40220",
    "p.nr 12345", "f.nr. 12345", "id X1234", "idABC123", "IKT-12345", "s/n 123X4", "n:o 123", "journaln:o 12345",
    "pasient-id AB-123", "lot nr 12a4", "ABC-12345", "0123456", "Storgata 5", "Kirkeveien 12B, 0450 Oslo", "tn. 5",
    "postboks 12", "0450 OSLO", "Mo i Rana", "Aalborg", "Ala-Malmissa", "Haukeland sykehus", "Avdeling for kirurgi",
    "avd. 5B", "osasto nr. A-3", "St. Olavs", "HUSs", "90 år", "(78 år)", "mann på 78 år", "80v mies", "5 a vanune",
    "60-talet (", "67 y/o", "alder: 67", "nittiårig", "er 45 år og", "pas. 8 v", "alderpå 4", "kari@uio.no",
    "kari at uio dot no", "a (at) b.no", "www.vg.no", "xhttp://a.b", "ikke", "identifisert", "Kari", "HANSEN, KARI",
    "dr. Hansen", "og", "5", "12", "119/92", "50 mg", ".", ",", ":", "-", "/", "(", ")", "\n", "\xa0", "́", "A", "x",
    "van der Berg", "II", "\x00", "[NAME]",
)  # fmt: skip


class Everything:
    """Figures that leave nothing out."""

    def __init__(self, text: str) -> None:
        real = glance(text).figures
        self.places, self.runs, self.parts = real.places, real.runs, real.parts
        self.longest = 99 if self.places else 0

    def of(self, size: int, runs: int = 1) -> list[int]:
        return self.places

    def long(self, *sizes: int) -> list[int]:
        return self.places


@contextmanager
def without_glances() -> Iterator[None]:
    """Every rule reads the whole text, whatever stands in it."""
    anything = re.compile("")
    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            for name, instead in (
                ("shows", lambda text, sign: True),
                ("signed", lambda text, sign: ((m.start(), m.end()) for m in TOKEN.finditer(text))),
                ("figures", Everything),
            ):
                if hasattr(module, name):
                    patch.setattr(module, name, instead)
        patch.setattr(ages, "_YEARS", anything)
        patch.setattr(ages, "_around", lambda pattern, text, at: pattern.finditer(text))
        patch.setattr(care_units, "_NUMBER_BEHIND", anything)
        patch.setattr(contacts, "_SIGN", anything)
        patch.setattr(dates, "_DAY_MONTH", anything)
        patch.setattr(dates, "_has_year", lambda seen: True)
        patch.setattr(ids, "_glued", lambda text: True)
        patch.setattr(places, "_NUMBER_BEHIND", anything)
        patch.setattr(places, "_BEFORE_TOWN", anything)
        patch.setattr(places, "_may_name", lambda text, language: True)
        yield


def both(text: str, language: str) -> tuple[tuple[Identifier, ...], tuple[Identifier, ...]]:
    found = find_identifiers(text, language)
    with without_glances():
        return found, find_identifiers(text, language)


def test_on_notes_of_every_site() -> None:
    corpus: Corpus = read_corpus(Path(__file__).resolve().parents[3] / "data_samples")
    for site in corpus.sites.values():
        for note in site.train[:60]:
            quick, slow = both(note.text, note.language)
            assert quick == slow


@pytest.mark.corpora
def test_on_running_text_with_names(names5: Corpus) -> None:
    for site in names5.sites.values():
        for note in site.dev[:150]:
            quick, slow = both(note.text, note.language)
            assert quick == slow


def test_on_every_two_pieces_beside_each_other() -> None:
    for i, one in enumerate(PIECES):
        for j, other in enumerate(PIECES):
            language = LANGUAGES[(i + j) % len(LANGUAGES)]
            quick, slow = both(f"{one} {other}", language)
            assert quick == slow, (one, other, language)


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=14),
    blanks=st.lists(st.sampled_from(["", " ", " ", " "]), min_size=14, max_size=14),
    language=st.sampled_from(LANGUAGES),
)
def test_on_anything(pieces: list[str], blanks: list[str], language: str) -> None:
    text = "".join(piece + blank for piece, blank in zip(pieces, blanks, strict=False))
    quick, slow = both(text, language)
    assert quick == slow


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=12),
    cuts=st.lists(st.tuples(st.integers(0, 120), st.integers(1, 12)), max_size=5),
)
def test_what_is_left_of_a_blotted_text_is_what_stands_in_it(pieces: list[str], cuts: list[tuple[int, int]]) -> None:
    text = " ".join(pieces)
    rest = blotted(text, [(a, min(a + n, len(text))) for a, n in cuts if a < len(text)])
    assert len(rest) == len(text)
    assert all(c in (BLOT, old) for c, old in zip(rest, text, strict=True))
    kept, fresh = glance(rest), Glance.at(rest)
    assert (list(kept.starts), list(kept.spelled)) == (list(fresh.starts), list(fresh.spelled))
    assert list(kept.figures.parts) == list(fresh.figures.parts)
    assert kept.tokens >= fresh.tokens
    assert kept.signs & fresh.signs == fresh.signs


def test_a_sign_is_a_whole_word_in_either_case() -> None:
    sign = word_sign("hetu|isikukood")
    assert shows("Hetu: 131052-308T", sign)
    assert shows("(ISIKUKOOD)", sign)
    assert not shows("hetuton", sign)


def test_figures_that_stand_together_are_one_part() -> None:
    assert [part.runs for part in figures("BT 120/80, ring 22 33 44 55. 131052-T308 5 mg").parts] == [
        ("120", "80"),
        ("22", "33", "44", "55", "131052", "308", "5"),
    ]


def test_a_memory_forgets_before_it_grows_and_keeps_no_long_word() -> None:
    asked: list[str] = []

    def length(word: str) -> int:
        asked.append(word)
        return len(word)

    memory: Memory[Any] = Memory(length, most=3)
    assert [memory[word] for word in ("a", "bb", "a", "x" * (LONGEST + 1), "x" * (LONGEST + 1))] == [1, 2, 1, 65, 65]
    assert asked.count("a") == 1
    assert asked.count("x" * (LONGEST + 1)) == 2
    for word in ("c", "d", "e", "f"):
        assert memory[word] == 1
        assert len(memory) <= 3
