"""The site's tables: OMOP that its own reader reads back, only what changed is built, and a build that was killed goes on."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_notes import CANARY, ListSource, note, rows

from fedkit.digests import digest_folder
from fedkit.errors import ConfigurationError, StorageError
from fedkit.notes.note import Note
from fedkit.notes.readers.omop import OmopReader
from fedkit.notes.store import NoteFile
from fedkit.notes.writers import omop as cdm
from fedkit.sites.warehouse import tables as declared
from fedkit.sites.warehouse.building import BuildReport, build
from fedkit.sites.warehouse.connection import DuckDBConnection
from fedkit.sites.warehouse.database import NEW_VIEWS, OMOP_FILE, VIEWS_FILE, DuckDBTables
from fedkit.sites.warehouse.sources import FileSource
from fedkit.sites.warehouse.views import check
from fedkit.warehouse.schema import SCHEMA

NOTES = [note(number) for number in range(40)]


def built(folder: Path, notes: list[Note], **more: object) -> BuildReport:
    with DuckDBTables.open(folder) as tables:
        return build(tables, "no", ListSource(notes), workers=1, **more)  # type: ignore[arg-type]


def test_the_tables_are_those_of_the_cdm_and_the_omop_reader_reads_them_back(tmp_path: Path) -> None:
    built(tmp_path, NOTES)
    for table in ("person", "visit_occurrence", "care_site", "concept", "note", "note_nlp"):
        listed = re.search(rf"CREATE TABLE {table} \((.*?)\);", cdm._DDL, re.DOTALL)
        assert listed is not None
        expected = [part.split()[0].strip('"') for part in re.split(r",(?![^(]*\))", listed[1])]
        assert list(declared.columns(table)) == expected
    read = [record.note for record in OmopReader().read(tmp_path / OMOP_FILE)]
    assert sorted(n.text for n in read if n) == sorted(n.text for n in NOTES)
    for found in read:
        assert found is not None
        drugs = [(found.text_of(s), s.attributes.get("negated"), s.concepts[0].code) for s in found.spans if s.label == "DRUG"]
        assert drugs == [("warfarin", "true" if "Ingen" in found.text else None, "B01AA03")]


def test_tables_that_are_a_source_themselves_give_the_same_views(tmp_path: Path) -> None:
    notes = [replace(n, meta={**n.meta, "visit_kind": ("inpatient", "outpatient")[i % 2]}) for i, n in enumerate(NOTES)]
    built(tmp_path / "a", notes)
    read = [record.note for record in OmopReader().read(tmp_path / "a" / OMOP_FILE)]
    built(tmp_path / "b", [found for found in read if found])
    for sql in (
        "SELECT sex, birth_year, age_band, language, COUNT(*) FROM views.patients GROUP BY ALL ORDER BY ALL",
        "SELECT kind, department, year, days, COUNT(*) FROM views.visits GROUP BY ALL ORDER BY ALL",
        "SELECT type, department, date, age, COUNT(*) FROM views.notes GROUP BY ALL ORDER BY ALL",
        "SELECT label, concept, negated, COUNT(*), COUNT(DISTINCT person_id) FROM views.mentions GROUP BY ALL ORDER BY ALL",
    ):
        assert rows(tmp_path / "a", sql) == rows(tmp_path / "b", sql)


def test_the_views_say_what_the_notes_say(tmp_path: Path) -> None:
    report = built(tmp_path, NOTES)
    assert (report.persons, report.notes, report.read, report.unnamed, report.failed) == (7, 40, 40, 0, {})
    assert rows(tmp_path, "SELECT COUNT(*), COUNT(DISTINCT person_id) FROM views.notes") == [(40, 7)]
    assert rows(tmp_path, "SELECT sex, COUNT(*) FROM views.patients GROUP BY 1 ORDER BY 1") == [("female", 4), ("male", 3)]
    assert rows(tmp_path, "SELECT year, COUNT(*) FROM views.notes GROUP BY 1 ORDER BY 1") == [
        (2020, 14),
        (2021, 13),
        (2022, 13),
    ]
    negated = "SELECT negated, COUNT(*) FROM views.mentions WHERE label = 'DRUG' GROUP BY 1 ORDER BY 1"
    assert rows(tmp_path, negated) == [("no", 26), ("yes", 14)]
    assert rows(tmp_path, "SELECT DISTINCT concept_system, concept FROM views.mentions WHERE label = 'DRUG'") == [
        ("ATC", "B01AA03")
    ]
    assert rows(tmp_path, "SELECT MIN(age), MAX(age) FROM views.notes") == [(2020 - 1956, 2022 - 1950)]
    # A person's notes of one day at one department are one visit.
    expected = len({(n.patient, n.date, n.department) for n in NOTES})
    assert rows(tmp_path, "SELECT COUNT(*), MAX(days) FROM views.visits") == [(expected, 0)]


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    built(tmp_path, NOTES)
    before = dict(rows(tmp_path, "SELECT note_id, person_id FROM views.notes"))
    changed = replace(NOTES[3], department="Kirurgi")
    report = built(tmp_path, [*NOTES[:3], changed, *NOTES[4:-1], note(99)])
    assert (report.read, report.same, report.gone, report.notes) == (2, 38, 1, 40)
    after = dict(rows(tmp_path, "SELECT note_id, person_id FROM views.notes"))
    assert len(set(before) - set(after)) == len(set(after) - set(before)) == 1
    assert all(after[id] == person for id, person in before.items() if id in after)
    assert rows(tmp_path, "SELECT COUNT(*) FROM views.notes WHERE department = 'Kirurgi'") == [(1,)]


_KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from warehouse_notes import ListSource, note
from fedkit.sites.warehouse.building import build
from fedkit.sites.warehouse.database import DuckDBTables

class Source(ListSource):
    def batches(self):
        for number, batch in enumerate(super().batches()):
            if number == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

with DuckDBTables.open(Path({folder!r})) as tables:
    build(tables, "no", Source([note(n) for n in range(40, 80)]), workers=1)
"""


