"""One source of two notes in every format, written by hand as others write it: nothing here comes from fedkit's writers.

Each holds the text FIRST with REACTION on "kvalme" and DRUG on "Marevan" where its format has spans, and SECOND without any.
"""

# Lines of foreign files stay whole.
# ruff: noqa: E501
from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

CANARY = "Kanarifugl"
FIRST = f"Pas. {CANARY} 😀 fikk kvalme av Marevan.\nIngen feber."
SECOND = "Åpent sår på høyre legg."
KVALME = (FIRST.index("kvalme"), FIRST.index("kvalme") + 6)
MAREVAN = (FIRST.index("Marevan"), FIRST.index("Marevan") + 7)


def jsonl(folder: Path) -> Path:
    spans = [{"start": a, "end": b, "label": label} for (a, b), label in ((KVALME, "REACTION"), (MAREVAN, "DRUG"))]
    rows = [{"id": "a", "text": FIRST, "lang": "nb", "spans": spans}, {"id": "b", "text": SECOND, "lang": "nb"}]
    path = folder / "notes.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows), "utf-8")
    return path


def csv(folder: Path) -> Path:
    path = folder / "eksport.csv"
    spans = json.dumps([{"start": KVALME[0], "end": KVALME[1], "label": "REACTION"}]).replace('"', '""')
    more = json.dumps([{"start": MAREVAN[0], "end": MAREVAN[1], "label": "DRUG"}]).replace('"', '""')
    spans = spans[:-1] + ", " + more[1:]
    path.write_bytes(f'﻿Note_ID;Notattekst;spans;Avd\r\na;"{FIRST}";"{spans}";Kir\r\nb;{SECOND};;\r\n'.encode())
    return path


def parquet(folder: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    spans = [{"start": a, "end": b, "label": label} for (a, b), label in ((KVALME, "REACTION"), (MAREVAN, "DRUG"))]
    path = folder / "notes.parquet"
    pyarrow.parquet.write_table(
        pyarrow.table({"note_id": [1, 2], "note_text": [FIRST, SECOND], "entities": [spans, None], "ward": ["5", None]}), path
    )
    return path


def omop(folder: Path) -> Path:
    import duckdb

    path = folder / "cdm.duckdb"
    with duckdb.connect(str(path)) as database:
        for statement in OMOP:
            database.execute(statement)
    return path


#: The columns of OHDSI's 5.4 definition that are filled here, in the types that it gives them on DuckDB and on Postgres.
OMOP = [
    "CREATE TABLE person (person_id integer NOT NULL, year_of_birth integer NOT NULL, person_source_value varchar(50) NULL)",
    "CREATE TABLE visit_occurrence (visit_occurrence_id integer NOT NULL, person_id integer NOT NULL,"
    " visit_start_date date NOT NULL, care_site_id integer NULL)",
    "CREATE TABLE provider (provider_id integer NOT NULL, provider_name varchar(255) NULL, care_site_id integer NULL,"
    " specialty_source_value varchar(50) NULL)",
    "CREATE TABLE care_site (care_site_id integer NOT NULL, care_site_name varchar(255) NULL)",
    "CREATE TABLE concept (concept_id integer NOT NULL, concept_name varchar(255) NOT NULL, domain_id varchar(20) NOT NULL,"
    " vocabulary_id varchar(20) NOT NULL, concept_code varchar(50) NOT NULL)",
    "CREATE TABLE note (note_id integer NOT NULL, person_id integer NOT NULL, note_date date NOT NULL, note_datetime TIMESTAMP,"
    " note_type_concept_id integer NOT NULL, note_class_concept_id integer NOT NULL, note_title varchar(250) NULL,"
    " note_text TEXT NOT NULL, encoding_concept_id integer NOT NULL, language_concept_id integer NOT NULL,"
    " provider_id integer NULL, visit_occurrence_id integer NULL, note_source_value varchar(50) NULL)",
    "CREATE TABLE note_nlp (note_nlp_id integer NOT NULL, note_id integer NOT NULL, section_concept_id integer NULL,"
    ' snippet varchar(250) NULL, "offset" varchar(50) NULL, lexical_variant varchar(250) NOT NULL,'
    " note_nlp_concept_id integer NULL, note_nlp_source_concept_id integer NULL, nlp_system varchar(250) NULL,"
    " nlp_date date NOT NULL, term_exists varchar(1) NULL, term_temporal varchar(50) NULL, term_modifiers varchar(2000) NULL)",
    "INSERT INTO person VALUES (7, 1950, '01015012345')",
    "INSERT INTO visit_occurrence VALUES (70, 7, '2024-03-01', 4)",
    f"INSERT INTO provider VALUES (9, 'Dr {CANARY}', NULL, 'surgeon')",
    "INSERT INTO care_site VALUES (4, 'Ortopedisk')",
    "INSERT INTO concept VALUES (1310149, 'warfarin', 'Drug', 'RxNorm', '11289'), (5, 'Norwegian language', 'Language', 'x', 'x')",
    "INSERT INTO note VALUES (1, 7, '2024-03-02', '2024-03-02 10:30:00', 32831, 0, 'Epikrise',"
    f" '{FIRST}', 0, 5, 9, 70, 'X1'), (2, 8, '2024-03-03', '2024-03-03 00:00:00', 0, 0, NULL, '{SECOND}', 0, 0, NULL, NULL, NULL)",
    f"INSERT INTO note_nlp VALUES (1, 1, 0, NULL, '{KVALME[0]}', 'kvalme', 0, 0, 'x', '2024-03-02', 'N', 'Past',"
    f" 'label=REACTION,certainty=low'), (2, 1, 0, NULL, '{MAREVAN[0]}', 'Marevan', 1310149, 0, 'x', '2024-03-02', 'Y', NULL, NULL)",
]


def fhir(folder: Path) -> Path:
    data = base64.b64encode(FIRST.encode()).decode()
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "id": "pat1", "name": [{"family": CANARY}]}},
            {"fullUrl": "urn:uuid:b", "resource": {"resourceType": "Binary", "contentType": "text/plain", "data": data}},
            {
                "resource": {
                    "resourceType": "DocumentReference",
                    "id": "a",
                    "status": "current",
                    "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]},
                    "subject": {"reference": "urn:uuid:p"},
                    "date": "2024-03-02T10:30:00.000+01:00",
                    "author": [{"reference": "#r", "display": f"Dr {CANARY}"}],
                    "contained": [{"resourceType": "PractitionerRole", "id": "r", "code": [{"text": "nurse"}]}],
                    "content": [
                        {"attachment": {"contentType": "image/png", "data": "AAAA"}},
                        {"attachment": {"contentType": "text/plain; charset=utf-8", "url": "urn:uuid:b", "language": "nb-NO"}},
                    ],
                }
            },
            {
                "resource": {
                    "resourceType": "Composition",
                    "id": "b",
                    "language": "nb",
                    "date": "2024-03-03",
                    "title": "Note",
                    "section": [
                        {
                            "title": "Status",
                            "text": {
                                "status": "generated",
                                "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{SECOND}</p></div>',
                            },
                        }
                    ],
                }
            },
        ],
    }
    path = folder / "bundle.json"
    path.write_text(json.dumps(bundle, ensure_ascii=False, indent=1), "utf-8")
    return path


