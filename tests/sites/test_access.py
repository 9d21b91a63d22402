"""Who may come in at a site, by a clock that stands still: logins, sessions, waiting, and how often somebody may call."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import AccessRefused, ConfigurationError, FedkitError, LimitReached, RequestError
from fedkit.governance.accounts import AccountCard
from fedkit.governance.passwords import ACCOUNT, ADDRESS, PAIR
from fedkit.sites import access as access_module
from fedkit.sites import passwords
from fedkit.sites.access import ONCE, ROWS, Access, AccessLimits
from fedkit.sites.account_store import AccountStore
from fedkit.sites.database import Database
from fedkit.sites.journal import Journal
from fedkit.sites.sessions import MOST, Sessions
from fedkit.sites.throttle import Throttle

PASSWORD = "x7Kp-w2Qz-m9Lt-c4Vb"
BETTER = "hest lampe regn sokk bro"
HERE, THERE = "10.0.0.1", "10.0.0.2"


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """The door of one site with one account, kari; `again` opens its files anew, as a restart does."""

    def __init__(self, folder: Path, **limits: float) -> None:
        self.folder, self.clock, self.limits = folder, Clock(), AccessLimits.of(limits)
        self.keys = iter(f"{n:064x}" for n in range(1, 10**6))
        self.again()
        self.store.put(AccountCard("kari", "researcher", "Kari", "0x" + "ab" * 20), passwords.hashed(PASSWORD, passwords.MADE))

    def again(self) -> None:
        self.store = AccountStore(Database(self.folder / "gate.db"), clock=self.clock)
        self.journal = Journal(self.folder / "journal.db")
        self.access = Access("north", self.store, self.journal, self.limits, clock=self.clock)

    def login(self, password: str = PASSWORD, user: str = "kari", address: str = HERE) -> str:
        key = next(self.keys)
        self.access.login(user, password, key, address)
        return key

    def rows(self, act: str, **fields: object) -> list[dict[str, object]]:
        found = [row for row in self.journal.rows() if row["act"] == act]
        return [row for row in found if all(row["fields"].get(k) == v for k, v in fields.items())]

    def change(self, **changes: object) -> None:
        card = self.store.card("kari")
        assert card is not None
        self.store.put(replace(card, **changes))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretching has tests of its own; here it would only take time."""
    monkeypatch.setattr(passwords, "CHOSEN", (2**4, 8, 2))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# -- sessions


def test_a_login_opens_a_session_for_its_key_and_no_other(site: Site) -> None:
    key = site.login()
    assert site.access.caller(key).user == "kari"
    with pytest.raises(AccessRefused, match="no session"):
        site.access.caller("f" * 64)
    assert site.rows("access.refused", reason="unknown-user")


def test_a_key_that_has_a_session_gets_no_second_one(site: Site) -> None:
    """Else somebody could make another's key their own account's, and get what its owner sends."""
    key = site.login()
    site.store.put(AccountCard("ola", "guest"), passwords.hashed(PASSWORD, passwords.MADE))
    with pytest.raises(AccessRefused, match="has a session"):
        site.access.login("ola", PASSWORD, key, HERE)
    assert site.access.caller(key).user == "kari"
    assert site.rows("access.refused", reason="refused.access")


@pytest.mark.parametrize(("hours", "calls_between"), [(12.01, 0), (168.01, 30)])
def test_a_session_ends_when_it_is_idle_and_in_any_case(site: Site, hours: float, calls_between: int) -> None:
    key = site.login()
    for _ in range(calls_between):
        site.clock.now += hours * 3600 / (calls_between + 1)
        site.access.caller(key)
    site.clock.now += hours * 3600 / (calls_between + 1)
    with pytest.raises(AccessRefused, match="no session"):
        site.access.caller(key)


def test_a_session_that_is_only_named_does_not_go_on(site: Site) -> None:
    """Its key is no secret: it stands in every call."""
    key = site.login()
    for _ in range(13):
        site.clock.now += 3600
        site.access.stranger(key, HERE)
    with pytest.raises(AccessRefused, match="no session"):
        site.access.caller(key)


def test_a_site_that_starts_anew_knows_no_session(site: Site) -> None:
    key = site.login()
    site.again()
    with pytest.raises(AccessRefused):
        site.access.caller(key)


