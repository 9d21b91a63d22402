"""What an entry's result may cost in privacy, as the researcher declares it and a steward approves it.

    Privacy(rho=0.05, sensitivity={"persons": 1.0, "labels.persons": 1.0})

The site clamps each value to its declared bounds, adds noise for that cost (`fedkit.governance.noise`) and charges the budget
of the person and of the data set. How much one person changes a value is the researcher's claim and the steward's to check,
like the code: no site can see it in a result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.table_contract import MAX_ROWS, Number, TableContract

#: How many sensitivities wide the bounds of a number may be: what a float holds exactly on the grid of the noise.
MOST = 1e9


@dataclass(frozen=True)
class Privacy:
    """The price of one execution.

    rho:         zero-concentrated differential privacy (Bun and Steinke 2016), over all values that leave together.
    sensitivity: by how much one person changes a value at most: name of a number, or "table.column" of a count column, where it
        is the Euclidean norm over all rows (1.0 where each person is in one row). One for each number and count that leaves.
    Raises RequestError for a cost or sensitivity that is not above zero.
    """

    rho: float
    sensitivity: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for value in (self.rho, *self.sensitivity.values()):
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise RequestError("a privacy cost and its sensitivities are above zero", expected="finite numbers above 0")

    def check(self, entry: str, contract: OutputContract) -> None:
        """Raises RequestError if something would leave an entry without noise."""
        if contract.tensors:
            raise RequestError(
                f"{entry} has a privacy cost and lets out tensors",
                expected="numbers and tables: the site adds no noise to tensors",
                help="leave the cost out, or the tensors",
            )
        for name, table in contract.tables.items():
            if any(isinstance(column, Number) for column in table.columns.values()) or combinations(table) > table.max_rows:
                raise RequestError(
                    f"table {name} cannot leave with noise",
                    expected=f"categories and counts only, and max_rows for every combination of categories (up to {MAX_ROWS})",
                    help="which rows there are would tell something, so all of them leave: declare fewer values",
                )
        for name, (low, high) in contract.numbers.items():
            if max(abs(low), abs(high)) > MOST * self.sensitivity.get(name, math.inf):
                raise RequestError(
                    f"number {name} is too wide for its noise",
                    expected=f"bounds up to {MOST:g} times its sensitivity",
                    help="declare narrower bounds",
                )
        items = set(contract.numbers) | {f"{name}.{count}" for name, table in contract.tables.items() for count in table.counts}
        if set(self.sensitivity) != items:
            raise RequestError(
                f"{entry} has a privacy cost, and values without a sensitivity",
                expected=f"a sensitivity for each of {sorted(items)[:20]}",
                got=f"{sorted(self.sensitivity)[:20]}",
            )

    def to_json(self) -> dict[str, Any]:
        return {"rho": float(self.rho), "sensitivity": {k: float(v) for k, v in self.sensitivity.items()}}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Privacy:
        return Privacy(float(row["rho"]), {k: float(v) for k, v in row["sensitivity"].items()})


def combinations(table: TableContract) -> int:
    """How many rows a table has in which every combination of its categories stands."""
    return math.prod(len(category.values) for category in table.categories.values())
