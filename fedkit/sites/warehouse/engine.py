"""The seam between what answers questions and the tables that it is answered from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fedkit.sites.turns import Call
from fedkit.warehouse.question import Asked, Question


class Engine(Protocol):
    """The warehouse of one site: views over its tables, behind a connection that opens no file, no network and no extension.

    Both readings end when `call` is cancelled, and raise ExecutionFailed when time or memory run out; neither repeats a value
    that it read.
    """

    def sql(self, question: Asked) -> str:
        """What would run, for people to read."""

    def rows(self, question: Question, call: Call) -> Sequence[Mapping[str, Any]]:
        """A row for each group that is there: its groups by name, then `question.parts`; nothing hidden, nothing rounded."""

    def columns(self, question: Asked, call: Call) -> Mapping[str, np.ndarray]:
        """The columns that a statistic needs, one value for each row that meets its condition. They stay at the site."""
