"""Imports: one bad record never loses the rest, a second run adds nothing, and kill -9 costs nothing either."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_samples import CANARY, SAMPLES, brat

from fedkit.cli.notes import notes as command
from fedkit.errors import CorpusError
from fedkit.notes import importing
from fedkit.notes.importing import ImportReport, Unit, describe_imports, import_notes, units_of
from fedkit.notes.note import Note
from fedkit.notes.readers.base import Problem, Record, Rules
from fedkit.notes.readers.jsonl import JsonlReader
from fedkit.notes.readers.text import lines
from fedkit.notes.store import NoteFile

RULES = Rules()


def row(id: str, text: str = "Pasienten har kvalme.", **more: Any) -> bytes:
    return json.dumps({"id": id, "text": text, "lang": "nb", **more}, ensure_ascii=False).encode() + b"\n"


def run(store: Path, source: Path, rules: Rules = RULES, format: str | None = None) -> ImportReport:
    with NoteFile.open(store, write=True) as file:
        return import_notes(file, units_of(source, rules, format))


def ids(store: Path) -> list[str]:
    with NoteFile.open(store) as file:
        return [note.id for note in file.notes()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Twelve hundred notes: more than two batches."""
    path = tmp_path / "notes.jsonl"
    path.write_bytes(b"".join(row(f"n{i}") for i in range(1200)))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "site" / "notes.duckdb"


# --- bad input -----------------------------------------------------------------------------------------------------------

#: What is wrong → (a line, does it cost the note, the kind by which it is reported).
BAD: dict[str, tuple[bytes, bool, str]] = {
    "a record cut off": (row("x", CANARY)[:30] + b"\n", True, "syntax"),
    "no object": (b"[1, 2]\n", True, "syntax"),
    "another encoding": (f'{{"id": "x", "text": "{CANARY} på"}}\n'.encode("latin-1"), True, "encoding"),
    "NUL bytes in the file": (b"\0\0\0\0\n", True, "syntax"),
    "NUL in a text": (b'{"id": "x", "text": "a\\u0000b", "lang": "nb"}\n', False, "NUL"),
    "half a character": (b'{"id": "x", "text": "a\\ud83d b"}\n', True, "half a character"),
    "an empty note": (row("x", ""), True, "empty"),
    "a note of blanks": (row("x", " \n\t "), True, "empty"),
    "no text": (b'{"id": "x"}\n', True, "empty"),
    "a text that is a number": (b'{"id": "x", "text": 7}\n', True, "syntax"),
    "no id": (b'{"text": "x"}\n', False, "id missing"),
    "an id of another note": (row("n3", CANARY), True, "id twice"),
    "an offset out of range": (row("x", spans=[{"start": 0, "end": 99, "label": "A"}]), False, "span outside"),
    "an offset that is none": (row("x", spans=[{"start": "a", "end": 3, "label": "A"}]), False, "span outside"),
    "a label without a name": (row("x", spans=[{"start": 0, "end": 3, "label": " "}]), False, "label unknown"),
    "spans of another shape": (row("x", spans={"a": 1}), False, "structure"),
    "a relation to nothing": (row("x", relations=[{"head": 0, "tail": 1, "label": "a"}]), False, "relation"),
    "tokens of another text": (row("x", tokens=[CANARY]), False, "structure"),
    "sentences outside": (row("x", sentences=[[0, 999]]), False, "structure"),
    "a date of no calendar": (row("x", date="31.02.2024"), False, "date"),
    "nesting without end": (b"[" * 100_000 + b"\n", True, "syntax"),
}


