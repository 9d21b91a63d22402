"""Proofs that single rows are in a journal that was anchored: each can be checked by itself, without the other rows.

Whoever may see one row, and not the whole journal of a site, is given the row, its proof and the anchor's block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fedkit.ledger import merkle


@dataclass(frozen=True)
class Proof:
    """That row `seq` of a journal (its file in the bundle) is one of the rows `first` to `last` whose Merkle root was anchored.

    leaf: the row's hash; root: the anchored root; path: hashes from the leaf to the root (64 hex characters each).
    """

    journal: str
    seq: int
    leaf: str
    first: int
    last: int
    root: str
    path: tuple[str, ...]

    def holds(self) -> bool:
        """Whether the path leads from the leaf to the root (RFC 9162, section 2.1.3.2)."""
        try:
            leaf = bytes.fromhex(self.leaf)
        except ValueError:
            return False
        return merkle.verify(leaf, self.seq - self.first, self.last - self.first + 1, self.path, self.root)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": list(self.path)}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Proof:
        """Raises KeyError, TypeError or ValueError for anything else."""
        seq, first, last = (int(row[name]) for name in ("seq", "first", "last"))
        journal, leaf, root = (str(row[name]) for name in ("journal", "leaf", "root"))
        return Proof(journal, seq, leaf, first, last, root, tuple(str(step) for step in list(row["path"])))


def proofs_of(
    journal: str, rows: Sequence[Mapping[str, Any]], anchors: Sequence[tuple[int, int, str]], request: str
) -> Iterator[Proof]:
    """The proofs of those rows of a journal (from row 1 on) that are about a request.

    anchors: (first, last, root) of each batch that is on the ledger. A row that no anchor covers has no proof.
    """
    wanted = [row["seq"] for row in rows if row["fields"].get("request") == request]
    for first, last, root in anchors:
        inside = [seq for seq in wanted if first <= seq <= last]
        if inside and last <= len(rows):
            leaves = [bytes.fromhex(row["hash"]) for row in rows[first - 1 : last]]
            for seq, path in zip(inside, merkle.proofs(leaves, [seq - first for seq in inside]), strict=True):
                yield Proof(journal, seq, rows[seq - 1]["hash"], first, last, root, tuple(path))
