"""What an auditor reads at a site, and the statements that tie its journal and its view of the chain to the ledger."""

from __future__ import annotations

from typing import Any

from fedkit.sites.calls.base import Caller, Calls


class AuditCalls(Calls):
    """journal, anchor, spends, head, sign_head."""

    def on_journal(self, caller: Caller, start: int) -> list[dict[str, Any]]:
        rows = self.parts.journal.rows(int(start))
        self.parts.journal.append("journal.read", caller.name, start=max(0, int(start)))
        return rows

    def on_anchor(self, caller: Caller, after: int | None = None) -> dict[str, Any] | None:
        return self.deciding.anchor(after)

    def on_spends(self, caller: Caller, digest: str, entry: str, round: int, after: int) -> list[dict[str, Any]]:
        self.visible(caller, digest)
        return [spend.to_json() for spend in self.execution.spending.statements(digest, entry, int(round), int(after))]

    def on_head(self, caller: Caller) -> dict[str, Any] | None:
        head = self.witness.head()
        return head.to_json() if head else None

    def on_sign_head(self, caller: Caller, headers: list[str]) -> dict[str, Any]:
        return self.witness.sign(headers, caller.name).to_json()
