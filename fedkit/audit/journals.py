"""Checks 9 and 10: the rows of journals, read once and one by one, and the anchors that close them.

A journal is read in one pass, so that a hundred thousand rows need no more memory than their hashes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fedkit.audit.acts import HOLDER, OPERATOR, Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.report import Finding
from fedkit.audit.rules import Anchor, Replay, Stream, site_stream
from fedkit.ledger import merkle
from fedkit.ledger.rows import verify_rows

Row = Mapping[str, Any]

#: Rows of these acts are kept whole, for the checks that come after.
ACTS_OF_NOTE = (
    *("decision.", "execution.", "head.", "study.", "round.", "model."),
    *("standing.", "site.opened", "request.submitted", "question."),
)

#: Seconds by which the clocks of a site and of the chain may differ.
CLOCKS = 300


@dataclass
class Kept:
    """What is kept of a journal after it was read. places: seq → where in the file; times, leaves: of every row there."""

    name: str
    keeper: str
    leaves: list[bytes] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)
    places: dict[int, list[int]] = field(default_factory=dict)
    acts: list[Row] = field(default_factory=list)

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Hand rows on, and keep of each what is needed."""
        for at, row in enumerate(rows):
            self.leaves.append(_leaf(row))
            self.times.append(row.get("time"))
            self.places.setdefault(count_of(row.get("seq")), []).append(at)
            if str(row.get("act")).startswith(ACTS_OF_NOTE) and isinstance(row.get("fields"), Mapping):
                self.acts.append(row)
            yield row

    def of(self, act: str) -> list[Row]:
        """The rows of one act."""
        return [row for row in self.acts if row["act"] == act]

    def batch(self, first: int, last: int) -> list[int]:
        """Where rows `first` to `last` stand, in the order of the file."""
        if last - first >= len(self.leaves):  # a stranger's numbers: count no further than there are rows
            return []
        return sorted(at for seq in range(first, last + 1) for at in self.places.get(seq, ()))


def read_journals(evidence: Evidence, replay: Replay, found: Found) -> tuple[dict[str, Kept], Kept]:
    """9: each journal is whole from row 1 on; every site that ran the request has one here, and so has the study.

    Returns the sites' by name, and the study's.
    """
    kept = {site: Kept(site, journal_keeper(site)) for site in evidence.journals}
    for site, rows in evidence.journals.items():
        _read(kept[site], rows, found)
    request = evidence.request.digest
    for site in sorted({evidence.names(ran.site) for ran in replay.executions if ran.request == request}):
        if site not in evidence.journals:
            found[9].append(Finding(site, "ran the request, but its journal is not in the bundle", journal_keeper(site)))
    study = Kept("the study", f"the researcher, or {HOLDER}")
    _read(study, evidence.study, found)
    if not study.leaves:
        found[9].append(Finding(study.name, "has no journal in the bundle", study.keeper))
    return kept, study


def _read(kept: Kept, rows: Iterable[Row], found: Found) -> None:
    for problem in verify_rows(kept.watch(rows)):
        found[9].append(Finding(f"{kept.name}, row {problem.seq}", problem.message, kept.keeper))
    if kept.leaves and kept.places.get(1, [-1])[0] != 0:
        found[9].append(Finding(kept.name, "its journal does not begin with row 1", kept.keeper))


