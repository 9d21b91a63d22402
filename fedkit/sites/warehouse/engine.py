"""The seam between what answers questions and the tables that it is answered from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fedkit.sites.turns import Call
from fedkit.warehouse.question import Asked, Question
from fedkit.warehouse.statistics.frames import Columns, Frame


class Engine(Protocol):
    """The warehouse of one site: views over its tables, behind a connection that opens no file, no network and no extension.

    Both readings end when `call` is cancelled, and raise ExecutionFailed when time or memory run out; neither repeats a value
    that it read.
    """

    def sql(self, question: Asked) -> str:
        """What would run, for people to read."""

    def rows(self, question: Question, call: Call) -> Sequence[Mapping[str, Any]]:
        """The rows of `fedkit.warehouse.render.rows`: groups by name, `question.parts`, `question.kept`; nothing is hidden."""

    def frame(self, frame: Frame, call: Call) -> Columns:
        """The columns that a statistic reads, one value for each row that meets its condition. They stay at the site."""

    def close(self) -> None:
        """Let the tables go."""
