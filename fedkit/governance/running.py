"""What is known of a request's executions while they run, and of what they printed: plain data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunningCall:
    """A call of an approved entry that waits or runs at a site now. Nothing from inside the code.

    status:   "waiting" for a worker, or "running".   position: in the queue of its site: 1 is next; 0 if it runs.
    since:    when it came, or began to run (Unix seconds, the site's clock).   seconds: since then.
    """

    request: str
    site: str
    entry: str
    round: int
    status: str
    position: int
    since: float
    seconds: float


@dataclass(frozen=True)
class ExecutionLog:
    """What approved code printed in one execution, with its traceback if it failed. For a steward of the site only.

    outcome: "ok", or the code of the error that the researcher got.   killed: what ended the worker, "" if nothing did.
    began:   Unix seconds.   seconds: wall clock.
    text:    may hold private text; control characters are replaced. Of a long one the first and the last part.
    """

    entry: str
    round: int
    began: float
    seconds: float
    outcome: str
    killed: str = ""
    text: str = field(default="", repr=False)
