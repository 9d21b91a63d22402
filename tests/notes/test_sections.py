"""Sections: what is a heading, what it stands for, and that the sections cover the note."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.notes.note import LANGUAGES, Note
from fedkit.notes.resources import read_table
from fedkit.notes.sections import SECTION_NAMES, sections


def found(text: str, language: str) -> list[tuple[str, str, str]]:
    return [(s.name, text[s.start : s.header_end], text[s.header_end : s.end].strip()) for s in sections(text, language)]


HEADINGS = [row["heading"] for row in read_table("sections.tsv")]


@given(
    st.lists(
        st.sampled_from([*HEADINGS[::7], "Noe annet:", "Feber.", "\n", "\r\n", ":", " ", "- ", "A", "\x00"]), max_size=25
    ).map("".join)
    | st.text(max_size=60),
    st.sampled_from([*LANGUAGES, ""]),
)
def test_sections_fit_their_note(text: str, language: str) -> None:
    parts = sections(text, language)
    Note("1", text, language, sections=parts).check()
    if parts:
        assert not text[: parts[0].start].strip()
        assert parts[-1].end == len(text)
        assert all(a.end == b.start for a, b in pairwise(parts))


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("nb", "Aktuelt: Fall.\nAllergi/CAVE\nPenicillin\nVURDERING stabil", ["reason", "allergy", "assessment"]),
        ("nn", "Faste medisinar:\n- Marevan\nVidare plan\nHeim", ["medication", "plan"]),
        ("sv", "KONTAKTORSAK\nFeber\nÖverkänslighet: PC\nBedömning: ÖLI", ["reason", "allergy", "assessment"]),
        ("da", "Objektivt: ia.\nKonklusion/Vurdering: rask", ["examination", "assessment"]),
        ("fi", "Tulosyy: kuume\nLÄÄKITYS\nMarevan\nEpikriisi", ["reason", "medication", "summary"]),
        ("et", "Kaebused: valu\nObjektiivne leid: ip\nOtsus/Kokkuvõte: koju", ["reason", "examination", "assessment"]),
        ("nb", "Familieanamnese: Mor hadde slag.\nTidligere sykdommer: KOLS", ["family_history", "past_history"]),
        ("", "Bedömning: frisk\nArvio: terve", ["assessment", "assessment"]),
    ],
)
def test_headings_have_one_name_in_all_languages(language: str, text: str, names: list[str]) -> None:
    assert [name for name, _, _ in found(text, language)] == names


def test_what_stands_before_the_first_heading_has_no_name() -> None:
    assert found("Hei.\nPlan: Hjem", "nb") == [("", "", "Hei."), ("plan", "Plan:", "Hjem")]


def test_an_unknown_heading_alone_on_its_line_names_itself() -> None:
    assert found("Egen overskrift:\nTekst", "nb") == [("egen overskrift", "Egen overskrift:", "Tekst")]
    assert found("Han sa: ja.\nHun sa da noe ganske annet enn det:\nNei", "nb") == []


def test_a_heading_within_a_line_needs_a_colon_and_a_full_stop_before_it() -> None:
    assert [n for n, _, _ in found("Status: Cor ia. Vurdering: Stabil.", "nb")] == ["examination", "assessment"]
    assert [n for n, _, _ in found("Status: Cor ia. Pulm ren. plan: hjem. Plan: Hjem", "nb")] == ["examination", "plan"]
    assert [n for n, _, _ in found("Status: Cor ia. Vurdering av hjertet gjøres. plan: hjem", "nb")] == ["examination"]


def test_words_that_begin_a_line_are_no_heading_for_that() -> None:
    assert found("Plan for dagen er hvile.\nStatus er god.", "nb") == []


def test_every_heading_of_the_list_is_known_and_found() -> None:
    for row in read_table("sections.tsv"):
        assert row["name"] in SECTION_NAMES
        assert [name for name, _, _ in found(f"{row['heading']}: x", row["language"])] == [row["name"]], row["heading"]
