"""Case forms against forms written down by hand, and drug names against the index of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedkit.notes.concepts.grammar import form
from fedkit.notes.synthetic.lexicon import concepts


@pytest.mark.parametrize(
    ("label", "name", "language", "case", "expected"),
    [
        ("BODY_SITE", "hand", "fi", "ine", "kädessä"),
        ("BODY_SITE", "hand", "fi", "par", "kättä"),
        ("BODY_SITE", "knee", "fi", "ine", "polvessa"),
        ("BODY_SITE", "brain", "fi", "ela", "aivoista"),
        ("BODY_SITE", "thigh", "fi", "ade", "reidellä"),
        ("BODY_SITE", "abdomen", "fi", "all", "vatsalle"),
        ("DRUG", "methotrexate", "fi", "gen", "metotreksaatin"),
        ("DRUG", "methotrexate", "fi", "par", "metotreksaattia"),
        ("DRUG", "cetirizine", "fi", "par", "setiritsiiniä"),
        ("DRUG", "ibuprofen", "fi", "ela", "ibuprofeenista"),
        ("DRUG", "warfarin", "fi", "tra", "varfariiniksi"),
        ("IMPLANT", "pacemaker", "fi", "ela", "sydämentahdistimesta"),
        ("REACTION", "headache", "fi", "gen", "päänsäryn"),
        ("BODY_SITE", "thigh", "et", "ine", "reies"),
        ("BODY_SITE", "elbow", "et", "ela", "küünarliigesest"),
        ("BODY_SITE", "heart", "et", "par", "südant"),
        ("DRUG", "methotrexate", "et", "gen", "metotreksaadi"),
        ("DRUG", "metformin", "et", "com", "metformiiniga"),
        ("IMPLANT", "pain pump", "et", "gen", "valupumba"),
        ("REACTION", "seizure", "et", "abe", "krambihoota"),
        ("BODY_SITE", "knee", "nb", "def", "kneet"),
        ("BODY_SITE", "knee", "nn", "indef", "kne"),
        ("BODY_SITE", "shoulder", "nn", "def", "skuldra"),
        ("IMPLANT", "defibrillator", "sv", "def", "ICD:n"),
        ("IMPLANT", "intramedullary nail", "da", "def", "marvsømmet"),
        ("MODEL", "Sapien 3", "fi", "gen", "Sapien 3"),
    ],
)
def test_forms_are_as_written_in_a_dictionary(label: str, name: str, language: str, case: str, expected: str) -> None:
    concept = next(c for c in concepts(label) if c.name == name)
    assert form(language, concept.forms[language], case) == expected


def test_a_case_that_a_language_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no case"):
        form("sv", ("knä", "knäet"), "ine")


def test_finnish_words_keep_to_vowel_harmony() -> None:
    """After a word's last part of back vowels comes a, of front vowels ä; neutral e and i follow those before them."""
    for label in ("DRUG", "REACTION", "IMPLANT", "BODY_SITE"):
        for concept in concepts(label):
            inessive, partitive = (form("fi", concept.forms["fi"], case) for case in ("ine", "par"))
            assert inessive.endswith("ssä") == partitive.endswith("ä")


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("language", "file"), [("sv", "lex-sv-classifications/atc_sv.tsv"), ("", "lex-atc-en/atc.tsv")], ids=["Swedish", "English"]
)
def test_drug_names_stand_in_the_anatomical_therapeutic_chemical_index(corpora: Path, language: str, file: str) -> None:
    """Swedish forms and the English names of the concepts, against the index of others; as a salt or ester counts."""
    rows = (corpora / file).read_text("utf-8").casefold().splitlines()
    index = {row.split("\t")[1].strip() for row in rows}
    for concept in concepts("DRUG"):
        name = concept.forms[language][0] if language else concept.name
        assert any(entry.startswith(name) for entry in index), name
