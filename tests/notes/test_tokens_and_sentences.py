"""Tokens, sentences and abbreviations: what a range may be, what a period ends, and the scores on Universal Dependencies."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fedkit.ner.encoding import words_of
from fedkit.notes.abbreviations import abbreviations, ambiguous, closing, dotted, expand
from fedkit.notes.note import LANGUAGES, Note
from fedkit.notes.sentences import sentences
from fedkit.notes.tokens import pieces, words

languages = st.sampled_from([*LANGUAGES, "en", "", "xx"])
#: Text as records hold it: words, abbreviations, signs, blanks of all kinds, line ends of all kinds, and anything at all.
notes = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [
                "feber",
                "Ingen",
                "p.g.a.",
                "dr.",
                "J.",
                "2,5",
                "12.",
                "mai",
                ".",
                "!",
                "?",
                ":",
                ";",
                "-",
                "\n",
                "\r\n",
                "\n\n",
                " ",
                "\u00a0",
                "\t",
                "\x00",
                "mg",
                "H&M",
                "EU:n",
                "…",
                "a\u030a",
                "🩺",
                "(",
                ")",
                "»",
                "S-",
                "x@y.no",
                ":)",
            ]
        ),
        max_size=40,
    ).map("".join),
)


def cut(text: str, language: str) -> list[str]:
    return [text[a:b] for a, b in words(text, language)]


def split(text: str, language: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text, language)]


# --- properties ----------------------------------------------------------------------------------------------------------


@example("0@0.A\N{COMBINING GRAVE ACCENT}", "nb")
@example("a@o\N{COMBINING DIAERESIS}.fi", "fi")
@given(notes, languages)
def test_words_are_whole_runs_of_pieces_and_leave_only_blanks(text: str, language: str) -> None:
    """Rules read words, the tagger reads pieces: both speak of the same places."""
    fine = pieces(text)
    starts, ends = {a for a, _ in fine}, {b for _, b in fine}
    at = 0
    for start, end in words(text, language):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert "\n" not in text[start:end]
        assert start in starts
        assert end in ends
        at = end
    assert not text[at:].strip()


@given(notes, languages)
def test_sentences_are_in_order_and_leave_only_blanks(text: str, language: str) -> None:
    at = 0
    for start, end in sentences(text, language):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@given(notes, languages)
def test_expansions_lie_on_what_they_expand(text: str, language: str) -> None:
    at = 0
    for found in expand(text, language):
        assert at <= found.start < found.end <= len(text)
        assert found.expansion
        at = found.end


@given(notes)
def test_the_tagger_reads_the_same_pieces(text: str) -> None:
    found = words_of(Note("1", text, "nb"))
    assert [*zip(found.starts.tolist(), found.ends.tolist(), strict=True)] == pieces(text)


# --- what a period ends --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("nb", "Innlagt pga. brystsmerter. Fikk tbl. Albyl-E.", ["Innlagt pga. brystsmerter.", "Fikk tbl. Albyl-E."]),
        ("nb", "Operert 12. mai 2019. Kontroll 3.6.", ["Operert 12. mai 2019.", "Kontroll 3.6."]),
        ("nb", "Sett av dr. J. Hansen. Temp. 38,5. Ingen hoste", ["Sett av dr. J. Hansen.", "Temp. 38,5.", "Ingen hoste"]),
        ("nb", "Feber.Ingen hoste.", ["Feber.", "Ingen hoste."]),
        ("nb", "Tok ASA, ibux osv. Ble bedre.", ["Tok ASA, ibux osv.", "Ble bedre."]),
        ("nb", "1. Paracet 1 g\n2. Marevan 2,5 mg", ["1. Paracet 1 g", "2. Marevan 2,5 mg"]),
        ("nn", "Har m.a. astma. Brukar t.d. Ventoline.", ["Har m.a. astma.", "Brukar t.d. Ventoline."]),
        ("sv", "Inkom p.g.a. feber. Ev. pneumoni.", ["Inkom p.g.a. feber.", "Ev. pneumoni."]),
        ("da", "Indl. pga. feber. Obs. pneumoni.", ["Indl. pga. feber.", "Obs. pneumoni."]),
        (
            "fi",
            "Tuli pkl. kontrolliin n. 3 vk. kuluttua. Ei kuumetta.",
            ["Tuli pkl. kontrolliin n. 3 vk. kuluttua.", "Ei kuumetta."],
        ),
        ("et", "Tuli vastuvõtule s.t. kontrolli. Vt. uuringud.", ["Tuli vastuvõtule s.t. kontrolli.", "Vt. uuringud."]),
        ("nb", "Status: God allmenntilstand", ["Status: God allmenntilstand"]),
        ("nb", "Linje en\nLinje to\n\n\nLinje tre", ["Linje en", "Linje to", "Linje tre"]),
        ("nb", "Har lenge hatt plager fra venstre hofte, verst om natten og\nved gange.", None),
        ("nb", "Frisk?! Ja. («Nei.»)", ["Frisk?!", "Ja.", "(«Nei.»)"]),
        ("nb", " \n\t ", []),
        ("nb", "", []),
    ],
)
def test_sentences_of_notes(language: str, text: str, expected: list[str] | None) -> None:
    assert split(text, language) == ([text] if expected is None else expected)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("nb", "Fikk f.eks. 2,5 mg.", ["Fikk", "f.eks.", "2,5", "mg", "."]),
        ("nb", "hud- og bløtdelsinfeksjon", ["hud-", "og", "bløtdelsinfeksjon"]),
        ("nb", "i 1990-årene, kl. 12:30", ["i", "1990-årene", ",", "kl.", "12:30"]),
        ("nb", "den 12. mai. Slutt.", ["den", "12.", "mai", ".", "Slutt", "."]),
        ("sv", "den 12 maj. S:t Göran", ["den", "12", "maj", ".", "S:t", "Göran"]),
        ("fi", "EU:n 5:n H&M:n", ["EU:n", "5:n", "H&M:n"]),
        ("da", "dr. H. L. Hansen", ["dr.", "H.", "L.", "Hansen"]),
        ("nb", "post@sykehus.no https://helse.no/a?b=1.", ["post@sykehus.no", "https://helse.no/a?b=1", "."]),
        ("nb", "BT 140/80, CRP<5", ["BT", "140/80", ",", "CRP", "<", "5"]),
        ("nb", "hva… nei...", ["hva", "…", "nei", "..."]),
    ],
)
def test_words_of_notes(language: str, text: str, expected: list[str]) -> None:
    assert cut(text, language) == expected


def test_a_word_that_is_an_abbreviation_as_well_ends_its_sentence() -> None:
    assert split("Han ville være med. Det gikk.", "nb") == ["Han ville være med.", "Det gikk."]
    assert cut("Han ville være med. Det gikk.", "nb")[3:5] == ["med", "."]
    assert cut("Overført til med. avd.", "nb")[2] == "med."


def test_abbreviations_in_full_with_and_without_period() -> None:
    text = "Tbl. Marevan pga. AF, beh hos med. avd"
    assert [(text[a.start : a.end], a.expansion) for a in expand(text, "nb")] == [
        ("Tbl.", "tablett"),
        ("pga.", "på grunn av"),
        ("beh", "behandling"),
        ("med.", "medisinsk"),
        ("avd", "avdeling"),
    ]
    assert not expand("Han var med til byen", "nb")  # a word, not "medisinsk"


@pytest.mark.parametrize("language", [*LANGUAGES, "en"])
def test_every_list_is_sound(language: str) -> None:
    known = abbreviations(language)
    assert len(known) > 20
    assert all(short.strip() == short and full.strip() == full and full for short, full in known.items())
    assert closing(language) <= known.keys()
    assert dotted(language) <= known.keys()
    assert all(word + "." in known for word in ambiguous(language))


def test_an_unknown_language_has_all_lists() -> None:
    assert {"pga.", "esim.", "vt."} <= dotted("xx") == dotted("")


# --- treebanks -----------------------------------------------------------------------------------------------------------


@pytest.mark.corpora
@pytest.mark.parametrize("what", ["tokens", "sentences"])
def test_scores_on_universal_dependencies(corpora: object, what: str) -> None:
    import text

    scores, least = (text.token_scores(), 0.98) if what == "tokens" else (text.sentence_scores(), 0.85)
    assert set(scores) == set(LANGUAGES)
    assert min(scores.values()) >= least, scores
