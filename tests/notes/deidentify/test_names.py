"""Names: lists, titles, neighbours, capitals and words never seen in lower case; and what a capital does not make a name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from deidentify import names as measure
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import ConfigurationError
from fedkit.notes.deidentify import find_identifiers, learn_words
from fedkit.notes.deidentify.words import LISTS, WordList, Words, word_list, words_for
from fedkit.notes.note import Note


def names_in(text: str, language: str) -> list[str]:
    return [text[i.start : i.end] for i in find_identifiers(text, language) if i.label == "NAME"]


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("Samtale med Kari Hansen i dag.", "nb", ["Kari Hansen"]),
        ("Finn Eilertsen ringte.", "nb", ["Finn Eilertsen"]),
        ("Tilsyn av dr. Per Lund.", "nb", ["Per Lund"]),
        ("Eilertsens kone ringte.", "nb", ["Eilertsens"]),
        ("S. Hansen møtte ikke.", "nb", ["S. Hansen"]),
        ("HANSEN, KARI", "nb", ["HANSEN", "KARI"]),
        ("Samtale med Horn i dag. Horn har det bra.", "nb", ["Horn", "Horn"]),
        ("Åse-Marie Bjørk-Lie kom.", "nb", ["Åse-Marie Bjørk-Lie"]),
        ("Samtal med Sven Åkerman idag.", "sv", ["Sven Åkerman"]),
        ("Hustruen Lise Svane deltog.", "da", ["Lise Svane"]),
        ("Keskusteltu Minttu Lintu kanssa.", "fi", ["Minttu Lintu"]),
        ("Virtasen vaimo soitti.", "fi", ["Virtasen"]),
        ("Rouva Nurminen kotiutui.", "fi", ["Nurminen"]),
        ("Abikaasa Aasa helistas.", "et", ["Aasa"]),
        ("Vestlus Jüri Tammega.", "et", ["Jüri Tammega"]),
        ("Konsulterat Ludwig van Beethoven.", "sv", ["Ludwig van Beethoven"]),
        ("Lintu sanoi voivansa hyvin.", "fi", ["Lintu"]),
        ("Myöhemmin von Sydow kotiutui.", "fi", ["von Sydow"]),
        ('Thomas ("Thom") Virtanen soitti.', "fi", ['Thomas ("Thom") Virtanen']),
        ("Blake sai lähetteen.", "fi", ["Blake"]),
    ],
)
def test_names_are_found(text: str, language: str, found: list[str]) -> None:
    assert names_in(text, language) == found


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Aktuelt: Pasienten har hatt Parkinsons sykdom. EKG viser atrieflimmer.", "nb"),
        ("Marevan og Albyl-E seponeres. Bytter Medtronic Azure.", "nb"),
        ("Hypertrofisk kardiomyopati. Pneumoni.", "nb"),
        ("Flyttet fra Polen til Norge.", "nb"),
        ("MR-betinget pacemaker, V40 caput.", "nb"),
        ("Bedömning: Hjärtsvikt. Tidigare frisk.", "sv"),
        ("Objektivt: Pt. er vågen. Crohns sygdom.", "da"),
        ("Tulosyy: rintakipu. Lääkitys: Bisoprolol 5 mg.", "fi"),
        ("Potilas sanoi voivansa hyvin. Äiti haluaa keskustella. Hän kysyi ajasta.", "fi"),
        ("Suomessa ja Euroopassa hoidettu.", "fi"),
        ("Kaebused: valu rinnus. Eestis ravitud.", "et"),
        ("Zyxoprim 20 mg x 2", "nb"),
    ],
)
def test_a_capital_alone_makes_no_name(text: str, language: str) -> None:
    assert names_in(text, language) == []


@pytest.mark.corpora
def test_people_in_news_are_masked_and_other_words_are_not(corpora: Path) -> None:
    """On the dev parts, on which choices were made; the benchmark reads the test parts."""
    for site, found in measure(corpora / "names5", "dev").items():
        assert found["recall"] >= 0.93, site
        assert found["masked_other"] <= 0.04, site


# --- word lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("nb", "kvinne"),
        ("nn", "kvinne"),
        ("sv", "kvinna"),
        ("da", "kvinde"),
        ("fi", "naisenkin"),
        ("et", "naisest"),
        ("en", "woman"),
    ],
)
def test_lists_hold_words_and_no_names(language: str, word: str) -> None:
    assert words_for(language).holds(word) or language == "fi"
    assert not words_for(language).holds("eilertsen")


@pytest.mark.parametrize("language", list(LISTS))
def test_every_language_has_its_lists(language: str) -> None:
    assert words_for(language).holds("the") == ("en" in LISTS[language])


@given(st.sets(st.text("abcåä", min_size=1, max_size=6), max_size=40), st.lists(st.text("abcåä", max_size=7), max_size=20))
def test_an_automaton_holds_its_words_and_no_others(words: set[str], others: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
    from build_word_lists import minimal_automaton, packed

    held = WordList(packed(*minimal_automaton(sorted(words))))
    assert all(word in held for word in words)
    assert all((word in held) == (word in words) for word in others)


def test_a_damaged_list_says_so() -> None:
    with pytest.raises(ConfigurationError):
        WordList(b"\x00" * 7)
    with pytest.raises(ConfigurationError, match="word list"):
        word_list("xx")


def test_a_site_teaches_its_own_words_but_no_names() -> None:
    notes = [Note(str(i), "fikk zyxoprim og spurte etter kari. Zyxoprim hjalp.", "nb") for i in range(6)]
    learnt = learn_words(notes)
    assert learnt["nb"] == {"zyxoprim"}
    text = "Fikk så Zyxoprim."
    assert names_in(text, "nb") == ["Zyxoprim"]
    words = words_for("nb", learnt["nb"])
    assert isinstance(words, Words)
    assert [text[i.start : i.end] for i in find_identifiers(text, "nb", words=words)] == ["Zyxoprim"]
    assert not find_identifiers("Zyxoprim hjalp.", "nb", words=words)
