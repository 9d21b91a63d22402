"""The hands of forgers: changing a bundle as somebody would who knows the format, runs the chain, or holds keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rlp
from eth_utils import keccak
from ledger_world import World

from fedkit.audit.evidence import manifest
from fedkit.digests import canonical
from fedkit.ledger.contracts import contract
from fedkit.ledger.deployment import GAS
from fedkit.ledger.rows import row_hash
from fedkit.ledger.transactions import trie_root

Block = dict[str, Any]
Row = dict[str, Any]


def rewritten(bundle: Path, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON or JSONL file of a bundle, and write the manifest anew."""
    path = bundle / name
    if name.endswith(".jsonl"):
        rows = change([json.loads(line) for line in path.read_bytes().splitlines()])
        path.write_bytes(b"".join(canonical(row) + b"\n" for row in rows))
    else:
        path.write_bytes(canonical(change(json.loads(path.read_bytes()))))
    files = {p.relative_to(bundle).as_posix(): p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    stated = json.loads(files.pop("manifest.json"))
    (bundle / "manifest.json").write_bytes(canonical(manifest(files, stated["request"])))


def inserted(rows: list[dict[str, Any]], act: str, **fields: Any) -> list[dict[str, Any]]:
    """Rows with a forged one at the end, chained as it should be."""
    row = {"seq": rows[-1]["seq"] + 1, "time": rows[-1]["time"], "actor": "ada", "act": act, "fields": fields}
    row["previous"] = rows[-1]["hash"]
    return [*rows, {**row, "hash": row_hash(row)}]


def relinked(blocks: list[Block]) -> list[Block]:
    """Blocks whose headers commit to what is in them now, each to the one before it."""
    parent = None
    for number, block in enumerate(blocks):
        fields = rlp.decode(bytes.fromhex(block["header"]))
        fields[0] = parent or fields[0]
        fields[4], fields[5] = (trie_root([bytes.fromhex(x) for x in block[k]]) for k in ("transactions", "receipts"))
        fields[8] = number.to_bytes(8).lstrip(b"\0")
        header = rlp.encode(fields)
        block["header"], parent = header.hex(), keccak(header)
    return blocks


def chain_rewritten(bundle: Path, change: Callable[[list[Block]], list[Block]]) -> None:
    rewritten(bundle, "chain.json", lambda chain: {**chain, "blocks": relinked(change(chain["blocks"]))})


def find_call(blocks: list[Block], name: str, function: str) -> tuple[int, int]:
    key = contract(name).functions[function].key
    for number in range(len(blocks) - 1, 0, -1):
        for at, raw in enumerate(blocks[number]["transactions"]):
            if rlp.decode(bytes.fromhex(raw))[5][:4] == key:
                return number, at
    raise AssertionError(function)


def call_again(
    world: World,
    actor: str,
    blocks: list[Block],
    name: str,
    function: str,
    change: Callable[[Any], Any],
    at: tuple[int, int] | None = None,
) -> None:
    """Replace a call by another one that `actor` signs, and put the same words into its record. at: where, else the last."""
    number, index = at or find_call(blocks, name, function)
    old = rlp.decode(bytes.fromhex(blocks[number]["transactions"][index]))
    _, given = contract(name).read_call(old[5])
    before = [v for v in given.values() if isinstance(v, bytes)]
    changed = change(dict(given))
    after = [v for v in changed.values() if isinstance(v, bytes)]
    raw = world.keys.sign_transaction(
        actor,
        chain_id=world.ledger.chain.chain_id,
        nonce=int.from_bytes(old[0]),
        to=world.ledger.deployment.contracts[name],
        data=contract(name).call(function, *changed.values()),
        gas=GAS,
    )
    receipt = bytes.fromhex(blocks[number]["receipts"][index])
    for one, other in zip(before, after, strict=True):
        receipt = receipt.replace(one, other)
    blocks[number]["transactions"][index], blocks[number]["receipts"][index] = raw.hex(), receipt.hex()


def later(blocks: list[Block]) -> list[Block]:
    """The last block says that it was made a minute later."""
    fields = rlp.decode(bytes.fromhex(blocks[-1]["header"]))
    fields[11] = (int.from_bytes(fields[11]) + 60).to_bytes(8).lstrip(b"\0")
    blocks[-1]["header"] = rlp.encode(fields).hex()
    return blocks


def chained(rows: list[Row]) -> list[Row]:
    """Rows whose hashes were computed anew."""
    previous = rows[0]["previous"]
    for row in rows:
        row["previous"] = previous
        row["hash"] = previous = row_hash(row)
    return rows


def call_before(
    world: World, actor: str, blocks: list[Block], place: tuple[int, int], name: str, function: str, *given: Any
) -> None:
    """Put a call that `actor` signs into a block, before the transaction at a place; its receipt says it went through."""
    number, at = place
    raw = world.keys.sign_transaction(
        actor,
        chain_id=world.ledger.chain.chain_id,
        nonce=world.ledger.chain.nonce(world.keys.address(actor)),
        to=world.ledger.deployment.contracts[name],
        data=contract(name).call(function, *given),
        gas=GAS,
    )
    blocks[number]["transactions"].insert(at, raw.hex())
    blocks[number]["receipts"].insert(at, rlp.encode([b"\1", b"\1", bytes(256), []]).hex())
