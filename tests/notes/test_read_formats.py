"""What is particular to each format: how others write it, and what goes wrong in it."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from reader_samples import CANARY, FIRST, KVALME, MAREVAN, SECOND, brat, cda, fhir, openehr, pdf_of, xmi

from fedkit.notes.note import Concept, Relation, Section
from fedkit.notes.readers import FORMATS
from fedkit.notes.readers.base import Record, Rules
from fedkit.notes.readers.draft import iso_date, language_code


def read(format: str, path: Path, **rules: Any) -> list[Record]:
    return list(FORMATS[format](Rules(**rules)).read(path))


def only(format: str, path: Path, **rules: Any) -> Record:
    (record,) = read(format, path, **rules)
    return record


def kinds(record: Record) -> list[str]:
    return [problem.kind for problem in record.problems]


# --- text of any kind ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_are_recognised_by_their_mark_or_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\r\na,Blåmerke på øyet\nb,Cakša\n".encode(encoding))
    told = encoding if encoding in ("cp1252", "utf-16-le") else "utf-8"
    assert [r.note.text for r in read("csv", path, encoding=told) if r.note] == ["Blåmerke på øyet", "Cakša"]


def test_another_encoding_costs_the_lines_that_show_it_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"id": "a", "text": "kvalme"}).encode()
    path.write_bytes(good + b"\n" + '{"id": "b", "text": "blåmerke"}'.encode("latin-1") + b"\n" + good.replace(b'"a"', b'"c"'))
    found = read("jsonl", path)
    assert [r.note.id if r.note else kinds(r) for r in found] == ["a", ["encoding"], "c"]
    assert found[1].place == "a.jsonl, line 2"
    assert "0xe5 at 24" in found[1].problems[0].detail


def test_utf16_without_a_mark_is_guessed_at_in_the_report(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"id": "a", "text": "blåmerke på øyet"}'.encode("utf-16-le"))
    assert all(r.note is None for r in read("jsonl", path))
    csv = tmp_path / "a.csv"
    csv.write_bytes(("id,text\nø,å\n" + "ł,x\n").encode("utf-16-be"))
    assert all(r.note is None for r in read("csv", csv))


def test_mixed_line_ends_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [json.dumps({"id": str(i), "text": f"a{chr(0x2028)}b\r\nc"}) for i in range(3)]
    path.write_bytes(f"{rows[0]}\r\n{rows[1]}\n\r\n\n{rows[2]}".encode())
    assert [r.place for r in read("jsonl", path)] == ["a.jsonl, line 1", "a.jsonl, line 2", "a.jsonl, line 5"]
    assert {r.note.text for r in read("jsonl", path) if r.note} == {f"a{chr(0x2028)}b\r\nc"}


def test_an_encoding_nobody_knows_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("{}")
    assert "no such encoding" in only("jsonl", path, encoding="klingon").problems[0].detail


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("20240302", "2024-03-02"),
        ("20240302103000+0100", "2024-03-02T10:30:00+01:00"),
        ("20240302103000.123+0100", "2024-03-02T10:30:00.123+01:00"),
        ("2024-03-02 10:30:00", "2024-03-02T10:30:00"),
        ("2024-03-02T10:30:00.0000000Z", "2024-03-02T10:30:00.000000Z"),
        ("2024-03-02 10:30:00+01", "2024-03-02T10:30:00+01:00"),
        ("2019-01-28T21:22:19,979+00:00", "2019-01-28T21:22:19.979+00:00"),  # as openEHR servers write it
        ("2.3.2024", "2024-03-02"),
        ("02. 03. 2024", "2024-03-02"),
        ("02.03.2024 10:30", "2024-03-02T10:30"),
        ("03/02/2024", None),  # two days, so neither
        ("2024", None),
        ("30.2.2024", None),
        ("mars 2024", None),
        ("٢.٣.٢٠٢٤", None),
    ],
)
def test_dates_as_hospitals_write_them(given: str, iso: str | None) -> None:
    assert iso_date(given) == iso


def test_a_date_nobody_understands_is_kept_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "x", "date": "mars 2024"}))
    record = only("jsonl", path)
    assert record.note is not None
    assert (record.note.date, record.note.meta, kinds(record)) == (None, {"date": "mars 2024"}, ["date"])


def test_language_tags() -> None:
    tags = ("nb-NO", "nob", "sv_FI", "EN", "x-unspecified", "", None, "norsk")
    assert [language_code(tag) for tag in tags] == ["nb", "nb", "sv", "en", "", "", "", ""]


# --- CSV -----------------------------------------------------------------------------------------------------------------


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"first\n2,"second"\n3,third\n4,"fourth ""quoted""\nwith two lines"\n5,"no end\n6,sixth\n')
    found = read("csv", path)
    assert [(r.place, r.note.text if r.note else kinds(r)) for r in found] == [
        ("a.csv, line 2", ["syntax"]),
        ("a.csv, line 3", "second"),
        ("a.csv, line 4", "third"),
        ("a.csv, line 5", 'fourth "quoted"\nwith two lines'),
        ("a.csv, line 7", ["syntax"]),
        ("a.csv, line 8", "sixth"),
    ]


def test_line_ends_inside_a_cell_stay_as_they_are(tmp_path: Path) -> None:
    """Offsets count them."""
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,text\r\n1,"a\r\nb\nc\rd"\r\n2,e\n')
    assert [r.note.text for r in read("csv", path) if r.note] == ["a\r\nb\nc\rd", "e"]


def test_rows_of_another_width_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("id\ttext\n1\ta\tb\n2\n3\tc\n")
    found = read("csv", path)
    assert [kinds(r) for r in found] == [["syntax"], ["syntax"], []]
    assert found[0].problems[0].detail == "3 cells, the heading has 2"


def test_columns_may_be_named_and_a_table_without_a_heading_shows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"nr;Journal;År\n1;{SECOND};2020\n")
    record = only("csv", path, columns={"text": "Journal", "id": "nr"})
    assert record.note is not None
    assert (record.note.id, record.note.text, record.note.meta) == ("1", SECOND, {"År": "2020"})
    path.write_text(f"1;{CANARY} har feber\n2;{CANARY} har vondt\n")
    (record,) = read("csv", path)
    assert kinds(record) == ["unreadable"]
    assert CANARY not in record.problems[0].detail


# --- BRAT ----------------------------------------------------------------------------------------------------------------


def test_brat_attributes_relations_concepts_and_notes(tmp_path: Path) -> None:
    note = only("brat", brat(tmp_path) / "a.txt").note
    assert note is not None
    assert note.spans[0].attributes == {"negated": "true", "severity": "mild", "note": "sjekk"}
    assert note.spans[1].concepts == (Concept("ATC", "B01AA03", "warfarin"),)
    assert note.relations == (Relation(1, 0, "causes"),)


def brat_of(folder: Path, text: str, annotations: str) -> Record:
    (folder / "a.txt").write_bytes(text.encode())
    (folder / "a.ann").write_bytes(annotations.encode())
    return only("brat", folder / "a.txt")


def test_brat_discontinuous_spans_events_and_equivalences(tmp_path: Path) -> None:
    record = brat_of(
        tmp_path,
        "smerter i hofte og kne",
        "T1\tPain 0 7;19 22\tsmerter kne\nT2\tSite 10 15\thofte\nT3\tSite 19 22\tkne\n"
        "E1\tPain:T1 Where:T2 Also:T3\nM1\tSpeculation E1\n*\tEquiv T2 T3\n#1\tAnnotatorNotes E1\tdobbel\n# fritt\n",
    )
    assert record.note is not None
    assert kinds(record) == []
    assert record.note.spans[0].fragments == ((0, 7), (19, 22))
    assert record.note.spans[0].attributes == {"Speculation": "true", "note": "dobbel"}
    assert {(r.head, r.tail, r.label) for r in record.note.relations} == {(0, 1, "Where"), (0, 2, "Also"), (1, 2, "Equiv")}


def test_brat_counts_of_tools_that_read_crlf_as_one_sign_are_mended(tmp_path: Path) -> None:
    text = "Ett.\r\nTo.\r\nTre kvalme."
    single = text.replace("\r\n", "\n")
    at = single.index("kvalme")
    record = brat_of(tmp_path, text, f"T1\tREACTION {at} {at + 6}\tkvalme\n")
    assert record.note is not None
    assert record.note.text == text
    assert record.note.text_of(record.note.spans[0]) == "kvalme"


def test_brat_lines_that_are_none_are_named_one_by_one(tmp_path: Path) -> None:
    record = brat_of(
        tmp_path,
        FIRST,
        f"T1\tDRUG {MAREVAN[0]} {MAREVAN[1]}\tMarevan\nT2\tDRUG 0 4\tMarevan\nT3\tDRUG 5000 5007\tMarevan\nT4\tDRUG a b\tx\n"
        f"{CANARY}\nR1\tcauses Arg1:T1 Arg2:T9\nA1\tnegated T8\n{CANARY}\t{CANARY} {CANARY}\n",
    )
    assert record.note is not None
    assert [s.label for s in record.note.spans] == ["DRUG"]
    assert sorted(kinds(record)) == ["left out", "relation", "span outside", "span words", "syntax", "syntax", "syntax"]
    assert CANARY not in str(record.problems)


def test_brat_pieces_that_overlap_are_no_span(tmp_path: Path) -> None:
    record = brat_of(tmp_path, "smerter i hofte", "T1\tPain 0 7;3 9\tx\nT2\tSite 10 15\thofte\n")
    assert record.note is not None
    record.note.check()
    assert [s.label for s in record.note.spans] == ["Site"]


def test_a_text_without_annotations_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SECOND)
    assert only("brat", tmp_path / "a.txt").note.text == SECOND  # type: ignore[union-attr]


# --- CoNLL ---------------------------------------------------------------------------------------------------------------

SCHEMES = {
    "IOB2": "B-A I-A B-A O B-B",
    "IOB1": "I-A I-A B-A O I-B",
    "BIOES": "B-A E-A S-A O S-B",
    "BILOU": "B-A L-A U-A O U-B",
    "begun inside": "I-A I-A B-A O E-B",
}


@pytest.mark.parametrize("tags", SCHEMES.values(), ids=SCHEMES)
def test_every_scheme_of_tags_gives_the_same_spans(tmp_path: Path, tags: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(
        "".join(f"{w} x {t}\n" for w, t in zip(["venstre", "kne", "hofte", "og", "Ibux"], tags.split(), strict=True))
    )
    note = only("conll", path).note
    assert note is not None
    assert [(note.text_of(s), s.label) for s in note.spans] == [("venstre kne", "A"), ("hofte", "A"), ("Ibux", "B")]


def test_conllu_text_words_of_one_token_and_empty_nodes(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    rows = ["1-2\tettei\t_", "1\tettä\tO", "2\tei\tO", "2.1\ttyhjä\tO", "3\tole\tO", "4\tMarevan\tNE=B-DRUG", "5\t.\tO"]
    lines = [f"{a}\t{b}\t_\t_\t_\t_\t_\t_\t_\t{'_' if c in ('_', 'O') else c}" for a, b, c in (row.split("\t") for row in rows)]
    path.write_text("# sent_id = s1\n# text = ettei ole  Marevan.\n" + "\n".join(lines) + "\n\n")
    note = only("conll", path).note
    assert note is not None
    assert (note.id, note.text, note.tokens) == ("s1", "ettei ole  Marevan.", ("ettei", "ole", "Marevan", "."))
    assert [note.text_of(s) for s in note.spans] == ["Marevan"]


def test_conll_documents_are_notes_with_sentences_and_a_broken_sentence_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\nEtt O\n\nTo\n\nTre B-A\n\n-DOCSTART- O\n\nFire O\n")
    first, second = read("conll", path)
    assert first.note is not None
    assert (first.note.text, first.note.sentences, kinds(first)) == ("Ett\nTre", ((0, 3), (4, 7)), ["syntax"])
    assert first.problems[0].detail.startswith("line 5")
    assert second.note is not None
    assert second.note.text == "Fire"


# --- FHIR ----------------------------------------------------------------------------------------------------------------


def document(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "DocumentReference", "id": "d", "status": "current", **fields}


def attached(data: bytes, kind: str) -> list[dict[str, Any]]:
    return [{"attachment": {"contentType": kind, "data": base64.b64encode(data).decode()}}]


def fhir_of(folder: Path, value: Any) -> Record:
    path = folder / "x.json"
    path.write_text(json.dumps(value))
    return only("fhir", path)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/plain", SECOND.encode()),
        ("text/plain; charset=iso-8859-1", SECOND.encode("latin-1")),
        ("text/html", f"<html><head><title>x</title></head><body><p>{SECOND}</p><script>1</script></body></html>".encode()),
        ("application/pdf", pdf_of(SECOND)),
    ],
)
def test_fhir_attachments_of_every_kind_give_their_text(tmp_path: Path, kind: str, data: bytes) -> None:
    note = fhir_of(tmp_path, document(content=attached(data, kind))).note
    assert note is not None
    assert note.text == SECOND


def test_fhir_takes_the_plainest_attachment(tmp_path: Path) -> None:
    content = attached(pdf_of("fra pdf"), "application/pdf") + attached(b"fra tekst", "text/plain")
    assert fhir_of(tmp_path, document(content=content)).note.text == "fra tekst"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ([{"attachment": {"contentType": "text/plain", "url": "https://example.org/x"}}], "text elsewhere"),
        ([{"attachment": {"contentType": "text/plain", "data": "%%%"}}], "syntax"),
        ([{"attachment": {"contentType": "image/png", "data": "AAAA"}}], "left out"),
        ([{"attachment": {"contentType": CANARY, "data": "AAAA"}}], "left out"),
        (attached("blå".encode("latin-1"), "text/plain"), "encoding"),
        (attached(b"x", "text/plain; charset=klingon"), "encoding"),
        ([], "empty"),
        ("nonsense", "empty"),
    ],
)
def test_fhir_documents_without_a_text_say_why(tmp_path: Path, content: Any, kind: str) -> None:
    record = fhir_of(tmp_path, document(content=content))
    assert record.note is None
    assert kinds(record)[0] == kind
    assert CANARY not in str(record)


def test_fhir_authors_are_roles_and_never_names(tmp_path: Path) -> None:
    content = attached(SECOND.encode(), "text/plain")
    qualified = {
        "resourceType": "Practitioner",
        "id": "p",
        "name": [{"text": CANARY}],
        "qualification": [{"code": {"text": "lege"}}],
    }
    for author, role in (
        ({"reference": "Practitioner/9", "type": "Practitioner"}, "Practitioner"),
        ({"reference": "#p"}, "lege"),
    ):
        note = fhir_of(tmp_path, document(content=content, contained=[qualified], author=[author | {"display": CANARY}])).note
        assert note is not None
        assert note.author_role == role
        assert CANARY not in str(note.to_row())


def test_fhir_bulk_data_is_read_line_by_line_and_a_broken_line_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "DocumentReference.ndjson"
    rows = [json.dumps(document(id=str(i), content=attached(SECOND.encode(), "text/plain"))) for i in range(3)]
    path.write_text(f"{rows[0]}\n{rows[1][:40]}\n{json.dumps({'resourceType': 'Patient'})}\n{rows[2]}\n")
    assert [(r.place, r.note.id if r.note else kinds(r)) for r in read("fhir", path)] == [
        ("DocumentReference.ndjson, line 1", "0"),
        ("DocumentReference.ndjson, line 2", ["syntax"]),
        ("DocumentReference.ndjson, line 4", "2"),
    ]


def test_fhir_compositions_keep_their_sections_and_those_inside(tmp_path: Path) -> None:
    def section(title: str, words: str, inner: list[Any] | None = None) -> dict[str, Any]:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'
        return {"title": title, "text": {"div": div}, "section": inner or []}

    table = "<table>\n<tr>\n <td>Hb</td>\n <td>12,1</td>\n</tr>\n<tr><td>CRP</td><td>5</td></tr></table>"
    composition = {
        "resourceType": "Composition",
        "id": "c",
        "section": [
            section("Anamnese", "<p>Ett<br/>to</p>", [section("Prøver", table)]),
            section("Plan", "<ul><li>Hvile</li></ul>"),
        ],
    }
    note = fhir_of(tmp_path, composition).note
    assert note is not None
    assert note.text == "Anamnese\nEtt\nto\n\nPrøver\nHb\t12,1\nCRP\t5\n\nPlan\n- Hvile"
    assert [(s.name, note.text[s.start : s.header_end], note.text[s.header_end : s.end].strip()) for s in note.sections] == [
        ("Anamnese", "Anamnese", "Ett\nto"),
        ("Prøver", "Prøver", "Hb\t12,1\nCRP\t5"),
        ("Plan", "Plan", "- Hvile"),
    ]


def test_one_document_that_cannot_be_understood_costs_itself(tmp_path: Path) -> None:
    bundle = json.loads(fhir(tmp_path).read_text())
    bundle["entry"].insert(2, {"resource": {"resourceType": "DocumentReference", "content": [[1]], "author": 7, "type": [[]]}})
    path = tmp_path / "again.json"
    path.write_text(json.dumps(bundle))
    assert [r.note is not None for r in read("fhir", path)] == [False, True, True]


# --- CDA, openEHR, XMI, PDF ----------------------------------------------------------------------------------------------


def test_cda_statements_are_spans_over_the_narrative_with_their_codes(tmp_path: Path) -> None:
    note = only("cda", cda(tmp_path) / "a.xml").note
    assert note is not None
    assert [(note.text_of(s), s.label, dict(s.attributes), s.concepts[0].code) for s in note.spans] == [
        ("kvalme", "observation", {"negated": "true"}, "422587007"),
        ("Marevan", "substanceAdministration", {}, "B01AA03"),
    ]
    assert (note.date, note.author_role, note.department) == ("2024-03-02T10:30:00+01:00", "nurse", "Kirurgisk")


def test_xml_entities_and_files_of_the_system_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(CANARY)
    path = tmp_path / "x.xml"
    path.write_text(
        f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret.txt">]><ClinicalDocument xmlns="urn:hl7-org:v3"><component>'
        "<nonXMLBody><text>før &s; etter</text></nonXMLBody></component></ClinicalDocument>"
    )
    record = only("cda", path)
    assert CANARY not in (record.note.text if record.note else "")


def test_xml_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    path = tmp_path / "x.xml"
    path.write_text(f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><ClinicalDocument><title>&e11;</title></ClinicalDocument>')
    assert only("cda", path).note is None


def test_openehr_coded_texts_are_spans_and_quantities_have_their_units(tmp_path: Path) -> None:
    first = read("openehr", openehr(tmp_path))[0].note
    assert first is not None
    assert first.text.endswith("REACTION: kvalme\nTemp: 37.2 Cel")
    assert first.spans[0].concepts == (Concept("SNOMED-CT", "422587007", "kvalme"),)
    assert first.sections == (Section(0, len(first.text), "Vurdering", 9),)


def test_xmi_counts_utf16_and_keeps_relations_concepts_and_sentences(tmp_path: Path) -> None:
    note = only("xmi", xmi(tmp_path) / "a.xmi").note
    assert note is not None
    assert note.relations == (Relation(1, 0, "Causes"),)
    assert note.spans[1].concepts == (Concept("ATC", "B01AA03"),)
    assert note.sentences == ((0, FIRST.index("\n")),)
    assert note.text_of(note.spans[0]) == FIRST[KVALME[0] : KVALME[1]]


def test_xmi_in_the_zip_of_inception_and_without_a_type_system(tmp_path: Path) -> None:
    folder = xmi(tmp_path)
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, f"doc/{path.name}")
    assert [r.place for r in read("xmi", archive) if r.note] == ["export.zip, doc/a.xmi", "export.zip, doc/b.xmi"]
    (folder / "TypeSystem.xml").unlink()
    record = only("xmi", folder / "a.xmi")
    assert kinds(record) == ["unreadable"]
    assert "TypeSystem.xml" in record.problems[0].detail


def test_a_scanned_or_encrypted_pdf_is_named(tmp_path: Path) -> None:
    import pypdf

    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf_of(" "))
    assert kinds(only("pdf", path)) == ["empty", "empty"]
    writer = pypdf.PdfWriter(clone_from=str(path))
    writer.encrypt("hemmelig", algorithm="RC4-128")
    writer.write(str(tmp_path / "locked.pdf"))
    record = only("pdf", tmp_path / "locked.pdf")
    assert kinds(record) == ["unreadable"]
    assert "encrypted" in record.problems[0].detail


# --- files nobody here wrote ---------------------------------------------------------------------------------------------


@pytest.mark.corpora
@pytest.mark.parametrize("language", ["nb", "nn", "sv", "da", "fi", "et"])
def test_treebanks_come_back_word_for_word(corpora: Path, language: str) -> None:
    """Every `# text` of the treebank stands in the notes, with its sentences, and no record is lost."""
    path = corpora / "ud" / f"{language}.dev.conllu"
    texts = [line.removeprefix("# text = ") for line in path.read_text("utf-8").split("\n") if line.startswith("# text = ")]
    found = read("conll", path)
    assert [p for r in found for p in r.problems] == []
    sentences = [r.note.text[a:b] for r in found if r.note for a, b in r.note.sentences]
    assert sentences == texts


@pytest.mark.corpora
@pytest.mark.parametrize("path", ["names5/et/dev.jsonl", "phee/dev.jsonl", "grascco-phi-de/all.jsonl", "adr5/neuro/dev.jsonl"])
def test_corpora_of_the_web_lose_nothing(corpora: Path, path: str) -> None:
    rows = [json.loads(line) for line in (corpora / path).read_text("utf-8").split("\n") if line]
    found = read("jsonl", corpora / path)
    assert [p for r in found for p in r.problems] == []
    for row, record in zip(rows, found, strict=True):
        assert record.note is not None
        assert record.note.text == row["text"]
        assert sorted((s.start, s.end, s.label) for s in record.note.spans) == sorted(
            (s["start"], s["end"], s["label"]) for s in row["spans"]
        )
        assert len(record.note.relations) == len(row.get("relations", []))
