"""The allow-list of PySyft services, walked: every registered path, for everybody, in process and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make_access_pages
import pytest
import urllib3
from callers import CALLERS, NOBODY, SITE, Callers, one_site
from nacl.signing import SigningKey
from site_suite import make_corpus

from fedkit.governance.levels import ASKING, CALLS, LEVELS
from fedkit.sites import exposure, pysyft
from fedkit.sites.envelope import seal

#: Paths that nobody registered.
NOWHERE = (
    "queue",
    "metadata",
    "login",
    "register",
    "api",
    "user",
    "user.",
    ".",
    "",
    "no.such.path",
    "user.create.",
    "USER.CREATE",
)


@pytest.fixture(scope="module", params=["in-process", "process"])
def callers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with one_site(tmp_path_factory.mktemp("federation") / "f", corpus, request.param) as federation:
        yield Callers(federation)


@pytest.fixture(scope="module")
def sy(callers: Callers) -> Any:
    return pysyft.load()


class Raw:
    """PySyft calls as bytes, in process or over HTTP. Answers (status, length of the body, what PySyft would read)."""

    def __init__(self, callers: Callers) -> None:
        from syft.serde.deserialize import _deserialize
        from syft.serde.serialize import _serialize

        self._read, self._write = _deserialize, _serialize
        self.sy = pysyft.load()
        running = callers.federation.running(SITE)
        self.server = running.gate.parts.domain.server if callers.federation.isolation == "in-process" else None
        self._refusals: dict[int, Any] = {}
        self._http = urllib3.PoolManager(retries=False)
        self.url = callers.federation.sites[SITE].url
        self.id = self.server.id if self.server is not None else self.sy.UID.from_string(self._metadata()["id"])

    def _metadata(self) -> Any:
        return self._http.request("GET", f"{self.url}/api/v2/metadata").json()

    def signed(self, key: SigningKey, path: str, *args: Any, **changes: Any) -> Any:
        from syft.client.api import SyftAPICall
        from syft.server.credentials import SyftSigningKey

        call = SyftAPICall(
            **{"server_uid": self.id, "path": path, "args": list(args), "kwargs": {}, "blocking": True, **changes}
        )
        return call.sign(SyftSigningKey(signing_key=key))

    def send(self, signed: Any) -> tuple[int, int, Any]:
        if self.server is not None:
            reply = self.server.handle_api_call(signed)
            return 200, len(self._write(reply, to_bytes=True)), reply.message.data
        return self.post(self._write(signed, to_bytes=True))

    def post(self, body: bytes) -> tuple[int, int, Any]:
        reply = self._http.request("POST", f"{self.url}/api/v2/api_call", body=body)
        size = len(reply.data)
        if size in self._refusals and exposure.REFUSAL.encode() in reply.data:  # reading takes longer than all the rest
            return reply.status, size, self._refusals[size]
        data = self._read(reply.data, from_bytes=True).message.data
        if is_refusal(data):
            self._refusals[size] = data
        return reply.status, size, data

    def call(self, key: SigningKey, path: str, *args: Any, **changes: Any) -> tuple[int, int, Any]:
        return self.send(self.signed(key, path, *args, **changes))


@pytest.fixture(scope="module")
def raw(callers: Callers) -> Raw:
    return Raw(callers)


def paths() -> dict[str, Any]:
    from syft.service.service import ServiceConfigRegistry

    pysyft.load()
    return ServiceConfigRegistry.get_registered_configs()


def is_refusal(data: Any) -> bool:
    return type(data).__name__ == "SyftError" and data.message == exposure.REFUSAL


@pytest.fixture(scope="module")
def walked(callers: Callers, raw: Raw) -> dict[tuple[str, str], tuple[int, int, Any]]:
    """(caller, path) → what everybody is answered on every path that there is, and on some that there are not."""
    assert len(paths()) > 200
    given = {"action.set": [raw.sy.ActionObject.from_obj("an argument")]}
    every = [(path, given.get(path, [])) for path in (*paths(), *NOWHERE)]
    return {(name, path): raw.call(callers.keys[name], path, *args) for name in CALLERS for path, args in every}


def test_everybody_is_let_in_where_the_table_says_and_nowhere_else(walked: dict[tuple[str, str], tuple[int, int, Any]]) -> None:
    for (name, path), (status, _, data) in walked.items():
        let_in = name in LEVELS and exposure.is_open(name, path)
        assert (status, is_refusal(data)) == (200, not let_in), (name, path, data)
    assert {path for (name, path) in walked if exposure.is_open(name, path)} == set(exposure.OPEN["researcher"])


def test_a_refusal_tells_nothing_by_its_text_or_length(walked: dict[tuple[str, str], tuple[int, int, Any]]) -> None:
    """Whether there is such a path, whether it is open to others, whether the caller has, had or never had an account."""
    seen = {(status, size, repr(data)) for status, size, data in walked.values() if is_refusal(data)}
    assert len(seen) == 1, seen


def test_what_is_refused_stands_in_the_journal(callers: Callers, raw: Raw) -> None:
    def refusals(actor: str, path: str | None) -> int:
        return len([row for row in callers.rows("access.refused", method=path) if row["actor"] == actor])

    for name, actor, path, word in (
        ("steward", "steward", "user.create", "user.create"),
        ("guest", "guest", "code.call", "code.call"),
        ("researcher", "researcher", "no.such.path", None),
        ("unknown", SITE, "code.call", None),
        ("revoked", SITE, "code.call", None),
    ):
        before = refusals(actor, word)
        raw.call(callers.keys[name], path)
        assert refusals(actor, word) == before + 1, name


@pytest.mark.parametrize("body", [b"", b"\x00" * 64, b"{}", b"x" * 100_000, bytes(range(256))])
def test_what_is_no_message_is_refused_in_the_same_words(callers: Callers, raw: Raw, body: bytes) -> None:
    if raw.server is not None:
        pytest.skip("in process nobody sends bytes")
    status, size, data = raw.post(body)
    assert (status, is_refusal(data)) == (200, True)
    assert size == raw.call(callers.keys["unknown"], "user.create")[1]


def test_a_signature_of_somebody_else_is_nobodys(callers: Callers, raw: Raw) -> None:
    from syft.server.credentials import SyftVerifyKey

    signed = raw.signed(callers.keys["guest"], "dataset.get_all")
    signed.credentials = SyftVerifyKey.from_string(callers.keys["researcher"].verify_key.encode().hex())
    assert is_refusal(raw.send(signed)[2])
    assert not is_refusal(raw.call(callers.keys["researcher"], "dataset.get_all")[2])


def test_a_call_goes_to_no_queue_and_to_no_other_server(callers: Callers, raw: Raw, sy: Any) -> None:
    key = callers.keys["researcher"]
    assert is_refusal(raw.call(key, "dataset.get_all", blocking=False)[2])
    assert is_refusal(raw.call(key, "dataset.get_all", server_uid=sy.UID())[2])


@pytest.mark.parametrize("what", ["larger than an argument", "a twin", "the mock of the data set"])
def test_an_argument_is_small_plain_and_new(callers: Callers, raw: Raw, sy: Any, what: str) -> None:
    key = callers.keys["researcher"]
    if what == "larger than an argument":
        thing = sy.ActionObject.from_obj("x" * exposure.LARGEST["action.set"])
    elif what == "a twin":
        thing = sy.TwinObject(private_obj=sy.ActionObject.from_obj("x"), mock_obj=sy.ActionObject.from_obj("y"))
    else:
        found = raw.call(key, "dataset.get_all")[2]
        thing = sy.ActionObject.from_obj("mine", id=getattr(found, "value", found)[0].asset_list[0].action_id)
    assert is_refusal(raw.call(key, "action.set", thing)[2])


# -- registration never grants more than was decided


@pytest.mark.parametrize("name", CALLERS)
def test_nobody_makes_a_user_or_raises_a_role(callers: Callers, raw: Raw, sy: Any, name: str) -> None:
    """Well-formed calls, as PySyft's own client makes them for its administrators."""
    from syft.service.user.user import UserCreate, UserUpdate
    from syft.service.user.user_roles import ServiceRole

    key = callers.keys[name]
    before = callers.sessions["admin"].accounts()
    wanted = UserCreate(email="me@example.org", name="me", password="aA1-password", password_verify="aA1-password")
    for role in ServiceRole:
        assert is_refusal(raw.call(key, "user.create", kwargs={"user_create": wanted.model_copy(update={"role": role})})[2])
        update = UserUpdate(role=role)
        assert is_refusal(raw.call(key, "user.update", kwargs={"uid": sy.UID(), "user_update": update})[2])
    for path in ("user.delete", "user.view", "user.search", "user.request_password_reset", "settings.allow_guest_signup"):
        assert is_refusal(raw.call(key, path, sy.UID())[2])
    assert callers.sessions["admin"].accounts() == before


