"""The one error tree of fedkit.

Every error says what was expected, what came and what to do, kept apart so that a command line, a notebook and an HTTP
reply can each show them their own way. An error that leaves a site is one of these and never carries the text of the
exception that caused it: raise it ``from None`` where private text could be in the cause.
"""

from __future__ import annotations

from typing import Any, ClassVar


class FedkitError(Exception):
    """Base of everything fedkit raises on purpose.

    message:  one sentence, the terse form (`str(error)`).
    expected: what would have been right.
    got:      what came instead; never private text.
    help:     what to do now.
    """

    code: ClassVar[str] = "fedkit"

    def __init__(self, message: str, *, expected: str = "", got: str = "", help: str = "") -> None:
        super().__init__(message)
        self.message, self.expected, self.got, self.help = message, expected, got, help

    def __str__(self) -> str:
        return self.message

    def diagnostics(self) -> str:
        """The message with what was expected, what came and what to do, a line each."""
        rows = [self.message]
        rows += [f"  {k}: {v}" for k, v in (("expected", self.expected), ("got", self.got), ("to do", self.help)) if v]
        return "\n".join(rows)

    def to_json(self) -> dict[str, str]:
        """For a reply over HTTP; `from_json` on the other side raises the same class again."""
        return {"code": self.code, "message": self.message, "expected": self.expected, "got": self.got, "help": self.help}

    @staticmethod
    def from_json(row: dict[str, Any]) -> FedkitError:
        kind = _by_code().get(str(row.get("code")), FedkitError)
        return kind(str(row.get("message", "unknown error")), **{k: str(row.get(k, "")) for k in ("expected", "got", "help")})

    def _render_traceback_(self) -> list[str]:
        """IPython shows this instead of a traceback: the four lines a reader needs."""
        return [f"{type(self).__name__}: {self.diagnostics()}"]


class ConfigurationError(FedkitError):
    """A setting, a folder or an installation is not usable."""

    code = "configuration"


class StorageError(ConfigurationError):
    """The disk is full, read-only or holds something half-written by another program."""

    code = "storage"


class CorpusError(FedkitError):
    """A folder or file of notes is missing, empty or malformed. Names the file and line, never the text."""

    code = "corpus"


class RequestError(FedkitError):
    """A code request is malformed before anybody has seen it."""

    code = "request"


class Refused(FedkitError):
    """A site said no, with the reason. The refusal is recorded in the site's journal."""

    code = "refused"


class AccessRefused(Refused):
    """Who asks is unknown, expired, locked out, or of a level that may not do this."""

    code = "refused.access"


class NotApproved(Refused):
    """The code request waits for a decision, was denied, or its approval was revoked or has expired."""

    code = "refused.not-approved"


class DigestMismatch(Refused):
    """Code, environment or weights are not the ones that were named: the digests differ."""

    code = "refused.digest"


class LimitReached(Refused):
    """The approved number of executions is used up, or a rate or budget is."""

    code = "refused.limit"


class OutputRefused(Refused):
    """A result does not fit the output contract, so it stays at the site."""

    code = "refused.output"


class ExecutionFailed(FedkitError):
    """Approved code raised, ran out of time or memory, or was killed; its own message stays at the site.

    killed:    what ended its worker: "deadline", "memory", "cpu", "scratch" or "died"; "" if nothing did.
    traceback: of code that raised on the mock twin; "" for any run on private notes.
    Both are for the site that raised it: neither is in `to_json`.
    """

    code = "execution"

    def __init__(
        self, message: str, *, expected: str = "", got: str = "", help: str = "", killed: str = "", traceback: str = ""
    ) -> None:
        super().__init__(message, expected=expected, got=got, help=help)
        self.killed, self.traceback = killed, traceback


class ExecutionCancelled(ExecutionFailed):
    """A run was ended from outside, by its researcher or by a steward of the site."""

    code = "execution.cancelled"


class SiteError(FedkitError):
    """A site cannot be reached, is not running or does not answer as a site should."""

    code = "site"


class AlreadyRunning(SiteError):
    """Another process holds this federation, site or chain folder."""

    code = "site.running"


class LedgerError(FedkitError):
    """The chain refused, is locked, unreachable or is another chain than the one expected."""

    code = "ledger"


class ContractReverted(LedgerError):
    """A smart contract refused an act; the message names the contract's own error."""

    code = "ledger.reverted"


class ActCollided(LedgerError):
    """Two processes acted with one key at the same moment, and this one came second: nothing was done, do it again."""

    code = "ledger.collided"


class EvidenceError(FedkitError):
    """An evidence bundle cannot be read as one. (What a readable bundle proves or fails to prove is a finding, no error.)"""

    code = "evidence"


class TrainingError(FedkitError):
    """Training cannot start or go on: no data, labels that no site shares, NaN or infinite weights, another model."""

    code = "training"


def codes() -> frozenset[str]:
    """The codes of all error classes: the only words by which a journal names why something failed."""
    return frozenset(_by_code())


def _by_code() -> dict[str, type[FedkitError]]:
    found: dict[str, type[FedkitError]] = {}
    todo: list[type[FedkitError]] = [FedkitError]
    while todo:
        kind = todo.pop()
        found[kind.code] = kind
        todo.extend(kind.__subclasses__())
    return found
