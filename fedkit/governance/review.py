"""What a steward looks at before deciding, and where a request stands: plain data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fedkit.governance.request import CodeRequest


@dataclass(frozen=True)
class MockResult:
    """The outcome of a rehearsal on the mock twin. error: fedkit's own words with the line of the request's source, or None."""

    site: str
    entry: str
    seconds: float
    bytes_out: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class RequestState:
    """Where a request stands at one site. status: "pending", "approved", "denied", "revoked", "expired".

    used: entry → executions so far.   granted: entry → executions allowed (empty before approval).
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


@dataclass(frozen=True)
class Finding:
    """Something a static look at the source found. level: "refuse", "warn" or "note"; line is 1-based in the source."""

    level: str
    line: int
    rule: str
    message: str


@dataclass(frozen=True)
class Review:
    """Everything a steward needs on one page: the request, findings, difference to the last approved version, mock results."""

    site: str
    request: CodeRequest
    state: RequestState
    findings: Sequence[Finding]
    diff: str
    rehearsals: Sequence[MockResult]
