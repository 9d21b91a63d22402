"""The rows of a journal as data: what may stand in one, how each is hashed to the one before, and what is wrong with a chain.

Pure, so that an auditor checks rows with the same code that wrote them. A row is
`{"seq", "time", "actor", "act", "fields", "previous", "hash"}`. Free text has no place in it: an act comes from `ACTS`, each of
its fields has a type, and no type admits a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.digests import digest
from fedkit.errors import ConfigurationError, FedkitError, codes

#: `previous` of the first row.
GENESIS = "0" * 64

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+/-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_SIGNATURE = re.compile(r"0x[0-9a-f]{130}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

#: The words a field of type "word" may hold, beside the codes of fedkit's errors.
WORDS = frozenset(
    {
        *("guest", "analyst", "researcher", "auditor", "steward", "admin"),
        *("in-process", "process", "private", "mock", "train", "dev", "test"),
        *("ok", "failed", "pending", "approved", "denied", "revoked", "expired", "lapsed", "withdrawn"),
        *("averaged", "sequential", "evaluated"),
        *("deadline", "memory", "cpu", "scratch", "cancelled", "died"),
        *("unknown-user", "no-call", "bad-signature", "replayed", "stale", "locked", "clean", "findings"),
    }
)

_CODES = codes()

#: act → field → type. A type that ends in "?" may be left out.
#:   digest    64 hex characters: of content, or salted (HMAC) where the content could be guessed
#:   name      of an account, site, data set, method or entry: up to 64 characters, no spaces
#:   count     a whole number from 0 to 2^53 - 1 (also milliseconds, bytes, Unix seconds)
#:   word      one of `WORDS`, or the code of a fedkit error
#:   flag      true or false
#:   address, signature   0x and 40 or 130 hex characters
ACTS: Mapping[str, Mapping[str, str]] = {
    # -- a site
    "site.opened": {
        "isolation": "word?",
        "key": "address?",
        "environment": "digest?",
        "desk": "address?",
        "policy": "digest?",
    },
    "site.closed": {},
    "account.added": {"user": "name", "level": "word", "address": "address?", "expires": "count?"},
    "account.changed": {"user": "name", "level": "word", "address": "address?", "expires": "count?"},
    "account.closed": {"user": "name"},
    "account.locked": {"user": "name?", "seconds": "count"},  # wrong passwords; no user where there is no such account
    "account.unlocked": {"user": "name"},
    "account.refused": {"user": "name?", "reason": "word"},
    "password.changed": {},
    "password.reset": {"user": "name"},
    "access.granted": {"level": "word"},
    "access.refused": {
        "method": "name?",
        "reason": "word",
        "count": "count?",
    },  # count: of refusals that got no row of their own
    "dataset.loaded": {"dataset": "name", "commitment": "digest", "notes": "count"},
    "request.submitted": {
        "request": "digest",
        "code": "digest",
        "environment": "digest",
        "findings": "count?",
        "needed": "count?",  # approvals, where one is not enough
    },
    "request.rehearsed": {
        "request": "digest",
        "entry": "name",
        "outcome": "word",
        "milliseconds": "count?",
        "bytes": "count?",
    },
    "request.reviewed": {"request": "digest"},
    "request.refused": {"request": "digest", "reason": "word"},
    "request.assigned": {"request": "digest", "to": "name"},
    "request.reminded": {"request": "digest", "level": "count"},
    "request.lapsed": {"request": "digest"},
    "request.withdrawn": {"request": "digest"},
    "decision.recorded": {
        "request": "digest",
        "status": "word",
        "rounds": "count",
        "expires": "count",
        "reason": "digest",
        "steward": "address",
        "signature": "signature",
        "standing": "digest?",  # under which the site's desk signed it
    },
    "decision.counted": {  # an approval that is not the last one needed
        "request": "digest",
        "approvals": "count",
        "needed": "count",
        "rounds": "count",
        "expires": "count",
        "reason": "digest",
        "steward": "address",
        "signature": "signature",
    },
    "decision.refused": {"request": "digest", "reason": "word"},
    "standing.offered": {
        "standing": "digest",
        "code": "digest",
        "requests": "count",
        "expires": "count",
        "steward": "address",
        "signature": "signature",
    },
    "standing.withdrawn": {"standing": "digest", "reason": "digest"},
    "standing.refused": {"standing": "digest", "request": "digest?", "reason": "word"},
    "delegation.granted": {"to": "address", "expires": "count", "steward": "address", "signature": "signature"},
    "delegation.refused": {"reason": "word"},
    "execution.started": {
        "request": "digest",
        "entry": "name",
        "round": "count",
        "inputs": "digest",
        "code": "digest",
        "environment": "digest",
    },
    "execution.finished": {
        "request": "digest",
        "entry": "name",
        "round": "count",
        "inputs": "digest",
        "outputs": "digest",
        "numbers": "digest",
        "signature": "signature?",
        "milliseconds": "count?",
    },
    "execution.refused": {"request": "digest", "entry": "name", "round": "count", "reason": "word"},
    "execution.failed": {"request": "digest", "entry": "name", "round": "count", "reason": "word", "killed": "word?"},
    "execution.cancelled": {"request": "digest", "calls": "count"},
    # -- of the data warehouse: cost is in millionths of epsilon, as a spending on the ledger
    "warehouse.opened": {"build": "digest", "pipeline": "digest", "model": "digest?", "notes": "count"},
    "catalogue.published": {"catalogue": "digest", "published": "count", "steward": "address", "signature": "signature"},
    "catalogue.refused": {"reason": "word"},
    "question.planned": {"request": "digest", "question": "digest", "cost": "count", "allowed": "flag"},
    "question.answered": {
        "request": "digest",
        "entry": "name",
        "round": "count",
        "question": "digest",
        "outputs": "digest",
        "cost": "count",
        "remembered": "flag",  # whether it was answered before, and left again as it was
    },
    "question.refused": {"request": "digest", "question": "digest?", "reason": "word"},
    "logs.read": {"request": "digest", "logs": "count"},
    "sum.keys": {"request": "digest", "keys": "digest", "signature": "signature"},
    "sum.agreed": {"request": "digest", "sites": "count"},
    "sum.opened": {"request": "digest", "round": "count", "sites": "count"},
    "sum.refused": {"request": "digest", "reason": "word"},
    "blob.stored": {"blob": "digest", "bytes": "count"},
    "blob.read": {"blob": "digest"},
    "blob.refused": {"blob": "digest?", "reason": "word"},
    "journal.read": {"start": "count"},
    "batch.closed": {"first": "count", "last": "count", "root": "digest"},
    "head.signed": {"number": "count", "block": "digest", "time": "count", "signature": "signature"},
    "head.refused": {"reason": "word"},
    # -- a study, at the researcher's
    "study.described": {"study": "digest", "sites": "count"},
    "study.submitted": {"request": "digest", "site": "name"},
    "round.aggregated": {
        "request": "digest",
        "entry": "name",
        "round": "count",
        "kind": "word",
        "inputs": "digest",
        "weights": "digest",
        "sites": "count",
    },
    # of a data request: what the sites' answers to one question give together
    "answer.combined": {
        "request": "digest",
        "entry": "name",
        "round": "count",
        "question": "digest",
        "result": "digest",
        "sites": "count",
    },
    "model.released": {"request": "digest", "weights": "digest", "folder": "digest?", "metrics": "digest?"},
    "evidence.verified": {"bundle": "digest?", "outcome": "word", "findings": "count"},
}


@dataclass(frozen=True)
class Problem:
    """Something wrong with a chain of rows. seq: of the row where it shows; kind is one word, message a plain sentence."""

    seq: int
    kind: str
    message: str


def check_row(act: str, actor: str, fields: Mapping[str, Any]) -> None:
    """Raises ConfigurationError unless act, actor and fields are of the vocabulary. The error repeats no value."""
    if not isinstance(act, str) or act not in ACTS:
        raise ConfigurationError("not an act of the journal", expected=f"one of {sorted(ACTS)}", got="another word")
    if not _is_type("name", actor):
        raise ConfigurationError(f"{act}: the actor is no name", expected="up to 64 characters without spaces", got="else")
    kinds = ACTS[act]
    if surplus := len(set(fields) - set(kinds)):
        raise ConfigurationError(f"{act}: fields that it does not have", expected=f"{sorted(kinds)}", got=f"{surplus} others")
    for name, kind in kinds.items():
        if name not in fields:
            if not kind.endswith("?"):
                raise ConfigurationError(f"{act}: {name} is missing", expected=kind, got="nothing")
        elif not _is_type(kind.rstrip("?"), fields[name]):
            raise ConfigurationError(f"{act}: {name} is no {kind.rstrip('?')}", expected=kind, got=type(fields[name]).__name__)


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of the row without its own hash."""
    return digest({k: row[k] for k in ("seq", "time", "actor", "act", "fields", "previous")})


