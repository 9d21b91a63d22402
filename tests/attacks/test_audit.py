"""What the record keeps: attempts to write, read, hide and stretch it, and heads of a chain that was not."""

from __future__ import annotations

from typing import Any

from attackers import Http, Town, call, envelope, send
from attempts import Attempt, Trial, tries

from fedkit.ledger.rows import verify_rows
from fedkit.sites.access import ROWS

CLOSED = ("refused.access", "access.refused refused.access")


@tries(
    Attempt("writes a row of its own", "researcher", *CLOSED, given=["append", "journal_append", "refuse", "journal"]),
    Attempt("writes a row of its own", "auditor", *CLOSED, given=["append", "journal_append", "refuse"]),
    Attempt("deletes rows as the site's admin", "admin", *CLOSED, given=["truncate", "delete", "journal_clear"]),
)
def test_nobody_writes_the_journal(trial: Trial, world: Town) -> None:
    with trial() as said:
        for method in trial.given:
            said(call(world, trial.attempt.by, method))


def _wrong_heads(world: Town) -> list[list[str]]:
    return [["00" * 600], ["c0"], ["zz"], ["f9" * 3], [] if world.auditor.head() is None else ["80"]]


@tries(Attempt("has the site sign a head that is none", "auditor", "ledger", "head.refused ledger"))
def test_a_head_is_a_block_of_the_chain(trial: Trial, world: Town) -> None:
    with trial() as said:
        for headers in (["00" * 600], ["c0"], ["f9" * 300]):
            said(call(world, "auditor", "sign_head", headers=headers))


@tries(Attempt("has the site sign headers that are no bytes, and too many", "auditor", "ledger", "head.refused ledger"))
def test_headers_are_bytes(trial: Trial, world: Town) -> None:
    with trial() as said:
        for headers in (["zz"], ["c0"] * 1001):
            said(call(world, "auditor", "sign_head", headers=headers))


@tries(Attempt("makes so much noise that a row is lost in it", "anybody", "refused.access", "access.refused unknown-user"))
def test_noise_is_counted_and_hides_nothing(trial: Trial, world: Town, http: Http) -> None:
    """A row each up to a bound, and then one that counts them; and others' rows go on."""
    from nacl.signing import SigningKey

    from fedkit.sites.envelope import seal

    assert ROWS >= 100
    with trial() as said:
        for _ in range(20):
            said(send(world, seal(SigningKey.generate(), "north", "journal", {"start": 1})))
    before = len(world.rows("access.refused", reason="refused.access"))
    call(world, "researcher", "journal", start=1)
    assert len(world.rows("access.refused", reason="refused.access")) == before + 1


@tries(
    Attempt("puts a note into the journal by what it names", "researcher", "refused.access", "access.refused refused.access")
)
def test_no_word_of_a_caller_stands_in_a_row(trial: Trial, world: Town) -> None:
    word = "Kari Nordmann har utslett"
    with trial() as said:
        said(send(world, envelope(world, "researcher", word)))
        said(send(world, envelope(world, "researcher", "Kari_Nordmann")))
    assert "Kari" not in str(world.auditor.journal())


def test_after_all_this_the_journal_is_whole(world: Town) -> None:
    rows: list[dict[str, Any]] = world.auditor.journal()
    assert verify_rows(rows) == []
    assert len(rows) > 10