def test_in_pysyft_nobody_approves_code_or_makes_users(callers: Callers, raw: Raw) -> None:
    if raw.server is None:
        pytest.skip("what PySyft holds is looked at in process")
    from syft.service.user.user_roles import ServiceRole

    users = raw.server.services.user.stash.get_all(raw.server.verify_key).unwrap()
    roles = {user.name: user.role for user in users if user.verify_key != raw.server.verify_key}
    assert set(roles) == {card.user for card in callers.sessions["admin"].accounts()}
    assert {name for name, role in roles.items() if role == ServiceRole.DATA_SCIENTIST} == {
        *("analyst", "researcher", "expired", "once")
    }
    assert set(roles.values()) == {ServiceRole.GUEST, ServiceRole.DATA_SCIENTIST}
    assert raw.server.settings.signup_enabled is False
    assert raw.server.dev_mode is False
    assert not any(raw.server.queue_manager.consumers.values())
    assert not any(raw.server.queue_manager.producers.values())


def test_an_accounts_own_key_in_pysyft_opens_nothing(callers: Callers, raw: Raw) -> None:
    """It never leaves the site; were it to, it would be the key of no session."""
    if raw.server is None:
        pytest.skip("over HTTP nobody gets at it")
    key = raw.server.key_of("researcher").signing_key
    assert key.verify_key != callers.keys["researcher"].verify_key
    assert is_refusal(raw.call(key, "dataset.get_all")[2])
    assert "error" in callers.send("researcher", seal(key, SITE, "catalogue", {}))


