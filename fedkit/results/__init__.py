"""What comes of a request, as small typed objects: what each site gave, what comes of all together, and where it is from.

    result = study.result()
    result                      # a table in a notebook, plain text elsewhere
    result.per_site["no"], result.combined, result.missing
    result.digest               # the same for whoever builds it of the same receipts
    result.verify(request, answers)      # () if it is what the sites signed for

`build` makes the result of a request's kind from the sites' answers: `Count`, `Table`, `Evaluation`, `Analysis` with its
`Figure`s; a training gives a `TrainedModel`. Each question of a data request has a `WarehouseAnswer`.
"""

from __future__ import annotations

from collections.abc import Mapping

from fedkit.governance.request import CodeRequest
from fedkit.results.analysis import Analysis, Figure
from fedkit.results.base import Answer, Result
from fedkit.results.evaluation import Evaluation
from fedkit.results.tables import Count, Table
from fedkit.results.training import TrainedModel
from fedkit.results.warehouse import WarehouseAnswer

__all__ = ["Analysis", "Answer", "Count", "Evaluation", "Figure", "Result", "Table", "TrainedModel", "WarehouseAnswer", "build"]

_OF_KIND: Mapping[str, type[Result]] = {
    "count": Count,
    "table": Table,
    "evaluation": Evaluation,
    "analysis": Analysis,
    "training": TrainedModel,
}


def build(request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str] | None = None) -> Result:
    """The result of a request from what the sites answered.

    answers: site → answer, of a training those of its evaluation.   missing: site → why it gave none, in fedkit's words.
    """
    return _OF_KIND[request.kind].build(request, answers, missing or {})
