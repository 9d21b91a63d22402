"""Journals that were changed: in a bundle on its way, or in the site's own database, by an insider who knows the format."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from audit.cases import FOUND_BY, tries
from audit.conftest import Told, failed
from audit.hands import Row, chained, inserted, rewritten
from ledger_world import World

from fedkit.audit.verify import verify
from fedkit.digests import canonical, digest
from fedkit.sites.journal import Journal

Change = Callable[[list[Row]], list[Row]]


def executed(rows: list[Row]) -> int:
    """Where the first execution of the study stands: a row that matters."""
    return next(at for at, row in enumerate(rows) if row["act"] == "execution.finished")


def edited(rows: list[Row]) -> list[Row]:
    at = executed(rows)
    rows[at]["fields"]["outputs"] = digest("weights that no site computed")
    return rows


def backdated(rows: list[Row]) -> list[Row]:
    rows[executed(rows)]["time"] = "2001-01-01T00:00:00.000Z"
    return chained(rows)


def deleted(rows: list[Row]) -> list[Row]:
    del rows[executed(rows)]
    return rows


def swapped(rows: list[Row]) -> list[Row]:
    at = executed(rows)
    rows[at - 1], rows[at] = rows[at], rows[at - 1]
    return rows


def forged(rows: list[Row]) -> list[Row]:
    """One more execution, in the middle, numbered and chained as it should be."""
    at = executed(rows)
    more = json.loads(json.dumps(rows[at]))
    more["fields"]["inputs"] = digest("one more try")
    return chained([{**row, "seq": seq} for seq, row in enumerate([*rows[: at + 1], more, *rows[at + 1 :]], 1)])


CHANGES: dict[str, Change] = {
    "edited row": edited,
    "edited row, hashes computed anew": lambda rows: chained(edited(rows)),
    "backdated row, hashes computed anew": backdated,
    "deleted row": deleted,
    "deleted row, the rest renumbered": lambda rows: chained([{**row, "seq": i} for i, row in enumerate(deleted(rows), 1)]),
    "anchored tail dropped": lambda rows: rows[: executed(rows)],
    "swapped rows": swapped,
    "duplicated row": lambda rows: [*rows[:3], rows[2], *rows[3:]],
    "forged row inserted": forged,
}


@tries(*CHANGES)
@pytest.mark.parametrize("case", CHANGES)
def test_a_change_in_the_bundle_is_found(case: str, bundle: Path) -> None:
    rewritten(bundle, "journals/norway.jsonl", CHANGES[case])
    assert failed(bundle) >= FOUND_BY[case]


@pytest.fixture
def insider(told: Told, tmp_path: Path) -> Callable[[Change], Path]:
    """Gives what changes norway's own database, as root could, and exports the evidence from it."""

    def change_and_export(change: Change) -> Path:
        path = tmp_path / "journal.sqlite"
        with (
            closing(sqlite3.connect(told.world.journals["norway"].path)) as source,
            closing(sqlite3.connect(path)) as copy,
        ):
            source.backup(copy)
            for (trigger,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                copy.execute(f"DROP TRIGGER {trigger}")
            names = ("seq", "time", "actor", "act", "fields", "previous", "hash")
            held = copy.execute(f"SELECT {', '.join(names)} FROM rows ORDER BY seq").fetchall()
            rows = change([{**dict(zip(names, row, strict=True)), "fields": json.loads(row[4])} for row in held])
            copy.execute("DELETE FROM rows")
            for row in rows:
                copy.execute(
                    "INSERT INTO rows VALUES (:seq, :time, :actor, :act, :fields, :previous, :hash)",
                    {**row, "fields": canonical(row["fields"]).decode()},
                )
            copy.commit()
        journal = Journal(path)
        try:
            journals = {"norway": journal.rows(), "sweden": told.world.journals["sweden"].rows()}
        finally:
            journal.close()
        return told.world.export(tmp_path / "evidence", told.request, journals=journals)

    return change_and_export


#: A database gives rows by their number, each once: two rows swapped are tried below, and none stands twice.
OF_FILES = {"duplicated row", "swapped rows"}


@pytest.mark.parametrize("case", sorted(CHANGES.keys() - OF_FILES))
def test_a_change_in_the_database_of_the_site_is_found(case: str, insider: Callable[[Change], Path]) -> None:
    assert failed(insider(CHANGES[case])) >= FOUND_BY[case]


def test_rows_swapped_in_the_database_are_found(insider: Callable[[Change], Path]) -> None:
    """Their content is: the numbers stay."""

    def swapped(rows: list[Row]) -> list[Row]:
        at = executed(rows)
        one, other = rows[at - 1], rows[at]
        rows[at - 1], rows[at] = {**other, "seq": one["seq"]}, {**one, "seq": other["seq"]}
        return rows

    assert failed(insider(swapped)) >= FOUND_BY["swapped rows"]


def test_an_untouched_database_is_clean(insider: Callable[[Change], Path]) -> None:
    assert failed(insider(lambda rows: rows)) == set()


def test_the_database_itself_refuses_to_change_a_row(told: Told) -> None:
    """Not a protection, a guard against accidents: who may write the file may drop the triggers."""
    with closing(sqlite3.connect(told.world.journals["norway"].path)) as db:
        for statement in ("UPDATE rows SET actor = 'x'", "DELETE FROM rows", "DELETE FROM batches"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)


@tries("flushes withheld")
def test_a_site_that_anchors_no_more_is_found(tmp_path: Path) -> None:
    """Rounds were run and recorded; the journal's last batches were never delivered."""
    world = World(tmp_path / "world")
    world.anchor = lambda: None  # type: ignore[method-assign]
    bundle = world.export(tmp_path / "evidence", world.study())
    world.close()
    assert failed(bundle) >= FOUND_BY["flushes withheld"]


@tries("words where only digests may stand")
def test_words_in_a_row_are_found(bundle: Path) -> None:
    rewritten(bundle, "journals/norway.jsonl", lambda rows: inserted(rows, "site.closed", note="Ada was here"))
    assert failed(bundle) == FOUND_BY["words where only digests may stand"]


@tries("a whole journal left out, or another site's in its place")
@pytest.mark.parametrize("how", ["left out", "another's"])
def test_a_journal_that_is_not_there_is_found(how: str, bundle: Path) -> None:
    path = bundle / "journals" / "norway.jsonl"
    if how == "left out":
        path.unlink()
        rewritten(bundle, "journals/sweden.jsonl", lambda rows: rows)
        assert failed(bundle) >= {9}
    else:
        path.write_bytes((bundle / "journals" / "sweden.jsonl").read_bytes())
        rewritten(bundle, "journals/norway.jsonl", lambda rows: rows)
        assert failed(bundle) >= {10, 11}


@tries("a study's journal that tells of another release")
def test_a_study_that_tells_another_story_is_found(bundle: Path) -> None:
    def other(rows: list[Row]) -> list[Row]:
        row = next(row for row in rows if row["act"] == "model.released")
        row["fields"]["weights"] = digest("another model")
        return chained(rows)

    rewritten(bundle, "study.jsonl", other)
    assert failed(bundle) >= FOUND_BY["a study's journal that tells of another release"]


@tries("a proof for another row")
def test_a_proof_of_another_row_is_found(bundle: Path) -> None:
    def moved(proofs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**proofs[0], "seq": proofs[0]["seq"] + 1}, *proofs[1:]]

    rewritten(bundle, "proofs.json", moved)
    assert failed(bundle) >= FOUND_BY["a proof for another row"]


