"""Named people at a running site: added, changed, revoked and expired, each from the next call on, whichever way it comes."""

from __future__ import annotations

import contextlib
import sqlite3
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from callers import SITE, expire, one_site, soon
from nacl.signing import SigningKey
from site_suite import COUNT, World, make_corpus, weights

from fedkit.errors import (
    AccessRefused,
    ConfigurationError,
    ContractReverted,
    DigestMismatch,
    FedkitError,
    LedgerError,
    LimitReached,
    NotApproved,
    RequestError,
)
from fedkit.governance.accounts import AccountCard, check_change
from fedkit.governance.decision import NOTHING, Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.ledger import typed
from fedkit.sites import syft_code
from fedkit.sites.base import Site
from fedkit.sites.calls import accounts as account_calls
from fedkit.sites.http import OverHttp
from fedkit.sites.launch import Federation, connect
from fedkit.sites.passwords import make
from fedkit.sites.session import SiteSession

TABLE = '''"""Count notes."""


def count(notes, weights, settings):
    return {"tables": {"notes": [{"split": "train", "n": len(notes.train)}]}}
'''
TABLES = OutputContract(tables={"notes": TableContract({"split": Category(("train",)), "n": Count()}, threshold=1, rounding=1)})

#: Takes seconds on the private notes, and none on their mock twin.
SLOW = COUNT.replace(
    "    w = weights", "    sum(range(250_000_000 if notes.train[0].id[:5] == 'north' else 1))\n    w = weights"
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


class People(World):
    """A site where people come and go; everybody has a name of their own in every test."""

    def __init__(self, federation: Federation) -> None:
        super().__init__(federation)
        self._numbers = iter(range(10_000))

    def add(self, level: str, **more: Any) -> AccountCard:
        return self.federation.add_user(SITE, f"{level}{next(self._numbers)}", level, **more)

    def login(self, user: str | AccountCard) -> SiteSession:
        session = self.federation.login(SITE, user if isinstance(user, str) else user.user)
        assert isinstance(session, SiteSession)
        return session

    def asks(self, card: AccountCard, **changes: Any) -> CodeRequest:
        return self.request(researcher=card.address, **changes)

    def decides(self, card: AccountCard, request: CodeRequest, session: Site, **changes: Any) -> Decision:
        key = self.federation.keys.find(card.address)
        assert key is not None
        made = replace(
            self.decision(request), steward=card.address, reason_digest=session.reason_digest(""), signature="", **changes
        )
        return self.federation.keys.sign_decision(key, made, self.federation.ledger.domain)

    def refusals(self, act: str, actor: str) -> list[str]:
        return [row["fields"]["reason"] for row in self.rows(act) if row["actor"] == actor]


@pytest.fixture(scope="module")
def world(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with one_site(tmp_path_factory.mktemp("federation") / "f", corpus, "process") as federation:
        yield People(federation)


# -- adding


@pytest.mark.parametrize("level", ["guest", "analyst", "researcher", "steward", "auditor", "admin"])
def test_several_people_of_a_level_each_have_an_account_of_their_own(world: People, level: str) -> None:
    first = world.add(level, name=f"First {level}", expires=soon())
    second = world.add(level, name=f"Second {level}")
    for card in (first, second):
        session = world.login(card)
        assert (session.user, session.level) == (card.user, level)
        assert card in world.admin.accounts()
        assert (card.added_by, card.once, card.revoked) == ("admin", 0, 0)
        (row,) = world.rows("account.added", user=card.user)
        assert (row["actor"], row["fields"]["level"]) == ("admin", level)
    assert (first.name, first.expires > time.time(), second.expires) == (f"First {level}", True, 0)
    assert first.address != second.address or level in ("guest", "admin")


def test_whoever_is_added_has_on_the_ledger_what_their_level_needs(world: People) -> None:
    on_ledger = {"steward": "steward", "researcher": "researcher", "analyst": "researcher", "auditor": "auditor"}
    for level, held in on_ledger.items():
        assert world.federation.ledger.level(world.add(level).address) == held


def test_a_person_needs_their_one_time_password_changed_first(world: People) -> None:
    once = world.admin.add_account("fresh", "auditor", name="Fresh")
    session = SiteSession(world.federation.running(SITE).transport(), "fresh", once)
    with pytest.raises(AccessRefused, match="one-time password") as refused:
        session.journal()
    assert "change_password" in refused.value.help
    with pytest.raises(RequestError, match="can be guessed"):
        session.change_password(once, "fresh")
    session.change_password(once, "hest lampe regn sokk bro")
    assert session.journal()
    with pytest.raises(AccessRefused, match="user or password"):
        connect(str(world.federation.sites[SITE].url), "fresh", once)
    assert connect(str(world.federation.sites[SITE].url), "fresh", "hest lampe regn sokk bro").level == "auditor"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"user": "Bad Name"}, RequestError),
        ({"level": "king"}, RequestError),
        ({"level": "researcher"}, RequestError),  # without an address
        ({"expires": 1}, RequestError),
        ({"user": "steward"}, RequestError),  # there is one
        ({"user": 7}, FedkitError),
        ({"expires": "soon"}, RequestError),
    ],
)
def test_what_can_be_no_account_is_refused_by_name(world: People, given: dict[str, Any], error: type[FedkitError]) -> None:
    before = world.admin.accounts()
    with pytest.raises(error):
        world.admin.add_account(**{"user": "nobody", "level": "guest", **given})
    assert world.admin.accounts() == before


