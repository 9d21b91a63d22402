"""Keyrings: one sealed file for each actor, found again, and no secret in anything they show."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import resource
import stat
import threading
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pprint import pformat

import eth_keyfile
import pytest
from ledger_world import World

from fedkit.errors import ConfigurationError, ContractReverted, LedgerError, StorageError
from fedkit.governance.decision import Decision
from fedkit.ledger.keys import HUMAN_COST, RANDOM_COST, Keyring
from fedkit.ledger.typed import LedgerDomain, recover_anchor, recover_decision

DOMAIN = LedgerDomain(7, "0x" + "11" * 20)


def test_a_key_is_found_again_by_its_actor(tmp_path: Path) -> None:
    address = Keyring(tmp_path, cost=2).create("steward-norway")
    again = Keyring(tmp_path, cost=2)
    assert again.address("steward-norway") == address == again.create("steward-norway")
    assert (again.find(address.lower()), again.find("0x" + "00" * 20)) == ("steward-norway", None)
    assert again.actors() == ["steward-norway"]


def test_what_a_key_signs_is_of_its_address(tmp_path: Path) -> None:
    keys = Keyring(tmp_path, cost=2)
    decision = Decision("ab" * 32, "norway", True, 1, 2**31, "", "cd" * 32, keys.create("steward"))
    assert recover_decision(keys.sign_decision("steward", decision, DOMAIN), DOMAIN) == keys.address("steward")
    anchor = keys.sign_anchor("steward", {"stream": "norway", "from": 1, "to": 2, "root": "ab" * 32}, DOMAIN)
    assert recover_anchor(anchor, DOMAIN) == keys.address("steward")


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    Keyring(tmp_path / "keys", cost=2).create("site")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in [tmp_path / "keys", *(tmp_path / "keys").iterdir()]}
    assert modes == {"keys": 0o700, "passphrase": 0o600, "site.json": 0o600}


def test_a_passphrase_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Keyring(tmp_path, cost=2)
    (tmp_path / "passphrase").chmod(0o644)
    with pytest.raises(ConfigurationError, match="others can read"):
        Keyring(tmp_path)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    keys = Keyring(tmp_path, "correct horse", cost=2)
    keys.create("site")
    secret = keys._key("site").hex()
    shown = [repr(keys), str(keys), *(p.read_text() for p in tmp_path.iterdir())]
    for name, passphrase in (("site", "wrong horse"), ("nobody", "correct horse")):
        with pytest.raises(LedgerError) as caught:
            Keyring(tmp_path, passphrase, cost=2).sign_anchor(name, {}, DOMAIN)
        shown.append(caught.value.diagnostics())
    assert not any(word in text for text in shown for word in (secret, "correct horse", "wrong horse"))
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def test_a_key_does_not_show_itself_wherever_it_is_looked_at(tmp_path: Path) -> None:
    """A cell that ends with a keyring's insides, a log line, a traceback that prints the variables of every frame."""
    keys = Keyring(tmp_path, "correct horse", cost=2)
    keys.create("site")
    key = keys._key("site")
    shown = [
        repr(key),
        str(key),
        f"{key}",
        f"{key!r:>80}",
        f"{key} {key!r}",
        repr([key]),
        repr(vars(keys)),
        pformat(vars(keys)),
    ]
    stop = threading.Event()
    try:
        keys.sign_anchor("site", {"stream": stop}, DOMAIN)
    except Exception as error:
        frames = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown.append("".join(frames.format()))
    assert "sign_anchor" in shown[-1]
    assert not any(secret in text for text in shown for secret in secrets_of(bytes(key), b"correct horse"))
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(key)
        with pytest.raises(TypeError):
            copying(keys)


def secrets_of(*values: bytes) -> list[str]:
    """How a secret could be spelt."""
    return [
        text for v in values for text in (v.hex(), repr(bytes(v))[2:-1], str(int.from_bytes(v)), base64.b64encode(v).decode())
    ]


def test_a_whole_study_leaves_no_key_in_logs_or_output_or_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        world = World(tmp_path)
        request = world.study()
        world.export(tmp_path / "evidence", request)
        with pytest.raises(ContractReverted):
            world.ledger._act("relay", [("Registry", "grantRole", (bytes(32), world.researcher))])
        world.close()
    secrets = secrets_of(*(bytes(world.keys._key(actor)) for actor in world.keys.actors()))
    secrets.append((tmp_path / "keys" / "passphrase").read_text())
    shown = [caplog.text, *capfd.readouterr(), *(str(w.message) for w in warned)]
    files = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and p.name != "passphrase"]
    assert len(secrets) > 4 * 6
    assert len(files) > 15
    assert not any(secret in text for secret in secrets for text in shown)
    assert not any(spelt in content for secret in secrets for spelt in spellings(secret) for content in files)


def spellings(secret: str) -> list[bytes]:
    try:
        return [secret.encode(), bytes.fromhex(secret)]
    except ValueError:
        return [secret.encode()]


def test_a_key_is_unlocked_once_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt at a person's cost takes a second: signing a hundred acts must not take a hundred."""
    keys = Keyring(tmp_path, cost=2)
    keys.create("site")
    unlocked, unlock = [], eth_keyfile.decode_keyfile_json
    monkeypatch.setattr(eth_keyfile, "decode_keyfile_json", lambda *a: (unlocked.append(1), unlock(*a))[1])
    for last in range(1, 6):
        keys.sign_anchor("site", {"stream": "norway", "from": 1, "to": last, "root": "ab" * 32}, DOMAIN)
    assert len(unlocked) == 1


def test_a_disk_that_refuses_leaves_no_half_of_a_key(tmp_path: Path) -> None:
    keys = Keyring(tmp_path, cost=2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            keys.create("site")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["passphrase"]
    assert keys.create("site") == keys.address("site")


def test_a_damaged_key_is_an_error_that_says_so(tmp_path: Path) -> None:
    keys = Keyring(tmp_path, cost=2)
    keys.create("site")
    sealed = json.loads((tmp_path / "site.json").read_text())
    sealed["crypto"]["ciphertext"] = "00" * 32
    (tmp_path / "site.json").write_text(json.dumps(sealed))
    with pytest.raises(LedgerError, match="cannot be unlocked"):
        keys.sign_anchor("site", {"stream": "x", "from": 1, "to": 1, "root": "ab" * 32}, DOMAIN)
    (tmp_path / "site.json").write_text("{}")
    with pytest.raises(LedgerError, match="cannot be read"):
        keys.address("site")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b", "x" * 65, "Ærø"])
def test_an_actor_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a name for a key"):
        Keyring(tmp_path, cost=2).create(name)


def test_two_who_create_one_key_agree_on_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        addresses = set(pool.map(lambda _: Keyring(tmp_path, cost=2).create("site"), range(16)))
    assert len(addresses) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["passphrase", "site.json"]


def test_the_cost_is_for_passphrases_that_people_think_of(tmp_path: Path) -> None:
    Keyring(tmp_path).create("site")
    assert json.loads((tmp_path / "site.json").read_text())["crypto"]["kdfparams"]["n"] == RANDOM_COST
    assert HUMAN_COST >= 2**18


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Keyring(tmp_path / "file")
