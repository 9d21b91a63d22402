"""seqeval as a metric of Hugging Face `evaluate`, shipped here so that no hub is asked.

    metric = SeqevalMetric()
    metric.compute(references=[["B-PER", "I-PER", "O"]], predictions=[["B-PER", "O", "O"]])["overall_f1"]

`evaluate.load("seqeval")` downloads a script; this is the same interface over the same library (Nakayama 2018). The default is
strict IOB2: a span counts if start, end and label are right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
from seqeval.metrics import accuracy_score, classification_report

from fedkit.ner.encoding import tag_names
from fedkit.notes.note import Note, Span

_CITATION = "Hiroki Nakayama: seqeval, a Python framework for sequence labeling evaluation. 2018."


class SeqevalMetric(evaluate.Metric):
    """`compute(predictions, references, suffix=False, scheme="IOB2", mode="strict", zero_division=0)`.

    predictions, references: lists of lists of IOB2 tags.
    Returns `{label: {precision, recall, f1, number}, overall_precision, overall_recall, overall_f1, overall_accuracy}`.
    """

    def __init__(self, **keywords: Any) -> None:
        # evaluate names its cache after the process and asks for a lock on it: one name for each instance, kept in memory.
        name = hashlib.sha256(str(id(self)).encode()).hexdigest()[:12]
        super().__init__(keep_in_memory=True, experiment_id=keywords.pop("experiment_id", name), **keywords)

    def _info(self) -> evaluate.MetricInfo:
        tags = datasets.Sequence(datasets.Value("string", id="label"), id="sequence")
        return evaluate.MetricInfo(
            description="Strict entity-level precision, recall and F1.",
            citation=_CITATION,
            inputs_description="predictions, references: lists of lists of IOB2 tags",
            features=datasets.Features({"predictions": tags, "references": tags}),
            homepage="https://github.com/chakki-works/seqeval",
        )

    def _compute(
        self,
        predictions: Sequence[Sequence[str]],
        references: Sequence[Sequence[str]],
        suffix: bool = False,
        scheme: str | None = "IOB2",
        mode: str | None = "strict",
        sample_weight: Sequence[float] | None = None,
        zero_division: str | int = 0,
    ) -> dict[str, Any]:
        import seqeval.scheme

        if not any(tag != "O" for row in (*predictions, *references) for tag in row):
            zeros = {"overall_precision": 0.0, "overall_recall": 0.0, "overall_f1": 0.0}  # seqeval fails on no entities at all
            return {**zeros, "overall_accuracy": float(accuracy_score(y_true=references, y_pred=predictions))}
        report = classification_report(
            y_true=references,
            y_pred=predictions,
            suffix=suffix,
            output_dict=True,
            scheme=getattr(seqeval.scheme, scheme) if scheme else None,
            mode=mode,
            sample_weight=sample_weight,
            zero_division=zero_division,
        )
        overall = report.pop("micro avg")
        scores: dict[str, Any] = {
            label: {
                "precision": float(row["precision"]),
                "recall": float(row["recall"]),
                "f1": float(row["f1-score"]),
                "number": int(row["support"]),
            }
            for label, row in report.items()
            if label not in ("macro avg", "weighted avg")
        }
        scores["overall_precision"] = float(overall["precision"])
        scores["overall_recall"] = float(overall["recall"])
        scores["overall_f1"] = float(overall["f1-score"])
        scores["overall_accuracy"] = float(accuracy_score(y_true=references, y_pred=predictions))
        return scores


def seqeval_scores(notes: Sequence[Note], predicted: Sequence[Sequence[Span]], labels: Sequence[str]) -> dict[str, Any]:
    """seqeval's scores of predicted spans against the notes' own, through `evaluate`.

    Both are written as tags over the pieces between all borders of either, so that the tokeniser plays no part.
    """
    references, predictions = [], []
    for note, found in zip(notes, predicted, strict=True):
        gold = [s for s in note.spans if s.label in labels]
        cuts = sorted({0, len(note.text), *(edge for s in (*gold, *found) for edge in (s.start, s.end))})
        references.append(_tags(cuts, gold, labels))
        predictions.append(_tags(cuts, found, labels))
    result: dict[str, Any] = SeqevalMetric().compute(references=references, predictions=predictions)
    return result


def _tags(cuts: Sequence[int], spans: Sequence[Span], labels: Sequence[str]) -> list[str]:
    names = tag_names(labels)
    tags = ["O"] * max(1, len(cuts) - 1)
    at = {cut: i for i, cut in enumerate(cuts)}
    for span in spans:
        begin = names[1 + 2 * list(labels).index(span.label)]
        tags[at[span.start] : at[span.end]] = ["I-" + span.label] * (at[span.end] - at[span.start])
        tags[at[span.start]] = begin
    return tags
