"""One study, run once, and its evidence; each test forges a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ledger_node import node_url
from ledger_world import World

from fedkit.audit.report import Report
from fedkit.audit.verify import verify
from fedkit.governance.request import CodeRequest

__all__ = ["node_url"]


@dataclass
class Told:
    """A world after its study, and the bundle that was exported from it."""

    world: World
    request: CodeRequest
    bundle: Path


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    world = World(folder / "world")
    world.decide(world.submit(world.request("A request that is denied")), "norway", approved=False)
    request = world.study()
    yield Told(world, request, world.export(folder / "evidence", request))
    world.close()


@pytest.fixture
def bundle(told: Told, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(told.bundle, tmp_path / "evidence"))


def failed(bundle: Path, **how: str) -> set[int]:
    """Numbers of the checks that a bundle does not pass."""
    report: Report = verify(bundle, **how)
    return {check.number for check in report.checks if not check.passed}
