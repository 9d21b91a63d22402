"""What rates, quotas and budgets are counted on: each execution once, by user and data set, durable, also under a race."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.sites.database import Database
from fedkit.sites.usage import Usage


def key(number: int, digest: str = "d") -> tuple[str, str, int, str]:
    return (digest * 64, "count", number, "0" * 64)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "gate.db")


def test_a_call_is_on_record_once_however_often_it_is_charged(database: Database) -> None:
    usage = Usage(database)
    assert not usage.known(key(1))
    for now in (10.0, 20.0):
        usage.charge(key(1), user="ann", dataset="notes", now=now, rho=0.5)
    assert usage.known(key(1))
    assert usage.recent("ann", "notes", 0.0) == (10.0,)
    assert usage.spent("notes") == 0.5


def test_users_and_data_sets_are_counted_apart_and_a_data_set_in_all(database: Database) -> None:
    usage = Usage(database)
    for number, (user, dataset) in enumerate([("ann", "notes"), ("bob", "notes"), ("ann", "images"), ("ann", "notes")]):
        usage.charge(key(number), user=user, dataset=dataset, now=float(number), rho=0.25)
    assert usage.recent("ann", "notes", -1.0) == (0.0, 3.0)
    assert usage.recent("ann", "notes", 0.0) == (3.0,)
    assert usage.spent("notes", "ann") == 0.5
    assert usage.spent("notes") == 0.75
    assert usage.spent("notes", "nobody") == 0.0


def test_it_survives_a_restart_and_a_start_of_the_version_before(tmp_path: Path) -> None:
    before = Database(tmp_path / "gate.db", "CREATE TABLE runs (digest TEXT)")  # a file that had no such table
    before.close()
    for number in (1, 2):
        database = Database(tmp_path / "gate.db")
        Usage(database).charge(key(number), user="ann", dataset="notes", now=float(number), rho=0.1)
        database.close()
    assert Usage(Database(tmp_path / "gate.db")).recent("ann", "notes", 0.0) == (1.0, 2.0)


def test_what_a_person_ran_under_one_permit_is_an_account_of_its_own(database: Database) -> None:
    usage = Usage(database)
    calls = [
        ("ann", "notes", "p1"),
        ("ann", "notes", "p2"),
        ("bob", "notes", "p1"),
        ("ann", "images", "p1"),
        ("ann", "notes", "p1"),
    ]
    for number, (user, dataset, project) in enumerate(calls):
        usage.charge(key(number), user=user, dataset=dataset, now=1.0, rho=0.25, epsilon=0.5, project=project)
    assert usage.spent("notes", "ann", "p1") == 0.5
    assert usage.spent_on_training("notes", "ann", "p1") == 1.0
    assert usage.spent("notes", "ann") == 0.75
    assert usage.spent("notes") == 1.0
    assert usage.spent("notes", "ann", "p3") == 0.0
    assert usage.spent_by("d" * 64) == 1.25
    assert (usage.cost(key(0)), usage.cost(key(9))) == (0.25, 0.0)


def test_what_a_file_of_before_projects_holds_counts_for_the_person_and_for_no_project(tmp_path: Path) -> None:
    old = Database(
        tmp_path / "gate.db",
        "CREATE TABLE usage (digest TEXT, entry TEXT, round INTEGER, inputs TEXT, user TEXT NOT NULL, dataset TEXT NOT NULL,"
        " time REAL NOT NULL, rho REAL NOT NULL, PRIMARY KEY (digest, entry, round, inputs))",
    )
    old.write("INSERT INTO usage VALUES (?, ?, ?, ?, 'ann', 'notes', 1.0, 0.5)", *key(1))
    old.close()
    usage = Usage(Database(tmp_path / "gate.db"))
    usage.charge(key(2), user="ann", dataset="notes", now=2.0, rho=0.25, project="p1")
    assert usage.spent("notes", "ann") == 0.75
    assert usage.spent("notes", "ann", "p1") == 0.25


def test_what_a_transaction_does_not_finish_was_not_charged(database: Database) -> None:
    usage = Usage(database)

    def half() -> None:
        with database.transaction():
            usage.charge(key(1), user="ann", dataset="notes", now=1.0, rho=0.1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert not usage.known(key(1))


def test_a_look_and_a_charge_in_one_transaction_cannot_be_overtaken(tmp_path: Path) -> None:
    """Two starts of one site on one file, as no site should have and a crash may leave: still no more than three."""
    done: list[int] = []

    def one(number: int) -> None:
        database = Database(tmp_path / "gate.db")
        usage = Usage(database)
        with database.transaction():
            if len(usage.recent("ann", "notes", 0.0)) < 3:
                usage.charge(key(number), user="ann", dataset="notes", now=1.0, rho=0.0)
                done.append(number)
        database.close()

    Database(tmp_path / "gate.db").close()
    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 3


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0.0, 0.1, 0.25])), max_size=20))
def test_the_sum_is_that_of_the_calls(tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[int, float]]) -> None:
    database = Database(tmp_path_factory.mktemp("usage") / "gate.db", durable=False)
    usage, first = Usage(database), {}
    for number, rho in calls:
        usage.charge(key(number), user="ann", dataset="notes", now=1.0, rho=rho)
        first.setdefault(number, rho)
    assert usage.spent("notes") == pytest.approx(sum(first.values()))
    assert len(usage.recent("ann", "notes", 0.0)) == len(first)
    database.close()
