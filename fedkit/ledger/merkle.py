"""A Merkle tree over leaves: one root stands for any number of rows, and a short proof shows that a row is among them.

The tree of RFC 6962, section 2.1, with SHA-256: a leaf is hashed behind a 0x00 byte, a node behind 0x01, so that no node can
be passed off as a leaf. A tree of n leaves splits at the largest power of two below n; nothing is duplicated to fill it up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> str:
    """The root (64 hex characters) over the leaves in order. Of no leaves it is SHA-256 of nothing, as the RFC says."""
    if not leaves:
        return hashlib.sha256(b"").hexdigest()
    return _levels(leaves)[-1][0].hex()


def proof(leaves: Sequence[bytes], index: int) -> list[str]:
    """The hashes (64 hex characters each, lowest first) that lead from leaf `index`, counted from 0, to the root.

    At most ceil(log2 n) of them. Raises IndexError if there is no such leaf.
    """
    return proofs(leaves, [index])[0]


def proofs(leaves: Sequence[bytes], indexes: Sequence[int]) -> list[list[str]]:
    """The proofs of several leaves of one tree, which is hashed once. Raises IndexError if one is not there."""
    levels = _levels(leaves)
    return [_path(levels, index) for index in indexes]


def verify(leaf: bytes, index: int, size: int, path: Sequence[str], expected: str) -> bool:
    """Whether `leaf` stands at `index` of a tree of `size` leaves with root `expected` (RFC 9162, section 2.1.3.2).

    False, never an error, for a malformed proof: it comes from elsewhere.
    """
    if not 0 <= index < size:
        return False
    position, last, value = index, size - 1, leaf_hash(leaf)
    for text in path:
        try:
            sibling = bytes.fromhex(text)
        except (ValueError, TypeError):
            return False
        if last == 0 or len(sibling) != 32:
            return False
        if position % 2 or position == last:
            value = node_hash(sibling, value)
            # A last leaf without a neighbour was carried up unchanged: skip the levels it stood alone on.
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            value = node_hash(value, sibling)
        position, last = position // 2, last // 2
    return last == 0 and value.hex() == expected


def _path(levels: Sequence[Sequence[bytes]], index: int) -> list[str]:
    if not 0 <= index < len(levels[0]):
        raise IndexError(f"no leaf {index} among {len(levels[0])}")
    path: list[str] = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling].hex())
        index //= 2
    return path


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels, leaves first. A level of odd length carries its last hash up, which gives exactly the RFC's splits."""
    levels = [[leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(above) * 2 :])
    return levels