@pytest.mark.parametrize(
    ("change", "word"),
    [({"revoked": 1_799_999_999}, "revoked"), ({"expires": 1_800_000_000}, "expired")],
    ids=["revoked", "expired"],
)
def test_an_account_that_ends_has_ended_at_the_next_call_and_for_good(site: Site, change: dict[str, object], word: str) -> None:
    key = site.login()
    site.access.caller(key)
    site.change(**change)
    with pytest.raises(AccessRefused, match=word) as refused:
        site.access.caller(key, "catalogue")
    assert "admin" in refused.value.help
    assert site.rows("access.refused", method="catalogue", reason="refused.access")
    site.change(revoked=0, expires=0)  # whatever becomes of the account, the session is over
    with pytest.raises(AccessRefused, match="no session"):
        site.access.caller(key)
    site.change(**change)
    with pytest.raises(AccessRefused, match=word):
        site.login()


def test_a_level_that_changed_counts_at_the_next_call(site: Site) -> None:
    key = site.login()
    site.change(level="guest")
    assert site.access.caller(key).level == "guest"


def test_sessions_of_one_account_are_bounded_and_the_oldest_gives_way() -> None:
    clock = Clock()
    sessions = Sessions(1e6, 1e9, clock=clock)
    for n in range(MOST):
        clock.now += 1
        sessions.open(f"{n}", "kari")
    sessions.open("other", "ola")
    clock.now += 1
    assert sessions.user("0") == "kari"  # used again, so the second is the oldest now
    clock.now += 1
    sessions.open("new", "kari")
    assert (sessions.user("1"), sessions.user("0"), sessions.user("new"), sessions.user("other")) == (
        None,
        "kari",
        "kari",
        "ola",
    )


# -- wrong passwords


