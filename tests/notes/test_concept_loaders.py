"""A site's own vocabularies: files as their owners distribute them, read; other files, refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedkit.errors import CorpusError
from fedkit.notes.concepts import Normaliser, built_in
from fedkit.notes.concepts.loaders import read_athena, read_meddra, read_rf2, read_table


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "code;name\nX1;Husmiddel\nX2;Annet\n",
        "ATC code,ATC level name\nX1,Husmiddel\nX2,Annet\n",
        "\ufeffcode\tname\r\nX1\tHusmiddel\r\nX2\tAnnet\r\n",
    ],
    ids=["semicolon", "publisher's heading", "byte order mark"],
)
def test_a_table_is_read_whatever_its_delimiter(tmp_path: Path, text: str) -> None:
    terms = read_table(written(tmp_path, "house.csv", text), system="house", label="DRUG")
    match = Normaliser(terms, built_in()).lookup("husmidler", "DRUG", "nb") or Normaliser(terms).lookup(
        "Husmiddel", "DRUG", "nb"
    )
    assert match is not None
    assert (match.term.concepts[0].system, match.term.concepts[0].code) == ("house", "X1")


def test_a_column_of_the_table_goes_before_the_argument(tmp_path: Path) -> None:
    path = written(tmp_path, "t.tsv", "code\tname\tlabel\tlanguage\nK1\tkneskål\tBODY_SITE\tnb\nD1\tpille\t\t\n")
    terms = read_table(path, system="s", label="DRUG")
    assert [(t.label, t.language) for t in terms] == [("BODY_SITE", "nb"), ("DRUG", "")]


def test_rf2_keeps_active_descriptions_of_the_named_concepts(tmp_path: Path) -> None:
    head = "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\n"
    syn, fsn = "900000000000013009", "900000000000003001"
    rows = [
        ("1", "1", "100", "sv", syn, "kärlkramp"),
        ("2", "0", "100", "sv", syn, "gammal term"),
        ("3", "1", "100", "en", fsn, "Angina (disorder)"),
        ("4", "1", "200", "sv", syn, "fönster"),
    ]
    text = head + "".join(f"{i}\t20250101\t{a}\t0\t{c}\t{lang}\t{kind}\t{term}\t0\n" for i, a, c, lang, kind, term in rows)
    terms = read_rf2(written(tmp_path, "d.txt", text), {"REACTION": ["100"]})
    assert [(t.text, t.language, t.label, t.concepts[0].code) for t in terms] == [("kärlkramp", "sv", "REACTION", "100")]


def test_meddra_gives_the_preferred_code_and_leaves_out_what_is_not_current(tmp_path: Path) -> None:
    text = "10000001$Svimmel$10013573$$$$$$$Y$$\n10000002$Ør gammel$10013573$$$$$$$N$$\n"
    terms = read_meddra(written(tmp_path, "llt.asc", text), language="nb")
    assert [(t.text, t.concepts[0].code) for t in terms] == [("Svimmel", "10013573")]


def test_athena_takes_the_label_from_the_domain_and_adds_synonyms(tmp_path: Path) -> None:
    head = (
        "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code\tinvalid_reason\n"
    )
    rows = (
        "1\twarfarin\tDrug\tRxNorm\tIngredient\tS\t11289\t\n"
        "2\told\tDrug\tRxNorm\tIngredient\t\t1\tD\n"
        "3\ta visit\tVisit\tV\tV\tS\t9\t\n"
    )
    names = "concept_id\tconcept_synonym_name\tlanguage_concept_id\n1\tMarevan\t0\n3\tvisitt\t0\n"
    terms = read_athena(written(tmp_path, "CONCEPT.csv", head + rows), written(tmp_path, "CONCEPT_SYNONYM.csv", names))
    assert [(t.text, t.label, t.concepts[0].code) for t in terms] == [
        ("warfarin", "DRUG", "11289"),
        ("Marevan", "DRUG", "11289"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "names"),
    [
        ("a,b\n1,2\n", "utf-8", "no column for the code"),
        ("", "utf-8", "no column for the code"),
        ("code,name\n" + "1,\n" * 5, "utf-8", "too many of its rows"),
        ("code,name\n1,blåbær\n", "latin-1", "cannot be read"),
        ("code,name\n1," + "x" * 200_000 + "\n", "utf-8", "cannot be read as a table"),
    ],
)
def test_another_file_is_refused_by_name(tmp_path: Path, text: str, encoding: str, names: str) -> None:
    with pytest.raises(CorpusError, match=names) as caught:
        read_table(written(tmp_path, "other.csv", text, encoding), system="s", label="DRUG")
    assert "other.csv" in str(caught.value)
    assert caught.value.expected


def test_the_other_readers_name_what_is_missing_too(tmp_path: Path) -> None:
    path = written(tmp_path, "x.txt", "id\tterm\n1\tx\n")
    for read in (lambda: read_rf2(path, {}), lambda: read_meddra(path), lambda: read_athena(path)):
        with pytest.raises(CorpusError, match=r"x\.txt"):
            read()
    with pytest.raises(CorpusError, match="cannot be read"):
        read_meddra(tmp_path / "absent")
