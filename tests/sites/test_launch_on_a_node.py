"""A federation whose ledger is kept by a node, and what it says when the node is not the one that it knows."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ledger_node import running_node
from site_suite import World, make_corpus

from fedkit.config import read_config
from fedkit.errors import AlreadyRunning, LedgerError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.opening import CHAIN_FILE
from fedkit.ledger.serve import ChainServer
from fedkit.sites.launch import launch

#: Outside of the ranges for tests: a federation refuses those.
OURS, ANOTHER = 420_042, 420_043


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def test_on_a_node_a_federation_works_and_finds_its_ledger_again(tmp_path: Path, corpus: Path) -> None:
    with running_node(OURS) as url:
        with launch("node", tmp_path, corpus=corpus, chain=url) as federation:
            world = World(federation)
            request = world.approved()
            world.researcher.execute(request.digest, "count", 1)
            head = federation.ledger.head().number
        assert not (tmp_path / "ledger" / "chain.sqlite").exists()
        with launch("node", tmp_path) as federation:  # it knows its node
            assert federation.ledger.chain.chain_id == OURS
            assert federation.ledger.head().number >= head
            assert World(federation).researcher.state(request.digest).used == {"count": 1}
        moved = url.replace("127.0.0.1", "localhost")
        with launch("node", tmp_path, chain=moved):  # the same node under another address
            pass
        config = read_config(tmp_path)
        assert config is not None
        assert config.chain == moved


def test_a_chain_for_tests_is_refused_and_nothing_is_left(tmp_path: Path, corpus: Path) -> None:
    with running_node(5_150_151) as url, pytest.raises(LedgerError, match="for tests"):
        launch("node", tmp_path, corpus=corpus, chain=url)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["federation.lock"])


def test_a_federation_never_moves_to_another_chain(tmp_path: Path, corpus: Path) -> None:
    with launch("embedded", tmp_path, corpus=corpus):
        pass
    with running_node(ANOTHER) as url, pytest.raises(LedgerError, match="another chain"):
        launch("embedded", tmp_path, chain=url)
    config = read_config(tmp_path)
    assert config is not None
    assert config.chain == ""
    with launch("embedded", tmp_path):
        pass


def test_a_node_that_is_away_is_named(tmp_path: Path, corpus: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(LedgerError) as caught:
            launch("node", tmp_path, corpus=corpus, chain=url)
    assert caught.value.help
    assert [path.name for path in tmp_path.iterdir()] in ([], ["federation.lock"])


def test_a_chain_that_its_owner_serves_is_found_by_its_folder(tmp_path: Path, corpus: Path) -> None:
    with launch("shared", tmp_path, corpus=corpus) as federation:
        head, identity = federation.ledger.head().number, federation.ledger.chain.chain_id
    owner = EmbeddedChain(tmp_path / "ledger" / CHAIN_FILE)
    try:
        with ChainServer(owner, tmp_path / "ledger"), launch("shared", tmp_path) as federation:
            assert federation.ledger.chain.chain_id == identity
            permit = World(federation).request().permit
            federation.ledger.issue_permit(permit, [federation.researcher])
            assert owner.head().number > head
        with pytest.raises(AlreadyRunning):  # nobody serves it any more, and it is not ours to open
            launch("shared", tmp_path)
    finally:
        owner.close()
