"""What anybody with an account may ask: who the site is, and what it has."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fedkit.sites.base import DatasetCard
from fedkit.sites.calls.base import Caller, Calls


class EverybodysCalls(Calls):
    """info, catalogue."""

    def on_info(self, caller: Caller) -> dict[str, Any]:
        self.parts.journal.append("access.granted", caller.name, level=caller.level)
        return {**asdict(self.parts.info), "user": caller.name, "level": caller.level}

    def on_catalogue(self, caller: Caller) -> list[dict[str, Any]]:
        notes, about = self.parts.notes, self.parts.notes.about()
        card = DatasetCard(
            self.parts.config.dataset, about["language"], tuple(about["labels"]), notes.splits(), notes.commitment()
        )
        return [asdict(card)]
