"""Shapes: no number, address or date of a person survives, whatever its separators and digits, and measurements stay."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renderings import LANGUAGE, renderings, survivors

from fedkit.notes.deidentify import Identifier, find_identifiers
from fedkit.notes.deidentify.folding import fold
from fedkit.notes.deidentify.model import CLASSES, union


def masked(text: str, language: str = "nb") -> str:
    """The text with a dot for every letter or digit of an identifier that is not a plain age."""
    out = list(text)
    for one in find_identifiers(text, language):
        if one.label != "AGE":
            out[one.start : one.end] = ["·" if c.isalnum() else c for c in text[one.start : one.end]]
    return "".join(out)


def labels(text: str, language: str = "nb") -> dict[str, str]:
    return {text[i.start : i.end]: i.label for i in find_identifiers(text, language)}


def test_no_national_number_survives(vectors: list[tuple[str, str]]) -> None:
    """Right or wrong check digits alike: a checksum says nothing about whether a number is somebody's."""
    left = [
        (number, language)
        for country, number in vectors
        for language in (LANGUAGE[country], "nb", "")
        if any(c.isalnum() for c in masked(f"Pas. {number}, innlagt.", language).split(" ", 1)[1].removesuffix("innlagt."))
    ]
    assert len(vectors) == 577
    assert left == []


def test_no_rendering_survives(vectors: list[tuple[str, str]]) -> None:
    """The same as the benchmark, which takes 100,000 of them."""
    for one in islice(renderings(vectors, seed=20), 4_000):
        assert not survivors(one, [(i.start, i.end) for i in find_identifiers(one.text, one.language)]), one


@pytest.mark.parametrize(
    ("text", "language", "label"),
    [
        ("fnr 290183 70258", "nb", "ID"),
        ("D-nr: 690183-70258", "nb", "ID"),
        ("personnr 19830129-7025", "sv", "ID"),
        ("830129+7025", "sv", "ID"),
        ("reservnummer 20000101-W220", "sv", "ID"),
        ("CPR 290183-7025", "da", "ID"),
        ("hetu 290183A123X", "fi", "ID"),
        ("isikukood 38301290123", "et", "ID"),
        ("journalnr. 2018/12345", "nb", "ID"),
        ("serienr RNB123456S", "nb", "ID"),
        ("HPR-nr 1234567", "nb", "ID"),
        ("tlf. 22 33 44 55", "nb", "PHONE"),
        ("internt tlf 47300", "nb", "PHONE"),
        ("08-123 456 78", "sv", "PHONE"),
        ("040 123 4567", "fi", "PHONE"),
        ("+372 5123 4567", "et", "PHONE"),
        ("kari.hansen (at) sykehus.no", "nb", "EMAIL"),
        ("www.klinikk.no/pas?id=1", "nb", "URL"),
        ("12.05.2018", "nb", "DATE"),
        ("den 12:e maj 2018", "sv", "DATE"),
        ("12. toukokuuta 2018", "fi", "DATE"),
        ("5. oktoobril 2018", "et", "DATE"),
        ("12/V-18", "da", "DATE"),
        ("20180512", "nb", "DATE"),
        ("31.02.2018", "nb", "DATE"),
        ("i mai 2018", "nb", "DATE_PART"),
        ("siden 1998", "nb", "DATE_PART"),
        ("kesäkuussa", "fi", "DATE_PART"),
        ("Storgata 12 B, 0155 Oslo", "nb", "ADDRESS"),
        ("Storgatan 5 lgh 1203, 123 45 Vallentuna", "sv", "ADDRESS"),
        ("Vestergade 12, 2. tv, 8000 Aarhus C", "da", "ADDRESS"),
        ("Mannerheimintie 12 A 5, 00100 Helsinki", "fi", "ADDRESS"),
        ("Pärnu mnt 12-5, 10148 Tallinn", "et", "ADDRESS"),
        ("Postboks 4950", "nb", "ADDRESS"),
        ("Haukeland universitetssykehus", "nb", "CARE_UNIT"),
        ("Vårdcentralen Kronan", "sv", "NAME"),
        ("avd. 4B", "nb", "CARE_UNIT"),
        ("Kardiologisk avdeling", "nb", "CARE_UNIT"),
        ("Tartu Ülikooli Kliinikum", "et", "CARE_UNIT"),
        ("osasto 3", "fi", "CARE_UNIT"),
        ("bor i Drammen", "nb", "PLACE"),
        ("93 år gammel", "nb", "AGE"),
        ("95-vuotias", "fi", "AGE"),
        ("nittitre år gammel", "nb", "AGE"),
    ],
)
def test_a_shape_has_its_class(text: str, language: str, label: str) -> None:
    assert label in labels(text, language).values()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("BT 120/80, puls 72, temp 37.2, SpO2 97 %", "nb"),
        ("Hb 12.3, CRP 45, kreatinin 134, Na 140, K 4.2", "nb"),
        ("Albyl-E 75 mg x 1, Metoprolol 50 mg 1+0+1", "nb"),
        ("Blodtryck 135/85 mmHg", "sv"),
        ("penicillin 1 250 000 IE", "nb"),
        ("EF 55 %, QRS 110 ms", "nb"),
        ("Symptomer i 3 år", "nb"),
        ("kl 14:30", "nb"),
        ("målt 24.5 cm", "nb"),
        ("2000 ml NaCl", "nb"),
        ("verenpaine 140/90", "fi"),
        ("vererõhk 140/90 mmHg", "et"),
    ],
)
def test_measurements_stay(text: str, language: str) -> None:
    assert masked(text, language) == text