def cda(folder: Path) -> Path:
    folder = folder / "cda"
    folder.mkdir()
    marked = FIRST.replace("kvalme", '<content ID="r1">kvalme</content>').replace(
        "Marevan", '<content ID="d1">Marevan</content>'
    )
    lines = marked.split("\n")
    (folder / "a.xml").write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <id root="1.2.3" extension="a"/><code code="11506-3" codeSystem="2.16.840.1.113883.6.1" displayName="Progress note"/>
 <title>Journalnotat</title><effectiveTime value="20240302103000+0100"/><languageCode code="nb-NO"/>
 <recordTarget><patientRole><id root="1.2.4" extension="p1"/><patient><name>{CANARY}</name></patient></patientRole></recordTarget>
 <author><assignedAuthor><code code="221" displayName="nurse"/><assignedPerson><name>{CANARY}</name></assignedPerson>
  <representedOrganization><name>Kirurgisk</name></representedOrganization></assignedAuthor></author>
 <component><structuredBody><component><section><title>Vurdering</title>
  <text><paragraph>{lines[0]}</paragraph><paragraph>{lines[1]}</paragraph></text>
  <entry><observation classCode="OBS" moodCode="EVN" negationInd="true"><code code="ASSERTION" codeSystem="2.16.840.1.113883.5.4"/>
   <text><reference value="#r1"/></text><value xsi:type="CD" code="422587007" codeSystem="2.16.840.1.113883.6.96"/></observation></entry>
  <entry><substanceAdministration classCode="SBADM" moodCode="EVN"><consumable><manufacturedProduct><manufacturedMaterial>
   <code code="B01AA03" codeSystem="2.16.840.1.113883.6.73" displayName="warfarin"><originalText><reference value="#d1"/></originalText>
   </code></manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration></entry>
 </section></component></structuredBody></component>
