"""What somebody asks of the data warehouse before a question is run: what it would cost, and which rule would refuse it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fedkit.errors import FedkitError, RequestError
from fedkit.governance.kinds import KINDS
from fedkit.governance.levels import check_asks
from fedkit.governance.request import CodeRequest
from fedkit.ledger.spending import amount_of
from fedkit.sites.calls.base import Caller, Calls
from fedkit.sites.execution import not_submitted
from fedkit.sites.warehouse.planning import plan
from fedkit.warehouse.question import from_json

#: The longest question, characters of JSON.
LONGEST = 65_536


class WarehouseCalls(Calls):
    """plan."""

    def on_plan(self, caller: Caller, digest: str, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            request = self._own(caller, digest)
            return self._plan(caller, request, question)
        except FedkitError as error:
            named = digest if self.parts.store.request(digest) else None
            if named is not None:
                self.parts.journal.append("question.refused", caller.name, request=named, reason=error.code)
            raise

    def _plan(self, caller: Caller, request: CodeRequest, row: Mapping[str, Any]) -> dict[str, Any]:
        if len(json.dumps(row)) > LONGEST:
            raise RequestError("the question is too long", expected=f"at most {LONGEST:,} characters", got="more")
        question = from_json(row)
        self.execution.answering.check_fits(request, question)
        self.execution.answering.questions.keep(request.digest, question, caller.name)
        number = self.execution.answering.questions.next_number(request.digest)
        key = (request.digest, request.entries[0].name, number, question.digest)
        context = self.execution.context(request, key, caller.name)
        report = plan(self.execution, request, question, context, caller.name)
        fields = {"question": question.digest, "cost": amount_of(report.cost_rho), "allowed": report.allowed}
        self.parts.journal.append("question.planned", caller.name, request=request.digest, **fields)
        return report.to_json()

    def _own(self, caller: Caller, digest: str) -> CodeRequest:
        """One's own request, of a kind that asks questions. Others look as if they were not there."""
        found = self.parts.store.request(digest)
        if found is None or found[1] != caller.name:
            raise not_submitted()
        check_asks(caller.level, found[0].kind)
        if not KINDS[found[0].kind].questions:
            raise RequestError("this request asks no questions", expected='a request of kind "query"', got=found[0].kind)
        return found[0]