@pytest.mark.parametrize("level", ["guest", "analyst", "researcher", "steward", "auditor"])
def test_only_an_admin_keeps_accounts(world: People, level: str) -> None:
    session = world.login(world.add(level))
    for act in (
        lambda: session.add_account("mine", "admin"),
        lambda: session.change_account(session.user, level="admin"),
        lambda: session.revoke_account("admin"),
        lambda: session.reset_password("admin"),
    ):
        with pytest.raises(AccessRefused, match="may not"):
            act()
    assert world.refusals("access.refused", session.user) == ["refused.access"] * 4


def test_the_page_on_accounts_works_as_it_stands(world: People) -> None:
    page = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text("utf-8")
    block = page.partition("```python\n")[2].partition("```")[0]
    first, _, rest = block.partition("\n")
    assert first.startswith("with launch(")
    exec(textwrap.dedent(rest).replace('"no"', repr(SITE)), {"federation": world.federation})
    (kari,) = [card for card in world.admin.accounts() if card.user == "kari"]
    assert (kari.level, kari.name, bool(kari.revoked)) == ("steward", "Kari Nordmann", True)


# -- one person, one level; nobody decides on their own


def test_a_second_account_of_another_level_is_refused_by_name_and_by_address(world: People) -> None:
    card = world.add("researcher", name="Åse Berg")
    other = "0x" + "34" * 20
    for again in ({"name": "åse  BERG", "address": other}, {"name": "Else", "address": card.address}):
        with pytest.raises(AccessRefused, match="duties are kept apart") as refused:
            world.admin.add_account("ase", "steward", **again)
        assert card.user in refused.value.message
    with pytest.raises(AccessRefused, match="duties are kept apart"):
        world.admin.change_account(world.add("guest", name="Åse Berg 2").user, level="steward", address=card.address)
    assert world.refusals("account.refused", "admin")[-3:] == ["refused.access"] * 3


