"""The file of notes: batches whole or not at all, stages that go on where they were, and nobody else may read it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fedkit.errors import ConfigurationError, StorageError
from fedkit.notes.note import Note, Section, Span
from fedkit.notes.store import NoteFile

CANARY = "Kanarifugl"


def some(count: int, first: int = 0) -> list[tuple[str, Note]]:
    return [
        (
            f"place {i}",
            Note(f"n{i}", f"{CANARY} {i} 😀", "nb", (Span(0, 5, "A", {"negated": "true"}),), sections=(Section(0, 8, "x", 3),)),
        )
        for i in range(first, first + count)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "notes.duckdb"
    with NoteFile.open(path, write=True) as file:
        fill(file, 25)
    return path


def fill(file: NoteFile, count: int, first: int = 0) -> None:
    with file.transaction():
        file.append(1, some(count, first))


def shouted(note: Note) -> Note:
    return Note(note.id, note.text.upper(), note.language)


def test_notes_come_back_as_they_were_in_their_order(path: Path) -> None:
    with NoteFile.open(path) as file:
        for size in (1, 7, 25, 1000):
            assert list(file.notes(size=size)) == [note for _, note in some(25)]
        assert file.count() == 25
        assert file.get("n7") == some(25)[7][1]
        assert file.get("other") is None


def test_long_notes_come_fewer_at_a_time(tmp_path: Path) -> None:
    texts = [f"{i} " + "ord " * n for i, n in enumerate((10, 200_000, 300_000, 10, 600_000, 10))]
    with NoteFile.open(tmp_path / "long.duckdb", write=True, megabytes=48) as file:
        with file.transaction():
            file.append(1, [(f"place {i}", Note(f"n{i}", text, "nb")) for i, text in enumerate(texts)])
        batches = list(file.batches(size=100))
        file.begin("processed", "x")
        for batch in file.pending("processed", size=4):
            file.save("processed", batch)
        assert [note.text for note in file.notes("processed")] == texts
    assert [[note.id for _, note in batch] for batch in batches] == [["n0", "n1"], ["n2", "n3"], ["n4"], ["n5"]]


def test_a_stage_goes_on_behind_its_last_saved_batch(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        assert file.begin("loud", "settings 1") == 0
        batches = file.pending("loud", size=10)
        for _ in range(2):
            batch = next(batches)
            file.save("loud", [(at, shouted(note)) for at, note in batch])
    with NoteFile.open(path, write=True) as file:
        assert file.begin("loud", "settings 1") == 20
        left = [at for batch in file.pending("loud", size=3) for at, _ in batch]
        assert left == [20, 21, 22, 23, 24]
        for batch in file.pending("loud", size=3):
            file.save("loud", [(at, shouted(note)) for at, note in batch])
        assert [note.text for note in file.notes("loud")] == [note.text.upper() for _, note in some(25)]
        assert file.get("n7", "loud") == shouted(some(25)[7][1])
        assert list(file.notes()) == [note for _, note in some(25)]
        assert file.stages() == {"loud": "settings 1"}


def test_notes_that_come_later_are_pending_again(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        file.begin("loud", "1")
        for batch in file.pending("loud"):
            file.save("loud", batch)
        assert list(file.pending("loud")) == []
        fill(file, 3, first=25)
        assert [at for batch in file.pending("loud") for at, _ in batch] == [25, 26, 27]


def test_a_stage_may_begin_from_another_stage(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        file.begin("loud", "1")
        for batch in file.pending("loud"):
            file.save(
                "loud",
                [(at, shouted(note)) for at, note in batch if at % 2],
                [(at, "too long") for at, _ in batch if not at % 2],
            )
        file.begin("second", "1")
        got = [(at, note) for batch in file.pending("second", source="loud", size=4) for at, note in batch]
        assert [at for at, _ in got] == list(range(1, 25, 2))
        assert all(note.text.isupper() or "😀" in note.text for _, note in got)
        assert file.failed("loud") == {"too long": 13}
        assert file.count("loud") == 12


def test_other_settings_begin_a_stage_anew(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        file.begin("loud", "1")
        for batch in file.pending("loud"):
            file.save("loud", batch)
        assert file.begin("loud", "2") == 0
        assert file.count("loud") == 0
        assert file.stages() == {"loud": "2"}


@pytest.mark.parametrize("positions", [[3, 3], [0, 1]], ids=["twice", "behind"])
def test_results_out_of_order_are_refused_and_leave_nothing(path: Path, positions: list[int]) -> None:
    with NoteFile.open(path, write=True) as file:
        file.begin("loud", "1")
        file.save("loud", [(1, some(1)[0][1])])
        with pytest.raises(ValueError, match="in the order"):
            file.save("loud", [(at, some(1)[0][1]) for at in positions])
        assert file.count("loud") == 1


def test_the_notes_themselves_are_no_stage_to_write(path: Path) -> None:
    with NoteFile.open(path, write=True) as file, pytest.raises(ValueError, match="source"):
        file.begin("source", "1")


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        with suppress(RuntimeError), file.transaction():
            file.append(1, some(2, first=100))
            raise RuntimeError
        assert file.count() == 25
        fill(file, 2, first=200)
        assert file.count() == 27


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6), gaps=st.sets(st.integers(0, 24), max_size=10))
def test_batches_of_any_size_over_any_gaps_give_every_note_once(path: Path, sizes: list[int], gaps: set[int]) -> None:
    with NoteFile.open(path, write=True) as file:
        file.database.execute("BEGIN")
        for at in gaps:  # as an import of a changed source leaves them
            file.database.execute("DELETE FROM notes WHERE position = ?", [at])
        for size in sizes:
            assert [at for batch in file.batches(size=size) for at, _ in batch] == sorted(set(range(25)) - gaps)
        file.database.execute("ROLLBACK")


# --- on the disk ---------------------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_the_file_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.duckdb"
    before = os.umask(0o022)
    try:
        with NoteFile.open(path, write=True) as file:
            fill(file, 5)
            written = list(path.parent.iterdir())
            assert any(CANARY.encode() in p.read_bytes() for p in written)  # the log holds notes as well
            assert {stat.S_IMODE(p.stat().st_mode) for p in written} == {0o600}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.umask(0o022) == 0o022  # what other code of this process makes is as it was
    finally:
        os.umask(before)


def test_the_umask_is_put_back_when_opening_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("no database")
    before = os.umask(0o027)
    try:
        with pytest.raises(StorageError):
            NoteFile.open(path, write=True)
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_file_of_another_kind_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE mine (a INTEGER)")
    for write in (False, True):
        with pytest.raises(StorageError, match=r"other\.duckdb"):
            NoteFile.open(path, write=write)
    with duckdb.connect(str(path)) as database:
        assert database.execute("SHOW TABLES").fetchall() == [("mine",)]


def test_another_version_is_named(path: Path) -> None:
    with NoteFile.open(path, write=True) as file:
        file.database.execute("UPDATE about SET value = '99'")
    with pytest.raises(StorageError, match="another version"):
        NoteFile.open(path)


def test_nothing_to_read_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no file of notes"):
        NoteFile.open(tmp_path / "none.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_two_processes_cannot_write_at_once(path: Path) -> None:
    code = "import pathlib, sys; from fedkit.notes.store import NoteFile; NoteFile.open(pathlib.Path(sys.argv[1]), write=True)"
    with NoteFile.open(path, write=True):
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "StorageError" in other.stderr
    assert subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=False).returncode == 0


def test_the_database_reaches_nothing_outside(path: Path, tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with NoteFile.open(path, write=True) as file:
        for statement in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY notes TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.duckdb'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                file.database.execute(statement)
    assert not (tmp_path / "out.csv").exists()


def test_errors_of_the_database_carry_no_text(path: Path) -> None:
    with NoteFile.open(path, write=True) as file, pytest.raises(StorageError) as caught, file.transaction():
        file.database.execute("INSERT INTO notes VALUES ('Kanarifugl', 'a', 1, 'b', 'c')")
    assert CANARY not in caught.value.diagnostics()
