"""Sums under masks at real sites: what leaves is masked, only the whole sum opens, a carrier of messages can forge nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from site_suite import World

from fedkit.digests import digest
from fedkit.errors import AccessRefused, DigestMismatch, NotApproved, Refused, RequestError, TrainingError
from fedkit.federation.parameters import decode, encode
from fedkit.federation.secure_aggregation.keys import Group, PublicKeys, Secrets
from fedkit.federation.secure_aggregation.masking import Reveal
from fedkit.federation.secure_aggregation.summands import from_vector, to_vector
from fedkit.federation.secure_aggregation.unmasking import unmask
from fedkit.federation.strategies import SiteUpdate, strategy_for
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest
from fedkit.governance.secure_sum import SecureSum
from fedkit.sites.base import Site
from fedkit.sites.launch import launch

SITES = {"north": 12, "east": 7, "south": 9}

SOURCE = '''"""Move the weights by the number of notes."""
import numpy as np


def count(notes, weights, settings):
    w = weights["w"] if weights else np.zeros(4, "float32")
    return {"tensors": {"w": w + np.float32(len(notes.train) / 100)}, "numbers": {"notes": len(notes.train)}}
'''
CONTRACT = OutputContract({"w": (4,)}, {"notes": (0, 1000)})
START = {"w": np.arange(4, dtype=np.float32) / 8}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    corpus = tmp_path_factory.mktemp("corpus")
    for site, size in SITES.items():
        (corpus / site).mkdir()
        for split in ("train", "dev", "test"):
            rows = [
                {
                    "id": f"{site}-{split}-{n}",
                    "lang": "nb",
                    "text": "Fikk Paracet.",
                    "spans": [{"start": 5, "end": 12, "label": "DRUG"}],
                }
                for n in range(size)
            ]
            (corpus / site / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with launch("sums", tmp_path_factory.mktemp("federation"), corpus=corpus, isolation="process") as federation:
        yield {site: World(federation, site) for site in SITES}


Ask = Callable[..., CodeRequest]


@pytest.fixture
def ask(worlds: dict[str, World]) -> Ask:
    """A request that every site approved."""

    def made(approve: bool = True, **changes: Any) -> CodeRequest:
        world = worlds["north"]
        keys = {site: info.key for site, info in world.federation.sites.items()}
        plain = world.request(SOURCE, "count", 3, contract=CONTRACT)
        settings = {**plain.settings, "strategy": {"kind": "fedavg", "weighting": "equal"}}
        request = replace(plain, **{"secure_sum": SecureSum("count", keys), "settings": settings, **changes})
        for each in worlds.values():
            each.researcher.submit(request)
            if approve:
                each.steward.decide(each.decision(request))
        return request

    return made


def sessions(worlds: dict[str, World]) -> dict[str, Site]:
    return {site: world.researcher for site, world in worlds.items()}


def agree(worlds: dict[str, World], request: CodeRequest) -> dict[str, PublicKeys]:
    everybody = sessions(worlds)
    published = {site: session.sum_keys(request.digest) for site, session in everybody.items()}
    sealed = {site: session.sum_shares(request.digest, published) for site, session in everybody.items()}
    for site, session in everybody.items():
        session.sum_take(request.digest, {sender: shares[site] for sender, shares in sealed.items()})
    return {site: PublicKeys.from_json(row["keys"]) for site, row in published.items()}


def run(worlds: dict[str, World], request: CodeRequest, round: int = 1) -> dict[str, np.ndarray]:
    masked = {}
    for site, session in sessions(worlds).items():
        receipt = session.execute(request.digest, "count", round, session.put(encode(START)))
        masked[site] = decode(session.get(receipt.outputs))
    return {site: arrays["masked"] for site, arrays in masked.items()}


def opened(worlds: dict[str, World], request: CodeRequest, round: int = 1) -> list[Reveal]:
    reveals = []
    for site, session in sessions(worlds).items():
        row = session.sum_open(request.digest, round, list(SITES))
        reveals.append(
            Reveal(site, round, *({k: bytes.fromhex(v) for k, v in row[kind].items()} for kind in ("own", "pairwise")))
        )
    return reveals


def test_the_sum_of_three_sites_is_right_and_what_each_sent_is_not_its_update(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    keys = agree(worlds, request)
    masked = run(worlds, request)
    strategy = strategy_for(request.settings)
    result = unmask(Group.of(request.digest, list(SITES)), 1, masked, opened(worlds, request), keys)
    new = from_vector(strategy, START, result.total, 3)["w"]
    assert np.allclose(new, START["w"] + np.mean(list(SITES.values())) / 100, atol=1e-6)
    for site, vector in masked.items():
        update = SiteUpdate(site, {"w": START["w"] + np.float32(SITES[site] / 100)}, {"notes": SITES[site]})
        plain = to_vector(strategy, START, update, 3)
        assert vector.dtype == plain.dtype
        assert (vector != plain).all()
        assert len(np.unique(vector - plain)) == vector.size  # another mask for every number
    for world in worlds.values():
        assert world.rows("sum.keys", request=request.digest)
        assert world.rows("sum.opened", request=request.digest, round=1, sites=3)


def test_the_same_call_gives_the_same_masked_update(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    agree(worlds, request)
    session = worlds["east"].researcher
    first = session.execute(request.digest, "count", 1, session.put(encode(START)))
    assert session.execute(request.digest, "count", 1, session.put(encode(START))) == first


def test_other_weights_in_a_round_that_was_masked_are_refused(worlds: dict[str, World], ask: Ask) -> None:
    """Two updates under one mask would show their difference: no second one leaves, whatever goes in."""
    request = ask()
    agree(worlds, request)
    session = worlds["east"].researcher
    session.execute(request.digest, "count", 1, session.put(encode(START)))
    with pytest.raises(TrainingError, match="masked for another update"):
        session.execute(request.digest, "count", 1, session.put(encode({"w": START["w"] + 1})))
    assert worlds["east"].rows("execution.failed", request=request.digest, round=1)


def test_without_masks_nothing_leaves(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    session = worlds["north"].researcher
    with pytest.raises(RequestError, match="have not agreed on masks"):
        session.execute(request.digest, "count", 1, session.put(encode(START)))


def test_keys_that_somebody_put_between_the_sites(worlds: dict[str, World], ask: Ask) -> None:
    """The study carries the keys: it makes a pair of its own for east, and signs with a key that it has."""
    request = ask()
    published = {site: session.sum_keys(request.digest) for site, session in sessions(worlds).items()}
    forged = Secrets("east", Group.of(request.digest, list(SITES)), 3, b"f" * 32).public
    own = worlds["north"].federation.keys
    signature = own.sign_sum_keys("researcher", request.digest, "east", forged.digest, worlds["north"].federation.ledger.domain)
    cases = [
        {"keys": forged.to_json(), "signature": signature},
        {"keys": forged.to_json(), "signature": published["east"]["signature"]},
        {**published["east"], "signature": "0x00"},
        published["south"],
        {"keys": "none"},
        None,
    ]
    for row in cases:
        with pytest.raises((AccessRefused, TrainingError)):
            worlds["north"].researcher.sum_shares(request.digest, {**published, "east": row})
    refused = worlds["north"].rows("sum.refused", request=request.digest)
    assert len(refused) == len(cases)


def test_keys_of_another_request(worlds: dict[str, World], ask: Ask) -> None:
    first, second = ask(), ask()
    old = {site: session.sum_keys(first.digest) for site, session in sessions(worlds).items()}
    with pytest.raises(AccessRefused, match="not signed by it"):
        worlds["north"].researcher.sum_shares(second.digest, old)


def test_a_site_keeps_to_the_keys_it_was_given_first(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    agree(worlds, request)
    agree(worlds, request)  # the same again changes nothing
    sealed = worlds["east"].researcher.sum_shares(
        request.digest, {site: session.sum_keys(request.digest) for site, session in sessions(worlds).items()}
    )
    with pytest.raises((Refused, TrainingError)):
        worlds["north"].researcher.sum_take(request.digest, dict.fromkeys(SITES, sealed["north"]))


def test_a_sum_over_fewer_sites_is_not_opened(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    agree(worlds, request)
    run(worlds, request)
    north = worlds["north"].researcher
    for survivors in (["east"], ["north", "east"], ["east"] * 3, ["north", "east", "nowhere"], []):
        with pytest.raises(TrainingError, match="cannot be opened"):
            north.sum_open(request.digest, 1, survivors)
    assert len(worlds["north"].rows("sum.refused", request=request.digest)) == 5


def test_only_an_approved_request_of_ones_own_has_masks(worlds: dict[str, World], ask: Ask) -> None:
    waiting = ask(approve=False)
    north = worlds["north"]
    with pytest.raises(NotApproved):
        north.researcher.sum_keys(waiting.digest)
    plain = north.approved()
    with pytest.raises(RequestError, match="adds nothing up"):
        north.researcher.sum_keys(plain.digest)
    with pytest.raises(DigestMismatch):
        north.researcher.sum_keys(digest("another"))
    for level in ("steward", "auditor", "admin"):
        with pytest.raises(AccessRefused):
            getattr(north, level).sum_open(waiting.digest, 1, list(SITES))


def test_a_withdrawn_approval_opens_nothing_more(worlds: dict[str, World], ask: Ask) -> None:
    request = ask()
    agree(worlds, request)
    run(worlds, request)
    south = worlds["south"]
    south.steward.decide(south.decision(request, reason="no more"))
    with pytest.raises(NotApproved):
        south.researcher.sum_open(request.digest, 1, list(SITES))


def test_a_request_that_names_the_site_with_another_key_is_not_taken(worlds: dict[str, World], ask: Ask) -> None:
    keys = {site: info.key for site, info in worlds["north"].federation.sites.items()}
    stranger = worlds["north"].federation.researcher
    for sites in ({**keys, "north": stranger}, {**{k: v for k, v in keys.items() if k != "north"}, "other": stranger}):
        with pytest.raises(RequestError, match="not of this site"):
            ask(secure_sum=SecureSum("count", sites))


def test_rounds_that_pass_weights_on_do_not_go_together_with_masks(ask: Ask) -> None:
    with pytest.raises(TrainingError, match="does not go together"):
        ask(settings={"sequential_rounds": 1})


def test_a_sum_of_two_hides_nothing(worlds: dict[str, World]) -> None:
    keys = {site: info.key for site, info in list(worlds["north"].federation.sites.items())[:2]}
    with pytest.raises(RequestError, match="too few sites"):
        SecureSum("count", keys)
    with pytest.raises(RequestError, match="too few sites"):
        SecureSum("count", {**keys, "third": next(iter(keys.values())).lower()})


def test_a_site_that_was_killed_comes_back_with_the_same_masks(tmp_path: Path, worlds: dict[str, World]) -> None:
    from fedkit.sites.database import Database
    from fedkit.sites.sum_store import SumStore

    def store() -> SumStore:
        return SumStore(Database(tmp_path / "gate.db"))  # never closed, as after kill -9

    secret = store().secret("r")
    assert store().secret("r") == secret
    assert store().rounds("r").masked(1, "a") == "a"
    assert store().rounds("r").masked(1, "b") == "a"
    assert store().rounds("r").revealed(1, ("x", "y")) == ("x", "y")
    assert store().rounds("r").revealed(1, ("x", "z")) == ("x", "y")
    store().keep("r", "keys", {"a": 1})
    store().keep("r", "keys", {"a": 1})
    with pytest.raises(Refused, match="other keys"):
        store().keep("r", "keys", {"a": 2})