@pytest.mark.parametrize("by", ["name", "address"])
def test_whoever_asked_does_not_decide_by_a_later_account_either(world: People, by: str) -> None:
    """A researcher asks and leaves, and comes back as a steward: what they asked stays theirs."""
    asker = world.add("researcher", name=f"Bo {by}")
    request = world.asks(asker)
    world.login(asker).submit(request)
    world.federation.revoke_user(SITE, asker.user)
    if by == "name":
        card = world.add("steward", name=f"  bo {by.upper()}")
        decision = world.decides(card, request, world.login(card))
    else:
        once = world.admin.add_account("bo", "steward", name="Another", address=asker.address)
        card = next(card for card in world.admin.accounts() if card.user == "bo")
        session = SiteSession(world.federation.running(SITE).transport(), "bo", once)
        session.change_password(once, password := make())
        world.federation._accounts[SITE]["bo"] = replace(
            world.federation._accounts[SITE]["admin"], user="bo", password=password
        )
        decision = world.decides(card, request, session)
    with pytest.raises(AccessRefused, match="of their own"):
        world.login(card).decide(decision)
    assert world.refusals("decision.refused", card.user) == ["refused.access"]
    assert world.steward.decide(world.decision(request)).status == "approved"  # another person may


def test_who_was_made_a_steward_does_not_decide_on_what_they_asked(world: People) -> None:
    asker = world.add("researcher", name="Cato")
    request = world.asks(asker)
    world.login(asker).submit(request)
    address = world.federation.keys.create("cato-as-steward")
    world.admin.change_account(asker.user, level="steward", address=address)
    session = world.login(asker)
    card = replace(asker, level="steward", address=address)
    with pytest.raises(AccessRefused, match="of their own"):
        session.decide(world.decides(card, request, session))


# -- analysts


def test_an_analyst_counts_and_does_not_train(world: People) -> None:
    card = world.add("analyst")
    session = world.login(card)
    with pytest.raises(AccessRefused, match="counts and tables"):
        session.submit(world.asks(card))
    with pytest.raises(AccessRefused, match="take no weights"):
        session.put(weights())
    request = world.asks(card, source=TABLE, entries=(Entry("count", 3, TABLES),), kind="table")
    session.submit(request)
    world.steward.decide(world.decision(request))
    receipt = session.execute(request.digest, "count", 1)
    assert session.get(receipt.outputs)
    other = world.login(world.add("analyst"))
    with pytest.raises(DigestMismatch):
        other.state(request.digest)  # of others an analyst knows nothing
    assert other.requests() == []
    with pytest.raises(DigestMismatch):
        other.execute(request.digest, "count", 2)


def test_a_researcher_who_is_an_analyst_now_runs_no_training_that_was_approved_before(world: People) -> None:
    card = world.add("researcher")
    request = world.asks(card)
    world.login(card).submit(request)
    world.steward.decide(world.decision(request))
    world.admin.change_account(card.user, level="analyst")
    session = world.login(card)
    with pytest.raises(AccessRefused, match="counts and tables"):
        session.execute(request.digest, "count", 1)
    session._pysyft().execute(request.digest, "count", 1, NOTHING)
    assert not world.rows("execution.started", request=request.digest)


# -- from the next call on


@pytest.fixture(params=["revoked", "expired", "level"])
def ended(request: pytest.FixtureRequest, world: People) -> Any:
    """How an account stops being a researcher's, from one call to the next."""

    def end(card: AccountCard) -> None:
        if request.param == "revoked":
            world.admin.revoke_account(card.user)
        elif request.param == "expired":
            expire(world.federation, card.user)
        else:
            world.admin.change_account(card.user, level="guest")

    return end


def test_a_session_that_is_open_has_ended_at_the_next_call(world: People, ended: Any) -> None:
    card = world.add("researcher")
    session = world.login(card)
    request = world.asks(card)
    session.submit(request)
    ended(card)
    for act in (session.requests, lambda: session.put(b"x"), lambda: session.execute(request.digest, "count", 1)):
        with pytest.raises(AccessRefused):
            act()
    assert request.digest in [state.digest for state in world.steward.requests()]  # what was asked stays on record


