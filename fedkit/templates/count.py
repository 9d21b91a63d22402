"""Count: how many patients and notes meet some conditions, in all or by one category."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.notes.counting import BY, groups_of
from fedkit.notes.note import LANGUAGES
from fedkit.templates.base import Data, Template
from fedkit.templates.parameters import Parameter

SOURCE = '''"""Count patients and notes that meet some conditions, in all or by one category.

Out of a site comes one small table of counts. The site leaves out the rows of few patients and rounds the rest. No text, no
note and no patient leaves.
"""

from fedkit.notes import counting


def count(notes, weights, settings):
    """Distinct patients and notes that meet the conditions in the settings, for each value of the category named there."""
    return {"tables": {"count": counting.tally(counting.all_of(notes), settings)}}
'''

#: The largest table that can be asked for: cells.
CELLS = 400

#: Conditions on notes, the same for counts and tables. None of them has a say in the output contract.
CONDITIONS = (
    Parameter("labels", "choices", "only notes with a mention of one of these labels", [], high=50),
    Parameter("negated", "flag", "whether mentions that are negated count as well", False),
    Parameter("words", "words", "only notes with one of these words; * stands for any letters", [], high=50),
    Parameter("since", "date", "only notes from this day on; '' for no such limit", ""),
    Parameter("until", "date", "only notes up to this day; '' for no such limit", ""),
)

#: How a site protects what leaves; a site's own rules may be stricter.
PROTECTION = (
    Parameter("threshold", "whole", "rows of fewer patients stay at the site", 10, low=2, high=1000, shape=True),
    Parameter("rounding", "whole", "counts leave as multiples of this", 5, low=1, high=100, shape=True),
    Parameter("rho", "number", "privacy cost for which noise is added to patients; 0 adds none", 0, low=0, high=10, shape=True),
)


class CountTemplate(Template):
    """`parameters={"by": "label", "labels": ["IMPLANT"]}`; see `CountTemplate.parameters`."""

    name, kind = "count", "count"
    title = "Count patients and notes"
    what = (
        "Counts distinct patients and notes that meet some conditions (labels that are mentioned, words, dates), in all or by"
        " one category. One table of counts leaves; rows of few patients are left out and counts are rounded by the site."
    )
    parameters = (
        Parameter("by", "choice", "category to count by; '' counts all together", "", ("", *BY), shape=True),
        Parameter("values", "choices", "values of the category; by default those that are known", [], high=200, shape=True),
        *CONDITIONS,
        *PROTECTION,
    )
    source = SOURCE

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        by = parameters.get("by", "")
        if isinstance(by, list):  # as it stands in settings
            parameters = {**parameters, "by": by[0] if by else "", "values": parameters["values"].get(by[0], []) if by else []}
        chosen = super().settings(parameters, data)
        column, values = chosen["by"], chosen["values"]
        if not column and values:
            raise RequestError("values of no category", expected="by=… beside values=…", got="values alone")
        chosen["by"] = [column] if column else []
        chosen["values"] = {column: values or known_values(column, data)} if column else {}
        return check_period(chosen)

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        return {"count": OutputContract(tables={"count": table_of_counts(settings)})}

    def privacy(self, settings: Mapping[str, Any]) -> Privacy | None:
        return cost("count", settings)

    def explain(self, settings: Mapping[str, Any]) -> str:
        return f"Counts patients and notes{grouped(settings)}{in_words(settings)}. {protected(settings)}"


def table_of_counts(settings: Mapping[str, Any]) -> TableContract:
    """The table that `fedkit.notes.counting.tally` makes of these settings."""
    groups = {column: tuple(groups_of(column, settings["values"][column])) for column in settings["by"]}
    rows = 1
    for values in groups.values():
        rows *= len(values)
    if rows > CELLS:
        raise RequestError("the table is too large", expected=f"at most {CELLS} cells", got=f"{rows}", help="name fewer values")
    return TableContract(
        {
            **{column: Category(values) for column, values in groups.items()},
            "patients": Count(),
            **({} if settings["rho"] else {"notes": Count()}),
        },
        max_rows=rows,
        threshold=settings["threshold"],
        rounding=settings["rounding"],
    )


def cost(table: str, settings: Mapping[str, Any]) -> Privacy | None:
    """What an answer costs if noise is asked for. One person may be in every row, once: the root of their number (Euclid)."""
    if not settings["rho"]:
        return None
    return Privacy(settings["rho"], {f"{table}.patients": math.sqrt(table_of_counts(settings).max_rows)})


def known_values(column: str, data: Data | None) -> list[str]:
    """The values of a category where none are given: labels as the catalogues say, languages, years. Raises RequestError."""
    if column == "label" and data is not None and data.labels:
        return list(data.labels)
    if column == "language":
        return list(LANGUAGES)
    if column == "year":
        return [str(year) for year in range(2000, 2031)]
    raise RequestError(
        f"the values of {column} are not known",
        expected="values=[…], those that may stand in the answer; all others are counted as one",
        got="none",
        help="what leaves a site has to be declared before",
    )


def check_period(settings: dict[str, Any]) -> dict[str, Any]:
    """Raises RequestError if the period ends before it begins."""
    since, until = settings["since"], settings["until"]
    if since and until and since > until:
        raise RequestError("the period ends before it begins", expected="since <= until", got=f"{since} to {until}")
    return settings


def grouped(settings: Mapping[str, Any]) -> str:
    return f" by {' and '.join(settings['by'])}" if settings["by"] else " in all"


def in_words(settings: Mapping[str, Any]) -> str:
    """The conditions, for a steward."""
    said = []
    if settings["labels"]:
        negated = ", negated ones too" if settings["negated"] else ", negated ones not counted"
        said.append(f"that mention {' or '.join(settings['labels'])}{negated}")
    if settings["words"]:
        said.append(f"whose text has one of the words {', '.join(settings['words'])}")
    if settings["since"] or settings["until"]:
        said.append(f"written from {settings['since'] or 'the first'} to {settings['until'] or 'the last'}")
    return f", of notes {' and '.join(said)}" if said else ", of all notes"


def protected(settings: Mapping[str, Any]) -> str:
    noise = f" Noise is added, for a privacy cost of {settings['rho']:g} (rho)." if settings["rho"] else ""
    return (
        f"Rows of fewer than {settings['threshold']} patients stay at the site; counts are rounded to {settings['rounding']}."
        f"{noise}"
    )
