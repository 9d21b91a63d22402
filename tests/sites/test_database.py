"""One SQLite file: whole transactions, nested ones, columns that an earlier version lacks, and one named way to fail."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fedkit.errors import StorageError
from fedkit.sites.database import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY);"


def numbers(database: Database) -> list[int]:
    return [n for (n,) in database.all("SELECT n FROM t ORDER BY n")]


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)

    def fail() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO t VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert numbers(database) == []


def test_one_within_another_belongs_to_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)

    def fail() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO t VALUES (1)")
            database.write("INSERT INTO t VALUES (2)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert numbers(database) == []
    with database.transaction():
        database.write("INSERT INTO t VALUES (1)")
        database.write("INSERT INTO t VALUES (2)")
    assert numbers(database) == [1, 2]


def test_threads_take_turns(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", SCHEMA)

    def count() -> None:
        for _ in range(20):
            with database.transaction() as db:
                (last,) = db.execute("SELECT COALESCE(MAX(n), 0) FROM t").fetchone()
                db.execute("INSERT INTO t VALUES (?)", (last + 1,))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(database) == list(range(1, 81))


def test_a_file_of_an_earlier_version_gets_the_column_it_lacks(tmp_path: Path) -> None:
    first = Database(tmp_path / "a.db", SCHEMA)
    first.write("INSERT INTO t VALUES (1)")
    first.close()
    for _ in range(2):
        again = Database(tmp_path / "a.db", SCHEMA)
        again.add_schema("", t="name TEXT NOT NULL DEFAULT 'none'")
        assert again.one("SELECT n, name FROM t") == (1, "none")
        again.close()


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    Database(tmp_path / "a.db", SCHEMA)
    assert (tmp_path / "a.db").stat().st_mode & 0o077 == 0


def test_what_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(StorageError, match=r"a\.db cannot be used"):
        Database(tmp_path / "a.db", SCHEMA)
    with pytest.raises(StorageError, match=r"a\.db cannot be used"):
        Database(tmp_path / "nowhere" / "a.db", SCHEMA)