def test_between_admission_and_pysyft_it_ends_too(world: People, ended: Any) -> None:
    """The gate admitted the call, PySyft has not been asked yet."""
    card = world.add("researcher")
    session = world.login(card)
    request = world.asks(card)
    session.submit(request)
    world.steward.decide(world.decision(request))
    call = {"digest": request.digest, "entry": "count", "round": 1, "inputs": NOTHING}
    pysyft = session._pysyft()
    pysyft._asset(None)
    assert getattr(pysyft._client.api.services.code, syft_code.function_name(request.digest))
    assert session._call("admit", **call) == {"receipt": None}
    ended(card)
    with contextlib.suppress(FedkitError):
        pysyft.execute(request.digest, "count", 1, NOTHING)
    with pytest.raises(AccessRefused):
        session._call("outcome", **call)
    assert not world.rows("execution.started", request=request.digest)
    assert world.steward.state(request.digest).used == {"count": 0}


def test_the_session_names_why_pysyft_was_not_asked(world: People, ended: Any) -> None:
    card = world.add("researcher")
    session = world.login(card)
    request = world.asks(card)
    session.submit(request)
    world.steward.decide(world.decision(request))
    call = session._call

    def end_after_admission(method: str, data: bytes = b"", **params: Any) -> Any:
        reply = call(method, data, **params)
        if method == "admit":
            ended(card)
        return reply

    session._call = end_after_admission  # type: ignore[method-assign]
    with pytest.raises(AccessRefused):
        session.execute(request.digest, "count", 1)
    assert not world.rows("execution.started", request=request.digest)


def test_while_the_code_runs_it_ends_and_nothing_leaves(world: People, ended: Any) -> None:
    card = world.add("researcher")
    session = world.login(card)
    request = world.asks(card, source=SLOW)
    session.submit(request)
    world.steward.decide(world.decision(request))
    said: list[FedkitError] = []

    def run() -> None:
        try:
            session.execute(request.digest, "count", 1)
        except FedkitError as error:
            said.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not world.rows("execution.started", request=request.digest) and thread.is_alive():
        time.sleep(0.05)
    ended(card)
    thread.join()
    assert [type(error) for error in said] == [AccessRefused]
    assert world.rows("execution.failed", request=request.digest)
    assert not world.rows("execution.finished", request=request.digest)


def test_who_is_revoked_cannot_log_in_and_their_name_stays_taken(world: People) -> None:
    card = world.add("auditor")
    password = world.federation._accounts[SITE][card.user].password
    assert world.federation.revoke_user(SITE, card.user).revoked
    with pytest.raises(AccessRefused, match="was revoked") as refused:
        world.login(card)
    assert "admin" in refused.value.help
    with pytest.raises(AccessRefused, match="user or password"):
        connect(str(world.federation.sites[SITE].url), card.user, password + "x")
    with pytest.raises(RequestError, match="there is such an account"):
        world.admin.add_account(card.user, "guest")
    with pytest.raises(AccessRefused, match="revoked"):
        world.admin.change_account(card.user, name="Again")
    with pytest.raises(AccessRefused, match="revoked"):
        world.admin.reset_password(card.user)
    assert world.rows("account.closed", user=card.user)[0]["actor"] == "admin"
    assert world.federation.ledger.level(card.address) == "guest"


def test_an_end_can_be_moved(world: People) -> None:
    card = world.add("auditor", expires=soon())
    expire(world.federation, card.user)
    with pytest.raises(AccessRefused, match="has expired") as refused:
        world.login(card)
    assert "extend" in refused.value.help
    changed = world.admin.change_account(card.user, expires=soon()).account
    assert world.login(card).level == "auditor"
    assert world.admin.change_account(card.user, expires=0).account.expires == 0 < changed.expires
    assert world.rows("account.changed", user=card.user)


# -- admins


