"""Warehouse: one data request, under which many questions are asked of the data warehouse. A question is data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.governance.kinds import QUERY
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest
from fedkit.templates.base import Template
from fedkit.templates.parameters import Parameter

SOURCE = '''"""Questions of the data warehouse, within what the settings declare: how many, of which views, at what cost.

A question is data: measures, conditions and groups with names that every site knows. Each site makes its own SQL of it, applies
its disclosure rules, adds the noise that was asked for and charges it. So there is no code here that could do anything else.
"""


def query(notes, weights, settings):
    """Nothing: the site's own warehouse answers each question, and lets out what that question declares."""
    return {}
'''

#: Name of the entry that answers questions.
ENTRY = "query"

#: What can be asked about. A request names those that it needs (data minimisation: Regulation (EU) 2016/679, article 5(1)(c)).
VIEWS = ("patients", "visits", "notes", "mentions")

#: The most questions of one request. Numbers of questions count from 1, like rounds.
MOST = 1_000


class WarehouseTemplate(Template):
    """`parameters={"questions": 40, "rho": 0.5, "views": ["patients", "mentions"]}`; see `WarehouseTemplate.parameters`."""

    name, kind = "warehouse", QUERY
    title = "Ask questions of the data warehouse"
    what = (
        "Answers counts, sums, means and other statistics of the data warehouse, one question at a time. Each answer leaves"
        " under the site's disclosure rules, with noise where the question asks for it or the site does; the request has a"
        " number of questions and a privacy budget, and a question beyond either is refused. No text is in the warehouse's"
        " views."
    )
    parameters = (
        Parameter("questions", "whole", "how many questions may be asked at each site", 20, low=1, high=MOST),
        Parameter(
            "rho", "number", "privacy cost of all questions together (rho); 0 for answers without noise", 0, low=0, high=10
        ),
        Parameter("views", "choices", "what the questions may be about", list(VIEWS), VIEWS, low=1, high=len(VIEWS)),
    )
    source = SOURCE

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        """Empty: what may leave is what each question declares, under the site's rules."""
        return {ENTRY: OutputContract()}

    def executions(self, settings: Mapping[str, Any]) -> dict[str, int]:
        return {ENTRY: settings["questions"]}

    def made(self, request: CodeRequest) -> bool:
        asked = request.settings.get("questions")
        return super().made(request) and [entry.executions for entry in request.entries] == [asked]

    def explain(self, settings: Mapping[str, Any]) -> str:
        views, most = settings["views"], settings["questions"]
        noise = (
            f"Answers with noise may cost rho {settings['rho']:g} together."
            if settings["rho"]
            else "Answers leave without noise, under the site's disclosure rules."
        )
        return f"Asks up to {most} question{'s' * (most > 1)} about {', '.join(views)} of the data warehouse. {noise}"
