"""Entity-level scores from counts: sites send counts, the coordinator computes F1 exactly.

A prediction counts only if start, end and label are all right (the CoNLL-2003 measure, Tjong Kim Sang & De Meulder 2003). Micro
F1 over all labels of a site equals seqeval's `overall_f1`; `tests/ner/test_metrics.py` keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fedkit.notes.note import Span


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans found rightly, found wrongly, and missed. Precision, recall and F1 are in 0 … 1, and 0 where undefined."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 0.0


def count_spans(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], labels: Sequence[str]
) -> dict[str, Counts]:
    """Counts for each label over notes side by side; gold spans of other labels are left out."""
    tp, fp, fn = (dict.fromkeys(labels, 0) for _ in range(3))
    for right, found in zip(gold, predicted, strict=True):
        expected = {(s.start, s.end, s.label) for s in right if s.label in tp}
        given = {(s.start, s.end, s.label) for s in found if s.label in tp}
        for _, _, label in expected & given:
            tp[label] += 1
        for _, _, label in given - expected:
            fp[label] += 1
        for _, _, label in expected - given:
            fn[label] += 1
    return {label: Counts(tp[label], fp[label], fn[label]) for label in labels}


def micro(counts: Mapping[str, Counts]) -> Counts:
    """All labels of one site together: its F1 is the site's score."""
    return sum(counts.values(), Counts())


def label_macro(counts: Mapping[str, Counts]) -> float:
    """Mean F1 over the labels that occur in the gold or the predicted spans; 0 if none does."""
    return _mean(c.f1 for c in counts.values() if c.tp + c.fp + c.fn)


def site_macro(sites: Mapping[str, Mapping[str, Counts]]) -> float:
    """Mean over the sites of each site's micro F1: the headline, in which a small site weighs as much as a large one."""
    return _mean(micro(counts).f1 for counts in sites.values())


def site_label_macro(sites: Mapping[str, Mapping[str, Counts]]) -> float:
    """Mean over the sites of each site's mean over labels."""
    return _mean(label_macro(counts) for counts in sites.values())


def to_numbers(counts: Mapping[str, Counts], split: str) -> dict[str, int]:
    """`{"test.tp.DRUG": 12, …}`: the form in which counts leave a site."""
    return {f"{split}.{kind}.{label}": getattr(c, kind) for label, c in counts.items() for kind in ("tp", "fp", "fn")}


def from_numbers(numbers: Mapping[str, float], labels: Sequence[str], split: str) -> dict[str, Counts]:
    """The inverse of `to_numbers`. Raises KeyError if a count is missing."""
    return {label: Counts(*(int(numbers[f"{split}.{kind}.{label}"]) for kind in ("tp", "fp", "fn"))) for label in labels}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
