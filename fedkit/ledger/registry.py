"""Who takes part: the acts of the admin. Every authority is a role, given and taken by name."""

from __future__ import annotations

from eth_utils import to_checksum_address

from fedkit.errors import LedgerError
from fedkit.ledger.events import LEVELS, DatasetCommitted, RoleGranted, RoleRevoked, SiteRegistered, Superseded
from fedkit.ledger.names import ROLES, key_role, steward_role
from fedkit.ledger.recorder import Act, Recorder, first_of
from fedkit.ledger.typed import name_id

RESEARCHER, AUDITOR, AUTHORITY, ADMIN = "researcher", "auditor", "authority", "admin"


class RegistryActs(Recorder):
    """The part of the ledger that says who is who."""

    def is_site(self, name: str) -> bool:
        """Whether a site of that name is registered."""
        return bool(self._ask("Registry", "isSite", name_id(name)))

    def register_site(
        self, name: str, address: str, steward: str, commitment: str | None = None, *, dataset: str = "notes"
    ) -> SiteRegistered:
        """Register a site by name, the address of its signing key and of its steward; and the commitment to its data set.

        steward: the first one; "" for a site that is registered already, whose stewards come and go by `grant` and `revoke`.
        A site that is registered with these keys already is left as it is; a new commitment is recorded.
        Raises LedgerError if it is registered with other keys.
        """
        with self._lock:
            self._learn([name, dataset])
            acts: list[Act] = []
            site = name_id(name)
            if not self._ask("Registry", "isSite", site):
                acts.append(("Registry", "registerSite", (site, address, steward)))
            elif not (self.has_role(key_role(name), address) and (not steward or self.has_role(steward_role(name), steward))):
                raise LedgerError(
                    f"{name} is registered with other keys",
                    expected="its key and steward as registered",
                    got="others",
                    help="give the federation its old key folder, or grant the new keys the site's roles",
                )
            if commitment and commitment != self._commitment(name, dataset):
                acts.append(("Registry", "commitDataset", (site, name_id(dataset), bytes.fromhex(commitment))))
            made = self._act(ADMIN, acts) if acts else []
            return first_of(SiteRegistered, [*made, *self.records(SiteRegistered)], lambda e: e.site == name)

    def register_researcher(self, actor: str = RESEARCHER) -> RoleGranted:
        """Let an actor of the keyring (made if missing), or an address (0x…), submit requests and record rounds."""
        return self.grant(RESEARCHER, self._account(actor))

    def register_auditor(self, actor: str = AUDITOR) -> RoleGranted:
        """Put on record that an actor of the keyring (made if missing), or an address, reads by right. It enforces nothing."""
        return self.grant(AUDITOR, self._account(actor))

    def register_authority(self, actor: str = AUTHORITY) -> RoleGranted:
        """Let an actor of the keyring (made if missing), or an address (0x…), issue and revoke data permits."""
        return self.grant(AUTHORITY, self._account(actor))

    def grant(self, role: str, account: str) -> RoleGranted:
        """Give an account a role: one of `ROLES`, "steward of SITE" or "key of SITE".

        Raises ContractReverted if the account has a role of another level: duties are kept apart.
        """
        account = to_checksum_address(account)
        with self._lock:
            if not self.has_role(role_id(role), account):
                self._act(ADMIN, [("Registry", "grantRole", (role_id(role), account))])
            granted = [e for e in self.records(RoleGranted) if e.role == role and e.account == account]
            return granted[-1]

    def revoke(self, role: str, account: str) -> RoleRevoked:
        """Take a role away; what was done with it before stays valid."""
        account = to_checksum_address(account)
        with self._lock:
            if self.has_role(role_id(role), account):
                self._act(ADMIN, [("Registry", "revokeRole", (role_id(role), account))])
            revoked = [e for e in self.records(RoleRevoked) if e.role == role and e.account == account]
            if not revoked:
                raise LedgerError("the account never had this role", expected=role, got=account)
            return revoked[-1]

    def has_role(self, role: bytes, account: str) -> bool:
        """Whether an account has a role now."""
        return bool(self._ask("Registry", "hasRole", role, account))

    def level(self, account: str) -> str:
        """The level of an account: one of `fedkit.ledger.events.LEVELS`; "guest" if it has no role."""
        return LEVELS[self._ask("Registry", "levelOf", to_checksum_address(account))]

    def supersede(self, registry: str) -> Superseded:
        """Hand over, for good, to the deployment whose Registry is at `registry`; it must name this one as predecessor."""
        act: Act = ("Registry", "supersede", (to_checksum_address(registry),))
        return self._once(ADMIN, act, Superseded, lambda e: e.next == to_checksum_address(registry))

    def _account(self, actor: str) -> str:
        return actor if actor.startswith("0x") else self.keys.create(actor)

    def _commitment(self, site: str, dataset: str) -> str | None:
        known = [e.commitment for e in self.records(DatasetCommitted) if (e.site, e.dataset) == (site, dataset)]
        return known[-1] if known else None


def role_id(role: str) -> bytes:
    """The id of a role on chain. Raises LedgerError if there is no such role."""
    kind, _, site = role.partition(" of ")
    if role in ROLES:
        return ROLES[role]
    if kind in ("steward", "key") and site:
        return steward_role(site) if kind == "steward" else key_role(site)
    raise LedgerError("no such role", expected=f'{", ".join(ROLES)}, "steward of SITE" or "key of SITE"', got=role)
