"""What a data request keeps of each question, in its folder: `questions/0001.json`, and what the sites gave in `answers/`.

A question gets its number before any site is asked, and each receipt is written when it comes. So after a crash the same call
goes on: a site gives the same receipt again and charges nothing, and a number never stands for two questions.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fedkit.digests import digest_bytes, short
from fedkit.errors import ConfigurationError, DigestMismatch
from fedkit.governance.decision import NOTHING, Receipt
from fedkit.results.base import Answer
from fedkit.storage import write_whole
from fedkit.study.runs import RunFolder
from fedkit.warehouse.question import Asked
from fedkit.warehouse.question import from_json as question_from_json


@dataclass(frozen=True)
class Record:
    """One question of a data request.

    asked:    the sites that it was sent to.   receipts: what came of it, a receipt a site, in the order in which they came.
    missing:  site → why it gave nothing, of all sites.   late: of these, sites that may still answer: they were asked, and did
        not say in time what became of it.
    total, summed: of a pooled question, the sum and the sites in it, once it was opened.
    recorded: the sites whose receipts stand on the ledger under its number.
    closed:   whether it is on the ledger, or will never be: nothing of it changes any more.
    """

    number: int
    question: Asked
    asked: tuple[str, ...]
    receipts: tuple[Receipt, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    late: tuple[str, ...] = ()
    total: tuple[int, ...] | None = None
    summed: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    closed: bool = False

    @property
    def answered(self) -> tuple[str, ...]:
        """The sites that gave an answer."""
        return tuple(receipt.site for receipt in self.receipts)

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "question": self.question.to_json(),
            "asked": list(self.asked),
            "receipts": [receipt.to_json() for receipt in self.receipts],
            "missing": dict(self.missing),
            "late": list(self.late),
            "total": None if self.total is None else list(self.total),
            "summed": list(self.summed),
            "recorded": list(self.recorded),
            "closed": self.closed,
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Record:
        """Raises ConfigurationError for anything else than `to_json` makes."""
        try:
            return Record(
                int(row["number"]),
                question_from_json(row["question"]),
                tuple(row["asked"]),
                tuple(Receipt.from_json(r) for r in row["receipts"]),
                dict(row["missing"]),
                tuple(row["late"]),
                None if row["total"] is None else tuple(int(value) for value in row["total"]),
                tuple(row["summed"]),
                tuple(row["recorded"]),
                bool(row["closed"]),
            )
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError(
                "a question in the folder is damaged",
                expected="the JSON that fedkit wrote",
                got="something else",
                help="restore the folder from a backup, or open a new data request in another one",
            ) from None


class Records:
    """The questions of one data request. Safe for the threads of its sites."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = RunFolder(folder.path / "questions")
        self._answers = folder.path / "answers"
        self._lock = threading.Lock()

    def all(self) -> list[Record]:
        """Every question that got a number, in order."""
        names = sorted(path.stem for path in self._folder.path.glob("[0-9]*.json"))
        return [Record.from_json(self._folder.read(name)) for name in names]

    def read(self, number: int) -> Record | None:
        row = self._folder.read(f"{number:04d}")
        return None if row is None else Record.from_json(row)

    def write(self, record: Record) -> None:
        with self._lock:
            self._folder.write(f"{record.number:04d}", record.to_json())

    def take(self, number: int, receipt: Receipt, data: bytes | None) -> None:
        """Keep what a site gave: the bytes before the receipt that names them. A receipt that is there is not added again.

        Raises DigestMismatch if they are not what the receipt says, and keeps neither.
        """
        if problems := Answer(receipt, data).problems():
            raise DigestMismatch(f"{receipt.site}: {problems[0]}", expected="what the receipt says", got="something else")
        if data is not None:
            self._answers.mkdir(exist_ok=True)
            write_whole(self._answers / f"{receipt.outputs}.safetensors", data, mode=0o666)
        with self._lock:
            record = self.read(number)
            assert record is not None
            if receipt.site not in record.answered:
                added = replace(record, receipts=(*record.receipts, receipt))
                self._folder.write(f"{number:04d}", added.to_json())

    def answers(self, record: Record, order: Mapping[str, Any]) -> dict[str, Answer]:
        """Site → what it gave, in the federation's order. Raises DigestMismatch if a file is not what its receipt names."""
        found = {receipt.site: Answer(receipt, self._data(receipt)) for receipt in record.receipts}
        return {site: found[site] for site in order if site in found}

    def _data(self, receipt: Receipt) -> bytes | None:
        if receipt.outputs == NOTHING:
            return None
        try:
            data = (self._answers / f"{receipt.outputs}.safetensors").read_bytes()
        except FileNotFoundError:
            data = b""
        if digest_bytes(data) != receipt.outputs:
            raise DigestMismatch(
                f"the answer of {receipt.site} in the folder is not what its receipt names",
                expected=short(receipt.outputs),
                got="another file, or none",
                help="restore the folder from a backup",
            )
        return data
