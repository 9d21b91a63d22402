"""One encrypted keystore (Web3 secret storage, version 3, scrypt) for each actor, unlocked once a run.

A key is made here, stays in this process and is written only encrypted. Neither `repr` nor an error shows one.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import eth_keyfile
from eth_utils import to_checksum_address

from fedkit.errors import ConfigurationError, LedgerError, StorageError
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.delegation import Delegation
from fedkit.governance.standing import StandingApproval
from fedkit.ledger import catalogues, heads, spending, standing, sum_keys, typed
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.spending import Budget, Spend
from fedkit.ledger.transactions import sign_transaction
from fedkit.ledger.typed import LedgerDomain
from fedkit.storage import write_new

#: scrypt cost where the passphrase is 256 random bits, which no cost makes safer: 4 MiB and milliseconds.
RANDOM_COST = 2**12
#: scrypt cost for a passphrase that a person thought of: geth's, 256 MiB and about a second for each key.
HUMAN_COST = 2**18

_ACTOR = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}")


class Secret(bytes):
    """Bytes that do not show themselves: not in a notebook, a log, or a traceback that prints variables."""

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __reduce_ex__(self, _: object) -> str:
        raise TypeError("a secret is not pickled")


class Keyring:
    """The keys in `folder`, one file `<actor>.json` (mode 0600) each.

    passphrase: of all keys in the folder. By default it is 256 random bits in the file `passphrase` (mode 0600) beside them:
        whoever can read the folder can sign. Give one, and keep it elsewhere, where that is not enough.
    cost:       scrypt's n for new keys; by default RANDOM_COST for the random passphrase and HUMAN_COST for a given one.
    Raises StorageError if the folder cannot be used, ConfigurationError if other users could read the passphrase.
    """

    def __init__(self, folder: Path, passphrase: str | None = None, *, cost: int | None = None) -> None:
        self.folder = folder
        self._cost = cost or (RANDOM_COST if passphrase is None else HUMAN_COST)
        self._unlocked: dict[str, Secret] = {}
        self._lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._passphrase = Secret((passphrase or _passphrase(folder / "passphrase")).encode())
        except OSError as error:
            raise StorageError(
                "the key folder cannot be used", expected="a folder of one's own", got=str(error.strerror)
            ) from None

    def __repr__(self) -> str:
        return f"Keyring({self.folder.name!r}, {len(self.actors())} keys)"

    def __reduce__(self) -> str:
        raise TypeError("a keyring is not pickled: open it again from its folder")

    def actors(self) -> list[str]:
        """Names of all who have a key here, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def create(self, actor: str) -> str:
        """Make a key for the actor, if there is none yet; returns its address (0x…, checksummed)."""
        path = self._path(actor)
        with self._lock:
            if not path.exists():
                key = Secret(_new_key())
                sealed = eth_keyfile.create_keyfile_json(key, self._passphrase, kdf="scrypt", iterations=self._cost)
                write_new(path, json.dumps(sealed).encode())
            return self.address(actor)

    def renew(self, actor: str) -> str:
        """Give an actor another key, of which the address is returned. The old one, if it is there, is kept under another name,
        `<actor>.<number>`; what it may still sign, the ledger says."""
        path = self._path(actor)
        with self._lock:
            if path.exists():
                number = next(n for n in range(1, 10_000) if not self._path(f"{actor}.{n}").exists())
                path.rename(self._path(f"{actor}.{number}"))
            self._unlocked.pop(actor, None)
            return self.create(actor)

    def address(self, actor: str) -> str:
        """The actor's address, which is no secret; nothing is unlocked for it. Raises LedgerError if there is no key."""
        return to_checksum_address("0x" + str(self._sealed(actor)["address"]).removeprefix("0x"))

    def find(self, address: str) -> str | None:
        """The actor who has this address, or None."""
        return next((actor for actor in self.actors() if self.address(actor).lower() == address.lower()), None)

    def sign_decision(self, actor: str, decision: Decision, domain: LedgerDomain) -> Decision:
        """The decision, signed. Raises LedgerError unless the actor's key is that of `decision.steward`."""
        return typed.sign_decision(decision, self._key(actor), domain)

    def sign_receipt(self, actor: str, receipt: Receipt, domain: LedgerDomain) -> Receipt:
        """The receipt, signed."""
        return typed.sign_receipt(receipt, self._key(actor), domain)

    def sign_anchor(self, actor: str, anchor: Mapping[str, Any], domain: LedgerDomain) -> dict[str, Any]:
        """The anchor {"stream", "from", "to", "root"} with its "signature"."""
        return typed.sign_anchor(anchor, self._key(actor), domain)

    def sign_head(self, actor: str, head: SignedHead, domain: LedgerDomain) -> SignedHead:
        """The head of the chain, counter-signed."""
        return heads.sign_head(head, self._key(actor), domain)

    def sign_sum_keys(self, actor: str, request: str, site: str, keys: str, domain: LedgerDomain) -> str:
        """A site's signature over its masking keys for a request, both by their digests."""
        return sum_keys.sign_sum_keys(request, site, keys, self._key(actor), domain)

    def sign_budget(self, actor: str, budget: Budget, domain: LedgerDomain) -> Budget:
        """The cap of a privacy budget, signed. Raises LedgerError unless the actor's key is that of `budget.steward`."""
        return spending.sign_budget(budget, self._key(actor), domain)

    def sign_spend(self, actor: str, spend: Spend, domain: LedgerDomain) -> Spend:
        """What an execution cost, signed."""
        return spending.sign_spend(spend, self._key(actor), domain)

    def sign_standing(self, actor: str, approval: StandingApproval, domain: LedgerDomain) -> StandingApproval:
        """The standing approval, signed. Raises LedgerError unless the actor's key is that of `approval.steward`."""
        return standing.sign_standing(approval, self._key(actor), domain)

    def sign_delegation(self, actor: str, delegation: Delegation, domain: LedgerDomain) -> Delegation:
        """The delegation, signed. Raises LedgerError unless the actor's key is that of `delegation.steward`."""
        return standing.sign_delegation(delegation, self._key(actor), domain)

    def sign_catalogue(self, actor: str, site: str, catalogue: str, published: int, domain: LedgerDomain) -> str:
        """The actor's signature under a site's catalogue, by its digest. published: Unix seconds."""
        return catalogues.sign_catalogue(site, catalogue, published, self.address(actor), self._key(actor), domain)

    def sign_transaction(self, actor: str, *, chain_id: int, nonce: int, to: str | None, data: bytes, gas: int) -> bytes:
        """A raw transaction that costs nothing (gas price 0). to: None creates a contract."""
        return sign_transaction(self._key(actor), chain_id=chain_id, nonce=nonce, to=to, data=data, gas=gas)

    def _key(self, actor: str) -> Secret:
        with self._lock:
            if actor not in self._unlocked:
                try:
                    self._unlocked[actor] = Secret(eth_keyfile.decode_keyfile_json(self._sealed(actor), self._passphrase))
                except (ValueError, KeyError):
                    raise LedgerError(
                        f"the key of {actor} cannot be unlocked",
                        expected="the passphrase it was sealed with",
                        got="another one, or a damaged file",
                        help="give the right passphrase, or restore the key folder from a backup",
                    ) from None
            return self._unlocked[actor]

    def _sealed(self, actor: str) -> dict[str, Any]:
        path = self._path(actor)
        try:
            sealed: dict[str, Any] = json.loads(path.read_bytes())
            bytes.fromhex(str(sealed["address"]).removeprefix("0x"))
        except FileNotFoundError:
            raise LedgerError(
                f"there is no key of {actor}",
                expected=f"one of {self.actors()}",
                help="restore the key folder from a backup; a lost key gets a successor by Federation.replace_key(site, user)",
            ) from None
        except (ValueError, KeyError, TypeError, OSError):
            raise LedgerError(
                f"the key of {actor} cannot be read", expected="a keystore file", help="restore it from a backup"
            ) from None
        return sealed

    def _path(self, actor: str) -> Path:
        if not _ACTOR.fullmatch(actor):
            raise ConfigurationError(
                "not a name for a key", expected="up to 64 letters, digits and _ . @ + -", got=f"{len(actor)} characters"
            )
        return self.folder / f"{actor}.json"


def _new_key() -> bytes:
    while True:
        key = secrets.token_bytes(32)
        if 0 < int.from_bytes(key) < 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141:
            return key


def _passphrase(path: Path) -> str:
    if not path.exists():
        write_new(path, secrets.token_hex(32).encode())
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(
            "others can read the passphrase of the keys",
            expected=f"{path.name} with mode 0600",
            got=f"{path.stat().st_mode & 0o777:04o}",
            help=f"chmod 600 {path.name}; if others could read it, make new keys",
        )
    return path.read_text().strip()
