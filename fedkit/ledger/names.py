"""Names behind the ids on chain: a hash cannot be turned round, so who reads a ledger needs the names beside it.

Anybody can check a name: its id is keccak256 of its UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

from eth_abi import encode
from eth_utils import keccak

from fedkit.ledger.typed import name_id

#: The roles that are no site's: OpenZeppelin's DEFAULT_ADMIN_ROLE, and those of contracts/src/Levels.sol.
ADMIN_ROLE, RESEARCHER_ROLE = bytes(32), keccak(b"fedkit.researcher")
AUDITOR_ROLE, AUTHORITY_ROLE = keccak(b"fedkit.auditor"), keccak(b"fedkit.authority")

#: Role names that hold for the whole federation → their ids.
ROLES = {"admin": ADMIN_ROLE, "researcher": RESEARCHER_ROLE, "auditor": AUDITOR_ROLE, "authority": AUTHORITY_ROLE}


class NameBook:
    """id → name, for sites, entries, data sets and the roles of sites. Called with an id it cannot name, it gives 0x…"""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names: set[str] = set()
        self._known = {identity: name for name, identity in ROLES.items()}
        self.learn(names)

    def learn(self, names: Iterable[str]) -> bool:
        """Take names in; True if one was new."""
        fresh = set(names) - self.names
        self.names |= fresh
        for name in fresh:
            self._known[name_id(name)] = name
            self._known[steward_role(name)] = f"steward of {name}"
            self._known[key_role(name)] = f"key of {name}"
        return bool(fresh)

    def __call__(self, identity: bytes) -> str:
        return self._known.get(identity) or "0x" + identity.hex()


def steward_role(site: str | bytes) -> bytes:
    """The role of those who decide for a site (name or id); `Registry.stewardOf`."""
    return _role("fedkit.steward", site)


def key_role(site: str | bytes) -> bytes:
    """The role of the keys that sign for a site (name or id); `Registry.keyOf`."""
    return _role("fedkit.site", site)


def _role(kind: str, site: str | bytes) -> bytes:
    return keccak(encode(["string", "bytes32"], [kind, name_id(site) if isinstance(site, str) else site]))
