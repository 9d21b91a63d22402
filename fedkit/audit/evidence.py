"""The evidence bundle: one folder (or zip file) with everything an outsider needs to check a study, and no notes.

manifest.json    what the bundle is, and the SHA-256 of every other file
chain.json       the deployment, the names behind the ids, and every block: header, transactions and receipts as RLP
request.json     the code request, with its source
decisions.json   the stewards' signed decisions, without the reasons given
rounds.json      the history of the study's rounds
journals/SITE.jsonl   the sites' journals, a row a line
weights/DIGEST.safetensors   weights that went in or came out, if they are given: then averages are recomputed
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_utils import is_address

from fedkit import __version__
from fedkit.digests import canonical, digest_bytes
from fedkit.errors import EvidenceError, FedkitError, StorageError
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.ledger.blocks import RawBlock, raw_block
from fedkit.ledger.contracts import NAMES
from fedkit.ledger.deployment import NOBODY, Deployment
from fedkit.ledger.names import NameBook

if TYPE_CHECKING:
    from fedkit.ledger.ledger import Ledger

FORMAT = "fedkit evidence 1"


@dataclass(frozen=True)
class Evidence:
    """A bundle as it was read: well-formed, and not checked yet. files: name → bytes, all but the manifest."""

    name: str
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]
    deployment: Deployment
    names: NameBook
    blocks: Sequence[RawBlock]
    request: CodeRequest
    decisions: Sequence[Decision]
    receipts: Sequence[Receipt]
    journals: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def weights(self) -> Mapping[str, bytes]:
        """Digest by which a file is named → its bytes."""
        return {Path(n).stem: data for n, data in self.files.items() if n.startswith("weights/")}


def export(
    folder: Path,
    *,
    ledger: Ledger,
    journals: Mapping[str, Sequence[Mapping[str, Any]]],
    request: CodeRequest,
    decisions: Sequence[Decision] = (),
    rounds: Sequence[Mapping[str, Any]] = (),
    weights: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the bundle of a study to `folder`, whole or not at all, in place of an older one; returns the folder.

    journals: site → all rows from the first on.
    rounds:   the history; "receipts" of a row are those of its round, with the numbers that left.
    weights:  digest → safetensors bytes of what went in and came out, for averages to be computed again.
    Raises LedgerError if the chain cannot be read as bytes, StorageError if the disk refuses.
    """
    files = {
        "chain.json": canonical(_chain(ledger)),
        "request.json": canonical(request.to_json()),
        "decisions.json": canonical([replace(d, reason="").to_json() for d in decisions]),
        "rounds.json": canonical(list(rounds)),
    }
    files |= {f"journals/{site}.jsonl": b"".join(canonical(row) + b"\n" for row in rows) for site, rows in journals.items()}
    files |= {f"weights/{name}.safetensors": data for name, data in (weights or {}).items()}
    part, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    try:
        shutil.rmtree(part, ignore_errors=True)
        for name, data in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_bytes(data)
        (part / "manifest.json").write_bytes(canonical(manifest(files, request.digest)))
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StorageError(
            "the evidence cannot be written", expected="a writable folder with free space", got=str(error.strerror)
        ) from None
    return folder


def manifest(files: Mapping[str, bytes], request: str) -> dict[str, Any]:
    """What manifest.json says about files."""
    digests = {name: digest_bytes(data) for name, data in sorted(files.items())}
    return {"format": FORMAT, "fedkit": __version__, "request": request, "files": digests}


def read(bundle: Path) -> Evidence:
    """Read a bundle, a folder or a zip file of one. Raises EvidenceError if it is none, naming the file that is at fault."""
    files = _files(bundle)
    if "manifest.json" not in files:
        raise EvidenceError(
            f"{bundle.name} is no evidence bundle",
            expected="a folder or zip file with manifest.json",
            got="none in it",
            help="give the folder evidence/ of a run",
        )
    name = "manifest.json"
    try:
        stated = json.loads(files.pop(name))
        _check_format(stated)
        name = "chain.json"
        chain = json.loads(files[name])
        deployment = _deployment(chain["deployment"])
        blocks = [_block(row) for row in chain["blocks"]]
        names = NameBook(str(name) for name in list(chain["names"]))
        name = "request.json"
        request = _request(json.loads(files[name]))
        name = "decisions.json"
        decisions = [_decision(row) for row in json.loads(files[name])]
        name = "rounds.json"
        receipts = [_receipt(row) for done in json.loads(files[name]) for row in done.get("receipts", ())]
        journals: dict[str, list[Any]] = {}
        for name in sorted(n for n in files if n.startswith("journals/")):
            journals[Path(name).stem] = [dict(json.loads(line)) for line in files[name].splitlines()]
    except EvidenceError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, FedkitError):
        raise EvidenceError(
            f"{name} of the bundle cannot be read",
            expected="the file as fedkit wrote it",
            got="no such file" if name != "manifest.json" and name not in files else "other content",
            help="ask for the bundle again: it was cut off or changed on its way",
        ) from None
    return Evidence(bundle.name, files, stated, deployment, names, blocks, request, decisions, receipts, journals)


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
    chain, blocks = ledger.chain, []
    for number in range(chain.head().number + 1):
        block = chain.block(number, full=True)
        raw = raw_block(block, [chain.receipt(t["hash"]) or {} for t in block["transactions"]])
        rows = {"transactions": raw.transactions, "receipts": raw.receipts}
        blocks.append({"header": raw.header.hex()} | {k: [r.hex() for r in v] for k, v in rows.items()})
    return {"deployment": asdict(ledger.deployment), "names": sorted(ledger.names.names), "blocks": blocks}


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
    return Receipt(round=int(row["round"]), numbers=numbers, **{k: str(row[k]) for k in names})


def _block(row: Mapping[str, Any]) -> RawBlock:
    transactions, receipts = (tuple(bytes.fromhex(item) for item in row[key]) for key in ("transactions", "receipts"))
    return RawBlock(bytes.fromhex(row["header"]), transactions, receipts)


def _files(bundle: Path) -> dict[str, bytes]:
    try:
        if bundle.is_dir():
            return {p.relative_to(bundle).as_posix(): p.read_bytes() for p in sorted(bundle.rglob("*")) if p.is_file()}
        with zipfile.ZipFile(bundle) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/")]
            top = next((n.removesuffix("manifest.json") for n in sorted(names, key=len) if n.endswith("manifest.json")), "")
            return {n.removeprefix(top): archive.read(n) for n in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise EvidenceError(
            f"{bundle.name} cannot be read as a bundle",
            expected="a folder or zip file",
            got="nothing there" if isinstance(error, FileNotFoundError) else type(error).__name__,
            help="give the folder evidence/ of a run",
        ) from None
