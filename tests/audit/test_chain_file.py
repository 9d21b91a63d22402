"""The chain's own file, changed while nobody had it open: what its owner can do without a single key."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from audit.cases import FOUND_BY, tries
from audit.conftest import failed
from ledger_world import World

from fedkit.audit.evidence import export
from fedkit.errors import LedgerError
from fedkit.governance.request import CodeRequest
from fedkit.ledger.contracts import contract
from fedkit.ledger.events import Released
from fedkit.ledger.ledger import Ledger, open_ledger
from fedkit.ledger.spending import Budget

#: A budget whose bytes stand out in the state: 1.191063 epsilon, in millionths.
CAP = 0x122C97


@dataclass
class Closed:
    """A study that is over, its files closed, and what a bundle takes beside the ledger. heads are those of the sites."""

    world: World
    request: CodeRequest

    def __post_init__(self) -> None:
        self.world.witness()
        self.journals = {site: journal.rows() for site, journal in self.world.journals.items()}
        self.study = self.world.study_journal.rows()
        self.world.close()

    def reopened(self, folder: Path) -> Ledger:
        """The ledger in a copy of the world's folder."""
        return open_ledger(folder / "ledger", self.world.keys)

    def export(self, ledger: Ledger, to: Path) -> Path:
        world = self.world
        return export(
            to,
            ledger=ledger,
            journals=self.journals,
            study=self.study,
            request=self.request,
            decisions=world.decisions,
            heads=world.heads,
        )


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Closed:
    world = World(tmp_path_factory.mktemp("closed") / "world")
    request = world.study()
    budget = Budget("norway", "notes", CAP, 1, world.keys.address("steward-norway"))
    world.ledger.set_budget(world.keys.sign_budget("steward-norway", budget, world.ledger.domain))
    return Closed(world, request)


@pytest.fixture
def copy(closed: Closed, tmp_path: Path) -> Path:
    return Path(shutil.copytree(closed.world.folder, tmp_path / "world"))


Edit = Callable[[bytes, bytes], bytes | None]


def change(folder: Path, edit: Edit) -> int:
    """Change the values of the chain's file for which `edit(key, value)` gives another one; returns how many."""
    with closing(sqlite3.connect(folder / "ledger" / "chain.sqlite")) as db:
        rows = db.execute("SELECT key, value FROM kv").fetchall()
        changed = [(new, key) for key, value in rows if (new := edit(key, value)) is not None]
        db.executemany("UPDATE kv SET value = ? WHERE key = ?", changed)
        db.commit()
    return len(changed)


def flip(wanted: bytes, holds: Callable[[bytes], bool] = lambda value: True) -> Edit:
    """One bit of the first of these bytes, wherever they stand in a value that `holds` says yes to."""
    other = bytes([wanted[0] ^ 1]) + wanted[1:]
    return lambda key, value: value.replace(wanted, other) if wanted in value and holds(value) else None


def test_an_untouched_file_is_clean(closed: Closed, copy: Path, tmp_path: Path) -> None:
    with closed.reopened(copy) as ledger:
        assert failed(closed.export(ledger, tmp_path / "evidence")) == set()


def bits(closed: Closed, copy: Path) -> dict[str, Edit]:
    """A flip in each kind of what the file holds."""
    key = contract("Rounds").functions["release"].key
    with closed.reopened(copy) as ledger:
        model = bytes.fromhex(ledger.records(Released)[0].model)
    return {
        "transaction": flip(model, lambda value: key in value),
        "receipt": flip(
            model, lambda value: len(value) > 256 and key not in value
        ),  # a receipt has a bloom filter of 256 bytes
        "state": flip(CAP.to_bytes(3), lambda value: len(value) < 100),
    }


@tries("flipped bit in a transaction, receipt or state")
@pytest.mark.parametrize("part", ["transaction", "receipt", "state"])
def test_a_flipped_bit_is_refused_as_soon_as_it_is_read(part: str, closed: Closed, copy: Path, tmp_path: Path) -> None:
    """py-evm does not hash what it reads; fedkit's store does."""
    assert change(copy, bits(closed, copy)[part])

    def used() -> None:
        with closed.reopened(copy) as ledger:
            ledger.budget("norway")
            closed.export(ledger, tmp_path / "evidence")

    with pytest.raises(LedgerError, match="damaged") as caught:
        used()
    assert "backup" in caught.value.help
    assert not (tmp_path / "evidence").exists()


@tries("head rolled back")
def test_a_head_that_was_set_back_is_found(closed: Closed, copy: Path, tmp_path: Path) -> None:
    """Somebody restores the head of four blocks ago: the release and the anchors after it are gone."""
    with closed.reopened(copy) as ledger:
        number = ledger.head().number
        newest, earlier = (bytes.fromhex(ledger.chain.block(n)["hash"][2:]) for n in (number, number - 5))
    assert change(copy, lambda key, value: earlier if value == newest and b"head" in key.lower() else None) == 1
    with closed.reopened(copy) as ledger:
        assert ledger.head().number == number - 5
        bundle = closed.export(ledger, tmp_path / "evidence")
    assert failed(bundle) >= FOUND_BY["head rolled back"]
