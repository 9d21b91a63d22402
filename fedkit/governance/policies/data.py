"""On how much data: a data set of a few persons says too much about each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fedkit.errors import AccessRefused
from fedkit.governance.policies.base import Context, Policy


@dataclass(frozen=True)
class MinimumPatients(Policy):
    """The data set is of at least so many distinct persons. least: how many."""

    aspect: ClassVar[str] = "what"

    least: int

    def submits(self, context: Context) -> None:
        self.admits(context)

    def admits(self, context: Context) -> None:
        if context.patients is None:
            raise AccessRefused(
                "the data set does not say which notes are of one person",
                expected=f"notes with patient ids, of at least {self.least} persons",
                got="notes without",
                help="the site imports its notes with pseudonymous patient ids",
            )
        if context.patients < self.least:
            raise AccessRefused(
                "the data set is of too few persons",
                expected=f"at least {self.least}",
                got="fewer",
                help="leave this site out of the study, or ask it again when it has more notes",
            )

    def explain(self) -> str:
        return f"The data set is of at least {self.least} distinct patients."