def test_a_date_is_found_beside_the_time_of_day_and_the_pressure() -> None:
    text = "12.05.2018 14:30 BT 120/80, 14.05.18: 130/85"
    assert labels(text) == {"12.05.2018": "DATE", "14.05.18": "DATE"}


def test_tags_of_an_earlier_run_are_no_identifiers() -> None:
    assert find_identifiers(" ".join(f"[{name}]" for name in CLASSES), "nb") == ()


# --- folding and union ---------------------------------------------------------------------------------------------------

ODD = "aÅ9 \u00a0\u2009\u200b\u00ad\u0301\u030a４٣᠎–−‑／．・ﬁ𝟗\t\n²½A\u0327"


@given(st.text(st.sampled_from(ODD) | st.characters(), max_size=60))
def test_every_folded_character_leads_back_to_a_stretch_of_the_original(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) <= len(text)
    last = 0
    for i in range(len(folded.text)):
        start, end = folded.span(i, i + 1)
        assert last <= start < end <= len(text)
        last = end


def test_folding_reads_all_scripts_and_leaves_out_what_is_not_seen() -> None:
    folded = fold("２２\u00a0٣٣\u200b४४–\u00ad55 A\u030ase")
    assert folded.text == "22 3344-55 Åse"
    assert folded.span(11, 12) == (13, 15)


@given(
    st.text(st.sampled_from("Kari Hansen 12.05.2018 tlf 22334455 \u00a0４٣–@oslo.no,\n"), max_size=80),
    st.sampled_from(["nb", "fi", ""]),
)
def test_identifiers_are_in_order_and_within_the_text(text: str, language: str) -> None:
    last = 0
    for one in find_identifiers(text, language):
        assert last <= one.start < one.end <= len(text)
        assert one.label in CLASSES
        last = one.end


RANGES = st.builds(
    lambda a, n, label: Identifier(a, a + n, label, "r"), st.integers(0, 30), st.integers(1, 10), st.sampled_from(CLASSES)
)


@given(st.lists(RANGES, max_size=8))
def test_union_covers_all_and_overlaps_nowhere(found: list[Identifier]) -> None:
    merged = union(found)
    assert {i for f in found for i in range(f.start, f.end)} == {i for m in merged for i in range(m.start, m.end)}
    assert all(a.end <= b.start for a, b in pairwise(merged))
