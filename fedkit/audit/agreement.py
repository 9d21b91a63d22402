"""Check 11: what a site, and a study, wrote down for itself and what stands on the ledger must be the same, both ways.

With it, the part of check 7 that only journals can tell: that what ran was the code, in the environment, that was approved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import Kept, Row, bytes_of, count_of, is_of, seconds_of
from fedkit.audit.report import Finding
from fedkit.audit.rules import Ran, Replay
from fedkit.governance.decision import NOTHING
from fedkit.governance.request import CodeRequest
from fedkit.ledger.typed import name_id

RESEARCHER = "the researcher, who records the rounds"


def check_agreement(kept: Kept, replay: Replay, found: Found, notes: dict[int, str], own: CodeRequest) -> None:
    """11: the decisions and executions of one site's journal against those on the ledger; 7: code and environment.

    own: the request of the evidence. Of another one's executions that are in no round, its own evidence must tell: whether a
    round may go on without late sites stands in its settings, which are not here.
    """
    site = kept.name
    finished = [(row, _ran(site, row)) for row in kept.of("execution.finished")]
    on_ledger = {ran.bare(): ran.where for ran in replay.executions if ran.site == name_id(site)}
    told = {ran for _, ran in finished}
    for ran, where in on_ledger.items():
        if ran not in told:
            what = f"its journal does not tell of round {ran.round}, which is on the ledger ({where})"
            found[11].append(Finding(site, what, kept.keeper))
    started = _started(kept)
    written = kept.of("decision.recorded")
    released = {model["request"].hex() for model, _ in replay.releases}
    waiting = elsewhere = late = 0
    for row, ran in finished:
        where = f"{site}, row {row.get('seq')}"
        if replay.partly_read and bytes_of(ran.request) not in replay.asked:
            elsewhere += 1
            continue
        _approved(site, where, row, ran, written, replay, found)
        _code(site, where, row, ran, started, replay, found)
        if ran in on_ledger:
            continue
        over = ran.round <= replay.last.get((ran.request, ran.entry), 0)
        if over and (ran.request != own.digest or (_may_be_late(own) and ran.entry == name_id(own.entries[0].name))):
            late += 1
        elif over or ran.request in released:
            found[11].append(Finding(where, "ran, and is not on the ledger", RESEARCHER))
        else:
            waiting += 1
    _counts(site, {ran for ran in told if not replay.partly_read or bytes_of(ran.request) in replay.asked}, replay, found)
    _decisions(kept, written, replay, found)
    if waiting:
        notes[11] = f"{notes.get(11, '')} {site}: {waiting} executions of rounds that are not complete.".strip()
    if late:
        notes[11] = f"{notes.get(11, '')} {site}: {late} executions in no round, late ones or another request's.".strip()
    if elsewhere:
        notes[11] = f"{notes.get(11, '')} {site}: {elsewhere} executions of requests that are not on these contracts.".strip()


def _may_be_late(request: CodeRequest) -> bool:
    """Whether its settings, which its stewards signed, let a round go on without sites that are late."""
    who = request.settings.get("participation")
    return isinstance(who, Mapping) and bool(who.get("fewest"))


def _approved(site: str, where: str, row: Row, ran: Ran, written: Sequence[Row], replay: Replay, found: Found) -> None:
    """Before an execution, the journal tells of the approval that let it run, and that counted at the time."""
    before = [r for r in written if is_of(r, ran.request) and count_of(r.get("seq")) < count_of(row.get("seq"))]
    asked = replay.asked.get(bytes_of(ran.request))
    if not before or before[-1]["fields"].get("status") != "approved" or asked is None:
        found[11].append(Finding(where, "ran without an approval in the journal and a request on the ledger", site))
    elif seconds_of(row.get("time")) > min(count_of(before[-1]["fields"].get("expires")), asked.permit_expires):
        found[11].append(Finding(where, "ran after the approval or the permit had run out", site))


def _started(kept: Kept) -> dict[tuple[str, bytes, int, str], list[Row]]:
    """Call (request, entry, round, inputs) → the rows that say that it was started."""
    rows: dict[tuple[str, bytes, int, str], list[Row]] = defaultdict(list)
    for row in kept.of("execution.started"):
        ran = _ran(kept.name, row)
        rows[ran.request, ran.entry, ran.round, ran.inputs].append(row)
    return rows


def _code(site: str, where: str, row: Row, ran: Ran, started: Mapping[Any, list[Row]], replay: Replay, found: Found) -> None:
    """What ran was what was approved: the digests that the site took of code and environment when it started."""
    asked = replay.asked.get(bytes_of(ran.request))
    rows = [r for r in started.get((ran.request, ran.entry, ran.round, ran.inputs), ()) if _earlier(r, row)]
    if not rows:
        found[7].append(Finding(where, "was finished, and nothing says that it was started", site))
    elif asked is not None:
        for name, key in (("code", "codeDigest"), ("environment", "environmentDigest")):
            if any(r["fields"].get(name) != asked.digests[key].hex() for r in rows):
                found[7].append(Finding(where, f"ran with another {name} than was approved", site))


def _counts(site: str, ran: set[Ran], replay: Replay, found: Found) -> None:
    """No entry ran more often than was granted; the same call repeated counts once, as it does at the site."""
    calls: dict[tuple[str, bytes], set[tuple[int, str]]] = defaultdict(set)
    for r in ran:
        calls[r.request, r.entry].add((r.round, r.inputs))
    approved: dict[str, int] = defaultdict(int)
    for decision, _ in replay.decisions:
        if decision["site"] == name_id(site):
            approved[decision["request"].hex()] = max(approved[decision["request"].hex()], decision["rounds"])
    for (request, entry), made in sorted(calls.items()):
        asked = replay.asked.get(bytes_of(request))
        granted = min(approved.get(request, 0), asked.entries.get(entry, 0) if asked else 0)
        if len(made) > granted:
            found[11].append(Finding(site, f"ran {replay.names(entry)} {len(made)} times, granted were {granted}", site))


def _decisions(kept: Kept, written: Sequence[Row], replay: Replay, found: Found) -> None:
    on_ledger = {decided(d) for d, _ in replay.decisions if d["site"] == name_id(kept.name)}
    told = {_decided_row(row): row for row in written}
    for key, row in told.items():
        if key not in on_ledger and not (replay.partly_read and bytes_of(key[0]) not in replay.asked):
            who = f"the researcher, who delivers them, or {kept.name}"
            found[11].append(Finding(f"{kept.name}, row {row.get('seq')}", "a decision that is not on the ledger", who))
    for key in sorted(on_ledger - told.keys()):
        found[11].append(Finding(kept.name, f"the decision on {key[0][:12]} is not in its journal", kept.keeper))


def check_study(evidence: Evidence, study: Kept, replay: Replay, found: Found) -> None:
    """11: the rounds and releases of the request in the study's own journal against those on the ledger."""
    request = evidence.request.digest
    rounds: dict[tuple[Any, ...], str] = {
        (r.entry, r.number, r.kind.lower(), r.inputs, r.aggregate): r.where for r in replay.rounds if r.request == request
    }
    models: dict[tuple[Any, ...], str] = {
        tuple(model[key].hex() for key in ("model", "folder", "metrics")): where
        for model, where in replay.releases
        if model["request"].hex() == request
    }
    for act, on_ledger, key_of in (("round.aggregated", rounds, _round_row), ("model.released", models, _model_row)):
        told = {key_of(row): f"{study.name}, row {row.get('seq')}" for row in study.of(act) if is_of(row, request)}
        for key in told.keys() - on_ledger.keys():
            found[11].append(Finding(told[key], f"tells of {act}, which is not on the ledger", study.keeper))
        for key in on_ledger.keys() - told.keys():
            what = f"the study's journal does not tell of {act} in {on_ledger[key]}"
            found[11].append(Finding(study.name, what, study.keeper))


def _round_row(row: Row) -> tuple[Any, ...]:
    f = row["fields"]
    words = (str(f.get(key)) for key in ("kind", "inputs", "weights"))
    return (name_id(str(f.get("entry"))), count_of(f.get("round")), *words)


def _model_row(row: Row) -> tuple[Any, ...]:
    return tuple(str(row["fields"].get(key, NOTHING)) for key in ("weights", "folder", "metrics"))


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


def _earlier(one: Row, other: Row) -> bool:
    return count_of(one.get("seq")) < count_of(other.get("seq"))
