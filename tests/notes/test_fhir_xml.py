"""FHIR in XML says what the same resource in JSON says; a CDA in an attachment keeps its sections and spans."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from reader_samples import CANARY, FIRST, cda, fhir

from fedkit.notes.note import Note
from fedkit.notes.readers import FORMATS, detect
from fedkit.notes.readers.base import Record, Rules

_FHIR = "http://hl7.org/fhir"


def to_xml(value: dict[str, Any]) -> bytes:
    """A resource of the JSON form in the XML form, by R4's own rules."""

    def fill(parent: etree._Element, name: str, value: Any) -> None:
        if isinstance(value, list):
            for one in value:
                fill(parent, name, one)
        elif name == "div":
            parent.append(etree.fromstring(value))
        elif isinstance(value, dict) and "resourceType" in value:
            wrapper = etree.SubElement(parent, f"{{{_FHIR}}}{name}")
            wrapper.append(resource(value))
        elif isinstance(value, dict):
            element = etree.SubElement(parent, f"{{{_FHIR}}}{name}")
            for key, inner in value.items():
                fill(element, key, inner)
        else:
            etree.SubElement(parent, f"{{{_FHIR}}}{name}", value=str(value))

    def resource(value: dict[str, Any]) -> etree._Element:
        element = etree.Element(f"{{{_FHIR}}}{value['resourceType']}", nsmap={None: _FHIR})
        for key, inner in value.items():
            if key != "resourceType":
                fill(element, key, inner)
        return element

    return etree.tostring(resource(value), xml_declaration=True, encoding="UTF-8")


def read(path: Path) -> list[Record]:
    return list(FORMATS["fhir"](Rules()).read(path))


def notes(path: Path) -> list[Note | None]:
    return [record.note for record in read(path)]


def beside_the_text(found: list[Note | None]) -> str:
    """Everything in notes but their texts, where a name may stand."""
    return repr([note.to_row() | {"text": ""} for note in found if note is not None])


def document(data: bytes, kind: str) -> dict[str, Any]:
    attachment = {"contentType": kind, "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "author": [{"display": CANARY}],
        "date": "2024-03-05",
        "content": [{"attachment": attachment}],
    }


def test_a_bundle_in_xml_gives_the_notes_that_it_gives_in_json(tmp_path: Path) -> None:
    as_json = fhir(tmp_path)
    as_xml = tmp_path / "bundle.xml"
    as_xml.write_bytes(to_xml(json.loads(as_json.read_text("utf-8"))))
    assert detect(as_xml) is FORMATS["fhir"]
    assert notes(as_xml) == notes(as_json)
    assert any(note is not None and note.text.startswith(FIRST[:10]) for note in notes(as_xml))
    assert CANARY not in beside_the_text(notes(as_xml))


def test_one_resource_and_values_with_extensions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(
        f'<Composition xmlns="{_FHIR}"><!-- c --><id value="c1"/><language value="fi"/><title value="T"><extension url="u">'
        '<valueString value="x"/></extension></title><section><title value="Tulosyy"/><text><div xmlns="http://www.w3.org/1999/xhtml">'
        "<p>Ei kuumetta.</p></div></text></section></Composition>",
        "utf-8",
    )
    (note,) = notes(path)
    assert note is not None
    assert (note.id, note.language, note.text) == ("c1", "fi", "Tulosyy\nEi kuumetta.")
    assert [section.name for section in note.sections] == ["Tulosyy"]


@pytest.mark.parametrize("kind", ["text/xml", "application/hl7-v3+xml; charset=utf-8", "application/xml"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_cda_in_an_attachment_keeps_its_sections_and_spans(tmp_path: Path, kind: str, form: str) -> None:
    source = cda(tmp_path) / "a.xml"
    (alone,) = (record.note for record in FORMATS["cda"](Rules()).read(source))
    value = document(source.read_bytes(), kind)
    path = tmp_path / f"wrapped.{form}"
    path.write_bytes(to_xml(value) if form == "xml" else json.dumps(value).encode())
    (note,) = notes(path)
    assert alone is not None
    assert note is not None
    assert (note.text, note.spans, note.sections) == (alone.text, alone.spans, alone.sections)
    assert note.spans
    assert (note.id, note.date) == ("d", "2024-03-05")  # the resource says who and when, not the document in it
    assert CANARY not in beside_the_text([note])


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"<a>", "syntax"), (b"<a/>", "left out"), (b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>", "empty")],
)
def test_xml_that_is_no_cda_is_named(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document(data, "text/xml")))
    (record,) = read(path)
    assert record.note is None
    assert kind in [problem.kind for problem in record.problems]


def test_entities_of_an_xml_resource_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    path = tmp_path / "x.xml"
    path.write_text(
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><Composition xmlns="{_FHIR}"><id value="c"/><section>'
        '<title value="T"/><text><div xmlns="http://www.w3.org/1999/xhtml">a &x; b</div></text></section></Composition>'
    )
    assert CANARY not in repr([(record.problems, record.note and record.note.to_row()) for record in read(path)])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_broken_file_is_a_report_and_no_error(tmp_path: Path, at: float, byte: int, cut: bool) -> None:
    path = tmp_path / "broken.xml"
    whole = to_xml(json.loads(fhir(tmp_path).read_text("utf-8")))
    place = int(at * (len(whole) - 1))
    path.write_bytes(whole[:place] if cut else whole[:place] + bytes([byte]) + whole[place + 1 :])
    for record in read(path):
        assert record.note is not None or record.problems
        if record.note is not None:
            record.note.check()
