"""The allow-list of PySyft services, walked: every registered path, for every level, in the table and at the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from site_suite import make_corpus

from fedkit.governance.levels import CALLS, LEVELS
from fedkit.sites import exposure, pysyft
from fedkit.sites.launch import Federation, launch


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with launch("exposure", tmp_path_factory.mktemp("federation"), corpus=corpus) as running:
        yield running


@pytest.fixture(scope="module")
def server(federation: Federation) -> Any:
    return federation._running["north"].gate.parts.domain.server


@pytest.fixture(scope="module")
def keys(federation: Federation) -> dict[str, Any]:
    """level → signing key; a guest is anybody with a key of their own."""
    from nacl.signing import SigningKey
    from syft.server.credentials import SyftSigningKey

    found = {"guest": SyftSigningKey.generate()}
    for level in ("researcher", "auditor", "steward"):
        session = federation.login("north", level)
        found[level] = SyftSigningKey(signing_key=SigningKey(bytes(session._key)))  # type: ignore[attr-defined]
    return found


def paths() -> dict[str, Any]:
    from syft.service.service import ServiceConfigRegistry

    return ServiceConfigRegistry.get_registered_configs()


def call(server: Any, key: Any, path: str, *args: Any, **changes: Any) -> Any:
    from syft.client.api import SyftAPICall

    made = SyftAPICall(**{"server_uid": server.id, "path": path, "args": list(args), "kwargs": {}, "blocking": True, **changes})
    try:
        return server.handle_api_call(made.sign(key)).message.data
    except pysyft.load().SyftException as error:  # what the HTTP route would turn into an error reply
        return error


def test_the_roles_of_every_path_are_those_of_the_table(server: Any) -> None:
    from syft.service.user.user_roles import ServiceRole

    assert len(paths()) > 200
    for path, config in paths().items():
        for level in LEVELS:
            assert config.has_permission(ServiceRole[exposure.ROLES[level]]) == exposure.is_open(level, path), (path, level)
        assert not config.has_permission(ServiceRole.DATA_OWNER), path


def test_every_open_path_exists_and_has_its_reason(server: Any) -> None:
    for level, several in exposure.OPEN.items():
        assert level in LEVELS
        for path, why in several.items():
            assert path in paths()
            assert len(why) > 20
    assert set(CALLS) == set(LEVELS)


@pytest.mark.parametrize("level", ["guest", "researcher", "auditor", "steward"])
def test_the_server_refuses_every_path_that_is_not_open(server: Any, keys: dict[str, Any], level: str) -> None:
    for path in paths():
        reply = call(server, keys[level], path)
        closed = "no access" in str(reply)
        assert closed == (not exposure.is_open(level, path)), (path, level, str(reply)[:100])


def test_a_call_that_does_not_block_goes_to_no_queue(server: Any, keys: dict[str, Any]) -> None:
    for key in keys.values():
        assert "direct calls only" in str(call(server, key, "user.get_all", blocking=False))
    assert server.queue_stash.get_all(server.verify_key).unwrap() == []


def test_nothing_is_forwarded_to_another_server(server: Any, keys: dict[str, Any]) -> None:
    other = pysyft.load().UID()
    assert "direct calls only" in str(call(server, keys["guest"], "metadata.get_metadata", server_uid=other))
    assert "direct calls only" in str(call(server, keys["guest"], "queue"))


def test_a_call_is_nobodys_if_its_signature_does_not_fit(server: Any, keys: dict[str, Any]) -> None:
    from syft.client.api import SyftAPICall

    signed = SyftAPICall(server_uid=server.id, path="user.get_current_user", args=[], kwargs={}).sign(keys["guest"])
    signed.credentials = keys["researcher"].verify_key
    assert "signature" in str(server.handle_api_call(signed).message.data)


@pytest.mark.parametrize("what", ["larger than an argument", "a twin", "the mock of the data set"])
def test_an_argument_is_small_plain_and_new(server: Any, keys: dict[str, Any], what: str) -> None:
    sy = pysyft.load()
    if what == "larger than an argument":
        thing = sy.ActionObject.from_obj("x" * exposure.LARGEST["action.set"])
    elif what == "a twin":
        thing = sy.TwinObject(private_obj=sy.ActionObject.from_obj("x"), mock_obj=sy.ActionObject.from_obj("y"))
    else:
        asset = server.root_client.datasets.get_all()[0].assets[0]
        thing = sy.ActionObject.from_obj("mine", id=asset.action_id)
    reply = call(server, keys["researcher"], "action.set", thing)
    assert type(reply).__name__ == "SyftError"
    mock = server.root_client.datasets.get_all()[0].assets[0].mock
    assert str(mock) == "fedkit:north:notes:mock"


def test_no_library_function_is_offered_for_remote_execution(server: Any, keys: dict[str, Any]) -> None:
    api = server.get_api(for_user=keys["researcher"].verify_key, communication_protocol=server.current_protocol)
    assert api.lib_endpoints == {}
    assert set(api.endpoints) == set(exposure.OPEN["researcher"])


def test_the_domain_has_no_queue_no_consumer_and_no_sign_up(server: Any) -> None:
    assert not any(server.queue_manager.consumers.values())
    assert not any(server.queue_manager.producers.values())
    assert server.settings.signup_enabled is False
    assert server.dev_mode is False


def test_files_of_the_site_are_the_owners_alone(federation: Federation) -> None:
    folder = Path(federation.folder)
    for path in [folder / "accounts.json", *(p for p in (folder / "sites").rglob("*") if p.is_file())]:
        assert path.stat().st_mode & 0o077 == 0, path.relative_to(folder)
