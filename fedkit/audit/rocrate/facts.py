"""What of the evidence a crate tells: who decided what and when, which site ran how often, what was released."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.audit.acts import read_acts
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import is_of
from fedkit.governance.request import CodeRequest


@dataclass(frozen=True)
class Signed:
    """A steward's decision. time: when the site wrote it down (RFC 3339), "" if its journal does not tell."""

    site: str
    steward: str
    approved: bool
    rounds: int
    time: str

    @property
    def words(self) -> str:
        """The decision in a few words."""
        return f"approved, rounds granted: {self.rounds}" if self.approved else "denied, or approval taken back"


@dataclass(frozen=True)
class Ran:
    """What one site ran for the request. started, finished: RFC 3339, of the first and the last execution."""

    site: str
    count: int
    started: str
    finished: str


@dataclass(frozen=True)
class Facts:
    """Of one bundle. sites: who was asked, by name; models: digests of what was released; version: of fedkit, as exported."""

    request: CodeRequest
    version: str
    sites: Sequence[str]
    decisions: Sequence[Signed]
    runs: Sequence[Ran]
    models: Sequence[str]

    @property
    def status(self) -> str:
        """How far the study is, as schema.org says it: Completed, Failed (every site denied), Active or Potential."""
        if self.models:
            return "Completed"
        if self.runs:
            return "Active"
        last = {decided.site: decided.approved for decided in self.decisions}
        return "Failed" if set(self.sites) == last.keys() and not any(last.values()) else "Potential"


def facts_of(evidence: Evidence) -> Facts:
    """The facts of a bundle whose checks were clean."""
    request = evidence.request
    acts, _ = read_acts(evidence, defaultdict(list))
    mine = [act for act in acts if act.arguments.get("request") == bytes.fromhex(request.digest)]
    asked = [act for act in mine if act.function == "submit"]
    sites = sorted({evidence.names(site) for act in asked for site in act.arguments["sites"]})
    models = [act.arguments["model"].hex() for act in mine if act.function == "release"]
    told = {site: _journal(rows, request.digest) for site, rows in evidence.journals.items()}
    decisions = [
        Signed(d.site, d.steward, d.approved, d.rounds, told.get(d.site, _Told()).decided.get(d.signature, ""))
        for d in evidence.decisions
        if d.request == request.digest
    ]
    runs = [
        Ran(site, len(rows.finished), rows.started or rows.finished[0], rows.finished[-1])
        for site, rows in sorted(told.items())
        if rows.finished
    ]
    return Facts(request, str(evidence.manifest.get("fedkit", "")), sites, decisions, runs, models)


@dataclass
class _Told:
    """What one journal tells of the request: signature of a decision → its time; times of executions."""

    decided: dict[str, str]
    finished: list[str]
    started: str = ""

    def __init__(self) -> None:
        self.decided, self.finished = {}, []


def _journal(rows: Sequence[Mapping[str, Any]], request: str) -> _Told:
    told = _Told()
    for row in rows:
        if not is_of(row, request):
            continue
        time = str(row["time"])
        if row["act"] == "decision.recorded":
            told.decided[str(row["fields"].get("signature"))] = time
        elif row["act"] == "execution.started":
            told.started = told.started or time
        elif row["act"] == "execution.finished":
            told.finished.append(time)
    return told
