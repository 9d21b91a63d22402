"""Who may run something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fedkit.errors import AccessRefused
from fedkit.governance.levels import check_level
from fedkit.governance.policies.base import Context, Policy


@dataclass(frozen=True)
class LevelMayRun(Policy):
    """Who calls is of a level that may execute, and it is their own request."""

    aspect: ClassVar[str] = "who"

    def admits(self, context: Context) -> None:
        check_level(context.level, "execute")
        if context.researcher != context.request.researcher:
            raise AccessRefused(
                "the request is somebody else's",
                expected="a request of one's own",
                got="another researcher's",
                help="ask for your own permit and decision",
            )

    def explain(self) -> str:
        return "A researcher or analyst runs requests of their own, nobody else's."
