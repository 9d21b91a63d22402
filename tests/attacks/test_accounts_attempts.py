"""Accounts: getting in as somebody else, staying after the end, and making more of oneself."""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from typing import Any

from attackers import Http, Town, envelope, send
from attempts import Attempt, Trial, tries
from nacl.signing import SigningKey
from site_suite import World

from fedkit.errors import FedkitError
from fedkit.sites.envelope import seal
from fedkit.sites.session import SiteSession, login_envelope

UNKNOWN = ("refused.access", "access.refused unknown-user")
NOT_THAT = ("refused.access", "account.refused refused.access")
NO_ACCOUNT = ("request", "account.refused request")
_names = itertools.count()


def fresh(world: Town, level: str = "researcher", **more: Any) -> str:
    """The name of an account that is nobody else's."""
    user = f"{level}.{next(_names)}"
    world.federation.add_user("north", user, level, name=f"Somebody {user}", **more)
    return user


def login(http: Http, user: str, password: str, key: SigningKey | None = None) -> Any:
    return http("POST", "/fedkit/v1/login", json.dumps(login_envelope(key or SigningKey.generate(), "north", user, password)))


@tries(
    Attempt("guesses a password", "anybody", *UNKNOWN, given=[("researcher", "guess"), ("admin", "admin"), ("steward", "")]),
    Attempt(
        "logs in as PySyft's root, or as nobody",
        "anybody",
        *UNKNOWN,
        given=[("root", "changethis"), ("root.north@fedkit.example", ""), ("", "")],
    ),
    Attempt(
        "puts SQL into a name",
        "anybody",
        *UNKNOWN,
        given=[("researcher' OR '1'='1", "x"), ("x'; DROP TABLE accounts; --", "x")],
    ),
    Attempt(
        "logs in by a name that looks the same",
        "anybody",
        *UNKNOWN,
        given=[("reseаrcher", "x"), ("RESEARCHER", "x"), ("researcher ", "x")],
    ),
    Attempt(
        "logs in with a name or password of a megabyte",
        "anybody",
        *UNKNOWN,
        given=[("a" * 3000, "x"), ("researcher", "x" * 3000)],
    ),
)
def test_getting_in(trial: Trial, http: Http) -> None:
    with trial() as said:
        for user, password in trial.given:
            said(login(http, user, password))


@tries(Attempt("guesses on: the sixth guess is not looked at", "anybody", "refused.access", "access.refused locked"))
def test_guessing_on_is_waiting(trial: Trial, world: Town, http: Http) -> None:
    user = fresh(world)
    known = world.federation._accounts["north"][user].password
    with trial() as said:
        for guess in range(9):
            reply = login(http, user, f"guess {guess}")
        said(reply)
        said(login(http, user, known))  # not even the right one
    assert world.rows("account.locked", user=user)
    world.federation.unlock("north", user)
    assert world.federation.login("north", user).catalogue()


@tries(Attempt("sends somebody's login a second time", "relay", "refused.access", "access.refused replayed"))
def test_a_login_counts_once(trial: Trial, world: Town, http: Http) -> None:
    user = fresh(world)
    sealed = json.dumps(
        login_envelope(SigningKey.generate(), "north", user, world.federation._accounts["north"][user].password)
    )
    assert "ok" in json.loads(http("POST", "/fedkit/v1/login", sealed).data)
    with trial() as said:
        said(http("POST", "/fedkit/v1/login", sealed))


@tries(
    Attempt(
        "logs in to one site by the login of another", "relay", "refused.access", "access.refused bad-signature", given="east"
    ),
    Attempt(
        "logs in by a call that is no login", "anybody", "refused.access", "access.refused refused.access", given="catalogue"
    ),
)
def test_a_login_is_for_one_site_and_a_login(trial: Trial, world: Town, http: Http) -> None:
    password = world.federation._accounts["north"]["researcher"].password
    site, method = ("east", "login") if trial.given == "east" else ("north", trial.given)
    sealed = seal(SigningKey.generate(), site, method, {"user": "researcher", "password": password})
    with trial() as said:
        said(http("POST", "/fedkit/v1/login", json.dumps(sealed)))


@tries(
    Attempt(
        "calls with a one-time password that was never changed", "researcher", "refused.access", "access.refused refused.access"
    )
)
def test_a_one_time_password_opens_one_thing(trial: Trial, world: Town) -> None:
    user = f"once.{next(_names)}"
    once = world.admin.add_account(user, "guest", name=f"Once {user}")
    session = SiteSession(world.federation.running("north").transport(), user, once)
    with trial():
        session.catalogue()


@tries(Attempt("goes on with a session after the account was revoked", "researcher", "refused.access", "access.refused"))
def test_revoked_is_revoked_at_the_next_call(trial: Trial, world: Town) -> None:
    user = fresh(world)
    session = world.federation.login("north", user)
    session.catalogue()
    world.federation.revoke_user("north", user)
    with trial() as said:
        for ask in (session.catalogue, session.requests, lambda: session.put(b"x")):
            said(_said(ask))