def leaf(row: Mapping[str, Any]) -> bytes:
    """What stands for a row in a Merkle batch: the 32 bytes of its hash."""
    return bytes.fromhex(row["hash"])


def verify_rows(rows: Iterable[Mapping[str, Any]], *, previous: str | None = None) -> list[Problem]:
    """What is wrong with consecutive rows, in order; empty if nothing is.

    previous: hash of the row before the first; by default the first row must be number 1, or is taken at its word.
    Finds edited, deleted, inserted, swapped, duplicated, renumbered and backdated rows, and text where none may stand. A tail
    that was cut off and a chain rebuilt as a whole show only against an anchor.
    """
    found: list[Problem] = []
    expected_seq, last_hash, last_time = None, previous, ""
    for at, row in enumerate(rows):
        seq = row.get("seq") if isinstance(row, Mapping) else None
        if not isinstance(seq, int) or isinstance(seq, bool) or set(row) != _FIELDS or not isinstance(row["fields"], Mapping):
            found.append(Problem(at + 1, "shape", f"row {at + 1} of the list is no journal row"))
            continue
        if expected_seq is None:
            expected_seq = seq
            if last_hash is None:
                last_hash = GENESIS if seq == 1 else row["previous"]
        if seq != expected_seq:
            found.append(Problem(seq, "sequence", f"row {seq} stands where {expected_seq} should"))
        if row["previous"] != last_hash:
            found.append(Problem(seq, "chain", f"row {seq} does not follow the row before it"))
        try:
            fits = row_hash(row) == row["hash"]
        except (ValueError, TypeError):
            fits = False
        if not fits:
            found.append(Problem(seq, "hash", f"row {seq} is not what its hash was made of"))
        if not isinstance(row["time"], str) or not _TIME.fullmatch(row["time"]) or row["time"] < last_time:
            found.append(Problem(seq, "time", f"row {seq} is earlier than the row before it, or has no time"))
        else:
            last_time = row["time"]
        try:
            check_row(row["act"], row["actor"], row["fields"])
        except (FedkitError, TypeError):
            found.append(Problem(seq, "vocabulary", f"row {seq} holds what no journal writes"))
        expected_seq, last_hash = seq + 1, row["hash"]
    return found


_FIELDS = {"seq", "time", "actor", "act", "fields", "previous", "hash"}


def _is_type(kind: str, value: Any) -> bool:
    if kind == "count":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    if kind == "flag":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind == "word":
        return value in WORDS or value in _CODES
    pattern = {"digest": _DIGEST, "name": _NAME, "address": _ADDRESS, "signature": _SIGNATURE}[kind]
    return pattern.fullmatch(value) is not None
