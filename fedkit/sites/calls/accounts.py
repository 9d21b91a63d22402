"""What a site's admin does with accounts, and what everybody may do with their own password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fedkit.errors import AccessRefused, FedkitError, RequestError
from fedkit.governance.accounts import AccountCard, check_card, check_change, check_duties
from fedkit.sites import passwords
from fedkit.sites.access import ONCE, changed
from fedkit.sites.account_store import AccountStore
from fedkit.sites.calls.base import Caller, Calls


class AccountCalls(Calls):
    """accounts, add_account, change_account, revoke_account, reset_password; change_password."""

    def on_accounts(self, caller: Caller) -> list[dict[str, Any]]:
        return [card.to_json() for card in self._store.cards()]

    def on_add_account(self, caller: Caller, user: str, level: str, name: str, address: str, expires: int) -> str:
        """Returns the one-time password."""
        now = int(self._store.clock())
        made = AccountCard(user, level, name, address, expires, added=now, added_by=caller.name, once=now + ONCE)
        with self._telling(caller, user):
            check_card(made, now)
            if self._store.card(user) is not None:
                raise RequestError("there is such an account", expected="a new name", help="a revoked one keeps its name")
            check_duties(made, self._store.cards(), now)
            once = passwords.make()
            self.parts.domain.set_account(user, level)
            self._store.put(made, passwords.hashed(once, passwords.MADE))
        self._tell("account.added", caller, made)
        return once

    def on_change_account(
        self, caller: Caller, user: str, level: str | None, name: str | None, address: str | None, expires: int | None
    ) -> dict[str, Any]:
        """Returns the account, and the digests of approvals that count by the address that it had before."""
        with self._telling(caller, user):
            before = self._known(user)
            after = changed(before, level=level, name=name, address=address, expires=expires)
            check_change(before, after, self._others(user), caller.name, self._store.clock())
            self.parts.domain.set_account(user, after.level)
            self._store.put(after)
        if after.level != before.level or after.address != before.address:
            self.parts.access.sessions.end(user, but=caller.key)
        self._tell("account.changed", caller, after)
        return {"account": after.to_json(), "approvals": self._approvals(before.address) if after != before else []}

    def on_revoke_account(self, caller: Caller, user: str) -> dict[str, Any]:
        """Returns the account, and the digests of approvals of theirs that count."""
        with self._telling(caller, user):
            before = self._known(user)
            after = changed(before, revoked=before.revoked or int(self._store.clock()))
            check_change(before, after, self._others(user), caller.name, self._store.clock())
            self.parts.domain.set_account(user, "guest")
            self._store.put(after)
        self.parts.access.sessions.end(user)
        self.execution.under_way.closed(user)
        self.parts.journal.append("account.closed", caller.name, user=user)
        return {"account": after.to_json(), "approvals": self._approvals(before.address)}

    def on_reset_password(self, caller: Caller, user: str) -> str:
        """Returns the one-time password."""
        with self._telling(caller, user):
            card = self._known(user)
            if card.revoked:
                raise AccessRefused("this account was revoked", expected="an account that counts", help="add a new one")
        once = self.parts.access.one_time_password(user)
        self.parts.journal.append("password.reset", caller.name, user=user)
        return once

    def on_change_password(self, caller: Caller, old: str, new: str) -> None:
        self.parts.access.change_password(caller.name, str(old), str(new), caller.key)

    # -- helpers
    @property
    def _store(self) -> AccountStore:
        return self.parts.access.accounts

    def _known(self, user: str) -> AccountCard:
        card = self._store.card(user) if isinstance(user, str) else None
        if card is None:
            raise RequestError("there is no such account", expected="a name that accounts() gives", got="another")
        return card

    def _others(self, user: str) -> list[AccountCard]:
        return [card for card in self._store.cards() if card.user != user]

    def _approvals(self, address: str) -> list[str]:
        """Requests whose approval, signed by this address, counts: it goes on counting until a steward withdraws it."""
        now, found = self._store.clock(), []
        for digest in self.parts.store.last_approved():
            last = self.parts.store.decisions(digest)[-1]
            if last.approved and last.expires > now and address and last.steward == address:
                found.append(digest)
        return found

    def _tell(self, act: str, caller: Caller, card: AccountCard) -> None:
        self.parts.journal.append(
            act,
            caller.name,
            user=card.user,
            level=card.level,
            address=card.address or None,
            expires=card.expires or None,
        )

    @contextmanager
    def _telling(self, caller: Caller, user: object) -> Iterator[None]:
        """One change at a time, so that two admins cannot send each other away; and what is refused is written down. The name
        stands there only where an account has it."""
        try:
            with self._store.alone():
                yield
        except FedkitError as error:
            known = user if isinstance(user, str) and self._store.card(user) is not None else None
            self.parts.journal.append("account.refused", caller.name, user=known, reason=error.code)
            raise