def test_the_last_admin_stays_and_nobody_changes_their_own_level(world: People) -> None:
    with pytest.raises(AccessRefused, match="their own level"):
        world.admin.change_account("admin", level="steward", address="0x" + "56" * 20)
    others = [card for card in world.admin.accounts() if card.level == "admin" and card.user != "admin" and not card.revoked]
    for card in others:
        world.admin.revoke_account(card.user)
    for act in (
        lambda: world.admin.revoke_account("admin"),
        lambda: world.admin.change_account("admin", expires=soon()),
        lambda: world.login("admin").revoke_account("admin"),
    ):
        with pytest.raises(AccessRefused, match="last admin"):
            act()
    assert world.login("admin").level == "admin"


def test_two_admins_who_send_each_other_away_do_not_both_go(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call is right when it is admitted; one of them is not when it is its turn."""
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        federation.add_user(SITE, "second", "admin")
        sessions = {user: federation.login(SITE, user) for user in ("admin", "second")}
        both_checked = threading.Barrier(2)

        def check_and_wait(*given: Any) -> None:
            check_change(*given)
            with contextlib.suppress(threading.BrokenBarrierError):  # who is alone waits for nobody
                both_checked.wait(1)

        monkeypatch.setattr(account_calls, "check_change", check_and_wait)
        refused: list[FedkitError] = []

        def send_away(user: str, other: str) -> None:
            try:
                sessions[user].revoke_account(other)
            except FedkitError as error:
                refused.append(error)

        threads = [threading.Thread(target=send_away, args=pair) for pair in (("admin", "second"), ("second", "admin"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1
        (left,) = [c for c in federation.login(SITE, "auditor").accounts() if c.level == "admin" and not c.revoked]
        assert left.user in sessions


# -- passwords


def test_a_reset_ends_the_sessions_and_the_federation_keeps_the_new_one(world: People) -> None:
    card = world.add("steward")
    session = world.login(card)
    world.federation.reset_password(SITE, card.user)
    with pytest.raises(AccessRefused):
        session.requests()
    assert world.login(card).requests() is not None
    assert world.rows("password.reset", user=card.user)
    assert [row["actor"] for row in world.rows("password.changed")].count(card.user) == 2


def test_who_chose_their_own_password_is_known_by_it_alone(world: People) -> None:
    card = world.add("guest")
    world.login(card).change_password(world.federation._accounts[SITE][card.user].password, "hest lampe regn sokk bro")
    with pytest.raises(AccessRefused, match="user or password"):
        world.login(card)  # the federation's is the old one
    world.federation.reset_password(SITE, card.user)
    assert world.login(card).level == "guest"


def test_over_http_a_wrong_password_and_no_account_are_told_the_same(world: People) -> None:
    transport = world.federation.running(SITE).transport()
    assert isinstance(transport, OverHttp)
    card = world.add("auditor")
    told = []
    for user in (card.user, "nobody-of-that-name"):
        with pytest.raises(AccessRefused) as refused:
            transport.login(user, "not the password")
        told.append(refused.value.to_json())
    assert told[0] == told[1]


def test_too_many_wrong_passwords_wait_over_a_restart_and_are_unlocked_here(corpus: Path, tmp_path: Path) -> None:
    with one_site(tmp_path / "f", corpus, "process") as federation:
        url = str(federation.sites[SITE].url)
        for _ in range(11):  # more than the free tries; those that wait are not looked at
            with pytest.raises(AccessRefused):
                connect(url, "admin", "wrong")
            time.sleep(0.2)
        federation.login(SITE, "steward")
    with one_site(tmp_path / "f", corpus, "process") as federation:
        auditor = federation.login(SITE, "auditor")
        assert "admin" in [row["fields"]["user"] for row in auditor.journal() if row["act"] == "account.locked"]
        federation.unlock(SITE, "admin")
        assert federation.login(SITE, "admin").level == "admin"
        assert [row for row in auditor.journal() if row["act"] == "account.unlocked"]
        with pytest.raises(AccessRefused, match="no account"):
            federation.unlock(SITE, "nobody")


def test_an_account_that_calls_too_often_is_told_when_to_come_back(corpus: Path, tmp_path: Path) -> None:
    with one_site(tmp_path / "f", corpus, "in-process", calls_per_minute=20) as federation:
        session = federation.login(SITE, "auditor")
        for _ in range(25):
            with contextlib.suppress(LimitReached):
                session.head()
        with pytest.raises(LimitReached, match="more often") as refused:
            session.head()
        assert "come back in" in refused.value.help
        assert federation.login(SITE, "steward").head() is None  # nobody else waits for it


# -- what stays


def test_a_site_of_the_version_before_opens_with_its_accounts(corpus: Path, tmp_path: Path) -> None:
    """Its accounts had a level and an address, and its admin was PySyft's ADMIN."""
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        before = {card.user: (card.level, card.address) for card in federation.login(SITE, "admin").accounts()}
        domain = federation.running(SITE).gate.parts.domain
        from syft.service.user.user_roles import ServiceRole

        from fedkit.sites.domain import email

        user = domain._users.stash.get_by_email(domain.server.verify_key, email("admin", SITE)).unwrap()
        user.role = ServiceRole.ADMIN
        domain._users.stash.update(credentials=domain.server.verify_key, obj=user).unwrap()
    with sqlite3.connect(tmp_path / "f" / "sites" / SITE / "gate.db") as database:
        for column in ("name", "expires", "revoked", "added", "added_by", "once", "password"):
            database.execute(f"ALTER TABLE accounts DROP COLUMN {column}")
        database.execute("DROP TABLE guesses")
        database.execute("DROP TABLE seen_at")
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        world = World(federation)
        assert {card.user: (card.level, card.address) for card in world.admin.accounts()} == before
        request = world.approved()
        assert world.researcher.execute(request.digest, "count", 1).site == SITE
        server = federation.running(SITE).gate.parts.domain.server
        roles = {u.name: u.role.name for u in server.services.user.stash.get_all(server.verify_key).unwrap()}
        assert roles["admin"] == "GUEST"


def test_a_restart_undoes_nothing(corpus: Path, tmp_path: Path) -> None:
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        kari = federation.add_user(SITE, "kari", "steward", name="Kari")
        federation.login(SITE, "admin").revoke_account("researcher")
        federation.add_user(SITE, "ola", "admin")
        federation.login(SITE, "ola").revoke_account("admin")
        before = federation.login(SITE, "ola").accounts()
    with one_site(tmp_path / "f", corpus, "process") as federation:
        assert federation.login(SITE, "ola").accounts() == before
        assert federation.login(SITE, "kari").level == "steward"
        assert federation.ledger.level(kari.address) == "steward"
        for user in ("researcher", "admin"):
            with pytest.raises(AccessRefused, match="revoked"):
                federation.login(SITE, user)


# -- a key that is lost or stolen


def test_a_steward_gets_a_successor_key_and_what_was_approved_goes_on(world: People) -> None:
    card = world.add("steward")
    session = world.login(card)
    first, second = world.request(), world.request()
    for request in (first, second):
        world.researcher.submit(request)
    session.decide(signed := world.decides(card, first, session))
    stale = world.decides(card, second, session)
    new = world.federation.replace_key(SITE, card.user)
    assert (new.address != card.address, new.level) == (True, "steward")
    ledger = world.federation.ledger
    assert (ledger.level(card.address), ledger.level(new.address)) == ("guest", "steward")
    assert world.researcher.execute(first.digest, "count", 1).site == SITE  # by right when it was signed
    session = world.login(card)
    with pytest.raises(AccessRefused, match="names another steward") as refused:
        session.decide(stale)  # signed by the key that was lost, handed in after
    assert "replace_key" in refused.value.help
    assert session.decide(world.decides(new, second, session)).status == "approved"
    withdrawn = world.decides(new, first, session, approved=False, rounds=0, reason="Stolen.")
    assert withdrawn.steward != signed.steward


def test_a_successor_that_was_named_halfway_is_named_by_the_same_call_again(
    world: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = world.add("steward")
    with monkeypatch.context() as patch:
        patch.setattr(SiteSession, "change_account", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.federation.replace_key(SITE, card.user)
    made = world.federation.keys.address(f"{card.user}@{SITE}")
    assert world.federation.ledger.level(made) == "steward"
    assert world.federation.replace_key(SITE, card.user).address == made != card.address
    assert world.federation.ledger.level(card.address) == "guest"
    again = world.federation.replace_key(SITE, card.user)
    assert again.address not in (made, card.address)
    assert world.federation.ledger.level(made) == "guest"


def test_what_counts_by_an_old_key_is_named_when_it_is_replaced(world: People) -> None:
    card = world.add("steward")
    session = world.login(card)
    request = world.request()
    world.researcher.submit(request)
    session.decide(world.decides(card, request, session))
    change = world.admin.change_account(card.user, address=world.federation.keys.create("another-for-her"))
    assert change.approvals == (request.digest,)
    with pytest.raises(AccessRefused, match="no session"):
        session.requests()  # a new address is a new beginning
    assert world.admin.revoke_account(card.user).approvals == ()


def test_a_stewards_key_that_is_lost_is_named_with_the_way_on(corpus: Path, tmp_path: Path) -> None:
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        world = World(federation)
        kept = world.approved()
    (tmp_path / "f" / "keys" / f"steward-{SITE}.json").unlink()
    with one_site(tmp_path / "f", corpus, "in-process") as federation:  # it starts all the same
        world = World(federation)
        request = world.request()
        world.researcher.submit(request)
        with pytest.raises(LedgerError, match="no key of steward-north") as lost:
            world.decision(request)
        assert "replace_key" in lost.value.help
        card = federation.replace_key(SITE)
        assert federation.keys.address(f"steward-{SITE}") == card.address
        world = World(federation)
        assert world.steward.decide(world.decision(request)).status == "approved"
        assert world.researcher.execute(kept.digest, "count", 1).site == SITE
    with one_site(tmp_path / "f", corpus, "in-process") as federation:
        assert federation.login(SITE, "steward").level == "steward"


def test_a_key_that_is_for_all_sites_is_not_replaced_at_one(world: People) -> None:
    for user in ("researcher", "auditor", "admin"):
        with pytest.raises(ConfigurationError, match="not replaced at one site"):
            world.federation.replace_key(SITE, user)


def test_an_old_key_records_nothing_on_the_ledger(world: People) -> None:
    card = world.add("steward")
    new = world.federation.replace_key(SITE, card.user)
    request = world.request()
    domain = world.federation.ledger.domain
    world.federation.ledger.issue_permit(request.permit, [request.researcher])
    world.federation.ledger.submit(request, [SITE])
    world.researcher.submit(request)
    for address, right in ((card.address, False), (new.address, True)):
        made = replace(world.decision(request), steward=address, signature="")
        key = world.federation.keys.find(address)
        assert key is not None
        signed = made.signed(
            typed.sign_hash(
                typed.signing_hash("Decision", typed.decision_message(made), domain), world.federation.keys._key(key)
            )
        )
        if right:
            world.federation.ledger.decide(signed)
        else:
            with pytest.raises(ContractReverted):
                world.federation.ledger.decide(signed)


def test_a_session_key_says_nothing_of_the_account(world: People) -> None:
    """Every login has its own key, and none of them is a key of the account's in PySyft."""
    keys = {bytes(world.login("auditor")._key) for _ in range(3)}
    assert len(keys) == 3
    assert all(isinstance(SigningKey(key), SigningKey) for key in keys)


def test_an_approval_is_not_needed_to_be_refused(world: People) -> None:
    """A revoked researcher's request that waits is told to nobody but those who oversee."""
    card = world.add("researcher")
    request = world.asks(card)
    world.login(card).submit(request)
    world.federation.revoke_user(SITE, card.user)
    with pytest.raises((NotApproved, DigestMismatch)):
        world.researcher.execute(request.digest, "count", 1)
