"""Accounts of a site as rules: what an account must be, who is the same person, when it counts, and what may be changed.

Pure: the other accounts and the time come in as data. `fedkit.sites.account_store` keeps them, `fedkit.sites.calls.accounts` is
how a site's admin gets at them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from fedkit.errors import AccessRefused, RequestError
from fedkit.governance.levels import ASKING, LEVELS, may

#: Levels whose acts stand on the ledger, so that an account of theirs needs an address there.
SIGNING = (*ASKING, "steward")

_USER = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?=[a-z0-9])){0,31}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_YEAR_9999 = 253_402_300_799


@dataclass(frozen=True)
class AccountCard:
    """An account of one person at one site, without its password.

    user:    its name: up to 32 of a-z, 0-9, `_`, `-` and single dots; it stands in the journal and never changes.
    level:   one of `fedkit.governance.levels.LEVELS`.   name: the person's, for people; it stays at the site.
    address: on the ledger (0x…), "" for who signs nothing there.
    expires: Unix seconds, UTC, from which it counts no more; 0 for no end.
    revoked: since when (Unix seconds) it counts no more; 0 if it was not.
    added, added_by: when (Unix seconds) and by which account, or by the site itself.
    once:    until when its one-time password opens a session, which may then only change it; 0 once the person has chosen one.
    """

    user: str
    level: str
    name: str = ""
    address: str = ""
    expires: int = 0
    revoked: int = 0
    added: int = 0
    added_by: str = ""
    once: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> AccountCard:
        return AccountCard(**{name: row[name] for name in AccountCard.__dataclass_fields__})

    def counts(self, now: float) -> bool:
        """Whether the account may be used at that moment (Unix seconds)."""
        return not self.revoked and not (self.expires and now >= self.expires)


def check_card(card: AccountCard, now: float) -> None:
    """Raises RequestError for what can be no account: a name, level, address or end that is none."""
    if not all(isinstance(text, str) for text in (card.user, card.level, card.name, card.address)):
        raise RequestError("not an account", expected="text for user, level, name and address", got="else")
    if not _USER.fullmatch(card.user):
        raise RequestError(
            "not a name for an account",
            expected="up to 32 of a-z, 0-9, _, - and single dots, such as kari.nordmann",
            got="else",
        )
    if card.level not in LEVELS:
        raise RequestError("no such level", expected=" or ".join(LEVELS), got="another word")
    if len(card.name) > 80 or any(unicodedata.category(c)[0] == "C" for c in card.name):
        raise RequestError("not a person's name", expected="at most 80 characters, none of them control characters", got="else")
    if card.address and not _ADDRESS.fullmatch(card.address):
        raise RequestError("not an address", expected="0x and 40 hex digits", got="else")
    if card.level in SIGNING and not card.address:
        raise RequestError(
            f"a {card.level} signs on the ledger",
            expected="an address=0x… of the person's own key",
            got="none",
            help="Federation.add_user makes a key and the account together",
        )
    if isinstance(card.expires, bool) or not isinstance(card.expires, int) or not 0 <= card.expires <= _YEAR_9999:
        raise RequestError("not an end", expected="Unix seconds as a whole number, or 0 for no end", got="else")
    if card.expires and card.expires <= now:
        raise RequestError(
            "the account would have expired already", expected="an end in the future, or 0", got=day(card.expires),
            help="to end an account now, revoke it",
        )  # fmt: skip


def same_person(one: AccountCard, other: AccountCard) -> bool:
    """Whether two accounts are of one person: the same account, ledger address, or name of a person (however it is written)."""
    if one.user == other.user or (one.address and one.address.lower() == other.address.lower()):
        return True
    return bool(_person(one)) and _person(one) == _person(other)


def check_duties(card: AccountCard, others: Iterable[AccountCard], now: float) -> None:
    """One person has one level at a site, as one address has on the ledger. Raises AccessRefused for a second one that counts.

    others: all accounts of the site; those that count no more are no obstacle.
    """
    for other in others:
        if other.user != card.user and other.level != card.level and other.counts(now) and same_person(card, other):
            raise AccessRefused(
                f"this person is {other.user}, a {other.level}, here: duties are kept apart",
                expected="a person, and a ledger address, with no account of another level",
                got=card.level,
                help=f"revoke {other.user} first; two people of one name are named so that they differ",
            )


def check_change(before: AccountCard, after: AccountCard, others: Iterable[AccountCard], by: str, now: float) -> None:
    """What an admin may not do to an account: change their own level, or leave a site without an admin.

    before, after: the account; a revocation is a change.   others: the site's other accounts.   by: the admin's account.
    Raises AccessRefused, RequestError, and as `check_card` and `check_duties`.
    """
    if before.revoked and after != before:
        raise AccessRefused(
            "a revoked account stays as it is", expected="a new account", got=f"revoked {day(before.revoked)}",
            help="add one under another name",
        )  # fmt: skip
    if after.level != before.level and by == before.user:
        raise AccessRefused("nobody changes their own level", expected="another admin", help="ask another admin of the site")
    rest = list(others)
    if before.level == "admin" and (after.level != "admin" or after.revoked or after.expires):
        lasting = [a for a in rest if a.level == "admin" and a.user != before.user and not a.revoked and not a.expires]
        if not lasting:
            raise AccessRefused(
                "the last admin stays: without one nobody could add an account",
                expected="another admin without an end",
                got="none",
                help="add another admin first",
            )
    if not after.revoked:
        check_card(after, now)
        check_duties(after, rest, now)


def check_counts(card: AccountCard, now: float) -> None:
    """Raises AccessRefused, with the way on, if the account was revoked or has expired."""
    if card.revoked:
        raise AccessRefused(
            "this account was revoked", expected="an account that counts", got=f"revoked {day(card.revoked)}",
            help="ask the site's admin",
        )  # fmt: skip
    if not card.counts(now):
        raise AccessRefused(
            "this account has expired", expected="an account that counts", got=f"expired {day(card.expires)}",
            help="ask the site's admin to extend it",
        )  # fmt: skip


def check_own_decision(steward: AccountCard, asked: AccountCard | None, researcher: str) -> None:
    """Nobody decides on a request of their own, by whichever account. Raises AccessRefused.

    asked: the account that submitted the request, whether or not it still counts.   researcher: address that the request names.
    """
    own = asked is not None and same_person(steward, asked)
    if own or (steward.address and steward.address.lower() == researcher.lower()):
        raise AccessRefused(
            "nobody decides on a request of their own",
            expected="another person's request",
            help="ask another steward of the site",
        )


def may_act_once(card: AccountCard, call: str) -> None:
    """A session that a one-time password opened may change the password, and nothing else. Raises AccessRefused."""
    if card.once and may(card.level, call) and call not in ("info", "change_password"):
        raise AccessRefused(
            "the one-time password has to be changed first",
            expected="a password that only its owner knows",
            got="one that an admin has seen",
            help="session.change_password(old, new)",
        )


def day(moment: float) -> str:
    """A moment (Unix seconds) as its date, UTC."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def _person(card: AccountCard) -> str:
    return " ".join(unicodedata.normalize("NFKC", card.name).casefold().split())
