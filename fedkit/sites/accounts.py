"""The accounts of a federation's sites, with generated passwords, in one file that only its owner can read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedkit.errors import ConfigurationError
from fedkit.storage import write_whole

if TYPE_CHECKING:
    from fedkit.ledger.keys import Keyring

#: Every site has one account of each of these levels, named like its level.
ACCOUNTS = ("admin", "steward", "researcher", "auditor")

FILE = "accounts.json"


@dataclass(frozen=True)
class Account:
    """A user of one site. address: on the ledger, "" for who signs nothing there. The password is generated, never chosen."""

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
    """site → level → account, from `accounts.json`; those that are missing are made, with random passwords.

    keys: where researcher, auditor and each steward have their ledger address.
    Raises ConfigurationError if the file is damaged or others can read it, StorageError.
    """
    stored = _read(folder / FILE)
    accounts: dict[str, dict[str, Account]] = {}
    for site in sites:
        addresses = {"researcher": keys.address("researcher"), "auditor": keys.address("auditor")}
        addresses["steward"] = keys.address(f"steward-{site}")
        passwords = stored.get(site, {})
        accounts[site] = {
            level: Account(level, level, passwords.get(level) or _password(), addresses.get(level, "")) for level in ACCOUNTS
        }
    rows = {site: {level: account.password for level, account in several.items()} for site, several in accounts.items()}
    if rows != stored:
        write_whole(folder / FILE, json.dumps(rows, indent=1).encode())
    return accounts


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


def _password() -> str:
    """190 random bits, and what PySyft's rule for passwords wants to see."""
    return f"{secrets.token_urlsafe(24)}aA1"
