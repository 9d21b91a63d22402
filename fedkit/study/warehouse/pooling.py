"""Pooled questions: sites give whole numbers under masks, and only their sum is ever opened (secure aggregation).

Each site adds its share of the noise before the masks, so that whoever opens the sum, this side included, sees it with the
noise of all shares together; see `fedkit.warehouse.noise`. A site that drops out takes its share with it: the shares are cut
so that those of the fewest sites that can open a sum are enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fedkit.errors import TrainingError
from fedkit.federation.parameters import decode
from fedkit.federation.secure_aggregation.whole_numbers import from_ring
from fedkit.results.base import Answer
from fedkit.sites.summing import MASKED
from fedkit.study.sum_groups import SumGroup
from fedkit.warehouse.noise import opened
from fedkit.warehouse.question import ANSWER, Asked, Question


class Pool(SumGroup):
    """The sites of a data request that was opened with `pooled=True`."""

    def sum_of(self, number: int, question: Asked, answers: Mapping[str, Answer]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The sum of what the sites gave to a question, in the order of its contract, and the sites in it.

        A sum that was opened before, perhaps before a crash, is opened for the same sites again. Raises TrainingError if too
        few sites gave something, or something else than masked numbers of the question's form; FedkitError of a site that does
        not help to open it if the others are too few.
        """
        told = self.told(number)
        sites = [site for site in self.group.sites if site in (answers if told is None else told)]
        length = math.prod(question.contract().tensors[ANSWER])
        masked = {site: _vector(site, answers[site], length) for site in sites}
        total = from_ring(self.opened(number, masked))
        figures = opened(question, total.tolist()) if isinstance(question, Question) else tuple(int(v) for v in total)
        return figures, tuple(sites)


def _vector(site: str, answer: Answer, length: int) -> np.ndarray:
    arrays = decode(answer.data) if answer.data is not None else {}
    vector = arrays.get(MASKED)
    if set(arrays) != {MASKED} or vector is None or vector.dtype != np.uint32 or vector.shape != (length,):
        raise TrainingError(
            f"{site} gave no numbers under masks", expected=f"{length} numbers of 32 bits", got="something else"
        )
    return vector
