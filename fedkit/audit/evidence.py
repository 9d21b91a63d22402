"""The evidence bundle: one folder (or zip file) with everything an outsider needs to check a study, and no notes.

manifest.json    what the bundle is, and the SHA-256 of every other file
chain.json       the deployment, the names behind the ids, and every block: header, transactions and receipts as RLP
request.json     the code request, with its source
decisions.json   the stewards' signed decisions, without the reasons given
rounds.json      the history of the study's rounds, or the questions that were asked of the warehouse
heads.json       heads of the chain that the sites counter-signed
standings.json   the standing approvals that automatic decisions rest on, if there are any
journals/SITE.jsonl   the sites' journals, a row a line
study.jsonl      the journal of the study itself
proofs.json      for each row about the request, the Merkle path to the root that was anchored
weights/DIGEST.safetensors   weights that went in or came out, if they are given: then averages are recomputed
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from eth_utils import is_address

from fedkit.audit.bundle import FORMAT, check_is_bundle, manifest, read_files, write_folder
from fedkit.audit.proofs import Proof, proofs_of
from fedkit.audit.report import plain
from fedkit.digests import canonical, digest, digest_bytes
from fedkit.errors import EvidenceError, FedkitError
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import StandingApproval
from fedkit.ledger.blocks import RawBlock, raw_block
from fedkit.ledger.contracts import NAMES
from fedkit.ledger.deployment import NOBODY, Deployment
from fedkit.ledger.events import Anchored, StudyAnchored
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.names import NameBook

if TYPE_CHECKING:
    from fedkit.ledger.ledger import Ledger

__all__ = ["Evidence", "Rows", "export", "manifest", "read"]

Row = Mapping[str, Any]


class Rows(Sequence[Row]):
    """The rows in the lines of a journal file, each parsed when it is looked at, so that many of them need little memory."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Row]:
        return map(_row, self._lines)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Row | Rows:
        return Rows(self._lines[at]) if isinstance(at, slice) else _row(self._lines[at])


@dataclass(frozen=True)
class Evidence:
    """A bundle as it was read: well-formed, and not checked yet. files: name → bytes, all but the manifest.

    deployment: the one that counts now.   earlier: those before it on this chain, oldest first.
    study: rows of the study's own journal.   heads: of the chain, as sites signed them.
    questions: digest → question, of those that were asked of the warehouse.
    """

    name: str
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    deployment: Deployment
    earlier: Sequence[Deployment]
    names: NameBook
    blocks: Sequence[RawBlock]
    request: CodeRequest
    decisions: Sequence[Decision]
    receipts: Sequence[Receipt]
    heads: Sequence[SignedHead]
    proofs: Sequence[Proof]
    study: Sequence[Row]
    journals: Mapping[str, Sequence[Row]]
    standings: Sequence[StandingApproval] = ()
    questions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """All deployments of the contracts on this chain, oldest first."""
        return (*self.earlier, self.deployment)

    @property
    def weights(self) -> Mapping[str, bytes]:
        """Digest by which a file is named → its bytes."""
        return {Path(n).stem: data for n, data in self.files.items() if n.startswith("weights/")}


