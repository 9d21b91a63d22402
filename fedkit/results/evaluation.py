"""Scores of a model at each site, with what chance alone would have them differ by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from fedkit.governance.request import CodeRequest
from fedkit.ner.metrics import Counts, from_numbers, micro
from fedkit.results.base import Answer, Result, receipts_of
from fedkit.results.display import Cells

#: The 97.5 % point of the normal distribution: intervals of 95 %.
Z = 1.959963984540054


@dataclass(frozen=True, repr=False)
class Evaluation(Result):
    """Entity-level scores: a prediction counts only if start, end and label are right.

    weights: digest of the model's weights.   split: of the notes.
    counts:  site → label → how many spans were found rightly, found wrongly, and missed.

    `per_site` and `combined` hold `precision`, `recall`, `f1`, `low`, `high` and `support` for each label and for "all"
    (micro).
    """

    weights: str
    split: str
    counts: Mapping[str, Mapping[str, Counts]]

    kind: ClassVar[str] = "evaluation"

    @classmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        labels, split = request.settings["labels"], request.settings["split"]
        counts = {site: from_numbers(answer.receipt.numbers, labels, split) for site, answer in answers.items()}
        return cls(request.digest, receipts_of(answers), missing, request.settings["weights"], split, counts)

    @property
    def labels(self) -> Sequence[str]:
        return list(next(iter(self.counts.values()), {}))

    @property
    def per_site(self) -> Mapping[str, Any]:
        return {site: _scores(counts) for site, counts in self.counts.items()}

    @property
    def combined(self) -> dict[str, Any]:
        """Over the spans of all sites together."""
        return _scores({label: sum((c[label] for c in self.counts.values()), Counts()) for label in self.labels})

    def f1(self, site: str | None = None, label: str = "all") -> float:
        """F1 in 0 … 1 of a label, or of all together; at a site, or over all."""
        value: float = (self.combined if site is None else self.per_site[site])[label]["f1"]
        return value

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "weights": self.weights, "split": self.split}

    def cells(self) -> Cells:
        columns = {**self.per_site, "all sites": self.combined}
        rows = [
            [label, *(_shown(scores[label]) for scores in columns.values()), str(self.combined[label]["support"])]
            for label in (*self.labels, "all")
        ]
        return Cells(["F1", *columns, "spans"], rows)

    def note(self) -> str:
        return f"F1 × 100 on {self.split} notes, with 95 % intervals that take spans for independent (see `interval`)."


def interval(counts: Counts, z: float = Z) -> tuple[float, float]:
    """A confidence interval for F1 (0 … 1); (0, 1) where nothing was to be found.

    F1 = 2 J / (1 + J), where J = tp / (tp + fp + fn) is a share of the spans that gold or model have, so Wilson's interval for
    J (Wilson 1927, "Probable inference, the law of succession, and statistical inference") carries over. Spans of one note
    resemble each other, so the truth is a little wider.
    """
    n = counts.tp + counts.fp + counts.fn
    if not n:
        return 0.0, 1.0
    share = counts.tp / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def _scores(counts: Mapping[str, Counts]) -> dict[str, dict[str, float]]:
    return {label: _score(c) for label, c in {**counts, "all": micro(counts)}.items()}


def _score(c: Counts) -> dict[str, float]:
    low, high = interval(c)
    return {"precision": c.precision, "recall": c.recall, "f1": c.f1, "low": low, "high": high, "support": c.tp + c.fn}


def _shown(score: Mapping[str, float]) -> str:
    return f"{100 * score['f1']:.1f} ({100 * score['low']:.0f}–{100 * score['high']:.0f})"
