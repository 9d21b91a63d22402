"""The questions that a site knows: reviewed code with parameters, so that most requests need nothing new to be read.

    from fedkit.templates import TEMPLATES, template_of

    count = TEMPLATES["count"]
    settings = count.settings({"by": "label", "words": ["protese*"]}, data)
    request = count.request(settings, title=…, purpose=…, researcher=…, permit=…)
    template_of(request)                     # count: its code to the letter, its parameters, its contract

`Study.describe(template=…)` takes the ten steps with one; docs/requests.md shows each.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fedkit.errors import RequestError
from fedkit.governance.request import CodeRequest
from fedkit.templates.analysis import AnalysisTemplate
from fedkit.templates.base import Data, Template
from fedkit.templates.count import CountTemplate
from fedkit.templates.evaluation import EvaluationTemplate
from fedkit.templates.parameters import Parameter
from fedkit.templates.table import TableTemplate
from fedkit.templates.training import TrainingTemplate
from fedkit.templates.warehouse import WarehouseTemplate

__all__ = ["TEMPLATES", "Data", "Parameter", "Template", "template", "template_of"]

#: Name → template.
TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        one.name: one
        for one in (
            CountTemplate(),
            TableTemplate(),
            TrainingTemplate(),
            EvaluationTemplate(),
            AnalysisTemplate(),
            WarehouseTemplate(),
        )
    }
)


def template(name: str) -> Template:
    """The template of that name. Raises RequestError."""
    if name not in TEMPLATES:
        raise RequestError("no such template", expected=f"one of {', '.join(TEMPLATES)}", got=str(name)[:20])
    return TEMPLATES[name]


def template_of(request: CodeRequest) -> Template | None:
    """The template that a request was made from, unaltered; None for code of anybody's own."""
    return next((one for one in TEMPLATES.values() if one.made(request)), None)