def refusal(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(FedkitError) as refused:
        act()
    return refused.value.to_json()


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(site: Site) -> None:
    site.change(revoked=1)
    gone = refusal(lambda: site.login("wrong"))
    site.change(revoked=0)
    assert gone == refusal(lambda: site.login("wrong")) == refusal(lambda: site.login("wrong", user="nobody"))
    assert len(site.rows("access.refused", reason="unknown-user")) == 3


def test_a_wrong_password_costs_the_same_work_whoever_it_is_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: what scrypt is asked to do."""
    done: list[tuple[int, int, int]] = []
    stretch = passwords._scrypt

    def counted(password: str, cost: tuple[int, int, int], salt: bytes) -> bytes:
        done.append(cost)
        return stretch(password, cost, salt)

    monkeypatch.setattr(passwords, "_scrypt", counted)
    site.store.put(AccountCard("ola", "guest"), passwords.hashed(BETTER, passwords.CHOSEN))
    for user in ("kari", "ola", "nobody"):
        done.clear()
        refusal(lambda user=user: site.login("wrong", user=user))  # type: ignore[misc]
        assert done.count(passwords.CHOSEN) == 1, user


def test_waiting_grows_is_told_and_ends(site: Site) -> None:
    for _ in range(PAIR.free):
        refusal(lambda: site.login("wrong"))
    assert site.rows("account.locked", user="kari", seconds=1)
    told = refusal(lambda: site.login())  # the right one: it is not looked at
    assert told["code"] == "refused.access"
    assert re.fullmatch(r"come back in 1 s \(at \d\d:\d\d:\d\d UTC\)", told["help"])
    assert site.rows("access.refused", reason="locked")
    site.clock.now += 1
    site.login()
    refusal(lambda: site.login("wrong"))
    site.login()  # and the count began anew


def test_what_is_sent_while_one_waits_does_not_make_it_longer(site: Site) -> None:
    for _ in range(PAIR.free):
        refusal(lambda: site.login("wrong"))
    for _ in range(50):
        refusal(lambda: site.login("wrong"))
    site.clock.now += 1
    site.login()


def test_waiting_is_the_same_for_a_name_that_nobody_has(site: Site) -> None:
    told = [[refusal(lambda u=user: site.login("wrong", user=u)) for _ in range(9)] for user in ("kari", "nobody")]  # type: ignore[misc]
    assert told[0] == told[1]


def test_waiting_outlives_a_restart(site: Site) -> None:
    for _ in range(PAIR.free):
        refusal(lambda: site.login("wrong"))
    site.again()
    assert "too many wrong passwords" in refusal(lambda: site.login())["message"]


def test_strangers_elsewhere_keep_nobody_out_where_they_have_logged_in(site: Site) -> None:
    """However many, from wherever: kari logs in at once where she did before, and elsewhere after a quarter of an hour."""
    site.login()
    for n in range(ACCOUNT.free + 40):
        refusal(lambda n=n: site.login("wrong", address=f"10.1.{n}.1"))  # type: ignore[misc]
    site.login()
    assert "too many" in refusal(lambda: site.login(address=THERE))["message"]
    site.clock.now += ACCOUNT.longest
    site.login(address=THERE)


def test_one_address_that_tries_many_names_waits_for_all_of_them(site: Site) -> None:
    for n in range(ADDRESS.free):
        refusal(lambda n=n: site.login("wrong", user=f"u{n}", address=THERE))  # type: ignore[misc]
    assert "too many" in refusal(lambda: site.login(user="fresh", address=THERE))["message"]
    site.login(address=HERE)


def test_nobody_waits_for_longer_than_a_quarter_of_an_hour_whatever_is_tried(site: Site) -> None:
    """An admin is not locked out for good: after the longest time the right password is taken."""
    for _ in range(60):
        refusal(lambda: site.login("wrong"))
        site.clock.now += site.store.waiting(f"pair kari {HERE}", PAIR)
    refusal(lambda: site.login("wrong"))
    site.clock.now += 900
    site.login()


def test_unlocking_forgets_what_came_from_anywhere(site: Site) -> None:
    for n in range(ACCOUNT.free):
        refusal(lambda n=n: site.login("wrong", address=f"10.1.{n % 4}.1"))  # type: ignore[misc]
    assert "too many" in refusal(lambda: site.login(address=THERE))["message"]
    site.access.unlock("kari")
    site.login(address=THERE)


def test_a_clock_that_was_set_back_keeps_nobody_out_for_longer(site: Site) -> None:
    for _ in range(PAIR.free + 3):
        refusal(lambda: site.login("wrong"))
        site.clock.now += 10
    refusal(lambda: site.login("wrong"))
    site.clock.now -= 86_400
    assert site.store.waiting(f"pair kari {HERE}", PAIR) <= PAIR.longest


def test_what_was_typed_as_a_name_is_kept_nowhere(site: Site) -> None:
    """Who mistypes may have put their password there."""
    for _ in range(PAIR.free + 1):
        refusal(lambda: site.login("wrong", user=PASSWORD))
    for path in site.folder.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


def test_guesses_at_once_are_all_counted(site: Site) -> None:
    threads = [threading.Thread(target=lambda: refusal(lambda: site.login("wrong"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.store.waiting(f"pair kari {HERE}", PAIR) > 0


# -- passwords of one's own


def test_a_login_by_a_password_that_is_changed_meanwhile_opens_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes a while; its owner takes the password back in that time, and ends all sessions there are."""
    key, compare = site.login(), passwords.fits

    def slow(password: str, kept: str | None) -> bool:
        fit = compare(password, kept)
        monkeypatch.setattr(passwords, "fits", compare)
        site.access.change_password("kari", PASSWORD, BETTER, key)
        return fit

    monkeypatch.setattr(passwords, "fits", slow)
    assert refusal(lambda: site.login(PASSWORD))["message"] == "user or password is wrong"
    taken = f"{int(next(site.keys), 16) - 1:064x}"
    assert site.access.sessions.user(taken) is None
    assert site.access.caller(key)


def test_a_password_is_kept_stretched_and_salted(site: Site) -> None:
    key = site.login()
    site.access.change_password("kari", PASSWORD, BETTER, key)
    kept = site.store.password("kari")
    assert kept is not None
    assert kept.startswith("scrypt$16$8$2$")
    assert BETTER not in kept
    site.access.change_password("kari", BETTER, PASSWORD, key)
    site.access.change_password("kari", PASSWORD, BETTER, key)
    assert site.store.password("kari") != kept
    assert len(site.rows("password.changed")) == 3


def test_changing_a_password_ends_the_other_sessions_only(site: Site) -> None:
    key, other = site.login(), site.login()
    site.access.change_password("kari", PASSWORD, BETTER, key)
    assert site.access.caller(key)
    with pytest.raises(AccessRefused):
        site.access.caller(other)
    refusal(lambda: site.login(PASSWORD))
    site.login(BETTER)


def test_a_session_that_was_taken_cannot_change_the_password_by_guessing(site: Site) -> None:
    key = site.login()
    for _ in range(PAIR.free):
        refusal(lambda: site.access.change_password("kari", "wrong", BETTER, key))
    assert "too many" in refusal(lambda: site.access.change_password("kari", PASSWORD, BETTER, key))["message"]
    assert site.rows("account.locked", user="kari")
    site.login()  # and its owner is not kept out by it


@pytest.mark.parametrize("poor", ["short", PASSWORD, "kari kari kari kari"])
def test_a_poor_password_is_not_taken_and_not_repeated(site: Site, poor: str) -> None:
    key = site.login()
    with pytest.raises(RequestError) as refused:
        site.access.change_password("kari", PASSWORD, poor, key)
    assert poor not in refused.value.diagnostics()
    site.login()


def test_a_one_time_password_ends_after_a_week_and_all_sessions_at_once(site: Site) -> None:
    key = site.login()
    once = site.access.one_time_password("kari")
    with pytest.raises(AccessRefused):
        site.access.caller(key)
    refusal(lambda: site.login(PASSWORD))
    assert site.access.caller(site.login(once)).once
    site.clock.now += ONCE
    assert "one-time" in refusal(lambda: site.login(once))["message"]
    assert site.rows("access.refused", reason="expired")


def test_after_the_change_nothing_is_once_any_more(site: Site) -> None:
    once = site.access.one_time_password("kari")
    key = site.login(once)
    site.access.change_password("kari", once, BETTER, key)
    assert site.access.caller(key).once == 0
    refusal(lambda: site.login(once))


# -- how often


def test_an_account_that_calls_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    site = Site(tmp_path, calls_per_minute=5)
    site.access._calls = Throttle(5, clock=site.clock)
    key = site.login()
    for _ in range(5):
        site.access.caller(key)
    with pytest.raises(LimitReached, match="more often") as refused:
        site.access.caller(key, "catalogue")
    assert (refused.value.expected, refused.value.help[:18]) == ("at most 5 calls a minute", "come back in 12 s ")
    assert site.rows("access.refused", method="catalogue", reason="refused.limit")
    site.clock.now += 12
    site.access.caller(key)


def test_strangers_of_one_address_are_refused_unread_after_a_while(tmp_path: Path) -> None:
    site = Site(tmp_path, strangers_per_minute=3)
    for _ in range(3):
        site.access.stranger("0" * 64, THERE)
    with pytest.raises(LimitReached, match="of no account"):
        site.access.stranger(None, THERE)
    site.access.stranger(None, HERE)
    site.access.stranger(site.login(), THERE)  # who has a session is no stranger


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200), st.integers(1, 60))
def test_a_bucket_lets_through_its_size_and_what_has_filled_since(pauses: list[float], per_minute: int) -> None:
    clock = Clock()
    clock.now = 0.0
    throttle = Throttle(per_minute, clock=clock)
    went = 0
    for pause in pauses:
        clock.now += pause
        wait = throttle.wait("kari")
        went += wait == 0
        assert went <= per_minute + clock.now * per_minute / 60 + 1e-6
        if wait:
            clock.now += wait + 1e-6
            assert throttle.wait("kari") == 0
            went += 1


