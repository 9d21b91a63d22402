"""Forgeries of a bundle, by somebody who knows the format: each is found by a check, which the demo shows and the tests assert.

Every forger here also writes the manifest anew, so that check 1 says nothing and the others must.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rlp

from fedkit.audit.evidence import manifest
from fedkit.digests import canonical, digest, digest_bytes
from fedkit.errors import ConfigurationError, EvidenceError
from fedkit.ledger.contracts import contract
from fedkit.ledger.rows import row_hash


def forge(bundle: Path, kind: str) -> str:
    """Change a bundle (a folder; give a copy) in one of the ways of `KINDS`; returns what was done, in a few words.

    Raises ConfigurationError for another kind, EvidenceError if the bundle has nothing of that kind to forge.
    """
    if kind not in KINDS:
        raise ConfigurationError("no such forgery", expected=f"one of {', '.join(KINDS)}", got=kind)
    what = KINDS[kind](bundle)
    if kind != "file":
        files = {p.relative_to(bundle).as_posix(): p.read_bytes() for p in sorted(bundle.rglob("*")) if p.is_file()}
        stated = json.loads(files.pop("manifest.json"))
        (bundle / "manifest.json").write_bytes(canonical({**manifest(files, stated["request"])}))
    return what


def _file(bundle: Path) -> str:
    path, row = bundle / "request.json", json.loads((bundle / "request.json").read_bytes())
    path.write_bytes(canonical({**row, "title": "Another title"}))
    return "the request's title changed, and nothing else"


def _journal_row(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    rows[at]["fields"]["outputs"] = digest("weights that no site computed")
    _write(path, rows)
    return f"{path.stem}'s journal, row {rows[at]['seq']}: other weights than the site computed"


def _journal_chain(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    rows[at]["fields"]["outputs"] = digest("weights that no site computed")
    _write(path, _chained(rows))
    return f"{path.stem}'s journal, row {rows[at]['seq']} changed, and its hash chain computed anew"


def _dropped_row(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    seq = rows.pop(at)["seq"]
    _write(path, rows)
    return f"{path.stem}'s journal, row {seq} taken out"


def _renumbered(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    seq = rows.pop(at)["seq"]
    _write(path, _chained([{**row, "seq": i} for i, row in enumerate(rows, 1)]))
    return f"{path.stem}'s journal, row {seq} taken out, the others renumbered and chained anew"


def _dropped_tail(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    _write(path, rows[:at])
    return f"{path.stem}'s journal cut off before row {rows[at]['seq']}"


def _swapped_rows(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    rows[at - 1], rows[at] = rows[at], rows[at - 1]
    _write(path, rows)
    return f"{path.stem}'s journal, rows {rows[at]['seq']} and {rows[at - 1]['seq']} swapped"


def _backdated(bundle: Path) -> str:
    path, rows, at = _executed(bundle)
    rows[at]["time"] = rows[0]["time"]
    _write(path, _chained(rows))
    return f"{path.stem}'s journal, row {rows[at]['seq']} backdated, and its hash chain computed anew"


def _journal_gone(bundle: Path) -> str:
    path, _, _ = _executed(bundle)
    path.unlink()
    return f"{path.stem}'s journal left out"


def _model(bundle: Path) -> str:
    def other(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "model": bytes.fromhex(digest("another model"))}

    block = _rewrite_call(bundle, "Rounds", "release", other)
    return f"block {block}: another model released than the rounds gave"


def _decision(bundle: Path) -> str:
    def more(values: dict[str, Any]) -> dict[str, Any]:
        decision = list(values["decision"])
        decision[3] += 1000  # rounds
        return {**values, "decision": tuple(decision)}

    block = _rewrite_call(bundle, "Requests", "decideBySig", more)
    return f"block {block}: a thousand rounds more than the steward signed for"


def _receipt(bundle: Path) -> str:
    def other(values: dict[str, Any]) -> dict[str, Any]:
        site, inputs, _, numbers, signature = values["receipts"][0]
        changed = (site, inputs, bytes.fromhex(digest("weights that no site computed")), numbers, signature)
        return {**values, "receipts": (changed, *values["receipts"][1:])}

    block = _rewrite_call(bundle, "Rounds", "recordRound", other)
    return f"block {block}: a receipt with other weights than the site signed for"


def _block_gone(bundle: Path) -> str:
    chain = json.loads((bundle / "chain.json").read_bytes())
    gone = len(chain["blocks"]) // 2
    del chain["blocks"][gone]
    (bundle / "chain.json").write_bytes(canonical(chain))
    return f"block {gone} taken out"


def _source(bundle: Path) -> str:
    row = json.loads((bundle / "request.json").read_bytes())
    row["source"] += "\n# one more line\n"
    (bundle / "request.json").write_bytes(canonical(row))
    return "the request's source, one line more than was approved"


def _signed_head(bundle: Path) -> str:
    path = bundle / "heads.json"
    heads = json.loads(path.read_bytes())
    if not heads:
        raise EvidenceError("there is nothing to forge", expected="a head that a site signed", got="none")
    heads[-1]["hash"] = "0x" + digest("another chain")
    path.write_bytes(canonical(heads))
    return f"the head that {heads[-1]['site']} signed last: of another chain"


def _study_journal(bundle: Path) -> str:
    path = bundle / "study.jsonl"
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    at = next((at for at, row in enumerate(rows) if row["act"] == "model.released"), None)
    if at is None:
        raise EvidenceError("there is nothing to forge", expected="a release in the study's journal", got="none")
    rows[at]["fields"]["weights"] = digest("another model")
    _write(path, _chained(rows))
    return f"the study's journal, row {rows[at]['seq']}: another model released, and its hash chain computed anew"


def _contract(bundle: Path) -> str:
    chain = json.loads((bundle / "chain.json").read_bytes())
    chain["deployment"]["contracts"]["Rounds"] = "0x" + "99" * 20
    (bundle / "chain.json").write_bytes(canonical(chain))
    return "the contract for rounds is said to be at another address"


#: kind → what does it. "file" leaves the manifest as it was, all others write it anew.
KINDS: Mapping[str, Callable[[Path], str]] = {
    "file": _file,
    "journal-row": _journal_row,
    "journal-chain": _journal_chain,
    "dropped-row": _dropped_row,
    "renumbered": _renumbered,
    "dropped-tail": _dropped_tail,
    "swapped-rows": _swapped_rows,
    "backdated": _backdated,
    "journal-gone": _journal_gone,
    "model": _model,
    "decision": _decision,
    "receipt": _receipt,
    "block-gone": _block_gone,
    "source": _source,
    "signed-head": _signed_head,
    "study-journal": _study_journal,
    "contract": _contract,
}


def _executed(bundle: Path) -> tuple[Path, list[dict[str, Any]], int]:
    """The first journal with an execution of the bundle's request: its file, its rows, and where the execution stands."""
    request = digest_bytes(canonical(json.loads((bundle / "request.json").read_bytes())))
    for path in sorted(bundle.glob("journals/*.jsonl")):
        rows = [json.loads(line) for line in path.read_bytes().splitlines()]
        for at, row in enumerate(rows):
            if row["act"] == "execution.finished" and row["fields"]["request"] == request:
                return path, rows, at
    raise EvidenceError("there is nothing to forge", expected="a journal with an execution of the request", got="none")


def _chained(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose hashes were computed anew, as a forger who has read our code would."""
    previous = rows[0]["previous"]
    for row in rows:
        row["previous"] = previous
        row["hash"] = previous = row_hash(row)
    return rows


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes(b"".join(canonical(row) + b"\n" for row in rows))


def _rewrite_call(bundle: Path, name: str, function: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """Change the last call of a function in the chain's bytes, leaving its signature; returns the number of its block."""
    chain = json.loads((bundle / "chain.json").read_bytes())
    of = contract(name)
    for number in range(len(chain["blocks"]) - 1, 0, -1):
        for at, text in enumerate(chain["blocks"][number]["transactions"]):
            fields = rlp.decode(bytes.fromhex(text))
            if fields[5][:4] != of.functions[function].key:
                continue
            _, values = of.read_call(fields[5])
            fields[5] = of.call(function, *change(values).values())
            chain["blocks"][number]["transactions"][at] = rlp.encode(fields).hex()
            (bundle / "chain.json").write_bytes(canonical(chain))
            return number
    raise EvidenceError("there is nothing to forge", expected=f"a call of {function} on the chain", got="none")
