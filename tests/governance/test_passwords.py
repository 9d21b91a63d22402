"""Passwords that people choose, and how wrong ones slow down whoever sends them."""

from __future__ import annotations

import contextlib
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import RequestError
from fedkit.governance.passwords import ACCOUNT, ADDRESS, LONGEST, PAIR, SHORTEST, Waiting, check_password, normal

KNOWN = ("kari.nordmann", "Kari Nordmann", "north", "old-password-of-hers-1")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "hest lampe regn sokk bro",
        "ørret i fjellvann kl. syv",
        "пять случайных слов тут",
        "Kari Nordmann liker blåbærpannekaker",
        "x7Kp-w2Qz-m9Lt-c4Vb",
    ],
)
def test_long_and_unlike_is_enough(password: str) -> None:
    check_password(password, KNOWN)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "fewer"),
        ("a" * (SHORTEST - 1), "fewer"),
        ("Tr0ub4dor&3", "fewer"),
        ("x7Kp-w2Qz-m9Lt" * 20, "more"),
        ("a" * 30, "few different"),
        ("abababababababababab", "few different"),
        ("kari.nordmann.north", "mostly the name"),
        ("KARI nordmann NORTH 12", "mostly the name"),
        ("vinter26!" * 3, "repeats"),
        ("abcdefghijklmnopqrst", "runs along"),
        ("zyxwvutsrqponmlkjihg", "runs along"),
        ("12345678901234567890", "runs along"),
        ("qwertyuiopåasdfghjkl", "runs along"),
    ],
)
def test_what_can_be_guessed_is_named_and_not_repeated(password: str, why: str) -> None:
    with pytest.raises(RequestError, match="can be guessed") as refused:
        check_password(password, KNOWN)
    assert why in refused.value.got
    assert len(password) < 4 or password not in refused.value.diagnostics()


def test_the_old_password_again_is_none() -> None:
    with pytest.raises(RequestError):
        check_password("old-password-of-hers-1", KNOWN)


@given(st.integers(SHORTEST, LONGEST))
def test_a_password_that_was_made_passes_whatever_its_length(length: int) -> None:
    check_password(secrets.token_urlsafe(LONGEST)[:length], ())


@given(st.text(max_size=LONGEST + 20), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_is_taken_or_refused_by_name(password: str, known: list[str]) -> None:
    with contextlib.suppress(RequestError):
        check_password(password, known)
        assert SHORTEST <= len(normal(password).decode()) <= LONGEST


def test_the_same_keys_on_two_keyboards_give_one_password() -> None:
    assert normal("å") == normal("a\u030a")


# -- waiting


def test_waiting_begins_after_some_tries_and_doubles() -> None:
    rule = Waiting(3, longest=60)
    assert [rule.seconds(n) for n in range(11)] == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


@given(st.sampled_from([PAIR, ACCOUNT, ADDRESS]), st.integers(0, 10**9))
def test_waiting_never_shrinks_and_never_goes_beyond_a_quarter_of_an_hour(rule: Waiting, failures: int) -> None:
    assert 0 <= rule.seconds(failures) <= rule.seconds(failures + 1) <= 900


def test_a_day_of_guessing_at_one_account_is_a_hundred_tries() -> None:
    """From one address: the free ones, those of the first quarter of an hour, then four an hour."""
    moment, failures = 0.0, 0
    while moment < 86_400:
        failures += 1
        moment += PAIR.seconds(failures)
    assert failures < 120
