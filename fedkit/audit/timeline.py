"""One request, from its permit to its release, as an auditor can follow it: who did what, in which order, and where it stands.

    for moment in tell(read(bundle)):
        print(moment.step, moment.lane, moment.what, moment.where)

Nothing here judges; `verify` does. What is told of an act on the ledger is what its signed call says, what is told of a site is
what its journal says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import asdict, dataclass
from typing import Any

from fedkit.audit.acts import Act, read_acts
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import is_of, seconds_of
from fedkit.audit.report import plain
from fedkit.governance.steps import STEPS as OF_A_STUDY
from fedkit.ledger.events import KINDS
from fedkit.ledger.names import NameBook

#: The ten steps of a study, after what a federation needs before any study.
STEPS: Mapping[int, str] = {0: "Federation", **OF_A_STUDY}

RESEARCHER, AUTHORITY = "researcher", "authority"


@dataclass(frozen=True)
class Moment:
    """Something that happened.

    time: Unix seconds, as the clock of whoever wrote it down showed.   step: of `STEPS`.   lane: a site, "researcher" or
    "authority".   where: block and transaction, or journal and row.   ledger: whether it stands on the ledger.
    """

    time: float
    step: int
    lane: str
    what: str
    where: str
    ledger: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def tell(evidence: Evidence) -> tuple[Moment, ...]:
    """The moments of a bundle's request, oldest first; of anchors and signed heads only those since it was submitted.

    What cannot be read is left out: `verify` says what it was.
    """
    acts, headers = read_acts(evidence, defaultdict(list))
    clocks = {header.number: header.clock for header in headers}
    moments = [m for act in acts for m in _of_act(act, clocks.get(act.block) or act.time, evidence)]
    moments += _of_journals(evidence)
    asked = min((moment.time for moment in moments if moment.step == 4), default=0.0)
    return tuple(sorted((m for m in moments if m.step < 10 or m.time >= asked), key=lambda m: (m.time, m.step)))


def lanes(moments: tuple[Moment, ...]) -> tuple[str, ...]:
    """Who takes part, in the order in which they are shown: authority and researcher, then the sites by name."""
    found = {moment.lane for moment in moments}
    return (*(lane for lane in (AUTHORITY, RESEARCHER) if lane in found), *sorted(found - {AUTHORITY, RESEARCHER}))


# -- the ledger

Said = tuple[int, str, str]


def _of_act(act: Act, time: float, evidence: Evidence) -> Iterator[Moment]:
    teller = _TELLERS.get(act.function)
    if teller is None:
        return
    given = {**act.arguments, **act.arguments.get("decision", {}), "of": evidence.request.kind}
    request, permit = (bytes.fromhex(digest) for digest in (evidence.request.digest, evidence.request.permit.digest))
    if given.get("request", request) != request or (act.function.endswith("Permit") and given.get("permit") != permit):
        return
    for step, lane, what in teller(given, evidence.names):
        yield Moment(time, step, lane, what, act.where, True)


def _registered(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    yield 0, names(given["site"]), "was registered, with its key and its steward"


def _permitted(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    users, datasets = _count(given["users"], "person", "people"), _count(given["datasets"], "data set")
    yield 1, AUTHORITY, f"issued the data permit, to {users} for {datasets}"


def _permit_revoked(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    yield 6, AUTHORITY, "revoked the data permit"


def _submitted(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    entries = ", ".join(f"{names(entry)} {_count(range(count), 'time')}" for entry, count in given["entries"])
    yield 4, RESEARCHER, f"submitted the request to {_count(given['sites'], 'site')}, to run {entries} at each"


def _decided(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    what = f"approved {_count(range(given['rounds']), 'round')}" if given["approved"] else "denied, or took its approval back"
    yield 6, names(given["site"]), f"{what}, signed by its steward"


def _recorded(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    kind, receipts = KINDS[given["kind"]].lower(), _count(given["receipts"], "receipt")
    yield 8, RESEARCHER, f"recorded round {given['round']} of {names(given['entry'])} ({kind}), with {receipts}"


def _released(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    yield 9, RESEARCHER, f"released {'model' if given['of'] == 'training' else 'result'} {given['model'].hex()[:12]}"


def _anchored(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    yield 10, names(given["stream"]), f"anchored rows {given['first']} to {given['last']} of its journal"


def _study_anchored(given: Mapping[str, Any], names: NameBook) -> Iterator[Said]:
    yield 10, RESEARCHER, f"anchored rows {given['first']} to {given['last']} of the study's journal"


def _count(things: Sized, one: str, many: str = "") -> str:
    """How many, with the word for it."""
    return f"{len(things)} {one if len(things) == 1 else many or one + 's'}"


_TELLERS: Mapping[str, Callable[[Mapping[str, Any], NameBook], Iterator[Said]]] = {
    "registerSite": _registered,
    "issuePermit": _permitted,
    "revokePermit": _permit_revoked,
    "submit": _submitted,
    "decideBySig": _decided,
    "recordRound": _recorded,
    "release": _released,
    "anchor": _anchored,
    "anchorStudy": _study_anchored,
}


# -- the journals

#: act of a journal → step and words, with the row's fields put in.
_ROWS: Mapping[str, tuple[int, str]] = {
    "request.submitted": (4, "took the request in"),
    "request.rehearsed": (3, "rehearsed {entry} on its mock twin: {outcome}"),
    "request.reviewed": (5, "its steward looked at the request"),
    "request.refused": (4, "refused the request: {reason}"),
    "decision.recorded": (6, "wrote the decision down: {status}"),
    "execution.finished": (7, "ran {entry}, round {round}"),
    "execution.refused": (7, "refused to run {entry}, round {round}: {reason}"),
    "execution.failed": (7, "failed to run {entry}, round {round}: {reason}"),
}


def _of_journals(evidence: Evidence) -> Iterator[Moment]:
    for site, rows in evidence.journals.items():
        for row in rows:
            act = str(row.get("act"))
            if act == "head.signed":
                step, what = 10, "signed the head of the chain that it saw"
            elif act in _ROWS and is_of(row, evidence.request.digest):
                step, pattern = _ROWS[act]
                what = pattern.format_map(defaultdict(str, row["fields"]))
            else:
                continue
            if (time := seconds_of(row.get("time"))) < float("inf"):
                yield Moment(time, step, site, plain(what), plain(f"{site}, row {row.get('seq')}"), False)
