"""Step 8 under masks: what the sites' updates of a round add up to. How the sites agree, and a sum is opened: `sum_groups`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import Parameters
from fedkit.federation.secure_aggregation.summands import from_vector, needs_a_sum
from fedkit.federation.strategies import SiteUpdate, strategy_for
from fedkit.governance.request import CodeRequest
from fedkit.sites.summing import MASKED
from fedkit.study.sum_groups import SumGroup

if TYPE_CHECKING:
    from fedkit.study.study import Study


class SecureSums(SumGroup):
    """The sums of one study's request: `fedkit.federation.rounds.Sums`. It opens once the sites have agreed on masks."""

    def __init__(self, study: Study, request: CodeRequest) -> None:
        super().__init__(study, request)
        self.strategy = needs_a_sum(strategy_for(request.settings))

    def check(self, round: int, start: Parameters, update: SiteUpdate) -> None:
        length = sum(array.size for array in self.strategy.form(start).values())
        vector = update.parameters.get(MASKED)
        if set(update.parameters) != {MASKED} or vector is None or vector.dtype != np.uint32 or vector.shape != (length,):
            raise TrainingError(
                f"site {update.site} sent no update under masks", expected=f"{length} numbers of 32 bits", got="something else"
            )

    def aggregate(self, round: int, start: Parameters, updates: Sequence[SiteUpdate]) -> dict[str, np.ndarray]:
        total = self.opened(round, {update.site: update.parameters[MASKED] for update in updates})
        return from_vector(self.strategy, start, total, len(self.group.sites))
