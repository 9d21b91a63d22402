"""While something runs, and what it printed: where it is, how to end it, and the logs, which are for stewards alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fedkit.errors import ExecutionCancelled
from fedkit.sites.calls.base import Caller, Calls


class RunningCalls(Calls):
    """progress, cancel, logs."""

    def on_progress(self, caller: Caller, digest: str) -> list[dict[str, Any]]:
        request, _ = self.visible(caller, digest)
        return [asdict(call) for call in self.execution.under_way.of(request.digest)]

    def on_cancel(self, caller: Caller, digest: str) -> int:
        request, _ = self.visible(caller, digest)
        who = "a steward of the site" if caller.oversees else "its researcher"
        because = ExecutionCancelled(
            f"the run was ended by {who}",
            expected="a run to its end",
            got="none; what it has computed so far is gone",
            help="the same call again goes on with its charge, if an attempt is left",
        )
        # First the row: whoever waits for the run may look into the journal as soon as it has ended.
        calls = len(self.execution.under_way.of(request.digest))
        self.parts.journal.append("execution.cancelled", caller.name, request=request.digest, calls=calls)
        return self.execution.under_way.end(because, request=request.digest)

    def on_logs(self, caller: Caller, digest: str) -> list[dict[str, Any]]:
        request, _ = self.visible(caller, digest)
        found = self.parts.logs.of(request.digest)
        self.parts.journal.append("logs.read", caller.name, request=request.digest, logs=len(found))
        return [asdict(log) for log in found]
