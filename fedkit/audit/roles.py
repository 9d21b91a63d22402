"""Who may do what, replayed: roles, duties kept apart, data permits, and the end of a deployment (check 5, part of 3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import OPERATOR, Act, Found
from fedkit.audit.report import Finding
from fedkit.errors import LedgerError
from fedkit.ledger.names import ADMIN_ROLE, AUTHORITY_ROLE, ROLES, NameBook, key_role, steward_role
from fedkit.ledger.typed import LedgerDomain, recover_hash, signing_hash


@dataclass
class Roles:
    """What stands after the acts so far, of people and permits.

    roles: (role, account) held now.   ever: those that were ever held.   duties: role → the level it belongs to.
    turnover: (role, account) → when it was given (True) and taken (False), in Unix seconds.
    permits: digest → arguments of the call that issued it.   committed: (site, data set) that have a commitment.
    ended: the act after which this deployment takes nothing more.
    """

    names: NameBook
    domain: LedgerDomain
    found: Found
    roles: set[tuple[bytes, str]] = field(default_factory=set)
    ever: set[tuple[bytes, str]] = field(default_factory=set)
    turnover: dict[tuple[bytes, str], list[tuple[int, bool]]] = field(default_factory=dict)
    duties: dict[bytes, str] = field(default_factory=lambda: {role: name for name, role in ROLES.items()})
    permits: dict[bytes, Mapping[str, Any]] = field(default_factory=dict)
    revoked: set[bytes] = field(default_factory=set)
    committed: set[tuple[bytes, bytes]] = field(default_factory=set)
    ended: Act | None = None

    def apply(self, act: Act) -> None:
        """One act more; what breaks a rule becomes a finding under the number of its check."""
        if self.ended is not None:
            self.find(5, act, f"{act.function}, after another deployment had taken over in block {self.ended.block}")
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", act.function)
        handler: Callable[[Act], None] | None = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(act)

    def find(self, check: int, act: Act, what: str, who: str = OPERATOR) -> None:
        self.found[check].append(Finding(act.where, what, who))

    def may(self, act: Act, role: bytes, account: str) -> None:
        """Finds that the account had not the role for the act."""
        if (role, account) not in self.roles:
            self.find(5, act, f"{act.function} by {account}, who was not {self.names(role)} then", f"{account}, or {OPERATOR}")

    def signer(self, kind: str, message: Mapping[str, Any], signature: bytes) -> str:
        """Who signed a statement (EIP-712); "nobody" if the signature is none."""
        try:
            return recover_hash(signing_hash(kind, message, self.domain), "0x" + signature.hex())
        except LedgerError:
            return "nobody"

    def why_not(self, permit: bytes, dataset: bytes, user: str, time: int) -> str:
        """Why a permit does not let a user use a data set at a time (Unix seconds); "" if it does."""
        issued = self.permits.get(permit)
        if issued is None:
            return "a permit that was never issued"
        if permit in self.revoked:
            return "a permit that was revoked"
        if issued["expires"] < time:
            return "a permit that had run out"
        if dataset not in issued["datasets"]:
            return "a permit for other data"
        named = {str(to_checksum_address(other)) for other in issued["users"]}
        return "" if user in named else "a permit for other people"

    def give(self, act: Act, role: bytes, account: str) -> None:
        """An account gets a role; it must have none of another level."""
        account = to_checksum_address(account)
        level = self.duties.get(role)
        if level is None:
            self.find(5, act, f"gives a role that there is not, {self.names(role)}")
        if held := {self.duties.get(r) for r, a in self.roles if a == account} - {level}:
            others = ", ".join(sorted(map(str, held)))
            self.find(5, act, f"makes {account} {self.names(role)}, who was {others} already", f"the admin, or {OPERATOR}")
        self.roles.add((role, account))
        self.ever.add((role, account))
        self.turnover.setdefault((role, account), []).append((act.time, True))

    def held(self, role: bytes, account: str, time: float, slack: float) -> bool:
        """Whether an account had a role at a time (Unix seconds) that another clock told, which may differ by `slack`."""
        since: float | None = None
        for at, given in self.turnover.get((role, account), ()):
            if given:
                since = at if since is None else since
            elif since is not None:
                if since - slack <= time <= at + slack:
                    return True
                since = None
        return since is not None and since - slack <= time

    def _take(self, act: Act, role: bytes, account: str) -> None:
        self.roles.discard((role, account))
        self.turnover.setdefault((role, account), []).append((act.time, False))

    def _on_register_site(self, act: Act) -> None:
        self.may(act, ADMIN_ROLE, act.sender)
        site = act.arguments["site"]
        self.duties |= {key_role(site): "site", steward_role(site): "steward"}
        self.give(act, key_role(site), act.arguments["key"])
        self.give(act, steward_role(site), act.arguments["steward"])

    def _on_commit_dataset(self, act: Act) -> None:
        self.may(act, ADMIN_ROLE, act.sender)
        self.committed.add((act.arguments["site"], act.arguments["dataset"]))

    def _on_grant_role(self, act: Act) -> None:
        self.may(act, ADMIN_ROLE, act.sender)
        self.give(act, act.arguments["role"], act.arguments["account"])

    def _on_revoke_role(self, act: Act) -> None:
        self.may(act, ADMIN_ROLE, act.sender)
        self._take(act, act.arguments["role"], to_checksum_address(act.arguments["account"]))

    def _on_renounce_role(self, act: Act) -> None:
        self._take(act, act.arguments["role"], act.sender)

    def _on_issue_permit(self, act: Act) -> None:
        self.may(act, AUTHORITY_ROLE, act.sender)
        if act.arguments["permit"] in self.permits:
            self.find(5, act, "issues a permit a second time")
        self.permits.setdefault(act.arguments["permit"], act.arguments)

    def _on_revoke_permit(self, act: Act) -> None:
        self.may(act, AUTHORITY_ROLE, act.sender)
        self.revoked.add(act.arguments["permit"])

    def _on_supersede(self, act: Act) -> None:
        self.may(act, ADMIN_ROLE, act.sender)
        self.ended = act
