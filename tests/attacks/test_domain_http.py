"""Attacks on a site in its own process, by a researcher with an account and PySyft's own client, and by anybody.

Stock PySyft 0.9.5 falls to most of these (`docs/threat-model.md`). Each must be refused, and must leave the site as it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3
from nacl.signing import SigningKey
from site_suite import CANARY, COUNT, World, make_corpus, weights

from fedkit.errors import AccessRefused, FedkitError, NotApproved
from fedkit.governance.decision import NOTHING
from fedkit.sites import pysyft, syft_code
from fedkit.sites.envelope import seal
from fedkit.sites.launch import connect, launch


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with launch("attacks", tmp_path_factory.mktemp("federation"), corpus=corpus, isolation="process") as federation:
        yield World(federation)


@pytest.fixture(scope="module")
def url(world: World) -> str:
    return str(world.researcher.info.url)


class Attacker:
    """PySyft's client over HTTP with some key, and raw calls where the client would not make them."""

    def __init__(self, url: str, key: SigningKey) -> None:
        self.sy = pysyft.load()
        from syft.client.client import HTTPConnection
        from syft.client.datasite_client import DatasiteClient
        from syft.server.credentials import SyftSigningKey

        self.key = SyftSigningKey(signing_key=key)
        self.connection = HTTPConnection(url=url)
        self.client = DatasiteClient(connection=self.connection, credentials=self.key)
        self.id = self.sy.UID.from_string(str(self.client.id))

    def call(self, path: str, *args: Any, **changes: Any) -> Any:
        """What the server answers; never what it raises."""
        from syft.client.api import SyftAPICall

        call = SyftAPICall(**{"server_uid": self.id, "path": path, "args": list(args), "kwargs": {}, **changes})
        try:
            return self.connection.make_call(call.sign(self.key)).message.data
        except Exception as error:
            return error

    def refused(self, path: str, *args: Any, **changes: Any) -> bool:
        reply = self.call(path, *args, **changes)
        return not type(reply).__name__.startswith("SyftSuccess") and CANARY not in str(reply) and "Traceback" not in str(reply)


@pytest.fixture(scope="module")
def researcher(world: World, url: str) -> Attacker:
    return Attacker(url, world.researcher._key)  # type: ignore[attr-defined]


@pytest.fixture
def anybody(url: str) -> Attacker:
    return Attacker(url, SigningKey.generate())


def private_asset(attacker: Attacker) -> Any:
    return attacker.client.api.services.dataset.get_all()[0].assets[0]


# -- by PySyft's own calls


def test_the_private_asset_is_a_handle_that_nobody_reads(world: World, researcher: Attacker) -> None:
    asset = private_asset(researcher)
    for path in ("action.get", "action.get_pointer", "action.get_mock", "blob_storage.read"):
        assert researcher.refused(path, asset.action_id)
    seen = None
    with contextlib.suppress(Exception):
        seen = asset.data
    handle = (Path(world.federation.folder) / "sites" / "north" / "domain" / "notes.handle").read_text()
    assert handle not in f"{seen} {asset.__dict__}"


def test_executing_an_operation_on_the_private_object_is_closed(researcher: Attacker) -> None:
    from syft.service.action.action_object import Action, ActionType
    from syft.types.uid import LineageID

    asset = private_asset(researcher)
    for op, path in (("upper", "str"), ("__str__", "str"), ("encode", "str")):
        action = Action(
            path=path,
            op=op,
            remote_self=LineageID(asset.action_id, 1),
            args=[],
            kwargs={},
            action_type=ActionType.METHOD,
            result_id=LineageID(researcher.sy.UID(), 1),
        )
        assert researcher.refused("action.execute", action)


@pytest.mark.parametrize(
    "path",
    [
        *("log.get", "log.get_all", "log.get_stdout", "log.get_stderr", "user.view", "user.get_all", "output.create"),
        *("output.get_by_user_code_id", "output.get_all", "code.get_all", "code.submit", "code.store_execution_output"),
        *("request.get_all", "request.apply", "code_status.update", "blob_storage.allocate", "blob_storage.write_to_disk"),
        *("api.call", "network.add_peer", "migration.get_migration_data", "settings.update", "user.update", "job.get_all"),
    ],
)
def test_what_stock_pysyft_leaves_open_is_closed(researcher: Attacker, anybody: Attacker, path: str) -> None:
    some = researcher.sy.UID()
    assert researcher.refused(path, some)
    assert anybody.refused(path, some)