@tries(Attempt("goes on with a session after the account has expired", "researcher", "refused.access", "access.refused"))
def test_expired_is_expired_at_the_next_call(trial: Trial, world: Town) -> None:
    user = fresh(world)
    session = world.federation.login("north", user)
    session.catalogue()
    with sqlite3.connect(world.federation.folder / "sites" / "north" / "gate.db", timeout=30) as database:
        database.execute("UPDATE accounts SET expires = ? WHERE user = ?", (int(time.time()) - 1, user))
    with trial() as said:
        for ask in (session.catalogue, session.requests):
            said(_said(ask))


@tries(Attempt("goes on with a stolen session after the password was changed", "anybody", *UNKNOWN))
def test_a_changed_password_ends_other_sessions(trial: Trial, world: Town) -> None:
    user = fresh(world)
    stolen, own = world.federation.login("north", user), world.federation.login("north", user)
    own.change_password(world.federation._accounts["north"][user].password, "hest lampe regn sokk bro")
    assert own.catalogue()
    with trial():
        stolen.catalogue()


@tries(Attempt("goes on as a steward after becoming a guest", "steward", *UNKNOWN))
def test_a_new_level_ends_the_sessions_of_the_old(trial: Trial, world: Town) -> None:
    user = fresh(world, "steward")
    session = world.federation.login("north", user)
    session.requests()
    world.admin.change_account(user, level="guest")
    with trial():
        session.requests()


@tries(
    Attempt(
        "makes itself a steward",
        "admin",
        *NOT_THAT,
        given=lambda a, w: a.change_account("admin", level="steward", address=w.address("steward")),
    ),
    Attempt(
        "makes a researcher of the steward's key",
        "admin",
        *NOT_THAT,
        given=lambda a, w: a.add_account("second", "researcher", name="Second", address=w.address("steward")),
    ),
    Attempt(
        "makes a second account for a person of another level",
        "admin",
        *NOT_THAT,
        given=lambda a, w: (w.siri, a.add_account("second", "researcher", name="siri  NORDMANN", address="0x" + "34" * 20)),
    ),
    Attempt("leaves the site without an admin", "admin", *NOT_THAT, given=lambda a, w: a.revoke_account("admin")),
    Attempt(
        "names an account so that it looks like another",
        "admin",
        *NO_ACCOUNT,
        given=lambda a, w: a.add_account("аdmin", "guest"),
    ),
    Attempt("names an account with a path", "admin", *NO_ACCOUNT, given=lambda a, w: a.add_account("../../x", "guest")),
    Attempt(
        "names an account with a line and a header",
        "admin",
        *NO_ACCOUNT,
        given=lambda a, w: a.add_account("x\r\nSet-Cookie: a", "guest"),
    ),
    Attempt(
        "names an account with SQL",
        "admin",
        *NO_ACCOUNT,
        given=lambda a, w: a.add_account("x'); DROP TABLE accounts; --", "guest"),
    ),
    Attempt("gives a level that there is not", "admin", *NO_ACCOUNT, given=lambda a, w: a.add_account("newer", "root")),
    Attempt("adds an account that there is", "admin", *NO_ACCOUNT, given=lambda a, w: a.add_account("researcher", "guest")),
)
def test_a_rogue_admin(trial: Trial, world: Town) -> None:
    with trial():
        trial.given(world.admin, world)


@tries(
    Attempt("registers an account", "anybody", *UNKNOWN, given=("add_account", {"user": "me", "level": "admin"})),
    Attempt("resets the admin's password", "anybody", *UNKNOWN, given=("reset_password", {"user": "admin"})),
)
def test_a_stranger_makes_nobody(trial: Trial, world: Town) -> None:
    method, params = trial.given
    with trial() as said:
        said(send(world, seal(SigningKey.generate(), "north", method, params)))


@tries(
    Attempt(
        "raises its own level",
        "researcher",
        "refused.access",
        "access.refused refused.access",
        given=("change_account", {"user": "researcher", "level": "admin", "name": None, "address": None, "expires": None}),
    ),
    Attempt(
        "gives its account another person's ledger address",
        "steward",
        "refused.access",
        "access.refused refused.access",
        given=(
            "change_account",
            {"user": "steward", "level": None, "name": None, "address": "0x" + "12" * 20, "expires": None},
        ),
    ),
    Attempt(
        "changes another's password",
        "researcher",
        "refused.access",
        "access.refused refused.access",
        given=("reset_password", {"user": "ola"}),
    ),
)
def test_nobody_raises_themselves(trial: Trial, world: Town) -> None:
    method, params = trial.given
    with trial(method=method) as said:
        said(send(world, envelope(world, trial.attempt.by, method, params)))


def test_an_admin_who_takes_a_stewards_place_leaves_rows_that_say_so(world: Town) -> None:
    """Who keeps a site can reset a steward's password and name another key: it is their machine. What holds is the record."""
    user = fresh(world, "steward")
    once = world.admin.reset_password(user)
    world.admin.change_account(user, address="0x" + "56" * 20)
    assert once
    (reset,) = world.rows("password.reset", user=user)
    changed = world.rows("account.changed", user=user)
    assert reset["actor"] == "admin"
    assert changed[-1]["actor"] == "admin"
    assert changed[-1]["fields"]["address"] == "0x" + "56" * 20


def _said(act: Any) -> Any:
    try:
        return act()
    except FedkitError as error:
        return error


def test_a_login_that_is_right_is_taken(world: World, http: Http) -> None:
    reply = login(http, "researcher", world.federation._accounts["north"]["researcher"].password)
    assert "ok" in json.loads(reply.data)
