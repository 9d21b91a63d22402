"""The accounts of a federation's sites, with generated passwords, in one file that only its owner can read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import ConfigurationError
from fedkit.sites.passwords import make
from fedkit.storage import write_whole

if TYPE_CHECKING:
    from fedkit.ledger.keys import Keyring

#: Every site has one account of each of these levels, named like its level.
ACCOUNTS = ("admin", "steward", "researcher", "auditor")

FILE = "accounts.json"


@dataclass(frozen=True)
class Account:
    """A user of one site. The password is generated, never chosen.

    level: "" for who was added later; the site knows it.   address: on the ledger, "" for who has no key in this folder.
    """

    user: str
    level: str
    password: str = field(repr=False)
    address: str = ""

    def to_json(self) -> dict[str, str]:
        return {"user": self.user, "level": self.level, "password": self.password, "address": self.address}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Account:
        return Account(row["user"], row["level"], row["password"], row["address"])


def stored_accounts(folder: Path, keys: Keyring, sites: Sequence[str]) -> dict[str, dict[str, Account]]:
    """site → user → account, from `accounts.json`; those of `ACCOUNTS` that are missing are made, with random passwords.

    keys: where researcher, auditor and each steward have their ledger address.
    Raises ConfigurationError if the file is damaged or others can read it, StorageError.
    """
    stored = _read(folder / FILE)
    held = set(keys.actors())
    accounts: dict[str, dict[str, Account]] = {}
    for site in sites:
        actors = {"researcher": "researcher", "auditor": "auditor", "steward": f"steward-{site}"}
        addresses = {level: keys.address(actor) for level, actor in actors.items() if actor in held}
        passwords = stored.get(site, {})
        mine = {level: Account(level, level, passwords.get(level) or make(), addresses.get(level, "")) for level in ACCOUNTS}
        accounts[site] = mine | {user: Account(user, "", passwords[user]) for user in passwords if user not in ACCOUNTS}
    rows = _rows(accounts)
    if rows != stored:
        keep_accounts(folder, accounts)
    return accounts


def keep_accounts(folder: Path, accounts: Mapping[str, Mapping[str, Account]]) -> None:
    """Write `accounts.json`. Raises StorageError."""
    write_whole(folder / FILE, json.dumps(_rows(accounts), indent=1).encode())


def _rows(accounts: Mapping[str, Mapping[str, Account]]) -> dict[str, dict[str, str]]:
    return {site: {user: account.password for user, account in several.items()} for site, several in accounts.items()}


def _read(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "others can read the accounts", expected="mode 0600", help=f"chmod 600 {path.name}; passwords may be known"
        )
    try:
        stored: Mapping[str, Any] = json.loads(path.read_bytes())
    except ValueError:
        raise ConfigurationError(
            f"{path.name} is damaged", expected="the accounts as fedkit wrote them", help="restore it from a backup"
        ) from None
    return stored