def test_a_raw_request_cannot_ask_to_approve_something_else(world: World, researcher: Attacker) -> None:
    from syft.service.request.request import SubmitRequest

    assert researcher.refused("request.submit", SubmitRequest(changes=[]))


def test_the_mock_of_the_data_set_cannot_be_overwritten(researcher: Attacker, anybody: Attacker) -> None:
    asset = private_asset(researcher)
    for attacker in (researcher, anybody):
        for uid in (asset.action_id, asset.id):
            assert attacker.refused("action.set", attacker.sy.ActionObject.from_obj("mine", id=uid))


def test_nobody_registers_and_no_password_is_reset(url: str) -> None:
    http = urllib3.PoolManager(retries=False)
    for route in ("register", "reset_password", "forgot_password", "stream/a/b/", "metadata_capnp"):
        assert http.request("POST", f"{url}/api/v2/{route}", body=b"x").status in (404, 405)
    for route in ("docs", "openapi.json", "redoc", "blob/x", "../site.db"):
        assert http.request("GET", f"{url}/{route}").status == 404


def test_strangers_upload_nothing(url: str, anybody: Attacker) -> None:
    assert anybody.refused("action.set", anybody.sy.ActionObject.from_obj("small"))
    http = urllib3.PoolManager(retries=False)
    assert http.request("POST", f"{url}/api/v2/api_call", body=b"x" * (5 << 20)).status == 413
    assert http.request("POST", f"{url}/fedkit/v1/login", body=b"x" * (1 << 20)).status == 413
    unsized = http.request("POST", f"{url}/fedkit/v1/call", body=iter([b"x"]), headers={"Transfer-Encoding": "chunked"})
    assert unsized.status == 411


def test_the_code_of_others_is_not_listed_to_who_knows_a_public_key(world: World, url: str, anybody: Attacker) -> None:
    world.researcher.submit(world.request())
    http = urllib3.PoolManager(retries=False)
    root = str(anybody.client.metadata.verify_key) if hasattr(anybody.client.metadata, "verify_key") else "0" * 64
    for key in (root, "0" * 64, "nonsense", ""):
        fields = {"verify_key": key, "communication_protocol": "1"}
        assert http.request("GET", f"{url}/api/v2/api", fields=fields).status == 403


# -- by PySyft's code calls


def test_a_function_of_the_researchers_own_making_is_never_approved(world: World, researcher: Attacker) -> None:
    """A fedkit name and signature with other code behind it: PySyft takes it, the decision does not reach it."""
    from syft.service.code.user_code import SubmitUserCode

    request = world.request()
    genuine = syft_code.source(request, "north")
    forged = genuine.replace("return called(", "return notes or called(")
    assert forged != genuine
    from fedkit.sites.syft_policy import FedkitOutputPolicy

    inputs = researcher.sy.MixedInputPolicy(notes=private_asset(researcher), call=str, client=researcher.client)
    code = SubmitUserCode(
        code=forged,
        func_name=syft_code.function_name(request.digest),
        signature=syft_code.signature(),
        input_policy_type=researcher.sy.MixedInputPolicy,
        input_policy_init_kwargs=inputs.init_kwargs,
        output_policy_type=FedkitOutputPolicy,
        output_policy_init_kwargs={"request": request.digest},
        input_kwargs=list(syft_code.ARGUMENTS),
    )
    researcher.client.api.services.code.request_code_execution(code)
    reply = world.researcher._call("submit", request=request.to_json())  # type: ignore[attr-defined]
    assert reply["in_domain"] is False
    with pytest.raises(NotApproved, match="not in the site's domain"):
        world.steward.decide(world.decision(request))
    assert world.researcher.state(request.digest).status == "pending"
    world.researcher.submit(request)  # now the genuine code too
    assert world.steward.decide(world.decision(request)).status == "approved"
    function = getattr(researcher.client.refresh() or researcher.client.api.services.code, code.func_name, None)
    if function is not None:  # whichever of the two PySyft finds under the name, the handle does not come out
        try:
            out = function(notes=private_asset(researcher), call=call(1))
        except researcher.sy.SyftException:
            return
        assert "fedkit:north" not in str(out)


def call(round: int) -> str:
    return json.dumps(["count", round, NOTHING])


def test_arguments_of_ones_own_in_place_of_the_handle_run_nothing(world: World, researcher: Attacker) -> None:
    """PySyft skips its policies where all arguments are the caller's own; the gate knows its handle and no other."""
    request = world.approved()
    researcher.client.refresh()
    function = getattr(researcher.client.api.services.code, syft_code.function_name(request.digest))
    for handle in ("fedkit:north:notes:mock", "fedkit:north:notes:" + "0" * 32, ""):
        with pytest.raises(researcher.sy.SyftException):
            function(notes=handle, call=call(1))
    assert world.researcher.state(request.digest).used == {"count": 0}


