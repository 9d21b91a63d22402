"""The note store: what was loaded comes back; private and mock notes lie apart; a load is whole or not at all."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from fedkit.errors import ConfigurationError, StorageError
from fedkit.notes.corpus import SiteNotes
from fedkit.notes.note import Note, Span
from fedkit.sites import store as module
from fedkit.sites.store import DuckDBNoteStore, mock_file, read_rows


def some_notes(split: str, count: int) -> tuple[Note, ...]:
    return tuple(
        Note(
            f"{split}-{n}",
            f"Potilas {split} {n} sai Ibuxia. Iho kutisi ennen: €, å, 🩺.",
            "fi",
            (Span(0, 7, "REACTION", {"negated": "no"}), Span(8, 9, "DRUG")),
            tokens=("Potilas", "x") if n % 2 else None,
            patient=f"p{n}" if n % 3 else None,
            meta={"ward": "5"},
        )
        for n in range(count)
    )


@pytest.fixture
def site() -> SiteNotes:
    return SiteNotes(
        "fi", "Järvi", "fi", some_notes("train", 20), some_notes("dev", 3), some_notes("test", 4), some_notes("mock", 5)
    )


@pytest.fixture
def store(tmp_path: Path, site: SiteNotes) -> DuckDBNoteStore:
    store = DuckDBNoteStore(tmp_path / "site" / "notes.duckdb")
    store.load(site)
    return store


def test_notes_come_back_as_they_were_in_their_order(store: DuckDBNoteStore, site: SiteNotes) -> None:
    for split, notes in site.splits():
        assert store.notes(split) == list(notes)
    assert store.splits() == {"train": 20, "dev": 3, "test": 4, "mock": 5}
    assert store.about() == {"name": "fi", "title": "Järvi", "language": "fi", "labels": ["DRUG", "REACTION"]}


def test_empty_splits_are_splits(tmp_path: Path, site: SiteNotes) -> None:
    store = DuckDBNoteStore(tmp_path / "notes.duckdb")
    store.load(replace(site, train=(), dev=()))
    assert store.notes("train") == []
    assert store.splits()["dev"] == 0


def test_another_split_is_a_named_error(store: DuckDBNoteStore) -> None:
    with pytest.raises(ConfigurationError, match="split"):
        store.notes("train' OR 1=1 --")


def test_the_mock_file_holds_nothing_private_and_the_private_file_nothing_else(store: DuckDBNoteStore) -> None:
    assert list(read_rows(mock_file(store.path))) == ["mock"]
    assert list(read_rows(store.path)) == ["train", "dev", "test"]
    data = mock_file(store.path).read_bytes()
    assert b"Potilas mock" in data
    for private in (b"Potilas train", b"Potilas dev", b"Potilas test"):
        assert private not in data


def test_files_are_for_their_owner_alone(store: DuckDBNoteStore) -> None:
    assert sorted(p.name for p in store.path.parent.iterdir()) == ["notes.duckdb", "notes.mock.duckdb"]
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_commitment_binds_every_note_and_stays_for_the_same_notes(store: DuckDBNoteStore, site: SiteNotes) -> None:
    first = store.commitment()
    store.load(site)
    assert store.commitment() == first
    other = replace(site.test[0], text=site.test[0].text.replace("kutisi", "kutina"))
    store.load(replace(site, test=(other, *site.test[1:])))
    assert store.commitment() != first
    store.load(replace(site, train=site.dev, dev=site.train))
    assert store.commitment() != first


def test_the_commitment_cannot_be_guessed_from_the_notes(store: DuckDBNoteStore, site: SiteNotes, tmp_path: Path) -> None:
    other = DuckDBNoteStore(tmp_path / "other.duckdb")
    other.load(site)
    assert other.commitment() != store.commitment()


def test_nothing_loaded_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no notes yet"):
        DuckDBNoteStore(tmp_path / "notes.duckdb").splits()


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.duckdb").write_bytes(b"some other file" * 1000)
    with pytest.raises(StorageError, match=r"notes\.duckdb"):
        DuckDBNoteStore(tmp_path / "notes.duckdb").splits()


def test_a_load_that_fails_leaves_what_was_there(
    store: DuckDBNoteStore, site: SiteNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    commitment, real, calls = store.commitment(), module._write, []

    def full_at_the_second_file(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_write", full_at_the_second_file)
    with pytest.raises(StorageError) as refused:
        store.load(replace(site, train=()))
    assert "Potilas" not in refused.value.diagnostics()
    monkeypatch.undo()
    assert store.commitment() == commitment
    assert store.notes("train") == list(site.train)
    assert sorted(p.name for p in store.path.parent.iterdir()) == ["notes.duckdb", "notes.mock.duckdb"]


def test_a_killed_load_is_cleared_away_by_the_next(store: DuckDBNoteStore, site: SiteNotes) -> None:
    rest = store.path.parent / ".loading-abc"
    rest.mkdir()
    (rest / "notes.duckdb").write_bytes(b"half")
    store.load(site)
    assert not rest.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY notes TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "INSERT INTO about VALUES ('a', 'b')",
    ],
)
def test_a_store_reaches_nothing_outside_of_itself_and_is_read_only(store: DuckDBNoteStore, statement: str) -> None:
    with module._open(store.path) as db, pytest.raises(duckdb.Error):
        db.execute(statement.format(folder=store.path.parent))
    assert len(list(store.path.parent.iterdir())) == 2


def test_readers_do_not_keep_a_load_from_happening(store: DuckDBNoteStore, site: SiteNotes) -> None:
    with module._open(store.path):
        store.load(replace(site, train=()))
    assert store.notes("train") == []