def test_refusals_that_come_too_fast_for_the_journal_are_counted_in_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "ROWS", 10)
    assert ROWS == 1000
    for _ in range(25):
        site.access.refuse(None, "unknown-user")
    site.access.refuse(None, "refused.access", "kari")  # another actor has rows of its own
    assert len(site.rows("access.refused", reason="unknown-user")) == 10
    site.clock.now += 61
    site.access.refuse(None, "unknown-user")
    assert site.rows("access.refused", reason="refused.limit", count=15)
    for _ in range(12):
        site.access.refuse(None, "unknown-user")
    site.access.close()
    assert site.rows("access.refused", reason="refused.limit", count=3)


# -- files of before, and what is no limit


def test_accounts_of_an_earlier_version_get_their_password_and_stay(tmp_path: Path) -> None:
    old = Database(
        tmp_path / "gate.db", "CREATE TABLE accounts (user TEXT PRIMARY KEY, level TEXT NOT NULL, address TEXT NOT NULL)"
    )
    old.write("INSERT INTO accounts VALUES ('steward', 'steward', '0x1')")
    old.close()
    store = AccountStore(Database(tmp_path / "gate.db"))
    assert store.card("steward") == AccountCard("steward", "steward", address="0x1")
    assert not store.ensure(AccountCard("steward", "steward", address="0x2"), "scrypt$…")
    assert (store.card("steward"), store.password("steward")) == (AccountCard("steward", "steward", address="0x1"), "scrypt$…")


def test_a_start_does_not_undo_what_an_admin_did(site: Site) -> None:
    site.change(revoked=5)
    kept = site.store.password("kari")
    assert not site.store.ensure(AccountCard("kari", "researcher", address="0x" + "ab" * 20), "another")
    assert site.store.counting("kari") is None
    assert site.store.password("kari") == kept


@pytest.mark.parametrize(
    "row", [{"speed": 1}, {"calls_per_minute": 0}, {"session_idle": -1}, {"session_longest": True}, {"calls_per_minute": "9"}]
)
def test_what_is_no_limit_is_named(row: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"\[access\]"):
        AccessLimits.of(row)


# -- stretching


def test_a_password_fits_itself_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = passwords.hashed(PASSWORD)
    assert kept.split("$")[:4] == ["scrypt", "16384", "8", "5"]  # OWASP's for 16 MiB
    assert passwords.fits(PASSWORD, kept)
    assert not passwords.fits(PASSWORD + " ", kept)
    assert not passwords.fits(PASSWORD, None)
    assert len({passwords.make() for _ in range(100)}) == 100
