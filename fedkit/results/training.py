"""What comes of a training: a model by the digest of its weights, and how it scores at each site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from fedkit.digests import short
from fedkit.errors import TrainingError
from fedkit.governance.request import CodeRequest
from fedkit.ner.metrics import from_numbers
from fedkit.results.base import Answer, receipts_of
from fedkit.results.evaluation import Evaluation


@dataclass(frozen=True, repr=False)
class TrainedModel(Evaluation):
    """The scores of the last weights (`weights`, the digest under which the model is released) after `rounds` rounds.

    The receipts are those of the evaluation; those of the rounds are in the study's evidence.
    """

    rounds: int

    kind: ClassVar[str] = "training"

    @classmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        """Raises TrainingError if the sites scored different weights."""
        weights = {answer.receipt.inputs for answer in answers.values()}
        if len(weights) != 1:
            raise TrainingError("the sites scored different weights", expected="one digest", got=f"{len(weights)}")
        labels = request.settings["labels"]
        counts = {site: from_numbers(answer.receipt.numbers, labels, "test") for site, answer in answers.items()}
        rounds = request.settings["rounds"]
        return cls(request.digest, receipts_of(answers), missing, weights.pop(), "test", counts, rounds)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "rounds": self.rounds}

    def title(self) -> str:
        return f"Model {short(self.weights)} after {self.rounds} rounds at {len(self.receipts)} sites"
