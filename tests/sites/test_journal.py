"""The journal: rows of a fixed vocabulary, chained, on disk before `append` returns, closed in Merkle batches."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.errors import ConfigurationError, FedkitError, StorageError
from fedkit.ledger import merkle
from fedkit.ledger.rows import ACTS, GENESIS, check_row, leaf, row_hash, verify_rows
from fedkit.sites.journal import Journal

BLOB = "ab" * 32
CANARY = "Pasienten Kari Nordmann fikk utslett av Ibux"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "site" / "journal.db")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """One for many examples: none of them may write a row."""
    return Journal(tmp_path_factory.mktemp("shared") / "journal.db")


def fill(journal: Journal, rows: int) -> None:
    for n in range(rows):
        journal.append("blob.stored", "alice", blob=BLOB, bytes=n)


# -- what a row is
def test_rows_are_numbered_chained_and_come_back_as_written(journal: Journal) -> None:
    first = journal.append("site.opened", "fi", isolation="process")
    second = journal.append("access.refused", "fi", method="decide", reason="refused.access")
    assert journal.rows() == [first, second]
    assert [first["seq"], second["seq"]] == [1, 2]
    assert (first["previous"], second["previous"]) == (GENESIS, first["hash"])
    assert second["hash"] == row_hash(second)
    assert verify_rows(journal.rows()) == []


def test_a_journal_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first = Journal(tmp_path / "journal.db")
    fill(first, 3)
    first.close()
    again = Journal(tmp_path / "journal.db")
    fill(again, 2)
    assert [row["seq"] for row in again.rows()] == [1, 2, 3, 4, 5]
    assert verify_rows(again.rows()) == []
    assert again.salt == first.salt


def test_files_are_for_their_owner_alone(journal: Journal) -> None:
    fill(journal, 1)
    for file in journal.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_rows_of_many_threads_and_two_openers_form_one_chain(journal: Journal) -> None:
    other = Journal(journal.path)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: (journal, other)[n % 2].append("blob.read", f"user{n}", blob=BLOB), range(40)))
    assert len(journal.rows()) == 40
    assert verify_rows(journal.rows()) == []


def test_time_never_runs_back_even_if_the_clock_does(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    import fedkit.sites.journal as module

    class Early(module.datetime):  # type: ignore[name-defined, misc]
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return super().now(tz).replace(year=1999)

    fill(journal, 1)
    monkeypatch.setattr(module, "datetime", Early)
    fill(journal, 1)
    assert verify_rows(journal.rows()) == []


def test_an_acknowledged_row_survives_kill_9(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from fedkit.sites.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "while True: print(journal.append('blob.read', 'alice', blob='ab' * 32)['seq'], flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "journal.db")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    seen = [int(child.stdout.readline()) for _ in range(25)]
    child.kill()
    seen += [int(line) for line in child.stdout.read().split("\n") if line.strip()]
    child.wait()
    rows = Journal(tmp_path / "journal.db").rows()
    assert len(rows) >= seen[-1]
    assert verify_rows(rows) == []


# -- free text is refused by construction
@pytest.mark.parametrize(
    ("act", "actor", "fields"),
    [
        (CANARY, "alice", {}),
        ("site.closed", CANARY, {}),
        ("site.closed", "fi", {"text": CANARY}),
        ("site.closed", "fi", {CANARY: 1}),
        ("blob.read", "alice", {"blob": CANARY}),
        ("blob.stored", "alice", {"blob": BLOB, "bytes": CANARY}),
        ("blob.stored", "alice", {"blob": BLOB, "bytes": True}),
        ("blob.stored", "alice", {"blob": BLOB, "bytes": -1}),
        ("blob.stored", "alice", {"blob": BLOB, "bytes": 2**53}),
        ("blob.stored", "alice", {"blob": BLOB, "bytes": 1.5}),
        ("blob.stored", "alice", {"blob": BLOB.upper(), "bytes": 1}),
        ("blob.stored", "alice", {"blob": BLOB}),
        ("blob.read", "alice", {"blob": [CANARY]}),
        ("access.refused", "fi", {"reason": CANARY}),
        ("access.refused", "fi", {"reason": "because"}),
        ("access.refused", "fi", {"method": CANARY, "reason": "failed"}),
        ("access.refused", "fi", {"method": "x" * 65, "reason": "failed"}),
        ("site.opened", "fi", {"key": "0x" + "g" * 40}),
    ],
)
def test_what_is_not_in_the_vocabulary_is_refused_and_not_repeated(
    journal: Journal, act: str, actor: str, fields: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        journal.append(act, actor, **fields)
    assert "Nordmann" not in refused.value.diagnostics()
    assert journal.rows() == []
    assert b"Nordmann" not in b"".join(f.read_bytes() for f in journal.path.parent.iterdir())


@given(text=st.text(min_size=1), act=st.sampled_from(sorted(ACTS)))
def test_no_type_admits_a_sentence(text: str, act: str) -> None:
    sentence = f"{text} {text}"
    for name in ACTS[act]:
        with pytest.raises(ConfigurationError):
            check_row(act, "fi", {name: sentence})


#: What could stand in a note, an error or a request, put where a caller might put it by mistake.
canaries = st.one_of(
    st.sampled_from([CANARY, "MR shunt dose 5mg", "Kari\nNordmann", "ØRN", "fødselsnummer:010190", "a,b", '{"x"}', ""]),
    st.text(min_size=1).map(lambda text: f"{text} {text}"),
    st.text(alphabet="æøåäöüõ", min_size=1),
    st.binary(max_size=4),
    st.floats(),
    st.lists(st.text()),
    st.dictionaries(st.text(), st.text()),
)


@settings(deadline=None, max_examples=150)
@given(data=st.data(), act=st.sampled_from(sorted(ACTS)), canary=canaries)
def test_no_canary_is_written_wherever_it_stands(shared: Journal, data: st.DataObject, act: str, canary: Any) -> None:
    """A row that would be taken, but for what stands in one of its places."""
    good = {"digest": BLOB, "name": "fi", "count": 3, "word": "ok", "flag": True}
    good |= {"address": "0x" + "ab" * 20, "signature": "0x" + "ab" * 65}
    fields: dict[str, Any] = {name: good[kind.rstrip("?")] for name, kind in ACTS[act].items()}
    check_row(act, "alice", fields)
    place = data.draw(st.sampled_from([*fields, "the act", "the actor", "one more field"]))
    name, actor = (canary if place == "the act" else act), (canary if place == "the actor" else "alice")
    if place in fields or place == "one more field":
        fields[place] = canary
    with pytest.raises(ConfigurationError) as refused:
        shared.append(name, actor, **fields)
    if isinstance(canary, str) and len(canary) > 5:
        assert canary not in refused.value.diagnostics()
    assert shared.rows() == []


def test_guessable_content_is_salted_per_journal(tmp_path: Path) -> None:
    one, two = Journal(tmp_path / "one.db"), Journal(tmp_path / "two.db")
    assert one.salted("no room") == one.salted("no room")
    assert one.salted("no room") != two.salted("no room")


# -- batches
def test_a_batch_takes_the_rows_since_the_last(journal: Journal) -> None:
    assert journal.close_batch() is None
    fill(journal, 3)
    assert journal.unanchored() == 3
    first = journal.close_batch()
    assert first is not None
    assert first[:2] == (1, 3)
    fill(journal, 2)
    second = journal.close_batch()
    assert second is not None
    assert second[:2] == (4, 5)
    assert journal.batches() == [first, second]
    assert journal.unanchored() == 0
    assert first[2] == merkle.root([leaf(row) for row in journal.rows(1, 3)])


def test_every_row_of_a_batch_has_a_proof_and_no_other_row_passes(journal: Journal) -> None:
    fill(journal, 2)
    journal.close_batch()
    fill(journal, 7)
    journal.close_batch()
    rows = journal.rows()
    for row in rows[2:]:
        proof = journal.proof(row["seq"])
        at, size = proof["seq"] - proof["first"], proof["last"] - proof["first"] + 1
        assert merkle.verify(leaf(row), at, size, proof["path"], proof["root"])
        other = rows[2] if row is not rows[2] else rows[3]
        assert not merkle.verify(leaf(other), at, size, proof["path"], proof["root"])


def test_a_row_of_an_open_batch_has_no_proof(journal: Journal) -> None:
    fill(journal, 1)
    with pytest.raises(FedkitError):
        journal.proof(1)


# -- what verify_rows finds
def _edited(rows: list[dict]) -> None:
    rows[2]["fields"]["bytes"] = 99


def _rehashed(rows: list[dict]) -> None:
    rows[2]["fields"]["bytes"] = 99
    rows[2]["hash"] = row_hash(rows[2])


def _deleted(rows: list[dict]) -> None:
    del rows[2]


def _renumbered(rows: list[dict]) -> None:
    del rows[2]
    for n, row in enumerate(rows, 1):
        row["seq"] = n


def _swapped(rows: list[dict]) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def _doubled(rows: list[dict]) -> None:
    rows.insert(2, json.loads(json.dumps(rows[2])))


def _backdated(rows: list[dict]) -> None:
    rows[3]["time"] = "1999-01-01T00:00:00.000Z"
    for before, row in pairwise(rows[2:]):
        row["previous"] = before["hash"]
        row["hash"] = row_hash(row)


def _beheaded(rows: list[dict]) -> None:
    rows[0]["previous"] = "1" * 64
    rows[0]["hash"] = row_hash(rows[0])


def _with_text(rows: list[dict]) -> None:
    rows[4]["fields"]["note"] = CANARY
    rows[4]["hash"] = row_hash(rows[4])


def _no_row(rows: list[dict]) -> None:
    rows[1] = {"seq": 2}


@pytest.mark.parametrize(
    "tamper",
    [_edited, _rehashed, _deleted, _renumbered, _swapped, _doubled, _backdated, _beheaded, _with_text, _no_row],
    ids=lambda f: f.__name__.strip("_"),
)
def test_tampering_is_found(journal: Journal, tamper) -> None:  # type: ignore[no-untyped-def]
    fill(journal, 5)
    rows = journal.rows()
    assert verify_rows(rows) == []
    tamper(rows)
    problems = verify_rows(rows)
    assert problems
    assert "Nordmann" not in " ".join(p.message for p in problems)


def test_a_later_piece_of_a_chain_verifies_from_the_row_before_it(journal: Journal) -> None:
    fill(journal, 5)
    before, piece = journal.rows(1, 2)[-1], journal.rows(3)
    assert verify_rows(piece) == []
    assert verify_rows(piece, previous=before["hash"]) == []
    assert verify_rows(piece, previous="1" * 64)


# -- what a resumed study, and a witness, ask a journal
def test_the_newest_row_of_an_act(journal: Journal) -> None:
    assert journal.last("blob.stored") is None
    fill(journal, 3)
    journal.append("site.closed", "fi")
    found = journal.last("blob.stored")
    assert found is not None
    assert (found["seq"], found["fields"]["bytes"]) == (3, 2)


def test_a_row_is_known_by_all_its_fields(journal: Journal) -> None:
    fill(journal, 2)
    assert journal.has("blob.stored", blob=BLOB, bytes=1)
    assert not journal.has("blob.stored", blob=BLOB, bytes=2)
    assert not journal.has("blob.stored", blob=BLOB)
    assert not journal.has("blob.read", blob=BLOB, bytes=1)


# -- the file itself
def test_on_a_full_disk_nothing_is_half_written_and_it_goes_on_when_there_is_room(journal: Journal) -> None:
    fill(journal, 3)
    pages = journal._db.one("PRAGMA page_count")[0]
    journal._db.one(f"PRAGMA max_page_count = {pages}")  # SQLite says "full", as it does when the disk is
    with pytest.raises(StorageError, match="cannot be used") as refused:
        fill(journal, 1000)
    assert "free space" in refused.value.help
    rows = journal.rows()
    assert verify_rows(rows) == []
    journal._db.one("PRAGMA max_page_count = 1000000")
    fill(journal, 1)
    assert [row["seq"] for row in journal.rows()] == list(range(1, len(rows) + 2))


def test_a_journal_that_another_program_has_locked_is_named(journal: Journal) -> None:
    fill(journal, 1)
    journal._db.one("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match=r"journal\.db"):
        fill(journal, 1)
    other.execute("ROLLBACK")
    other.close()
    fill(journal, 1)
    assert len(journal.rows()) == 2


def test_a_journal_that_was_cut_off_is_named(journal: Journal) -> None:
    fill(journal, 200)
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StorageError, match=r"journal\.db"):
        Journal(journal.path).rows()


@pytest.mark.parametrize("statement", ["UPDATE rows SET actor = 'bob'", "DELETE FROM rows", "DELETE FROM batches"])
def test_sqlite_refuses_to_change_or_delete(journal: Journal, statement: str) -> None:
    fill(journal, 2)
    journal.close_batch()
    with sqlite3.connect(journal.path) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)


def test_a_file_that_is_no_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database, whatever its name says")
    with pytest.raises(StorageError, match=r"journal\.db"):
        Journal(tmp_path / "journal.db")


def test_a_damaged_salt_is_named_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "journal.salt").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="salt"):
        Journal(tmp_path / "journal.db")
    assert (tmp_path / "journal.salt").read_bytes() == b"short"