@pytest.mark.parametrize(("line", "lost", "kind"), BAD.values(), ids=BAD)
def test_a_bad_record_in_the_middle_is_named_with_its_place_and_the_rest_is_there(
    tmp_path: Path, store: Path, line: bytes, lost: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_RECORDS", 20)
    path = tmp_path / "notes.jsonl"
    path.write_bytes(b"".join(row(f"n{i}") for i in range(30)) + line + b"".join(row(f"m{i}") for i in range(30)))
    report = run(store, path)
    assert report.records == 61
    assert report.notes == 60 + (not lost)
    assert report.problems == {kind: 1}
    assert report.skipped == ({kind: 1} if lost else {})
    assert [(k, place) for k, place, _ in report.places] == [(kind, "notes.jsonl, line 31")]
    assert CANARY not in str(report)
    rest = [i for i in ids(store) if i[0] in "nm" and i[1:].isdigit()]
    assert rest == [f"n{i}" for i in range(30)] + [f"m{i}" for i in range(30)]


def test_a_note_of_fifty_megabytes_is_named_and_never_held(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "notes.jsonl"
    with path.open("wb") as file:
        file.write(row("a") + b'{"id": "big", "text": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + row("b"))
    report = run(store, path)
    assert (report.records, report.notes, report.skipped) == (3, 2, {"too large": 1})
    assert report.places[0][:2] == ("too large", "notes.jsonl, line 2")
    assert "50,000,0" in report.places[0][2]
    assert ids(store) == ["a", "b"]


def test_a_line_that_is_too_long_is_passed_over_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    with path.open("wb") as file:
        for _ in range(30):
            file.write(b"x" * 1_000_000)
        file.write(b"\nshort\n")
    tracemalloc.start()
    try:
        found = [(line.number, line.text, line.problem and line.problem.kind) for line in lines(path, "utf-8", 1_000_000)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [(1, None, "too large"), (2, "short", None)]
    assert peak < 10_000_000


def test_an_id_that_is_used_twice_is_taken_once_near_and_far(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(row("a", "en") + row("a", "to") + b"".join(row(f"n{i}") for i in range(600)) + row("a", "tre"))
    report = run(store, path)
    assert (report.notes, report.skipped) == (601, {"id twice": 2})
    assert [place for _, place, _ in report.places] == ["notes.jsonl, line 2", "notes.jsonl, line 603"]
    assert {said for _, _, said in report.places} == {"as notes.jsonl, line 1"}
    with NoteFile.open(store) as file:
        assert file.get("a").text == "en"  # type: ignore[union-attr]


def test_every_bad_thing_at_once(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "notes.jsonl"
    lines = [
        line if b'"x"' not in line else line.replace(b'"x"', f'"x{i}"'.encode(), 1)
        for i, (line, _, _) in enumerate(BAD.values())
    ]
    path.write_bytes(b"".join(row(f"n{i}") + line for i, line in enumerate(lines)))
    report = run(store, path)
    assert report.records == 2 * len(BAD)
    assert report.notes == len(BAD) + sum(not lost for _, lost, _ in BAD.values())
    assert sum(report.problems.values()) == len(BAD)


def test_labels_are_counted_and_unknown_ones_reported(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "notes.jsonl"
    spans = [{"start": 0, "end": 9, "label": "PERSON"}, {"start": 14, "end": 20, "label": "ADR"}]
    path.write_bytes(row("a", spans=spans) + row("b", spans=spans[1:]))
    report = run(store, path, Rules(labels=frozenset({"REACTION"}), rename={"ADR": "REACTION"}))
    assert (report.labels, report.languages, report.problems) == ({"REACTION": 2}, {"nb": 2}, {"label unknown": 1})


def test_a_damaged_file_costs_itself(tmp_path: Path, store: Path) -> None:
    folder = SAMPLES["pdf"](tmp_path)
    (folder / "aa.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "c.pdf").write_bytes(b"")
    report = run(store, folder)
    assert (report.units, report.notes) == (4, 2)
    assert {place for _, place, _ in report.places} == {"aa.pdf", "c.pdf"}


# --- again, and further --------------------------------------------------------------------------------------------------


def test_a_second_run_adds_nothing_and_reports_the_same(source: Path, store: Path) -> None:
    with source.open("ab") as file:
        file.write(b"broken\n")
    first = run(store, source)
    second = run(store, source)
    assert (first.added, second.added) == (1200, 0)
    assert second.notes == first.notes
    assert (second.problems, second.places, second.records) == (first.problems, first.places, first.records)


def test_a_source_that_has_changed_is_imported_afresh(source: Path, store: Path) -> None:
    run(store, source)
    with NoteFile.open(store, write=True) as file:
        file.begin("stage", "1")
        for batch in file.pending("stage"):
            file.save("stage", batch)
    source.write_bytes(row("new") + row("n1", "Ingen feber."))
    report = run(store, source)
    assert (report.added, report.notes, report.units) == (2, 2, 1)
    with NoteFile.open(store) as file:
        assert file.get("n1").text == "Ingen feber."  # type: ignore[union-attr]
        assert file.count("stage") == 0  # what was made of the old notes went with them


def test_other_rules_read_a_source_again(source: Path, store: Path) -> None:
    run(store, source)
    assert run(store, source, Rules(max_characters=5)).notes == 0
    assert run(store, source).notes == 1200


def test_a_change_in_a_brat_annotation_is_a_change(tmp_path: Path, store: Path) -> None:
    folder = brat(tmp_path)
    run(store, folder)
    (folder / "a.ann").write_text("")
    assert run(store, folder).added == 1
    with NoteFile.open(store) as file:
        assert file.get("a").spans == ()  # type: ignore[union-attr]


def test_two_sources_live_in_one_store_and_ids_are_taken_once(source: Path, tmp_path: Path, store: Path) -> None:
    run(store, source)
    other = tmp_path / "other.jsonl"
    other.write_bytes(row("n5", "Annen tekst.") + row("o1"))
    report = run(store, other)
    assert (report.notes, report.skipped) == (1201, {"id twice": 1})
    assert report.places == [("id twice", "other.jsonl, line 1", "as notes.jsonl, line 6")]
    with NoteFile.open(store) as file:
        assert file.get("n5").text == "Pasienten har kvalme."  # type: ignore[union-attr]


def test_what_the_system_could_not_read_is_tried_again(tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(row("a"))
    (folder / "b.jsonl").symlink_to(tmp_path / "later")
    (tmp_path / "later").mkdir()  # a folder where a file should be: it is there and cannot be read
    units = units_of(folder, RULES, "jsonl")
    broken = Unit(
        str(tmp_path / "later"), "b.jsonl", "jsonl", "1", lambda after: JsonlReader().read(tmp_path / "later", after=after)
    )
    with NoteFile.open(store, write=True) as file:
        report = import_notes(file, [*units, broken])
        assert (report.notes, report.problems) == (1, {"disk": 1})
        (tmp_path / "later").rmdir()
        (tmp_path / "later").write_bytes(row("b") + row("c"))
        report = import_notes(file, [*units, broken])
    assert (report.notes, report.problems, report.records) == (3, {}, 3)
    assert ids(store) == ["a", "b", "c"]


_CRASH = """
import os, signal, sys
from pathlib import Path
from fedkit.notes.importing import import_notes, units_of
from fedkit.notes.readers.base import Rules
from fedkit.notes.store import NoteFile
calls = 0
def progress(unit, records):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
with NoteFile.open(Path(sys.argv[2]), write=True) as store:
    import_notes(store, units_of(Path(sys.argv[1]), Rules()), progress)
"""


@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_import_that_was_killed_goes_on_where_it_was(source: Path, tmp_path: Path, store: Path, call: int) -> None:
    with source.open("ab") as file:
        file.write(b"broken\n" + row("n7"))
    whole = run(tmp_path / "whole.duckdb", source)
    died = subprocess.run([sys.executable, "-c", _CRASH, str(source), str(store), str(call)], check=False)
    assert died.returncode == -signal.SIGKILL
    report = run(store, source)
    assert report.added == 1200 - 500 * (call - 1)
    assert (report.notes, report.problems, report.places) == (whole.notes, whole.problems, whole.places)
    assert ids(store) == ids(tmp_path / "whole.duckdb")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, 40), max_size=4), batch=st.integers(1, 15))
def test_however_often_it_stops_the_outcome_is_that_of_one_run(tmp_path: Path, stops: list[int], batch: int) -> None:
    """The reader raises after so many records, again and again; the batches have any size."""
    records = [
        Record(f"r{i}", None if i % 7 == 3 else Note(f"n{i % 30}", "x y", "nb"), (Problem("syntax"),) if i % 7 == 3 else ())
        for i in range(40)
    ]

    def unit(stop: int) -> Unit:
        def read(after: int) -> Iterator[Record]:
            for number in range(after, len(records)):
                if number == stop:
                    raise RuntimeError
                yield records[number]

        return Unit("k", "k", "test", "1", read)

    store = tmp_path / f"{len(list(tmp_path.iterdir()))}.duckdb"
    before = importing.BATCH_RECORDS
    importing.BATCH_RECORDS = batch
    try:
        with NoteFile.open(store, write=True) as file:
            for stop in [*stops, len(records)]:
                try:
                    report = import_notes(file, [unit(stop)])
                except RuntimeError:
                    report = describe_imports(file)
            assert [note.id for note in file.notes()] == [*(f"n{i}" for i in range(30) if i % 7 != 3), "n3"]
    finally:
        importing.BATCH_RECORDS = before
    assert report.records == 40
    # r30 to r39 are n0 to n9 again: two of them are no notes, and n3 was not there before.
    assert report.problems == {"id twice": 7, "syntax": 6}


_FULL = """
import resource, signal, sys
from pathlib import Path
from fedkit.errors import StorageError
from fedkit.notes.importing import import_notes, units_of
from fedkit.notes.readers.base import Rules
from fedkit.notes.store import NoteFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))
try:
    with NoteFile.open(Path(sys.argv[2]), write=True) as store:
        import_notes(store, units_of(Path(sys.argv[1]), Rules()))
except StorageError as error:
    print(error.diagnostics())
    sys.exit(3)
"""


def test_a_disk_that_takes_no_more_is_named_and_what_was_saved_stays(tmp_path: Path, store: Path) -> None:
    """The system itself refuses to write beyond two and a half megabytes."""
    source = tmp_path / "notes.jsonl"
    rng = random.Random(1)  # noise, which no database can make smaller
    source.write_bytes(b"".join(row(f"n{i}", rng.randbytes(600).hex()) for i in range(6000)))
    full = subprocess.run([sys.executable, "-c", _FULL, str(source), str(store)], check=False, capture_output=True, text=True)
    assert full.returncode == 3
    assert "free space" in full.stdout
    assert full.stderr == ""
    kept = ids(store)
    assert 0 < len(kept) < 6000
    assert kept == [f"n{i}" for i in range(len(kept))]
    assert run(store, source).added == 6000 - len(kept)
    assert len(ids(store)) == 6000


# --- the command ---------------------------------------------------------------------------------------------------------


def invoke(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("format", list(SAMPLES))
def test_the_command_brings_in_every_format_without_being_told(tmp_path: Path, store: Path, format: str) -> None:
    status, said = invoke("import", SAMPLES[format](tmp_path), "--to", store)
    assert status == 0
    assert "2 notes added" in said
    assert CANARY not in said
    assert len(ids(store)) == 2


def test_the_command_reports_what_was_skipped_and_why(source: Path, tmp_path: Path, store: Path) -> None:
    with source.open("ab") as file:
        file.write(row("x", CANARY)[:30] + b"\n" + row("n1", CANARY))
    status, said = invoke("import", source, "--to", store, "--report", tmp_path / "report.json")
    assert status == 0
    assert "1,200 of 1,202 records" in said
    assert "line 1201" in " ".join(said.split())
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["skipped"] == {"syntax": 1, "id twice": 1}
    assert CANARY not in said + str(report)


def test_a_source_of_which_nothing_could_be_read_is_a_failure(tmp_path: Path, store: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("nothing\n")
    assert invoke("import", path, "--to", store, "--format", "jsonl")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nothing to import"),
        (["notes.jsonl", "--format", "word"], "no such format"),
        (["empty"], "no file that a reader knows"),
    ],
)
def test_wrong_use_is_refused_by_name_and_leaves_no_file(
    source: Path, store: Path, arguments: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    Path("empty").mkdir()
    with pytest.raises(CorpusError, match=told):
        invoke("import", *arguments, "--to", store)
    assert not store.exists()


def test_an_option_that_is_no_pair_is_wrong_usage(source: Path, store: Path) -> None:
    assert invoke("import", source, "--to", store, "--rename", "A")[0] == 2


@pytest.mark.corpora
def test_a_whole_benchmark_corpus_goes_in_and_comes_out(corpora: Path, tmp_path: Path, store: Path) -> None:
    source = tmp_path / "names5"
    shutil.copytree(corpora / "names5" / "da", source)
    status, said = invoke("import", source, "--to", store)
    assert status == 0
    assert "PER" in said
    status, said = invoke("export", store, "--to", tmp_path / "out.conll", "--format", "iob2")
    assert status == 0
    lines = [line for path in sorted(source.glob("*.jsonl")) for line in path.read_text("utf-8").split("\n") if line]
    with NoteFile.open(store) as file:
        assert [n.text for n in file.notes()] == [json.loads(line)["text"] for line in lines]