def export(
    folder: Path,
    *,
    ledger: Ledger,
    journals: Mapping[str, Sequence[Row]],
    request: CodeRequest,
    study: Sequence[Row] = (),
    decisions: Sequence[Decision] = (),
    rounds: Sequence[Mapping[str, Any]] = (),
    heads: Sequence[SignedHead] = (),
    standings: Sequence[StandingApproval] = (),
    weights: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the bundle of a study to `folder`, whole or not at all, in place of an older one; returns the folder.

    journals: site → all rows from the first on.   study: the rows of the study's own journal.
    rounds:   the history; "receipts" of a row are those of its round, with the numbers that left.
    heads:    of the chain, signed by sites.   standings: what automatic decisions rest on.
    weights:  digest → safetensors bytes of what went in and came out, for averages to be computed again.
    Raises LedgerError if the chain cannot be read as bytes, StorageError if the disk refuses.
    """
    files = {
        "chain.json": canonical(_chain(ledger)),
        "request.json": canonical(request.to_json()),
        "decisions.json": canonical([replace(d, reason="").to_json() for d in decisions]),
        "rounds.json": canonical(list(rounds)),
        "heads.json": canonical([head.to_json() for head in heads]),
        "proofs.json": canonical([proof.to_json() for proof in _proofs(ledger, journals, study, request.digest)]),
        "study.jsonl": _lines(study),
    }
    files |= {f"journals/{site}.jsonl": _lines(rows) for site, rows in journals.items()}
    files |= {"standings.json": canonical([approval.to_json() for approval in standings])} if standings else {}
    files |= {f"weights/{name}.safetensors": data for name, data in (weights or {}).items()}
    return write_folder(folder, files, request.digest)


def read(bundle: Path) -> Evidence:
    """Read a bundle, a folder or a zip file of one. Raises EvidenceError if it is none, naming the file that is at fault."""
    files = read_files(bundle)
    check_is_bundle(bundle, files)
    name = "manifest.json"
    try:
        stated = json.loads(files.pop(name))
        _check_format(stated)
        name = "chain.json"
        chain = json.loads(files[name])
        deployment, earlier = _deployment(chain["deployment"]), [_deployment(row) for row in chain["earlier"]]
        blocks = [_block(row) for row in chain["blocks"]]
        names = NameBook(str(name) for name in list(chain["names"]))
        name = "request.json"
        request = _request(json.loads(files[name]))
        name = "decisions.json"
        decisions = [_decision(row) for row in json.loads(files[name])]
        name = "rounds.json"
        rounds = json.loads(files[name])
        receipts = [_receipt(row) for done in rounds for row in done.get("receipts", ())]
        questions = {digest(dict(done["question"])): dict(done["question"]) for done in rounds if "question" in done}
        name = "heads.json"
        heads = [SignedHead.from_json(row) for row in json.loads(files[name])]
        name = "standings.json"
        standings = [StandingApproval.from_json(row) for row in json.loads(files.get(name, b"[]"))]
        name = "proofs.json"
        proofs = [Proof.from_json(row) for row in json.loads(files[name])]
        name = "study.jsonl"
        study = _rows(files[name])
        journals: dict[str, Rows] = {}
        for name in sorted(n for n in files if n.startswith("journals/")):
            journals[Path(name).stem] = _rows(files[name])
    except EvidenceError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, FedkitError):
        raise EvidenceError(
            f"{plain(name)} of the bundle cannot be read",
            expected="the file as fedkit wrote it",
            got="no such file" if name != "manifest.json" and name not in files else "other content",
            help="ask for the bundle again: it was cut off or changed on its way",
        ) from None
    parts = (
        deployment,
        earlier,
        names,
        blocks,
        request,
        decisions,
        receipts,
        heads,
        proofs,
        study,
        journals,
        standings,
        questions,
    )
    return Evidence(bundle.name, files, stated, *parts)


def _proofs(ledger: Ledger, journals: Mapping[str, Sequence[Row]], study: Sequence[Row], request: str) -> Iterator[Proof]:
    """The proofs of all rows about a request that are anchored."""
    for site, rows in journals.items():
        anchors = [(e.first, e.last, e.root) for e in ledger.records(Anchored) if e.stream == site]
        yield from proofs_of(f"journals/{site}.jsonl", rows, anchors, request)
    ids = {row["fields"].get("study") for row in study if row["act"] == "study.described"}
    anchors = [(e.first, e.last, e.root) for e in ledger.records(StudyAnchored) if e.study in ids]
    yield from proofs_of("study.jsonl", study, anchors, request)


def _lines(rows: Sequence[Row]) -> bytes:
    return b"".join(canonical(row) + b"\n" for row in rows)


def _rows(data: bytes) -> Rows:
    """The rows of a journal file; every line must be an object of JSON."""
    lines = data.splitlines()
    for line in lines:
        _row(line)
    return Rows(lines)


def _row(line: bytes) -> Row:
    return dict(json.loads(line))


def _check_format(stated: Mapping[str, Any]) -> None:
    if stated["format"] != FORMAT:
        raise EvidenceError(
            "the bundle is of another format",
            expected=FORMAT,
            got=str(stated["format"])[:40],
            help="use the fedkit that wrote it, or a newer one",
        )
    if not all(isinstance(value, str) for value in (stated["request"], *dict(stated["files"]).values())):
        raise ValueError("not a manifest")


def _chain(ledger: Ledger) -> dict[str, Any]:
    from fedkit.ledger.succession import earlier  # who reads a bundle needs no ledger

    chain, blocks = ledger.chain, []
    for number in range(chain.head().number + 1):
        block = chain.block(number, full=True)
        raw = raw_block(block, [chain.receipt(t["hash"]) or {} for t in block["transactions"]])
        rows = {"transactions": raw.transactions, "receipts": raw.receipts}
        blocks.append({"header": raw.header.hex()} | {k: [r.hex() for r in v] for k, v in rows.items()})
    return {
        "deployment": asdict(ledger.deployment),
        "earlier": [asdict(deployment) for deployment in earlier(ledger.folder)],
        "names": sorted(ledger.names.names),
        "blocks": blocks,
    }


def _deployment(row: Mapping[str, Any]) -> Deployment:
    contracts = {name: str(row["contracts"][name]) for name in NAMES}
    before = str(row.get("predecessor", NOBODY))
    found = Deployment(int(row["chain_id"]), str(row["genesis"]), str(row["deployer"]), int(row["nonce"]), contracts, before)
    if not all(is_address(a) for a in (found.deployer, before, *contracts.values())) or not 0 <= found.chain_id < 2**64:
        raise ValueError("not a deployment")
    return found


def _request(row: Mapping[str, Any]) -> CodeRequest:
    found = CodeRequest.from_json({**row, "settings": dict(row["settings"].items())})
    digest_bytes(canonical([found.digest, found.permit.to_json()]))  # fails here, not later, if something has no JSON
    return found


def _decision(row: Mapping[str, Any]) -> Decision:
    """The decision in a row, its fields made the types they should have: what is of another kind matches nothing."""
    texts = {k: str(row[k]) for k in ("request", "site", "reason", "reason_digest", "steward", "signature")}
    return Decision(approved=row["approved"] is True, rounds=int(row["rounds"]), expires=int(row["expires"]), **texts)


def _receipt(row: Mapping[str, Any]) -> Receipt:
    names = ("request", "site", "entry", "inputs", "outputs", "numbers_digest", "signature")
    numbers = {str(name): float(value) for name, value in row["numbers"].items()}
    return Receipt(round=int(row["round"]), numbers=numbers, salt=str(row.get("salt", "")), **{k: str(row[k]) for k in names})


def _block(row: Mapping[str, Any]) -> RawBlock:
    transactions, receipts = (tuple(bytes.fromhex(item) for item in row[key]) for key in ("transactions", "receipts"))
    return RawBlock(bytes.fromhex(row["header"]), transactions, receipts)