@tries("other code run than was approved")
def test_another_code_at_the_site_is_found(tmp_path: Path) -> None:
    """The site signs, its journal tells, and is anchored: that it was another code."""
    world = World(tmp_path / "world")
    journal = world.journals["sweden"]
    append = journal.append

    def another(act: str, actor: str, **fields: Any) -> dict[str, Any]:
        if act == "execution.started" and fields["round"] == 2:
            fields["code"] = digest("not what the stewards read")
        return append(act, actor, **fields)

    journal.append = another  # type: ignore[method-assign]
    bundle = world.export(tmp_path / "evidence", world.study())
    world.close()
    assert failed(bundle) == FOUND_BY["other code run than was approved"]
    finding = next(f for c in verify(bundle).checks for f in c.findings)
    assert "sweden" in finding.where
    assert finding.who == "sweden"


@tries("execution without an approval")
def test_an_execution_that_nobody_approved_is_found(bundle: Path) -> None:
    """Of the request that was denied: its digest stands in the journal."""

    def ran(rows: list[Row]) -> list[Row]:
        denied = next(r["fields"]["request"] for r in rows if r["fields"].get("status") == "denied")
        call = {"request": denied, "entry": "train", "round": 1, "inputs": digest("in")}
        return inserted(rows, "execution.finished", **call, outputs=digest("out"), numbers=digest("numbers"))

    rewritten(bundle, "journals/norway.jsonl", ran)
    assert failed(bundle) >= FOUND_BY["execution without an approval"]