</ClinicalDocument>""",
        "utf-8",
    )
    (folder / "b.xml").write_text(
        f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="b"/><component><nonXMLBody>'
        f'<text mediaType="text/plain">{SECOND}</text></nonXMLBody></component></ClinicalDocument>',
        "utf-8",
    )
    return folder


def openehr(folder: Path) -> Path:
    def element(name: str, value: dict[str, object]) -> dict[str, object]:
        return {"_type": "ELEMENT", "name": {"_type": "DV_TEXT", "value": name}, "value": value}

    def composition(uid: str, items: list[dict[str, object]]) -> dict[str, object]:
        evaluation = {"_type": "EVALUATION", "name": {"value": "Vurdering"}, "data": {"_type": "ITEM_TREE", "items": items}}
        return {
            "_type": "COMPOSITION",
            "uid": {"_type": "OBJECT_VERSION_ID", "value": uid},
            "name": {"_type": "DV_TEXT", "value": "Journalnotat"},
            "language": {"code_string": "nb"},
            "composer": {"_type": "PARTY_IDENTIFIED", "name": CANARY},
            "archetype_details": {"archetype_id": {"value": "openEHR-EHR-COMPOSITION.encounter.v1"}},
            "context": {"start_time": {"value": "2024-03-02T10:30:00+01:00"}, "health_care_facility": {"name": "Kirurgisk"}},
            "content": [evaluation],
        }

    code = {"terminology_id": {"value": "SNOMED-CT"}, "code_string": "422587007"}
    first = [
        element("Notat", {"_type": "DV_TEXT", "value": FIRST}),
        element("REACTION", {"_type": "DV_CODED_TEXT", "value": "kvalme", "defining_code": code}),
        element("Temp", {"_type": "DV_QUANTITY", "magnitude": 37.2, "units": "Cel"}),
    ]
    second = [element("Notat", {"_type": "DV_TEXT", "value": SECOND})]
    path = folder / "compositions.json"
    path.write_text(json.dumps([composition("a", first), composition("b", second)], ensure_ascii=False), "utf-8")
    return path


def brat(folder: Path) -> Path:
    folder = folder / "brat"
    folder.mkdir()
    (folder / "a.txt").write_text(FIRST, "utf-8")
    (folder / "a.ann").write_text(
        f"T1\tREACTION {KVALME[0]} {KVALME[1]}\tkvalme\nT2\tDRUG {MAREVAN[0]} {MAREVAN[1]}\tMarevan\n"
        "A1\tnegated T1\nA2\tseverity T1 mild\nR1\tcauses Arg1:T2 Arg2:T1\nN1\tReference T2 ATC:B01AA03\twarfarin\n#1\tAnnotatorNotes T1\tsjekk\n",
        "utf-8",
    )
    (folder / "b.txt").write_text(SECOND, "utf-8")
    return folder


def conll(folder: Path) -> Path:
    tagged = {"kvalme": "B-REACTION", "Marevan": "B-DRUG"}
    path = folder / "notes.conll"
    first = [
        [("Pas", "."), (CANARY,), ("😀",), ("fikk",), ("kvalme",), ("av",), ("Marevan", ".")],
        [("Ingen",), ("feber", ".")],
    ]
    text = "# newdoc id = a\n"
    for words, line in zip(first, FIRST.split("\n"), strict=True):
        text += f"# text = {line}\n" + "".join(f"{t}\t{tagged.get(t, 'O')}\n" for word in words for t in word) + "\n"
    text += f"# newdoc id = b\n# text = {SECOND}\n" + "".join(f"{t}\tO\n" for t in [*SECOND[:-1].split(), "."])
    path.write_text(text, "utf-8")
    return path


_TYPES = """<?xml version="1.0" encoding="UTF-8"?><typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>
<typeDescription><name>de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence</name><supertypeName>uima.tcas.Annotation</supertypeName></typeDescription>
<typeDescription><name>de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity</name><supertypeName>uima.tcas.Annotation</supertypeName>
<features><featureDescription><name>value</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription>
<featureDescription><name>identifier</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features></typeDescription>
<typeDescription><name>webanno.custom.Causes</name><supertypeName>uima.tcas.Annotation</supertypeName><features>
<featureDescription><name>Governor</name><rangeTypeName>uima.tcas.Annotation</rangeTypeName></featureDescription>
<featureDescription><name>Dependent</name><rangeTypeName>uima.tcas.Annotation</rangeTypeName></featureDescription></features></typeDescription>
<typeDescription><name>de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData</name><supertypeName>uima.tcas.DocumentAnnotation</supertypeName>
<features><featureDescription><name>documentId</name><rangeTypeName>uima.cas.String</rangeTypeName></featureDescription></features></typeDescription>
</types></typeSystemDescription>"""


def xmi(folder: Path) -> Path:
    folder = folder / "xmi"
    folder.mkdir()
    (folder / "TypeSystem.xml").write_text(_TYPES, "utf-8")

    def units(offset: int) -> int:
        return len(FIRST[:offset].encode("utf-16-le")) // 2

    def cas(name: str, text: str, inside: str, members: str) -> None:
        escaped = text.replace("\n", "&#10;")
        size = len(text.encode("utf-16-le")) // 2
        (folder / f"{name}.xmi").write_text(
            f"""<?xml version="1.0" encoding="UTF-8"?><xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore"
 xmlns:ner="http:///de/tudarmstadt/ukp/dkpro/core/api/ner/type.ecore" xmlns:custom="http:///webanno/custom.ecore"
 xmlns:meta="http:///de/tudarmstadt/ukp/dkpro/core/api/metadata/type.ecore"
 xmlns:seg="http:///de/tudarmstadt/ukp/dkpro/core/api/segmentation/type.ecore" xmi:version="2.0"><cas:NULL xmi:id="0"/>
