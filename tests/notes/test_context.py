"""Context: scopes, terminators, lists, either side, morphology; evidence for every cue; the Norwegian gold corpus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.notes.context import context_of, cues, scopes, with_context
from fedkit.notes.note import CONTEXT_ATTRIBUTES, LANGUAGES, Note, Section, Span

CATEGORIES = {*CONTEXT_ATTRIBUTES, "pseudo", "terminator", "clause", "corrective"}


def said(marked: str, language: str) -> list[str]:
    """What is said of each [mention] of a text: "" or names, joined by a blank."""
    spans, text = [], ""
    for part in re.split(r"(\[.*?\])", marked):
        if part.startswith("["):
            spans.append(Span(len(text), len(text) + len(part) - 2, "FINDING"))
            part = part[1:-1]
        text += part
    note = with_context(Note("1", text, language, tuple(spans)))
    return [" ".join(s.attributes) for s in note.spans]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("nb", "Ingen [feber], [hoste] eller [dyspné], men [smerter].", ["negated"] * 3 + [""]),
        ("nb", "Ikke tegn til [pneumoni]. [Hoste].", ["negated", ""]),
        ("nb", "[Feber] hadde han ikke.", ["negated"]),
        ("nb", "[Pneumoni] avkreftet.", ["negated"]),
        ("nb", "Ikke bare [feber].", [""]),
        ("nb", "Tåler ikke [penicillin].", [""]),
        ("nb", "[Pneumoni] kan ikke utelukkes.", ["uncertain"]),
        ("nb", "Mulig [pneumoni].", ["uncertain"]),
        ("nb", "[Pneumoni]?", ["uncertain"]),
        ("nb", "Tidligere [hjerteinfarkt].", ["historical"]),
        ("nb", "Mor hadde [brystkreft].", ["family"]),
        ("nb", "[Brystkreft] hos mor.", ["family"]),
        ("nb", "Hvis [feber], ta kontakt.", ["hypothetical"]),
        ("nn", "Ikkje [feber], men [hoste].", ["negated", ""]),
        ("nn", "Utan [smerter].", ["negated"]),
        ("sv", "Ingen [feber]. Inte [hosta] utan [dyspné].", ["negated", "negated", ""]),
        ("sv", "Utan [feber].", ["negated"]),
        ("sv", "Tål inte [penicillin].", [""]),
        ("sv", "Misstänkt [pneumoni], mor hade [cancer].", ["uncertain", "family"]),
        ("da", "Ikke [feber] eller [hoste]. Uden [smerter].", ["negated"] * 3),
        ("da", "Patienten benægter [smerter].", ["negated"]),
        ("fi", "Ei [kuumetta] eikä [yskää], [hengenahdistusta] on.", ["negated", "negated", ""]),
        ("fi", "[Kuumetta] ei ole, [yskää] on.", ["negated", ""]),
        ("fi", "Ilman [kuumetta].", ["negated"]),
        ("fi", "[Kuumeetta], [oireitta].", ["negated", "negated"]),
        ("fi", "[Kuumetta] ja [sairautta].", ["", ""]),  # partitives, not abessives
        ("fi", "Ei siedä [penisilliiniä].", [""]),
        ("fi", "[Keuhkokuumetta] ei voida sulkea pois.", ["uncertain"]),
        ("fi", "Äidillä [rintasyöpä].", ["family"]),
        ("et", "[Palavikku] ei ole, [köha] on.", ["negated", ""]),
        ("et", "Pole [palavikku] ega [köha].", ["negated", "negated"]),
        ("et", "Eitab [valu].", ["negated"]),
        ("et", "[Palavikuta].", ["negated"]),
        ("et", "Võimalik [kopsupõletik].", ["uncertain"]),
        ("en", "No [fever] or [cough], but [pain].", ["negated", "negated", ""]),
        ("en", "Denies [pain]. History of [stroke].", ["negated", "historical"]),
        ("xx", "Ikke [feber].", [""]),
    ],
)
def test_what_is_said(language: str, text: str, expected: list[str]) -> None:
    assert said(text, language) == expected


def test_a_cue_reaches_over_six_words_and_no_further() -> None:
    assert said(f"Ikke {'ord ' * 6}[feber].", "nb") == ["negated"]
    assert said(f"Ikke {'ord ' * 7}[feber].", "nb") == [""]


def test_a_list_of_any_length_is_one_scope_until_a_clause_begins() -> None:
    items = ", ".join(f"ord ord ord ord [funn{i}]" for i in range(30))
    assert said(f"Ingen {items} eller [feber], men [hoste].", "nb") == ["negated"] * 31 + [""]
    assert said("Ingen [feber], pasienten har [hoste].", "nb") == ["negated", ""]


@pytest.mark.parametrize("end", [".", ";", "\n\n", "!"])
def test_no_cue_reaches_over_the_end_of_a_sentence(end: str) -> None:
    assert said(f"Ikke [feber]{end} [Hoste] og slapp.", "nb") == ["negated", ""]


def test_a_cue_inside_a_mention_is_part_of_it() -> None:
    assert said("[Ikke-steroid betennelse] og [uten navn syndrom].", "nb") == ["", ""]


def test_a_section_says_it_of_all_in_it() -> None:
    text = "Familieanamnese: Brystkreft. Plan: Kontroll."
    spans = [Span(17, 27, "X"), Span(35, 43, "X")]
    parts = [Section(0, 29, "family_history", 16), Section(29, len(text), "plan", 34)]
    assert context_of(text, spans, "nb", (), parts) == [{"family"}, set()]


def test_attributes_that_are_there_stay() -> None:
    note = Note("1", "Ikke feber", "nb", (Span(5, 10, "X", {"negated": "false", "grade": "2"}),))
    assert with_context(note).spans[0].attributes == {"negated": "false", "grade": "2"}


@given(
    st.lists(
        st.sampled_from(
            ["ikke", "ei", "feber", "men", ",", ".", "mor", "?", "uten", "utan", "inte", "og", "\n", "har", "kuumeetta"]
        ),
        max_size=30,
    ).map(" ".join),
    st.lists(st.tuples(st.integers(0, 120), st.integers(1, 12)), max_size=8),
    st.sampled_from([*LANGUAGES, "en", ""]),
)
def test_any_text_and_any_spans_overlapping_or_not(text: str, places: list[tuple[int, int]], language: str) -> None:
    spans = sorted((Span(a, min(a + n, len(text)), "X") for a, n in places if a < len(text)), key=lambda s: (s.start, s.end))
    note = with_context(Note("1", text, language, tuple(spans)))
    note.check()
    assert [(s.start, s.end, s.label) for s in note.spans] == [(s.start, s.end, s.label) for s in spans]
    assert all(name in CONTEXT_ATTRIBUTES and value == "true" for s in note.spans for name, value in s.attributes.items())
    for scope in scopes(text, spans, language):
        assert 0 <= scope.cue_start < scope.cue_end <= len(text)
        assert all(0 <= place < len(spans) for place in scope.spans)


@pytest.mark.parametrize("language", [*LANGUAGES, "en"])
def test_every_cue_has_a_source_and_evidence(language: str) -> None:
    every = cues(language)
    assert {c.category for c in every} >= {*CONTEXT_ATTRIBUTES, "terminator"}
    for cue in every:
        assert cue.category in CATEGORIES
        assert cue.direction in ("before", "after", "both", "")
        assert cue.source
        assert re.fullmatch(r"n=\d+( ud=\d+/\d+)?( gold=\d+/\d+)?( past=\d+/\d+| cond=\d+/\d+)?( like=\S+)?", cue.evidence), cue
        if cue.category == "negated":
            assert cue.evidence != "n=0", cue
    assert len({(c.words, c.category, c.direction) for c in every}) == len(every)


@pytest.mark.corpora
def test_norwegian_gold(corpora: Path) -> None:
    import text

    found = text.negation_scores()
    assert found["negated"] == 29
    assert found["precision"] >= 0.85
    assert found["recall"] >= 0.85


@pytest.mark.corpora
@pytest.mark.parametrize("language", ["nb", "nn", "sv", "fi", "et"])
def test_recall_of_negation_by_the_trees_of_other_people(corpora: Path, language: str) -> None:
    import text

    assert text.syntactic_negation(language)["recall"] >= 0.8
