"""Acts without contracts, for tests of the chain alone: a transaction is a few bytes for an address where nothing is."""

from __future__ import annotations

from itertools import pairwise

from eth_keys import keys

from fedkit.ledger.chain import Chain
from fedkit.ledger.transactions import sign_transaction

KEY = b"\1" * 32
SENDER = keys.PrivateKey(KEY).public_key.to_checksum_address()
NOWHERE = "0x" + "22" * 20


def raw(
    chain: Chain, nonce: int, *, to: str | None = NOWHERE, data: bytes = b"", gas: int = 100_000, chain_id: int | None = None
) -> bytes:
    """The transaction number `nonce` of `SENDER`."""
    return sign_transaction(KEY, chain_id=chain_id or chain.chain_id, nonce=nonce, to=to, data=data, gas=gas)


def act(chain: Chain, count: int = 1) -> int:
    """Send the next transactions of `SENDER`, each in a block of its own; returns the number of the last block."""
    for _ in range(count):
        receipts = chain.send([raw(chain, chain.nonce(SENDER))])
    return int(receipts[-1]["blockNumber"], 16)


def hashes(chain: Chain) -> list[str]:
    """The hash of every block; fails if one does not point to the one before it."""
    blocks = [chain.block(n) for n in range(chain.head().number + 1)]
    assert all(b["parentHash"] == a["hash"] for a, b in pairwise(blocks))
    return [block["hash"] for block in blocks]
