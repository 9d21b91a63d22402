"""Contracts that were handed over to newer ones on the same chain: the auditor follows from one deployment to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit.cases import tries
from audit.conftest import failed
from audit.hands import rewritten
from ledger_world import World

from fedkit.audit.verify import verify
from fedkit.governance.request import CodeRequest
from fedkit.ledger.registry import AUTHORITY
from fedkit.ledger.succession import succeed


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, CodeRequest, CodeRequest]:
    """A world whose ledger was handed over between two studies: all is told anew, journals are anchored from row 1."""
    world = World(tmp_path_factory.mktemp("moved") / "world")
    first = world.study()
    world.ledger = succeed(world.ledger)
    world.ledger.register_researcher()
    world.ledger.register_authority(AUTHORITY)
    for site, journal in world.journals.items():
        keys = (world.keys.address(f"site-{site}"), world.keys.address(f"steward-{site}"))
        world.ledger.register_site(site, *keys, "ab" * 32)
        for first_row, last, root in journal.batches():
            anchor = {"stream": site, "from": first_row, "to": last, "root": root}
            world.ledger.anchor(world.keys.sign_anchor(f"site-{site}", anchor, world.ledger.domain))
    for batch in world.study_journal.batches():
        world.ledger.anchor_study(world.study_id, *batch)
    second = world.study(world.request("Another one, under the new contracts"))
    return world, first, second


@pytest.mark.parametrize("which", [1, 2], ids=["of the request before", "of the request after"])
def test_evidence_after_a_hand_over_is_clean(which: int, moved: tuple[World, CodeRequest, CodeRequest], tmp_path: Path) -> None:
    report = verify(moved[0].export(tmp_path / "evidence", moved[which]))  # type: ignore[arg-type]
    assert report.ok, str(report)


@tries("a hand-over to other contracts left out")
def test_a_hand_over_that_is_left_out_of_the_bundle_is_found(
    moved: tuple[World, CodeRequest, CodeRequest], tmp_path: Path
) -> None:
    bundle = moved[0].export(tmp_path / "evidence", moved[2])
    rewritten(bundle, "chain.json", lambda chain: {**chain, "earlier": []})
    report = verify(bundle)
    assert "took over from a deployment that is not in the bundle" in report.checks[2].findings[0].what
    assert 3 in failed(bundle)


def test_evidence_of_a_deployment_that_ended_says_so_and_what_came_after_does_not_count(
    moved: tuple[World, CodeRequest, CodeRequest], tmp_path: Path
) -> None:
    bundle = moved[0].export(tmp_path / "evidence", moved[1])
    rewritten(bundle, "chain.json", lambda chain: {**chain, "deployment": chain["earlier"][0], "earlier": []})
    report = verify(bundle)
    assert "handed over to" in report.checks[2].note
    assert 3 not in failed(bundle)
    assert failed(bundle) >= {11}  # the journals tell of a second request, which these contracts never saw


@tries("strange contracts in the place of earlier ones")
def test_a_stranger_in_the_place_of_an_earlier_deployment_is_found(
    moved: tuple[World, CodeRequest, CodeRequest], tmp_path: Path
) -> None:
    """Of a deployment with other code nothing can be read, so acts could hide behind one: it must be the predecessor."""
    bundle = moved[0].export(tmp_path / "evidence", moved[2])
    strange = {name: f"0x{n:040x}" for n, name in enumerate(("Registry", "Requests", "Rounds"), 7)}
    rewritten(bundle, "chain.json", lambda chain: {**chain, "earlier": [{**chain["earlier"][0], "contracts": strange}]})
    report = verify(bundle)
    assert 3 in failed(bundle)
    assert "of other code" in report.checks[2].note
