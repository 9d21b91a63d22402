"""Check 11: what a site wrote down for itself and what stands on the ledger must be the same, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import HOLDER, Found
from fedkit.audit.report import Finding
from fedkit.audit.rules import Ran, Replay
from fedkit.ledger.typed import name_id

Row = Mapping[str, Any]


def check_agreement(site: str, rows: Sequence[Any], replay: Replay, found: Found, notes: dict[int, str]) -> None:
    """11: the decisions and executions of one site's journal against those on the ledger."""
    mine = [row for row in rows if isinstance(row, Mapping) and isinstance(row.get("fields"), Mapping)]
    finished = [(row, _ran(site, row)) for row in mine if row.get("act") == "execution.finished"]
    written = [row for row in mine if row.get("act") == "decision.recorded"]
    _executions_told(site, finished, replay, found)
    on_ledger = {ran.bare() for ran in replay.executions if ran.site == name_id(site)}
    released = {model["request"].hex() for model, _ in replay.releases}
    waiting = 0
    for row, ran in finished:
        where = f"{site}, row {row.get('seq')}"
        _approved(site, where, row, ran, written, replay, found)
        if ran in on_ledger:
            continue
        if ran.request in released or ran.round <= replay.last.get((ran.request, ran.entry), 0):
            found[11].append(Finding(where, "ran, and is not on the ledger", "the researcher, who records the rounds"))
        else:
            waiting += 1
    _counts(site, {ran for _, ran in finished}, replay, found)
    _decisions(site, written, replay, found)
    if waiting:
        notes[11] = f"{notes.get(11, '')} {site}: {waiting} executions of rounds that are not complete.".strip()


def _executions_told(site: str, finished: Sequence[tuple[Row, Ran]], replay: Replay, found: Found) -> None:
    told = {ran for _, ran in finished}
    for ran in replay.executions:
        if ran.site == name_id(site) and ran.bare() not in told:
            what = f"its journal does not tell of round {ran.round}, which is on the ledger ({ran.where})"
            found[11].append(Finding(site, what, journal_keeper(site)))


def _approved(site: str, where: str, row: Row, ran: Ran, written: Sequence[Row], replay: Replay, found: Found) -> None:
    """Before an execution, the journal tells of the approval that let it run, and that counted at the time."""
    before = [r for r in written if is_of(r, ran.request) and count_of(r.get("seq")) < count_of(row.get("seq"))]
    asked = replay.asked.get(_bytes(ran.request))
    if not before or before[-1]["fields"].get("status") != "approved" or asked is None:
        found[11].append(Finding(where, "ran without an approval in the journal and a request on the ledger", site))
    elif _seconds(row.get("time")) > min(count_of(before[-1]["fields"].get("expires")), asked.permit_expires):
        found[11].append(Finding(where, "ran after the approval or the permit had run out", site))


def _counts(site: str, ran: set[Ran], replay: Replay, found: Found) -> None:
    """No entry ran more often than was granted; the same call repeated counts once, as it does at the site."""
    for request, entry in sorted({(r.request, r.entry) for r in ran}):
        asked = replay.asked.get(_bytes(request))
        approvals = [d for d, _ in replay.decisions if (d["request"].hex(), d["site"]) == (request, name_id(site))]
        granted = min(max((d["rounds"] for d in approvals), default=0), asked.entries.get(entry, 0) if asked else 0)
        count = len({(r.round, r.inputs) for r in ran if (r.request, r.entry) == (request, entry)})
        if count > granted:
            found[11].append(Finding(site, f"ran {replay.names(entry)} {count} times, granted were {granted}", site))


def _decisions(site: str, written: Sequence[Row], replay: Replay, found: Found) -> None:
    on_ledger = {decided(d) for d, _ in replay.decisions if d["site"] == name_id(site)}
    told = {_decided_row(row): row for row in written}
    for key, row in told.items():
        if key not in on_ledger:
            who = f"the researcher, who delivers them, or {site}"
            found[11].append(Finding(f"{site}, row {row.get('seq')}", "a decision that is not on the ledger", who))
    for key in sorted(on_ledger - told.keys()):
        found[11].append(Finding(site, f"the decision on {key[0][:12]} is not in its journal", journal_keeper(site)))


def decided(decision: Row) -> tuple[str, int, int, str, str]:
    """What identifies a decision on the ledger, beside its site."""
    steward = to_checksum_address(decision["steward"])
    return decision["request"].hex(), decision["rounds"], decision["expires"], decision["reasonDigest"].hex(), steward


def _decided_row(row: Row) -> tuple[str, int, int, str, str]:
    f = row["fields"]
    return (
        str(f.get("request")),
        count_of(f.get("rounds")),
        count_of(f.get("expires")),
        str(f.get("reason")),
        str(f.get("steward")),
    )


def _ran(site: str, row: Row) -> Ran:
    f = row["fields"]
    digests = (str(f.get(key)) for key in ("inputs", "outputs", "numbers"))
    return Ran(str(f.get("request")), name_id(site), name_id(str(f.get("entry"))), count_of(f.get("round")), *digests)


def is_of(row: Row, request: str) -> bool:
    """Whether a journal row is about a request."""
    fields = row.get("fields")
    return isinstance(fields, Mapping) and fields.get("request") == request


def count_of(value: Any) -> int:
    """A whole number of a row, or -1 where there is none: rows are not to be trusted."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def leaf_of(row: Row) -> bytes:
    """What stands for a row in its batch; nothing if it has no hash."""
    try:
        return bytes.fromhex(str(row.get("hash")))
    except ValueError:
        return b""


def journal_keeper(site: str) -> str:
    """Who could have changed a journal."""
    return f"{site}, or {HOLDER}"


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""


def _seconds(time: Any) -> float:
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return float("inf")