def test_a_build_that_was_killed_goes_on_and_the_tables_before_it_answer_meanwhile(tmp_path: Path) -> None:
    built(tmp_path, NOTES[:10])
    code = _KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL
    assert rows(tmp_path, "SELECT COUNT(*) FROM views.notes") == [(10,)]
    report = built(tmp_path, [note(n) for n in range(40, 80)])
    assert (report.same, report.read, report.gone, report.notes) == (20, 20, 10, 40)  # four batches of five were saved
    whole = tmp_path / "whole"
    built(whole, [note(n) for n in range(40, 80)])
    for sql in (
        "SELECT year, sex, department, COUNT(*), COUNT(DISTINCT person_id) FROM views.notes GROUP BY ALL ORDER BY ALL",
        "SELECT label, negated, concept, COUNT(*) FROM views.mentions GROUP BY ALL ORDER BY ALL",
        "SELECT COUNT(*) FROM views.visits",
    ):
        assert rows(tmp_path, sql) == rows(whole, sql)


def test_workers_make_the_same_tables(tmp_path: Path) -> None:
    built(tmp_path / "one", NOTES)
    with DuckDBTables.open(tmp_path / "two") as tables:
        build(tables, "no", ListSource(NOTES), workers=2)
    sql = "SELECT label, negated, year, COUNT(*), COUNT(DISTINCT person_id) FROM views.mentions GROUP BY ALL ORDER BY ALL"
    assert rows(tmp_path / "one", sql) == rows(tmp_path / "two", sql)


def test_no_text_and_no_id_of_the_source_is_where_questions_are_asked(tmp_path: Path) -> None:
    notes = [replace(n, id=f"{CANARY}-{n.id}", patient=f"{CANARY}-{n.patient}") for n in NOTES]
    built(tmp_path, notes)
    with duckdb.connect(str(tmp_path / VIEWS_FILE), read_only=True) as database:
        for (table,) in database.execute("SELECT table_name FROM information_schema.tables").fetchall():
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                assert not any(CANARY in str(value) or "warfarin" in str(value) for value in row)
    assert CANARY.encode() not in (tmp_path / VIEWS_FILE).read_bytes()
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {OMOP_FILE: 0o600, VIEWS_FILE: 0o600}


def test_notes_that_say_not_whose_they_are_are_in_no_view(tmp_path: Path) -> None:
    report = built(tmp_path, [*NOTES[:10], note(50, person=None), note(51, person=None)])
    assert (report.unnamed, report.notes, report.persons) == (2, 10, 7)
    assert rows(tmp_path, "SELECT COUNT(*), COUNT(DISTINCT person_id) FROM views.notes") == [(10, 7)]
    assert rows(tmp_path, "SELECT COUNT(DISTINCT note_id) FROM views.mentions") == [(10,)]


