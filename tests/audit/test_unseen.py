"""What an audit does not find, so that the list in docs/threat-model.md stays true; and that tests and document agree.

The day one of these is found, its test fails here, and its line moves to the other list.
"""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit.cases import FOUND_BY, UNSEEN, tries
from audit.conftest import Told, failed
from audit.hands import rewritten
from ledger_world import World

from fedkit.audit.verify import TITLES, verify
from fedkit.digests import digest
from fedkit.ledger.chain import EmbeddedChain


def told_by(world: World, to: Path) -> Path:
    """The evidence of a whole study in a world, which is closed."""
    bundle = world.export(to, world.study())
    world.close()
    return bundle


@tries("rows after the last anchor are cut off")
def test_rows_that_nobody_has_vouched_for(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    request = world.study()
    world.journals["norway"].append("journal.read", "auditor", start=1)
    bundle = world.export(tmp_path / "evidence", request)
    world.close()
    assert "3 rows came after the last" in verify(bundle).checks[9].note  # this one, and the heads that both sites signed
    rewritten(bundle, "journals/norway.jsonl", lambda rows: rows[:-1])
    assert failed(bundle) == set()


@tries("a rollback to a stale pin, with all keys")
def test_a_rollback_to_a_stale_pin(tmp_path: Path) -> None:
    """Two histories grow from one beginning; who pinned the beginning cannot tell which was there first."""
    folder, kept = tmp_path / "world", tmp_path / "kept"
    World(folder).close()
    shutil.copytree(folder, kept)
    first = told_by(World(folder), tmp_path / "first")
    shutil.rmtree(folder)
    kept.rename(folder)
    world = World(folder)
    head = world.ledger.head()
    bundle = told_by(world, tmp_path / "second")
    assert failed(bundle, pin=f"{head.number}:{head.hash}") == set()
    assert failed(bundle, pin=verify(first).head) == {2}


@tries("another history, with all keys and no pin", "chain and journals rewritten while an old head is held")
def test_another_history_by_somebody_with_all_the_keys(told: Told, tmp_path: Path) -> None:
    bundle = told_by(World(tmp_path / "other"), tmp_path / "evidence")
    assert failed(bundle) == set()
    assert failed(bundle, pin=verify(told.bundle).head) == FOUND_BY["chain and journals rewritten while an old head is held"]


@tries("an act that was written down nowhere")
def test_an_act_that_was_never_written_down(tmp_path: Path) -> None:
    """A site that runs code and tells nobody, not even its own journal, leaves nothing to find here."""
    world = World(tmp_path / "world")
    request = world.study()
    world.receipt(request.digest, "norway", "train", 3, digest("in"), digest("secret"))
    bundle = world.export(tmp_path / "evidence", request)
    world.close()
    assert failed(bundle) == set()


@tries("a site that runs on other notes than it committed to", "a decision that no steward read")
def test_what_no_signature_speaks_of(told: Told) -> None:
    """No note was ever opened in this world, and no steward looked at anything: signatures are all that there is."""
    acts = {row["act"] for journal in told.world.journals.values() for row in journal.rows()}
    assert "request.reviewed" not in acts
    assert failed(told.bundle) == set()


def off_by(seconds: float, folder: Path) -> World:
    """A world whose chain has another clock than its sites."""
    return World(folder, chain=EmbeddedChain(folder / "chain.sqlite", clock=lambda: time.time() + seconds))


@tries("clocks that are minutes off")
@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_that_are_a_little_off(minutes: float, tmp_path: Path) -> None:
    assert failed(told_by(off_by(60 * minutes, tmp_path / "world"), tmp_path / "evidence")) == set()


@tries("a clock that is an hour off")
@pytest.mark.parametrize(("hours", "check"), [(-1, 10), (1, 15)])
def test_clocks_that_are_far_off_are_found(hours: float, check: int, tmp_path: Path) -> None:
    bundle = told_by(off_by(3600 * hours, tmp_path / "world"), tmp_path / "evidence")
    assert failed(bundle) == {check} <= FOUND_BY["a clock that is an hour off"]
    assert all("clock" in finding.who for finding in verify(bundle).checks[check - 1].findings)


# -- the document


def holding(case: str) -> list[Callable[..., Any]]:
    return [test for test in all_tests() if case in getattr(test, "tries", ())]


def all_tests() -> list[Callable[..., Any]]:
    modules = [importlib.import_module(f"audit.{path.stem}") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    return [value for module in modules for name, value in vars(module).items() if name.startswith("test_")]


def test_every_line_of_the_document_has_a_test_and_every_test_a_line() -> None:
    tried = set().union(*(getattr(test, "tries", set()) for test in all_tests()))
    assert tried == FOUND_BY.keys() | UNSEEN
    assert len(FOUND_BY) > 40
    assert len(UNSEEN) > 5


@pytest.mark.parametrize("case", FOUND_BY)
def test_the_checks_in_the_document_are_checks(case: str) -> None:
    assert FOUND_BY[case] <= TITLES.keys()
    assert FOUND_BY[case] or "refused" in case or case.startswith("flipped bit")
    assert holding(case)