def test_pysyft_called_directly_gives_no_more_than_was_granted(world: World, url: str) -> None:
    request = world.approved(world.request(executions=2))
    name = syft_code.function_name(request.digest)
    attackers = [Attacker(url, world.researcher._key) for _ in range(4)]  # type: ignore[attr-defined]
    went: list[int] = []

    def ask(attacker: Attacker, round: int) -> None:
        try:
            getattr(attacker.client.api.services.code, name)(notes=private_asset(attacker), call=call(round))
            went.append(round)
        except attacker.sy.SyftException:
            pass

    threads = [threading.Thread(target=ask, args=(a, n)) for n, a in enumerate(attackers, start=1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(went) == 2
    assert world.researcher.state(request.digest).used == {"count": 2}


def test_a_denied_request_does_not_run_through_pysyft_either(world: World, researcher: Attacker) -> None:
    request = world.request()
    world.researcher.submit(request)
    world.steward.decide(world.decision(request, reason="No."))
    researcher.client.refresh()
    function = getattr(researcher.client.api.services.code, syft_code.function_name(request.digest))
    with pytest.raises(researcher.sy.SyftException):
        function(notes=private_asset(researcher), call=call(1))
    assert not world.rows("execution.started", request=request.digest)


# -- by the envelope


def send(world: World, envelope: dict[str, str], data: bytes = b"") -> dict[str, Any]:
    return world.researcher._transport.send(envelope, data)[0]  # type: ignore[attr-defined]


def test_an_envelope_counts_once(world: World) -> None:
    key: SigningKey = world.researcher._key  # type: ignore[attr-defined]
    envelope = seal(key, "north", "catalogue", {})
    assert "ok" in send(world, envelope)
    assert send(world, envelope)["error"]["code"] == "refused.access"
    assert world.rows("access.refused", reason="replayed")


@pytest.mark.parametrize(
    "change",
    [
        lambda e: {**e, "body": e["body"].replace("catalogue", "journal")},
        lambda e: {**e, "signature": "00" * 64},
        lambda e: {**e, "key": SigningKey.generate().verify_key.encode().hex()},
        lambda e: {**e, "signature": ""},
        lambda e: {**e, "key": "é" * 64},
        lambda e: {k: v for k, v in e.items() if k != "key"},
        lambda e: {},
        lambda e: {"body": [], "key": {}, "signature": None},
    ],
)
def test_a_forged_envelope_is_refused(world: World, change: Any) -> None:
    envelope = seal(world.researcher._key, "north", "catalogue", {"start": 1})  # type: ignore[attr-defined]
    assert send(world, change(envelope))["error"]["code"] == "refused.access"


def test_an_envelope_for_one_site_is_none_for_another(world: World) -> None:
    envelope = seal(world.researcher._key, "east", "catalogue", {})  # type: ignore[attr-defined]
    assert send(world, envelope)["error"]["code"] == "refused.access"


def test_a_key_without_an_account_is_refused(world: World) -> None:
    assert send(world, seal(SigningKey.generate(), "north", "catalogue", {}))["error"]["code"] == "refused.access"
    assert world.rows("access.refused", reason="unknown-user")


@pytest.mark.parametrize("method", ["_dispatch", "parts", "close", "__class__", "on_journal", "answer", "nothing"])
def test_only_the_calls_of_the_table_can_be_called(world: World, method: str) -> None:
    assert send(world, seal(world.researcher._key, "north", method, {}))["error"]["code"] == "refused.access"  # type: ignore[attr-defined]


def test_malformed_parameters_give_a_named_error_without_a_traceback(world: World) -> None:
    key: SigningKey = world.researcher._key  # type: ignore[attr-defined]
    for method, params in (
        ("mock_notes", {"dataset": "notes", "limit": "many"}),
        ("state", {"digest": {"a": 1}}),
        ("rehearse", {"request": [], "entry": 1, "inputs": 2}),
        ("submit", {"request": {"title": "x"}}),
        ("admit", {"digest": "x", "entry": "../..", "round": "one", "inputs": "x"}),
        ("get", {"digest": "../../accounts.json"}),
        ("catalogue", {"self": 1, "caller": 2}),
    ):
        error = send(world, seal(key, "north", method, params))["error"]
        assert set(error) == {"code", "message", "expected", "got", "help"}
        assert "Traceback" not in json.dumps(error)


def test_a_body_that_is_no_call_is_answered_as_one(url: str) -> None:
    http = urllib3.PoolManager(retries=False)
    for body in (b"", b"{", b"[]", b"\n\n", b"\xff\xfe", b"null"):
        reply = http.request("POST", f"{url}/fedkit/v1/call", body=body)
        assert json.loads(reply.data.partition(b"\n")[0])["error"]["code"] == "refused.access"


def test_a_blob_that_is_not_what_was_signed_for_is_not_stored(world: World) -> None:
    envelope = seal(world.researcher._key, "north", "put", {"digest": "0" * 64})  # type: ignore[attr-defined]
    assert send(world, envelope, b"other bytes")["error"]["code"] == "refused.digest"


def test_a_researcher_decides_nothing_not_even_with_a_stewards_signature(world: World) -> None:
    request = world.request()
    world.researcher.submit(request)
    with pytest.raises(AccessRefused):
        world.researcher.decide(world.decision(request))
    assert world.researcher.state(request.digest).status == "pending"


def test_pysyft_is_administered_at_the_site_and_not_from_elsewhere(world: World, url: str) -> None:
    """The admin's key has PySyft's ADMIN role; over HTTP it opens nothing of PySyft's, the private handle least of all."""
    admin = Attacker(url, world.admin._key)  # type: ignore[attr-defined]
    for path in (
        "user.get_all",
        "dataset.get_all",
        "request.get_all",
        "request.apply",
        "settings.get",
        "log.get_all",
        "action.get",
    ):
        assert admin.refused(path)
    assert world.admin.requests() is not None  # what an admin may do, the gate lets through


def test_a_wrong_password_opens_nothing(world: World, url: str) -> None:
    tries = len(world.rows("access.refused", reason="unknown-user"))
    for user, password in (("researcher", "guess"), ("root", ""), ("nobody", "x"), ("", "")):
        with pytest.raises(AccessRefused):
            connect(url, user, password)
    assert len(world.rows("access.refused", reason="unknown-user")) == tries + 4


# -- the machine around it


def test_no_secret_is_on_a_command_line_or_in_an_environment(world: World) -> None:
    accounts = json.loads((world.federation.folder / "accounts.json").read_text())
    secrets = [password for site in accounts.values() for password in site.values()]
    secrets.append((world.federation.folder / "keys" / "passphrase").read_text())
    sites = [p for p in psutil.Process().children(recursive=True) if "fedkit.sites.serve" in " ".join(p.cmdline())]
    assert len(sites) >= 3  # the one that forks, and a process for each site
    for process in sites:
        seen = " ".join(process.cmdline()) + json.dumps(process.environ())
        assert not any(secret in seen for secret in secrets)


def test_sites_listen_on_loopback_only(world: World) -> None:
    listening = {
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_what_left_holds_no_word_of_a_note(world: World, researcher: Attacker, tmp_path: Path) -> None:
    """The code does its best on the private notes; what comes back, and what is at rest, shows nothing of it."""
    shout = COUNT.replace(
        "    w = weights",
        "    print(notes.train[0].text)\n"
        "    if notes.train[0].id[:5] == 'north':\n"
        "        return {'tensors': {}, 'numbers': {notes.train[0].text: 1.0}}\n"
        "    w = weights",
    )
    request = world.approved(world.request(shout))
    with pytest.raises(FedkitError) as caught:
        world.researcher.execute(request.digest, "count", 1, world.researcher.put(weights()))
    assert CANARY not in json.dumps(caught.value.to_json())
    assert CANARY not in json.dumps(world.auditor.journal())
    needle = CANARY.encode()
    for path in world.federation.folder.rglob("*"):
        if path.is_file() and "notes.duckdb" not in path.name:
            assert needle not in path.read_bytes(), path.name
    places = [Path(os.environ.get("TMPDIR", "/tmp"))]
    for place in places:
        for path in place.glob("fedkit-*/**/*"):
            assert not path.is_file() or needle not in path.read_bytes()


def test_other_sites_requests_are_no_requests_here(world: World) -> None:
    request = world.request()
    east = World(world.federation, "east")
    east.approved(request)
    with pytest.raises(FedkitError, match="submitted"):
        world.researcher.execute(request.digest, "count", 1)
    decision = replace(east.decision(request), site="north")
    with pytest.raises(FedkitError):
        world.steward.decide(decision)