def test_the_roles_of_every_path_are_those_of_the_table(callers: Callers) -> None:
    """PySyft's own check, which stands behind ours."""
    from syft.service.user.user_roles import ServiceRole

    for path, config in paths().items():
        for level in LEVELS:
            role = ServiceRole[exposure.ROLES[level]]
            assert config.has_permission(role) == exposure.is_open(level, path), (path, level)
        assert not config.has_permission(ServiceRole.DATA_OWNER), path


def test_every_open_path_exists_and_has_its_reason() -> None:
    for level, several in exposure.OPEN.items():
        assert level in ASKING
        for path, why in several.items():
            assert path in paths()
            assert len(why) > 20


def test_a_key_sees_its_own_accounts_calls_and_no_library(callers: Callers, raw: Raw) -> None:
    if raw.server is None:
        pytest.skip("over HTTP the routes are walked")
    for name in CALLERS:
        from syft.server.credentials import SyftVerifyKey

        key = SyftVerifyKey.from_string(callers.keys[name].verify_key.encode().hex())
        api = raw.server.get_api(for_user=key, communication_protocol=raw.server.current_protocol)
        assert api.lib_endpoints == {}
        if name not in NOBODY:
            assert set(api.endpoints) == set(exposure.OPEN.get(name, {}))


# -- fedkit's own calls, through the gate


def test_everybody_may_make_the_calls_of_their_level_and_no_others(callers: Callers) -> None:
    """Parameters are none, so what is let in is refused for them; what is not let in is refused before."""
    every = sorted({call for calls in CALLS.values() for call in calls})
    for name in CALLERS:
        for call in [*every, "login", "on_info", "__init__", "answer", "no_such_call"]:
            if (name, call) in {(level, c) for level in LEVELS for c in ("anchor", "info", "journal", "catalogue", "requests")}:
                continue  # they need no parameters, and are made below
            reply = callers.send(name, seal(callers.keys[name], SITE, call, {"nothing": 1}))
            let_in = call in (("info", "change_password") if name == "once" else CALLS.get(name, {}))
            stopped = reply["error"]["code"] == "refused.access"
            assert stopped == (not let_in), (name, call, reply)


def test_who_is_nobody_is_told_the_same_whatever_they_call(callers: Callers) -> None:
    for name, words in (("unknown", {"this key has no session here"}), ("revoked", {"this key has no session here"})):
        calls = ("info", "decide", "no_such_call", "add_account")
        assert {callers.send(name, seal(callers.keys[name], SITE, call, {}))["error"]["message"] for call in calls} == words


def test_a_one_time_password_opens_one_call(callers: Callers) -> None:
    for call in sorted(CALLS["researcher"]):
        reply = callers.send("once", seal(callers.keys["once"], SITE, call, {"nothing": 1}))
        opened = "one-time" not in reply["error"]["message"] if "error" in reply else True
        assert opened == (call in ("info", "change_password")), (call, reply)


# -- what lies at the site, and the page


def test_files_of_the_site_are_the_owners_alone(callers: Callers) -> None:
    folder = Path(callers.federation.folder)
    for path in [folder / "accounts.json", *(p for p in (folder / "sites").rglob("*") if p.is_file())]:
        assert path.stat().st_mode & 0o077 == 0, path.relative_to(folder)


def test_the_page_is_what_the_tables_say() -> None:
    assert (make_access_pages.DOCS / "exposure.md").read_text("utf-8") == make_access_pages.exposure_page(), (
        "python tools/make_access_pages.py"
    )
