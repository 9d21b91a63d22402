"""What a steward looks at before deciding, and where a request stands: plain data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fedkit.governance.kinds import DEFAULT
from fedkit.governance.request import CodeRequest

if TYPE_CHECKING:
    from fedkit.governance.differences import Change

#: Where a request can stand at a site. "lapsed": nobody decided in time. "withdrawn": by the researcher, before a decision.
STATUSES = ("pending", "approved", "denied", "revoked", "expired", "lapsed", "withdrawn")


@dataclass(frozen=True)
class MockResult:
    """The outcome of a rehearsal on the mock twin. error: fedkit's own words with the line of the request's source, or None.

    traceback: of an exception of the code, whole: its worker never had the private notes. "" if there was none.
    tables:    name → rows, as they would leave.
    """

    site: str
    entry: str
    seconds: float
    bytes_out: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    traceback: str = ""
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class RequestState:
    """Where a request stands at one site. status: one of `STATUSES`.

    used: entry → executions so far.   granted: entry → executions allowed (empty before approval).
    kind:     of the request.
    assigned: account of the steward whose turn it is, "" where nobody is.
    approvals, needed: stewards who have approved so far, and how many must.
    automatic: digest of the standing approval that decided it, "" where a person did.
    due:      Unix seconds at which a waiting request lapses, 0 where it does not wait.
    waiting:  whole days since it was submitted, while it waits.   reminder: 0 not yet, 1 after a reminder is due, 2 after two.
    """

    digest: str
    site: str
    title: str
    researcher: str
    status: str
    reason: str = ""
    used: Mapping[str, int] = field(default_factory=dict)
    granted: Mapping[str, int] = field(default_factory=dict)
    submitted: float = 0.0
    kind: str = DEFAULT
    assigned: str = ""
    approvals: int = 0
    needed: int = 1
    automatic: str = ""
    due: float = 0.0
    waiting: int = 0
    reminder: int = 0


@dataclass(frozen=True)
class Nearly:
    """A standing approval of this site that is about the same code or the same results, and why it does not cover a request.

    digest, title: of the standing approval.   why: the first reason, "" if it does cover it.
    """

    digest: str
    title: str
    why: str


@dataclass(frozen=True)
class Alike:
    """Requests that a steward can look at together: the same code, data, kind and output contracts.

    digests: of the requests, oldest first.   settings: name → the values in which they differ, one for each request.
    researchers: their addresses.
    """

    code: str
    kind: str
    digests: Sequence[str]
    titles: Sequence[str]
    researchers: Sequence[str]
    settings: Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Finding:
    """Something a static look at the source found. level: "refuse", "warn" or "note"; line is 1-based in the source."""

    level: str
    line: int
    rule: str
    message: str


@dataclass(frozen=True)
class Review:
    """Everything a steward needs on one page: the request, findings, difference to the last approved version, mock results.

    diff: as lines.   changes: the same by meaning (`fedkit.governance.differences`).
    rules:     the site's policies in plain words, a sentence each.
    standing:  standing approvals that nearly cover it.
    approvals: addresses of the stewards who have approved so far.
    spent:     what the data set's privacy budget has lost so far (zCDP rho): "researcher" by who asks here, "all" by everybody.
    """

    site: str
    request: CodeRequest
    state: RequestState
    findings: Sequence[Finding]
    diff: str
    rehearsals: Sequence[MockResult]
    changes: Sequence[Change] = ()
    rules: Sequence[str] = ()
    standing: Sequence[Nearly] = ()
    approvals: Sequence[str] = ()
    spent: Mapping[str, float] = field(default_factory=dict)
