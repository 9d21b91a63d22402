"""The people of a running federation: what its ledger, the accounts of its sites and its own file of passwords say of each.

Where all of a federation is on one machine, this does three parties' parts one after another: a site's admin makes the account,
its owner changes the one-time password, the ledger's admin grants the role. Each part is a call of its own, for where they are
three people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fedkit.errors import AccessRefused, ConfigurationError
from fedkit.governance.accounts import SIGNING, AccountCard
from fedkit.governance.levels import ASKING
from fedkit.sites.accounts import Account, keep_accounts
from fedkit.sites.passwords import make

if TYPE_CHECKING:
    from fedkit.sites.launch import Federation


#: In the name of a key that is for several sites, in the place of a site's; no site has this name.
SEVERAL = "several.sites"


class Members:
    """The people of one federation."""

    def __init__(self, federation: Federation) -> None:
        self._of = federation

    def add(self, sites: Sequence[str], user: str, level: str, *, name: str = "", expires: int = 0) -> AccountCard:
        """See `Federation.add_user`."""
        for site in sites:
            self._of.running(site)
        signs = level in SIGNING or level == "auditor"
        address = self._of.keys.create(_key_name(sites[0] if len(sites) == 1 else SEVERAL, user)) if signs else ""
        cards = [self._add(site, user, level, address, name=name, expires=expires) for site in sites]
        return cards[0]

    def _add(self, site: str, user: str, level: str, address: str, *, name: str, expires: int) -> AccountCard:
        admin = self._of.login(site, "admin")
        try:
            once = admin.add_account(user, level, name=name, address=address, expires=expires)
        finally:
            admin.close()
        self._settle(site, user, once)
        card = self.card(site, user)
        self.register(site, card)
        return card

    def address(self, user: str) -> str:
        """See `Federation.address`."""
        if user == "researcher":
            return self._of.researcher
        there = [site for site in self._of.sites if user in self._of._accounts[site]]
        if not there:
            raise AccessRefused(f"there is no account for {user!r}", expected="a user that add_user added", got="another name")
        return self.card(there[0], user).address

    def register(self, site: str, card: AccountCard) -> None:
        """Give an account's ledger address the role of its level; one that has it keeps it. Raises ContractReverted."""
        role = _role(site, card)
        if role and card.address:
            self._of.ledger.grant(role, card.address)

    def card(self, site: str, user: str) -> AccountCard:
        """An account as its site has it. Raises AccessRefused if there is none."""
        admin = self._of.login(site, "admin")
        try:
            found = [card for card in admin.accounts() if card.user == user]
        finally:
            admin.close()
        if not found:
            raise AccessRefused(
                f"there is no account {user!r} at {site}", expected="a name that accounts() gives", got="another"
            )
        return found[0]

    def revoke(self, site: str, user: str) -> AccountCard:
        """See `Federation.revoke_user`."""
        admin = self._of.login(site, "admin")
        try:
            card = admin.revoke_account(user).account
        finally:
            admin.close()
        self._take_role(site, card)
        return card

    def replace_key(self, site: str, user: str) -> AccountCard:
        """See `Federation.replace_key`. The role is granted to the new address before the site hears of it, and taken from the
        old one after, so that the site is never without a steward. After a crash in between, the same call goes on with the key
        that was made."""
        before, keys = self.card(site, user), self._of.keys
        usual = f"steward-{site}" if user == "steward" else _key_name(site, user)
        found = keys.find(before.address) or usual
        actor = usual if found.startswith(f"{usual}.") else found
        if before.level not in SIGNING or actor == "researcher":
            raise ConfigurationError(
                "this key is not replaced at one site",
                expected="a steward, or a user that was added at the site",
                got=f"{user}, whose key is for all sites" if actor == "researcher" else f"{user}, a {before.level}",
                help="add another user at every site, and revoke this one",
            )
        made = keys.address(actor) if actor in keys.actors() else before.address
        address = made if made != before.address else keys.renew(actor)
        self._of.ledger.grant(_role(site, before), address)
        admin = self._of.login(site, "admin")
        try:
            card = admin.change_account(user, address=address).account
        finally:
            admin.close()
        self._take_role(site, before)
        return card

    def reset_password(self, site: str, user: str) -> None:
        """See `Federation.reset_password`."""
        admin = self._of.login(site, "admin")
        try:
            once = admin.reset_password(user)
        finally:
            admin.close()
        self._settle(site, user, once)

    def unlock(self, site: str, user: str) -> None:
        """See `Federation.unlock`: it works on the site's files, as whoever can read them may, also while the site runs."""
        from fedkit.sites.account_store import AccountStore
        from fedkit.sites.database import Database
        from fedkit.sites.journal import Journal

        self._of.running(site)
        folder = self._of.folder / "sites" / site
        database, journal = Database(folder / "gate.db"), Journal(folder / "journal.db")
        try:
            store = AccountStore(database)
            if store.card(user) is None:
                raise AccessRefused(
                    f"there is no account {user!r} at {site}", expected="a name that accounts() gives", got="another"
                )
            store.forget_all(user)
            journal.append("account.unlocked", site, user=user)
        finally:
            journal.close()
            database.close()

    def _settle(self, site: str, user: str, once: str) -> None:
        """Change a one-time password into one that the federation keeps."""
        from fedkit.sites.session import SiteSession

        password = make()
        session = SiteSession(self._of.running(site).transport(), user, once)
        try:
            session.change_password(once, password)
        finally:
            session.close()
        accounts = self._of._accounts
        known = accounts[site].get(user, Account(user, "", ""))
        accounts[site][user] = Account(user, known.level, password, known.address)
        keep_accounts(self._of.folder, accounts)

    def _take_role(self, site: str, card: AccountCard) -> None:
        """Take the role of an account's address at this site; one that holds for all sites stays while another needs it."""
        role = _role(site, card)
        if role and card.address and (role.startswith("steward") or card.address == self._own(site, card.user)):
            self._of.ledger.revoke(role, card.address)

    def _own(self, site: str, user: str) -> str:
        """The address of the key that was made for a user of this site alone; "" if there is none."""
        actors = [a for a in self._of.keys.actors() if a == _key_name(site, user) or a.startswith(f"{_key_name(site, user)}.")]
        return next((self._of.keys.address(a) for a in actors), "")


def _key_name(site: str, user: str) -> str:
    return f"{user}@{site}"


def _role(site: str, card: AccountCard) -> str:
    """The role on the ledger of an account's level; "" for levels that have none. Contracts know no analysts: they ask as
    researchers do, and what they may ask for is the site's to check."""
    if card.level == "steward":
        return f"steward of {site}"
    if card.level in ASKING:
        return "researcher"
    return "auditor" if card.level == "auditor" else ""
