"""`fedkit chain`: what somebody sees who serves a chain, looks at one, or gives it the wrong folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from ledger_plain import act

from fedkit.cli import fedkit as cli
from fedkit.errors import AlreadyRunning, LedgerError
from fedkit.ledger.chain import EmbeddedChain
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import open_ledger
from fedkit.ledger.opening import ADDRESS_FILE, CHAIN_FILE, open_chain, read_address
from fedkit.ledger.status import chain_status


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["chain", *map(str, arguments)])


@contextmanager
def served(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`fedkit chain serve` in a process of its own, ready."""
    command = [sys.executable, "-c", "from fedkit.cli import main; main()", "chain", "serve", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("chain ")
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_chain_is_served_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with served(tmp_path, "--new") as process:
        assert process.stdout is not None
        shared = open_chain(tmp_path)
        assert act(shared) == 1
        table = run("status", tmp_path).output
        assert f"{shared.chain_id}, served by its owner" in table
        assert f"1:{shared.head().hash}" in table.replace("\n", "")
        again = run("serve", tmp_path)
        assert isinstance(again.exception, AlreadyRunning)
        address = read_address(tmp_path)
        assert address is not None
        process.send_signal(signal.SIGTERM)
        said = process.stdout.read()
        assert process.wait(20) == 0
    assert ADDRESS_FILE in said
    assert said.endswith("stopped at block 1\n")
    assert address.token not in said + table
    assert chain_status(tmp_path).how == "embedded"


def test_ctrl_c_stops_it_as_well(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)):
        pass
    with served(tmp_path) as process:
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
    with closing(open_chain(tmp_path)) as chain:
        assert isinstance(chain, EmbeddedChain)


@pytest.mark.parametrize("command", ["serve", "status"])
@pytest.mark.parametrize("folder", ["nothing", "empty"])
def test_a_folder_without_a_chain_is_left_as_it_is(tmp_path: Path, command: str, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    result = run(command, tmp_path / folder)
    assert isinstance(result.exception, LedgerError)
    assert f"there is no chain in {folder}" in result.exception.message
    assert ("--new" in result.exception.help) == (command == "serve")
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


def test_a_chain_that_is_there_is_not_made_anew(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)) as chain:
        genesis = chain.genesis
    result = run("serve", tmp_path, "--new")
    assert (result.exit_code, "there is a chain" in result.output) == (2, True)
    assert chain_status(tmp_path).genesis == genesis


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert run("serve", tmp_path, "--new", "--port", port).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_status_of_a_federation_and_of_its_ledger_are_the_same(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger", Keyring(tmp_path / "keys", cost=2)) as ledger:
        expected = ledger.deployment.contracts, ledger.head()
    found = [json.loads(run("status", folder, "--json").output) for folder in (tmp_path, tmp_path / "ledger")]
    assert found[0] == found[1]
    assert found[0]["contracts"] == expected[0]
    assert (found[0]["number"], found[0]["hash"], found[0]["missing"]) == (expected[1].number, expected[1].hash, [])
    table = run("status", tmp_path).output
    assert all(address in table for address in expected[0].values())
    assert "not on the chain" not in table


def test_contracts_that_are_gone_are_shown(tmp_path: Path) -> None:
    with open_ledger(tmp_path, Keyring(tmp_path / "keys", cost=2)):
        pass
    (tmp_path / CHAIN_FILE).unlink()
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)):
        pass
    assert run("status", tmp_path).output.count("not on the chain") == 3


def test_a_clock_that_is_wrong_is_shown(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE, clock=lambda: time.time() + 3600)) as chain:
        act(chain)
    assert re.search(r"3,[56]\d\d s from now: a clock is wrong", " ".join(run("status", tmp_path).output.split()))


def test_looking_at_a_chain_changes_nothing(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / CHAIN_FILE)) as chain:
        act(chain)
    before = (tmp_path / CHAIN_FILE).read_bytes()
    run("status", tmp_path)
    assert (tmp_path / CHAIN_FILE).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [CHAIN_FILE]


def test_a_ledger_on_a_node_is_named_as_one(tmp_path: Path) -> None:
    (tmp_path / "contracts.json").write_text("{}")
    result = run("status", tmp_path)
    assert isinstance(result.exception, LedgerError)
    assert "URL of the node" in result.exception.help


@pytest.mark.node
def test_the_status_of_a_node_by_its_url(node_url: str) -> None:
    found: dict[str, Any] = json.loads(run("status", node_url, "--json").output)
    assert (found["how"], found["chain_id"], found["for_tests"]) == ("node", 5150150, True)
    assert "for tests" in run("status", node_url).output


def test_a_url_where_nothing_is() -> None:
    result = run("status", "http://127.0.0.1:9")
    assert isinstance(result.exception, LedgerError)
    assert result.exception.help