<meta:DocumentMetaData xmi:id="2" sofa="1" begin="0" end="{size}" language="nb" documentId="{name}"/>{inside}
<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString="{escaped}"/>
<cas:View sofa="1" members="2 {members}"/></xmi:XMI>""",
            "utf-8",
        )

    first = (
        f'<ner:NamedEntity xmi:id="3" sofa="1" begin="{units(KVALME[0])}" end="{units(KVALME[1])}" value="REACTION"/>'
        f'<ner:NamedEntity xmi:id="4" sofa="1" begin="{units(MAREVAN[0])}" end="{units(MAREVAN[1])}" value="DRUG" identifier="ATC:B01AA03"/>'
        '<custom:Causes xmi:id="5" sofa="1" begin="0" end="3" Governor="4" Dependent="3"/>'
        f'<seg:Sentence xmi:id="6" sofa="1" begin="0" end="{units(FIRST.index(chr(10)))}"/>'
    )
    cas("a", FIRST, first, "3 4 5 6")
    cas("b", SECOND, "", "")
    return folder


def label_studio(folder: Path) -> Path:
    def region(key: str, place: tuple[int, int], label: str) -> dict[str, object]:
        start, end = (len(FIRST[:offset].encode("utf-16-le")) // 2 for offset in place)
        value = {"start": start, "end": end, "text": FIRST[place[0] : place[1]], "labels": [label]}
        return {"id": key, "from_name": "label", "to_name": "text", "type": "labels", "value": value}

    result = [
        region("x", KVALME, "REACTION"),
        region("y", MAREVAN, "DRUG"),
        {"id": "x", "from_name": "negated", "to_name": "text", "type": "choices", "value": {"choices": ["true"]}},
        {"type": "relation", "from_id": "y", "to_id": "x", "direction": "right", "labels": ["causes"]},
    ]
    tasks = [
        {
            "id": 1,
            "data": {"text": FIRST, "lang": "nb", "ward": "5"},
            "annotations": [{"was_cancelled": False, "result": result}],
        },
        {"id": 2, "data": {"text": SECOND}, "annotations": [], "predictions": [{"result": result}]},
    ]
    path = folder / "project.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    return path


def pdf(folder: Path) -> Path:
    folder = folder / "pdf"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(pdf_of(FIRST.replace("😀 ", "")))
    (folder / "b.pdf").write_bytes(pdf_of(SECOND))
    return folder


def pdf_of(text: str) -> bytes:
    """A PDF of one page with a text layer, by the book (ISO 32000-1): five objects and a table of where they are."""
    lines = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in text.split("\n")]
    content = b"BT /F1 12 Tf 14 TL 72 720 Td " + b" T* ".join(b"(" + line.encode("cp1252") + b") Tj" for line in lines) + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >> stream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj %b endobj\n" % (number, body)
    table = len(data)
    data += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "jsonl": jsonl, "csv": csv, "parquet": parquet, "omop": omop, "fhir": fhir, "cda": cda, "openehr": openehr, "brat": brat,
    "conll": conll, "xmi": xmi, "label-studio": label_studio, "pdf": pdf,
}  # fmt: skip
