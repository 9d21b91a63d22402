"""A site's warehouse in memory, for tests of what happens between sites: how fast it is, and whether it fails, is the test's.

Everything else of a site in these tests is real: gate, PySyft, approval, budget, journal, receipt, masks.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fedkit.errors import ExecutionFailed
from fedkit.warehouse.question import Asked, Question


class MemoryTables:
    """patients: sex → how many persons of it. Answers counts, sums and means by sex, or of all; conditions it ignores.

    answered: how many questions were computed.   broken: fail instead.   gate: wait for it before answering.
    """

    def __init__(self, patients: Mapping[str, int]) -> None:
        self.patients, self.answered, self.broken = patients, 0, False
        self.gate = threading.Event()
        self.gate.set()

    def sql(self, question: Asked) -> str:
        return "SELECT COUNT(*) AS persons FROM patients"

    def rows(self, question: Question, call: Any) -> Sequence[Mapping[str, Any]]:
        if self.broken:
            raise ExecutionFailed("the question ended without an answer", got="a failure")
        assert self.gate.wait(60)
        self.answered += 1
        if not question.groups:
            return [self._row(question, sum(self.patients.values()))]
        (group,) = question.groups
        return [{group.column: sex, **self._row(question, self.patients[sex])} for sex in self.patients]

    def _row(self, question: Question, persons: int) -> dict[str, int]:
        """Every patient has 3 notes."""
        of = {"sum": 3, "squares": 9}
        return {part: persons * of.get(part.partition("_")[0], 1) for part in question.parts}

    def frame(self, frame: Any, call: Any) -> Mapping[str, np.ndarray]:
        raise ExecutionFailed("this warehouse has no columns")

    def close(self) -> None:
        self.gate.set()