def test_a_released_model_adds_what_it_finds_under_its_own_name(tmp_path: Path) -> None:
    import torch

    from fedkit.ner.models import build as fresh

    torch.manual_seed(1)
    folder = tmp_path / "release"
    fresh({"kind": "hash-cnn"}, ["DRUG", "IMPLANT"]).save_pretrained(folder)
    before = built(tmp_path / "t", NOTES[:10])
    report = built(tmp_path / "t", NOTES[:10], model=folder)
    assert (before.model_digest, report.model_digest) == ("", digest_folder(folder))
    assert report.model == f"release@{report.model_digest[:12]}"
    assert report.read == 10  # another model has read none of them
    names = {name for (name,) in rows(tmp_path / "t", "SELECT DISTINCT source_model FROM views.mentions")}
    assert names <= {"annotated", report.model, f"fedkit {report.pipeline[:12]}"}
    (about,) = rows(tmp_path / "t", "SELECT build, pipeline, model, model_digest, notes, layout FROM views.built")
    assert about == (report.build, report.pipeline, report.model, report.model_digest, 10, SCHEMA.digest)
    assert built(tmp_path / "t", NOTES[:10], model=folder).same == 10
    with pytest.raises(ConfigurationError, match="no model there"):
        built(tmp_path / "t", NOTES[:10], model=tmp_path / "nowhere")


def test_a_file_of_imported_notes_is_a_source(tmp_path: Path) -> None:
    with NoteFile.open(tmp_path / "notes.duckdb", write=True) as file, file.transaction():
        file.append(1, [(f"line {n}", NOTES[n]) for n in range(12)])
    with DuckDBTables.open(tmp_path / "t") as tables:
        assert build(tables, "no", FileSource(tmp_path / "notes.duckdb"), workers=1).notes == 12


def test_two_builds_at_once_are_one_too_many(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from fedkit.sites.warehouse.database import DuckDBTables; import sys\n"
        f"t = DuckDBTables.open(Path({str(tmp_path)!r})); print('open', flush=True); sys.stdin.read(); t.close()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StorageError) as refused:
            DuckDBTables.open(tmp_path)
        other.stdin.close()
    assert "another process" in refused.value.got
    assert not (tmp_path / NEW_VIEWS).exists()
    built(tmp_path, NOTES[:5])


_WORDS = st.one_of(
    st.none(), st.text(max_size=80), st.sampled_from(["Ortopedi", " ", "a\nb", "x" * 65, "'; DROP TABLE notes; --"])
)
_ODD = st.builds(
    lambda number, person, day, department, kind, sex, born, language: replace(
        note(number, person=person),
        date=day,
        department=department,
        type=kind,
        language=language,
        meta={"sex": sex, "year_of_birth": born},
    ),
    st.integers(0, 10**6),
    st.one_of(st.none(), st.text(min_size=1, max_size=60)),
    st.one_of(st.none(), st.dates(date(1800, 1, 1), date(2300, 1, 1)).map(date.isoformat)),
    _WORDS,
    _WORDS,
    st.sampled_from(["male", "F", "8532", "unknown", "", "?"]),
    st.sampled_from(["", "1931", "0", "1799", "99999999", "abc", "2029"]),
    st.sampled_from(["nb", "nn", "sv", "en", "xx"]),
)


@settings(max_examples=15)
@given(st.lists(_ODD, min_size=1, max_size=12, unique_by=lambda n: n.id))
def test_whatever_a_source_says_the_views_hold_what_the_schema_promises(
    tmp_path_factory: pytest.TempPathFactory, notes: list[Note]
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    built(folder, notes)
    connection = DuckDBConnection(folder / VIEWS_FILE)
    check(connection.columns(), "no")
    connection.close()
    for name, view in SCHEMA.views.items():
        found = rows(folder, f"SELECT {', '.join(f'{chr(34)}{c.name}{chr(34)}' for c in view.columns)} FROM views.{name}")
        for row in found:
            for column, value in zip(view.columns, row, strict=True):
                if column.kind == "category":
                    assert 1 <= len(value) <= 64
                    assert value.isprintable()
                    assert value == value.strip()
                    assert column.open or value in column.values
                elif column.kind == "number" and value is not None:
                    assert column.low <= value <= column.high
                elif column.kind == "id" and column.name != "visit_id":
                    assert value > 0
    of_persons = rows(folder, "SELECT COUNT(*) FROM views.patients")[0][0]
    assert of_persons == len({n.patient for n in notes if n.patient is not None})
    same = [f"COUNT(DISTINCT {column.name})" for column in SCHEMA.view("notes").columns if column.of_person]
    assert all(max(row) <= 1 for row in rows(folder, f"SELECT {', '.join(same)} FROM views.notes GROUP BY person_id"))
