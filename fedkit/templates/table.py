"""Table: patients and notes by two or three categories at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.notes.counting import BY
from fedkit.templates.base import Data, Template
from fedkit.templates.count import (
    CONDITIONS,
    PROTECTION,
    check_period,
    cost,
    grouped,
    in_words,
    known_values,
    protected,
    table_of_counts,
)
from fedkit.templates.parameters import Parameter

SOURCE = '''"""A cross table: patients and notes by two or three categories at once.

Out of a site comes one table of counts. The site leaves out the cells of few patients, and those from which they could be
computed, and rounds the rest. No text, no note and no patient leaves.
"""

from fedkit.notes import counting


def table(notes, weights, settings):
    """Distinct patients and notes that meet the conditions in the settings, in each cell of the categories named there."""
    return {"tables": {"table": counting.tally(counting.all_of(notes), settings)}}
'''


class TableTemplate(Template):
    """`parameters={"by": ["label", "year"], "values": {"year": ["2024", "2025"]}}`; see `TableTemplate.parameters`."""

    name, kind = "table", "table"
    title = "Cross table of patients and notes"
    what = (
        "Counts distinct patients and notes by two or three categories at once, of notes that meet some conditions. One table"
        " of counts leaves; the site leaves out cells of few patients and those that would give them away, and rounds the rest."
    )
    parameters = (
        Parameter("by", "choices", "two or three categories", None, BY, low=2, high=3, shape=True),
        Parameter("values", "data", "category → its values; by default those that are known", {}, shape=True),
        *CONDITIONS,
        *PROTECTION,
    )
    source = SOURCE

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        chosen = super().settings(parameters, data)
        by, given = chosen["by"], chosen["values"]
        if not isinstance(given, Mapping) or not set(given) <= set(by):
            raise RequestError("values of a category that is not in `by`", expected=f"values of {', '.join(by)}", got="others")
        words = {column: Parameter(f"values of {column}", "choices", "", high=200).check(given[column]) for column in given}
        chosen["values"] = {column: words.get(column) or known_values(column, data) for column in by}
        return check_period(chosen)

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        return {"table": OutputContract(tables={"table": table_of_counts(settings)})}

    def privacy(self, settings: Mapping[str, Any]) -> Privacy | None:
        return cost("table", settings)

    def explain(self, settings: Mapping[str, Any]) -> str:
        return f"Counts patients and notes{grouped(settings)}{in_words(settings)}. {protected(settings)}"
