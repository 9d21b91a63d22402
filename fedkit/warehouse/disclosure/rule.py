"""What a rule of disclosure control is: it looks at a question before anything runs, or at the cells of its answer, or both."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from typing import ClassVar

from fedkit.warehouse.disclosure.cells import Cells
from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import Asked


class Rule(ABC):
    """One rule. name: as in docs/disclosure.md, in plans and verdicts.   source: where it is published."""

    name: ClassVar[str]
    source: ClassVar[str]

    def refuses(self, question: Asked, preset: Preset) -> str:
        """Why a question may not be asked, with what to do, in one sentence; "" if it may. Looks at no data."""
        return ""

    def hides(self, cells: Cells, preset: Preset) -> Iterable[int]:
        """Numbers of the cells of an answer under rules that must not leave."""
        return ()

    def says(self, preset: Preset) -> str:
        """The rule with its limits as one plain sentence; "" where a preset has it off."""
        return ""

    def verdict(self, question: Asked, preset: Preset) -> Verdict | None:
        """What a plan says of it; None where a preset has it off."""
        says = self.says(preset)
        if not says:
            return None
        refusal = self.refuses(question, preset)
        return Verdict(self.name, not refusal, refusal or says)
