"""Where the contracts are: deployed once, wherever that was cut off; found again; and never taken for others."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_world import World

from fedkit.errors import LedgerError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.deployment import Deployment, find_or_deploy, is_code_of, read_deployment
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import open_ledger
from fedkit.ledger.node import NodeChain
from fedkit.ledger.serve import ChainServer


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[EmbeddedChain]:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        yield chain


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys", cost=2)


def deploy(chain: Any, keys: Keyring, **how: Any) -> Deployment:
    return find_or_deploy(chain, keys, keys.folder.parent / "contracts.json", "admin", **how)


def rewrite(keys: Keyring, **changed: Any) -> None:
    file = keys.folder.parent / "contracts.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


@pytest.mark.parametrize("stop_after", [0, 1, 2])
def test_a_deployment_that_was_cut_off_is_completed(chain: EmbeddedChain, keys: Keyring, stop_after: int) -> None:
    """On a node the contracts come one by one; wherever it stopped, opening again puts the rest at the planned addresses."""
    send = chain.send

    def some(raws: list[bytes]) -> list[dict[str, object]]:
        send(raws[:stop_after]) if stop_after else None
        raise KeyboardInterrupt

    chain.send = some  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        deploy(chain, keys)
    chain.send = send  # type: ignore[method-assign]
    made = deploy(chain, keys)
    assert all(is_code_of(name, chain.code(made.contracts[name])) for name in NAMES)


def test_two_processes_that_open_a_new_ledger_at_once_deploy_one(tmp_path: Path, chain: EmbeddedChain, keys: Keyring) -> None:
    with ChainServer(chain, tmp_path) as server:
        found: list[Deployment] = []
        together = threading.Barrier(4)

        def open_it() -> None:
            node, mine = NodeChain(server.url), Keyring(keys.folder, cost=2)
            together.wait()
            found.append(deploy(node, mine))

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 4
    assert all(one == found[0] for one in found)
    assert chain.nonce(found[0].deployer) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_address_that_was_changed_is_refused(chain: EmbeddedChain, keys: Keyring, name: str) -> None:
    made = deploy(chain, keys)
    rewrite(keys, contracts={**made.contracts, name: "0x" + "99" * 20})
    with pytest.raises(LedgerError, match="names other contracts than were deployed") as caught:
        deploy(chain, keys)
    assert caught.value.help
    rewrite(keys, contracts=dict(made.contracts))
    assert deploy(chain, keys) == made


def test_contracts_that_this_chain_does_not_have_are_refused(chain: EmbeddedChain, keys: Keyring, tmp_path: Path) -> None:
    """The note is consistent in itself, and the deployer has acted here; but has deployed somewhere else."""
    deploy(chain, keys)
    other = Keyring(tmp_path / "other" / "keys", cost=2)
    with closing(EmbeddedChain(tmp_path / "other" / "chain.sqlite")) as elsewhere:
        strange = deploy(elsewhere, other)
    chain.send([other.sign_transaction("admin", chain_id=chain.chain_id, nonce=0, to=strange.deployer, data=b"", gas=50_000)])
    rewrite(keys, contracts=dict(strange.contracts), deployer=strange.deployer)
    with pytest.raises(LedgerError, match="not on the chain") as caught:
        deploy(chain, keys)
    assert "backup" in caught.value.help


def test_other_code_at_the_addresses_is_refused(chain: EmbeddedChain, keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of fedkit that changed a contract: the answers of the old one would be read as the new one's."""
    made = deploy(chain, keys)
    compiled = contract("Rounds").bytecode
    monkeypatch.setitem(vars(contract("Rounds")), "bytecode", compiled[:-500] + bytes([compiled[-500] ^ 1]) + compiled[-499:])
    with pytest.raises(LedgerError, match="other contracts stand") as caught:
        deploy(chain, keys)
    assert "Rounds" in caught.value.expected
    assert "other_code" in caught.value.help
    assert deploy(chain, keys, other_code=True) == made


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_is_known_by_its_code_whatever_its_immutables(chain: EmbeddedChain, keys: Keyring, name: str) -> None:
    code = chain.code(deploy(chain, keys).contracts[name])
    assert is_code_of(name, code)
    assert not is_code_of(name, b"")
    assert not is_code_of(name, code[:-100])
    assert not is_code_of(name, code + bytes(100))
    assert not any(is_code_of(other, code) for other in NAMES if other != name)
    gaps = contract(name).bytecode.count(b"\x7f" + bytes(32))
    places = range(0, len(code), 97)
    passed = sum(is_code_of(name, code[:at] + bytes([code[at] ^ 1]) + code[at + 1 :]) for at in places)
    assert passed <= gaps * 32 / 97 + gaps  # only where a value was put in


def test_another_chain_in_its_place_is_refused(tmp_path: Path) -> None:
    one, other = World(tmp_path / "one"), World(tmp_path / "other")
    one.close(), other.close()
    shutil.copy(tmp_path / "other/ledger/chain.sqlite", tmp_path / "one/ledger/chain.sqlite")
    with pytest.raises(LedgerError, match="another chain than the one this folder belongs to"):
        open_ledger(tmp_path / "one/ledger", one.keys)


def test_a_chain_that_was_set_back_behind_its_contracts_is_refused(tmp_path: Path) -> None:
    """The deployer has acted since the planned addresses could be reached: what was there is gone for good."""
    world = World(tmp_path)
    made, admin = world.ledger.deployment, "admin"
    world.close()
    (tmp_path / "ledger" / "chain.sqlite").unlink()
    with closing(EmbeddedChain(tmp_path / "ledger" / "chain.sqlite", chain_id=made.chain_id)) as empty:
        to = made.contracts["Registry"]
        empty.send([world.keys.sign_transaction(admin, chain_id=made.chain_id, nonce=0, to=to, data=b"", gas=50_000)])
        note = json.loads((tmp_path / "ledger" / "contracts.json").read_text())
        (tmp_path / "ledger" / "contracts.json").write_text(json.dumps(note | {"genesis": empty.genesis}))
    with pytest.raises(LedgerError, match="not on the chain"):
        open_ledger(tmp_path / "ledger", world.keys)


def test_a_chain_without_the_note_of_its_contracts_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.close()
    (tmp_path / "ledger/contracts.json").unlink()
    with pytest.raises(LedgerError, match="not the note of its contracts"):
        open_ledger(tmp_path / "ledger", world.keys)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"chain_id": 1}', "null", '{"contracts": 5}', "\x00"])
def test_a_note_that_cannot_be_read_is_a_named_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "contracts.json").write_text(content)
    with pytest.raises(LedgerError, match=r"contracts\.json"):
        read_deployment(tmp_path / "contracts.json")
