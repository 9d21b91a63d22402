"""Accounts as rules: one person has one level, nobody decides on their own, and a site is never left without an admin."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import AccessRefused, FedkitError, RequestError
from fedkit.governance.accounts import (
    SIGNING,
    AccountCard,
    check_card,
    check_change,
    check_counts,
    check_duties,
    check_own_decision,
    may_act_once,
    same_person,
)
from fedkit.governance.levels import ASKING, CALLS, LEVELS, check_asks

NOW = 1_800_000_000
ADDRESS, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20


def card(user: str = "kari", level: str = "researcher", **changes: object) -> AccountCard:
    return replace(AccountCard(user, level, name="Kari Nordmann", address=ADDRESS), **changes)  # type: ignore[arg-type]


def test_a_card_is_the_same_after_json() -> None:
    made = card(expires=NOW + 5, added=NOW, added_by="admin", once=NOW + 9)
    assert AccountCard.from_json(made.to_json()) == made


@pytest.mark.parametrize("user", ["kari", "kari.nordmann", "k", "0-1_2", "a" * 32])
def test_what_is_a_name_for_an_account(user: str) -> None:
    check_card(card(user), NOW)


@pytest.mark.parametrize("user", ["", "Kari", "kari nordmann", ".kari", "kari.", "k..n", "a" * 33, "kåri", "a/b", "a@b", "a\n"])
def test_what_is_none(user: str) -> None:
    with pytest.raises(RequestError, match="name for an account"):
        check_card(card(user), NOW)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"level": "king"}, "level"),
        ({"level": ""}, "level"),
        ({"name": "x" * 81}, "person's name"),
        ({"name": "a\x00b"}, "person's name"),
        ({"name": "a\u202eb"}, "person's name"),
        ({"address": "0x12"}, "address"),
        ({"address": ""}, "signs on the ledger"),
        ({"expires": NOW}, "expired already"),
        ({"expires": -1}, "an end"),
        ({"expires": True}, "an end"),
        ({"expires": 1.5}, "an end"),
        ({"expires": 2**60}, "an end"),
    ],
)
def test_what_can_be_no_account_is_named(changes: dict[str, object], what: str) -> None:
    with pytest.raises(RequestError, match=what):
        check_card(card(**changes), NOW)


def test_who_signs_nothing_needs_no_address() -> None:
    for level in LEVELS:
        made = card(level=level, address="")
        if level in SIGNING:
            with pytest.raises(RequestError):
                check_card(made, NOW)
        else:
            check_card(made, NOW)


# -- one person, one level


def test_a_person_is_known_by_account_address_or_name() -> None:
    mine = card()
    assert same_person(mine, replace(mine, name="Another", address=OTHER))
    assert same_person(mine, card("second", name="Another", address=ADDRESS.upper().replace("0X", "0x")))
    assert same_person(mine, card("second", name=" kari  NORDMANN ", address=OTHER))
    assert not same_person(mine, card("second", name="Ola Nordmann", address=OTHER))
    assert not same_person(card(name="", address=""), card("second", name="", address=""))


@pytest.mark.parametrize("held", [level for level in LEVELS if level != "steward"])
def test_nobody_has_two_levels(held: str) -> None:
    one = card("one", held)
    for second in (card("two", "steward", name="Else"), card("two", "steward", address=OTHER)):
        with pytest.raises(AccessRefused, match="duties are kept apart") as refused:
            check_duties(second, [one], NOW)
        assert "one" in refused.value.help


def test_an_account_that_counts_no_more_is_no_obstacle_and_the_same_level_twice_is_none() -> None:
    check_duties(card("two", "steward"), [card("one", revoked=NOW - 1), card("three", expires=NOW)], NOW)
    check_duties(card("two", "researcher"), [card("one", "researcher")], NOW)


@given(st.sampled_from(LEVELS), st.sampled_from(LEVELS), st.booleans(), st.booleans())
def test_whoever_is_one_person_never_gets_to_decide_on_what_they_asked(
    asked: str, decides: str, same_address: bool, same_name: bool
) -> None:
    """Whatever levels an admin tries: what `check_duties` lets through, `check_own_decision` does not let decide."""
    asker = card("one", asked)
    decider = card("two", decides, address=ADDRESS if same_address else OTHER, name="Kari Nordmann" if same_name else "Ola")
    one_person = same_address or same_name
    try:
        check_own_decision(decider, asker, ADDRESS)
        assert not one_person
    except AccessRefused:
        assert one_person


def test_a_request_that_names_the_stewards_address_is_theirs_whoever_submitted_it() -> None:
    with pytest.raises(AccessRefused, match="of their own"):
        check_own_decision(card("two", "steward"), card("one", address=OTHER, name="Ola"), ADDRESS.upper().replace("0X", "0x"))
    with pytest.raises(AccessRefused, match="of their own"):
        check_own_decision(card("two", "steward"), None, ADDRESS)
    check_own_decision(card("two", "steward"), card("one", address=OTHER, name="Ola"), OTHER)


def test_who_asked_and_was_made_a_steward_then_still_asked() -> None:
    with pytest.raises(AccessRefused):
        check_own_decision(card(level="steward", address=OTHER), card(revoked=0), OTHER.replace("c", "e"))


# -- changes


def test_nobody_changes_their_own_level() -> None:
    boss = AccountCard("boss", "admin")
    with pytest.raises(AccessRefused, match="their own level"):
        check_change(boss, replace(boss, level="steward", address=ADDRESS), [AccountCard("other", "admin")], "boss", NOW)
    check_change(boss, replace(boss, level="guest"), [AccountCard("other", "admin")], "other", NOW)


@pytest.mark.parametrize("change", [{"level": "guest"}, {"revoked": NOW}, {"expires": NOW + 99}])
@pytest.mark.parametrize(
    "rest",
    [
        [],
        [AccountCard("gone", "admin", revoked=1)],
        [AccountCard("going", "admin", expires=NOW + 5)],
        [AccountCard("a", "steward", address=OTHER), AccountCard("b", "auditor")],
    ],
)
def test_the_last_admin_stays(change: dict[str, object], rest: list[AccountCard]) -> None:
    boss = AccountCard("boss", "admin")
    after = replace(boss, **change)  # type: ignore[arg-type]
    with pytest.raises(AccessRefused, match="last admin"):
        check_change(boss, after, rest, "other", NOW)
    check_change(boss, after, [*rest, AccountCard("second", "admin")], "other", NOW)


def test_what_was_revoked_stays_revoked() -> None:
    gone = card(revoked=NOW - 5)
    for change in ({"revoked": 0}, {"revoked": NOW}, {"name": "Again"}, {"expires": NOW + 5}):
        with pytest.raises(AccessRefused, match="stays as it is"):
            check_change(gone, replace(gone, **change), [], "boss", NOW)  # type: ignore[arg-type]
    check_change(gone, gone, [], "boss", NOW)


def test_a_change_is_held_to_the_rules_of_a_new_account() -> None:
    with pytest.raises(AccessRefused, match="duties"):
        check_change(card("two", "guest", address=""), card("two", "steward", address=OTHER), [card("one")], "boss", NOW)
    with pytest.raises(RequestError):
        check_change(card(), card(address="0x0"), [], "boss", NOW)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["revoke", "guest", "admin", "end", "no end"]), st.integers(0, 3)),
        max_size=30,
    )
)
def test_no_sequence_of_changes_leaves_a_site_without_an_admin(changes: list[tuple[int, str, int]]) -> None:
    cards = [AccountCard(f"u{n}", "admin" if n == 0 else "guest") for n in range(4)]
    for who, what, by in changes:
        before = cards[who]
        after = {
            "revoke": replace(before, revoked=before.revoked or NOW),
            "guest": replace(before, level="guest"),
            "admin": replace(before, level="admin"),
            "end": replace(before, expires=NOW + 60),
            "no end": replace(before, expires=0),
        }[what]
        if cards[by].level != "admin" or not cards[by].counts(NOW):
            continue
        try:
            check_change(before, after, [c for c in cards if c is not before], cards[by].user, NOW)
        except FedkitError:
            continue
        cards[who] = after
        assert any(c.level == "admin" and c.counts(NOW + 10**9) for c in cards)


# -- when an account counts


def test_an_end_counts_from_its_second_on() -> None:
    made = card(expires=NOW)
    check_counts(made, NOW - 0.001)
    for moment in (NOW, NOW + 1e6):
        with pytest.raises(AccessRefused, match="expired") as refused:
            check_counts(made, moment)
        assert "2027-01-15" in refused.value.got
    with pytest.raises(AccessRefused, match="revoked"):
        check_counts(card(revoked=1), 0)


def test_a_one_time_password_opens_nothing_but_its_change() -> None:
    for level in LEVELS:
        for call in CALLS[level]:
            may_act_once(card(level=level), call)
            if call in ("info", "change_password"):
                may_act_once(card(level=level, once=NOW), call)
            else:
                with pytest.raises(AccessRefused, match="one-time"):
                    may_act_once(card(level=level, once=NOW), call)


# -- what an analyst asks for


def test_an_analyst_asks_for_counts_and_tables_and_nothing_else() -> None:
    for kind in ("count", "table", "query"):
        check_asks("analyst", kind)
    for kind in ("training", "evaluation", "analysis", "", "Count"):
        with pytest.raises(AccessRefused, match="counts and tables") as refused:
            check_asks("analyst", kind)
        assert "count or query or table" in refused.value.expected
        check_asks("researcher", kind)


def test_an_analyst_has_no_call_that_a_researcher_lacks_and_sends_no_weights() -> None:
    assert set(CALLS["analyst"]) < set(CALLS["researcher"])
    assert "put" not in CALLS["analyst"]
    assert ASKING == ("analyst", "researcher")