def check_anchors(
    evidence: Evidence, journals: Mapping[str, Kept], study: Kept, replay: Replay, found: Found, notes: dict[int, str]
) -> None:
    """10: each anchored batch is the next one, its Merkle root is that of the rows here, and came after them."""
    here: dict[Stream, Kept] = {site_stream(site): kept for site, kept in journals.items()}
    here[study_stream(evidence, study, replay)] = study
    last: dict[tuple[int, Stream], int] = defaultdict(int)
    for at, anchor in replay.anchors:  # a new deployment is told of all rows anew
        before = last[at, anchor.stream]
        if anchor.first != before + 1 or anchor.last < anchor.first:
            what = f"{anchor.name}: rows {anchor.first} to {anchor.last} are anchored after row {before}"
            found[10].append(Finding(anchor.where, what, OPERATOR))
        last[at, anchor.stream] = anchor.last
        if anchor.stream in here:
            _check_batch(here[anchor.stream], anchor, found)
    loose = 0
    for stream, kept in here.items():
        covered = max((to for (_, of), to in last.items() if of == stream), default=0)
        loose += sum(len(places) for seq, places in kept.places.items() if seq > covered)
        for row in kept.acts:
            vital = not str(row["act"]).startswith(("head.", "study."))
            if vital and count_of(row.get("seq")) > covered and is_of(row, evidence.request.digest):
                what = "an act that no anchor covers"
                found[10].append(Finding(f"{kept.name}, row {row.get('seq')}", what, f"{kept.name}, or the researcher"))
    notes[10] = f"{len(replay.anchors)} anchors; {loose} rows came after the last and are vouched for by nobody"


def _check_batch(kept: Kept, anchor: Anchor, found: Found) -> None:
    batch = kept.batch(anchor.first, anchor.last)
    rows = f"rows {anchor.first} to {anchor.last}"
    if len(batch) != anchor.last - anchor.first + 1:
        found[10].append(Finding(kept.name, f"{rows} were anchored, of which {len(batch)} are here", kept.keeper))
    elif merkle.root([kept.leaves[at] for at in batch]) != anchor.root.hex():
        found[10].append(Finding(kept.name, f"{rows} are not those that were anchored ({anchor.where})", kept.keeper))
    elif seconds_of(kept.times[batch[-1]]) > anchor.time + CLOCKS:
        ahead = (seconds_of(kept.times[batch[-1]]) - anchor.time) / 60
        what = f"row {anchor.last} is {ahead:.0f} minutes later than the block that anchors it: one of the clocks is wrong"
        found[10].append(Finding(kept.name, what, f"the clock of {kept.name}, or of {OPERATOR}"))


def check_proofs(evidence: Evidence, journals: Mapping[str, Kept], study: Kept, replay: Replay, found: Found) -> None:
    """10: each proof leads from a row that is here to a root that was anchored."""
    files = {f"journals/{site}.jsonl": (site_stream(site), kept) for site, kept in journals.items()}
    files["study.jsonl"] = (study_stream(evidence, study, replay), study)
    anchored = {(anchor.stream, anchor.first, anchor.last, anchor.root.hex()) for _, anchor in replay.anchors}
    for proof in evidence.proofs:
        stream, kept = files.get(proof.journal, (("", b""), study))
        rows = [kept.leaves[at].hex() for at in kept.batch(proof.seq, proof.seq)]
        if rows != [proof.leaf] or not proof.holds() or (stream, proof.first, proof.last, proof.root) not in anchored:
            what = f"the proof of row {proof.seq} of {proof.journal} does not lead from that row to an anchored root"
            found[10].append(Finding("proofs.json", what, f"the researcher, or {HOLDER}"))


def study_stream(evidence: Evidence, study: Kept, replay: Replay) -> Stream:
    """Where the study's journal is anchored: under its researcher's address, and the id in its first row."""
    asked = replay.asked.get(bytes.fromhex(evidence.request.digest))
    described = study.of("study.described")
    name = str(described[0]["fields"].get("study")) if described else ""
    return (asked.researcher if asked else "nobody", bytes_of(name))


def is_of(row: Row, request: str) -> bool:
    """Whether a journal row is about a request."""
    fields = row.get("fields")
    return isinstance(fields, Mapping) and fields.get("request") == request


def count_of(value: Any) -> int:
    """A whole number of a row, or -1 where there is none: rows are not to be trusted."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def bytes_of(text: str) -> bytes:
    """The bytes of a digest, or none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def seconds_of(time: Any) -> float:
    """Unix seconds of a row's time; later than everything where there is none."""
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except (ValueError, OverflowError):
        return float("inf")


def journal_keeper(site: str) -> str:
    """Who could have changed a journal."""
    return f"{site}, or {HOLDER}"


def _leaf(row: Row) -> bytes:
    """What stands for a row in its batch; nothing if it has no hash."""
    return bytes_of(str(row.get("hash")))
