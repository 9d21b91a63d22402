"""Who may decide at a site: accounts of stewards that count now, and who of them acts for whom."""

from __future__ import annotations

from fedkit.errors import AccessRefused, FedkitError, LedgerError
from fedkit.governance.accounts import AccountCard, day, same_person
from fedkit.governance.delegation import Delegation, act_as_one, stands_for
from fedkit.ledger import standing as signed
from fedkit.sites.approving.tables import ApprovalTables
from fedkit.sites.parts import SiteParts


class People:
    """The stewards of one site. Addresses are those on the ledger."""

    def __init__(self, parts: SiteParts, tables: ApprovalTables) -> None:
        self.parts, self.tables = parts, tables
        self.accounts = parts.access.accounts
        self.site = parts.config.name

    def stewards(self) -> dict[str, str]:
        """account → address, of the stewards whose accounts count now."""
        return {card.user: card.address for card in self._cards()}

    def _cards(self) -> list[AccountCard]:
        now = self.parts.clock()
        return [c for c in self.accounts.cards() if c.level == "steward" and c.address and c.counts(now)]

    def is_steward(self, address: str) -> bool:
        return address in self.stewards().values()

    def account_of(self, address: str) -> str:
        """The steward's account with this address, or ""."""
        return next((user for user, known in self.stewards().items() if known == address), "")

    def who_may(self, researcher: str) -> list[str]:
        """Accounts of the stewards who may decide on this researcher's (address) requests."""
        return [user for user, address in self.stewards().items() if address != researcher]

    def acting_for(self, user: str) -> str:
        """Who acts for a steward now: a colleague's account, or the steward's own."""
        now, stewards = self.parts.clock(), self.stewards()
        address, passed = stewards.get(user, ""), set[str]()
        acting = stands_for(self._counting(), now)
        while address in acting and address not in passed:
            passed.add(address)
            address = acting[address]
        return self.account_of(address) or user

    def one_person(self, one: str, other: str) -> bool:
        """Whether two addresses count as one where several must approve: one acts for the other, or they are of one person."""
        cards = {card.address: card for card in self.accounts.cards()}
        if one in cards and other in cards and same_person(cards[one], cards[other]):
            return True
        return act_as_one(self._counting(), one, other, self.parts.clock())

    def delegate(self, delegation: Delegation, user: str, address: str) -> Delegation:
        """Let a colleague act for the steward who calls. The same again changes nothing. Raises AccessRefused."""
        try:
            self._check(delegation, user, address)
        except FedkitError as error:
            self.parts.journal.append("delegation.refused", user, reason=error.code)
            raise
        if self.tables.add_delegation(delegation):
            self.parts.journal.append(
                "delegation.granted",
                user,
                to=delegation.delegate,
                expires=delegation.expires,
                steward=delegation.steward,
                signature=delegation.signature,
            )
        return delegation

    def _check(self, delegation: Delegation, user: str, address: str) -> None:
        if delegation.site != self.site or not address or delegation.steward != address:
            raise AccessRefused("one delegates what is one's own", expected=f"{address} at {self.site}", got="another")
        if delegation.delegate == address or not self.is_steward(delegation.delegate):
            raise AccessRefused(
                "only another steward of this site can act for one", expected="a colleague's address", got="another"
            )
        try:
            signer = signed.recover_delegation(delegation, self.parts.config.ledger)
        except LedgerError:
            signer = "nobody"
        if signer != address:
            raise AccessRefused("the delegation is not signed by this steward for this ledger", expected=address, got=signer)
        if delegation.expires <= self.parts.clock():
            raise AccessRefused("the delegation has ended already", expected="an end in the future", got="a time that is past")
        own = self.accounts.counting(user)
        if own is not None and own.expires and delegation.expires > own.expires:
            raise AccessRefused(
                "one delegates no longer than one's own account counts", expected=day(own.expires), got="a later end"
            )
        asks = {
            found[0].researcher for digest in self.parts.store.request_digests() if (found := self.parts.store.request(digest))
        }
        if delegation.delegate in asks:
            raise AccessRefused("who asks does not decide", expected="a colleague without requests here", got="a researcher")

    def _counting(self) -> list[Delegation]:
        """Those between stewards who both are stewards still; who lost their key or left hands on nothing."""
        now = set(self.stewards().values())
        return [d for d in self.tables.delegations() if {d.steward, d.delegate} <= now]
