"""Analysis: the researcher's own code, which gives tables and numbers, and figures that are drawn of them afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.table_contract import TableContract
from fedkit.templates.base import Data, Template
from fedkit.templates.figures import figures_of
from fedkit.templates.parameters import Parameter

#: What stands in the settings beside the code's own.
OWN = ("entry", "tables", "numbers", "figures")


class AnalysisTemplate(Template):
    """`parameters={"tables": {name: TableContract}, "numbers": {name: (low, high)}, "figures": [FigureSpec], "settings": {…}}`,
    with the source given to `Study.request(source)`: `def analyse(notes, weights, settings)`.
    """

    name, kind = "analysis", "analysis"
    title = "Own analysis, with figures"
    what = (
        "Runs code that the researcher wrote, so a steward has to read it. Declared tables and bounded numbers leave; the site"
        " leaves out rows of few patients. Figures are drawn afterwards, by the researcher, of the tables that left."
    )
    parameters = (
        Parameter("entry", "choice", "name of the function", "analyse"),
        Parameter("tables", "data", "name → table contract", {}, shape=True),
        Parameter("numbers", "data", "name → lowest and highest value", {}, shape=True),
        Parameter("figures", "data", "figures to draw of the tables", []),
        Parameter("settings", "data", "what the code gets beside", {}),
    )

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        plain = {name: _plain(value) for name, value in parameters.items()}
        chosen = super().settings(plain, data)
        own = chosen.pop("settings")
        if clash := sorted(set(own) & {*OWN, "study"}):
            raise RequestError(f"the setting {clash[0]} is the template's own", expected="another name", got=clash[0])
        if not chosen["tables"] and not chosen["numbers"]:
            raise RequestError("an analysis gives something", expected="tables or numbers that are declared", got="neither")
        self.contracts(chosen)
        return {**own, **chosen}

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        try:
            tables = {str(name): TableContract.from_json(row) for name, row in settings["tables"].items()}
            numbers = {str(name): (float(low), float(high)) for name, (low, high) in settings["numbers"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RequestError(
                "not what may leave", expected="table contracts, and numbers with two bounds", got=type(error).__name__
            ) from None
        figures = figures_of(settings["figures"], tables)
        if bad := [
            name for name in (*tables, *numbers, *(f.name for f in figures)) if not (name.isascii() and name.isidentifier())
        ]:
            raise RequestError(
                "a name is no word", expected="letters, digits and _ for tables, numbers and figures", got=f"{bad[0]!r:.40}"
            )
        return {settings["entry"]: OutputContract(numbers=numbers, tables=tables)}

    def code(self, settings: Mapping[str, Any], source: str | None = None) -> str:
        if not (source or "").strip():
            raise RequestError(
                "an analysis is your own code",
                expected=f"request(source) with def {settings['entry']}(notes, weights, settings)",
                got="no source",
            )
        return str(source)

    def explain(self, settings: Mapping[str, Any]) -> str:
        leaves = [f"table {name}" for name in settings["tables"]] + [f"number {name}" for name in settings["numbers"]]
        return f"Runs the researcher's own code; read it. What may leave: {', '.join(leaves)}."


def _plain(value: Any) -> Any:
    """Contracts and figures as they stand in settings."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
