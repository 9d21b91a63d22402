"""What may leave: what was declared, under the site's rules of disclosure, and not more than a person can look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fedkit.errors import OutputRefused
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies.base import Context, Policy, Tables


@dataclass(frozen=True)
class FitsContract(Policy):
    """Only what the output contract declares leaves."""

    aspect: ClassVar[str] = "what leaves"

    def releases(
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Tables | None = None
    ) -> None:
        context.contract.check(tensors, numbers, tables)

    def explain(self) -> str:
        return "Only the declared tensors, bounded numbers and tables leave: never text that was not declared, and no objects."


@dataclass(frozen=True)
class Disclosure(Policy):
    """Tables leave under rules no weaker than the site's, whatever the request declares.

    threshold: persons that a row must rest on.   rounding: counts leave as multiples of it; 1 for as they are.
    """

    aspect: ClassVar[str] = "what leaves"

    threshold: int
    rounding: int = 1

    def tightens(self, context: Context, contract: OutputContract) -> OutputContract:
        return contract.at_least(self.threshold, self.rounding)

    def releases(
        self, context: Context, tensors: Mapping[str, Any], numbers: Mapping[str, Any], tables: Tables | None = None
    ) -> None:
        contract = self.tightens(context, context.contract)
        for name, table in contract.tables.items():
            for row in (tables or {}).get(name, ()):
                if any(row[count] < table.threshold - table.rounding or row[count] % table.rounding for count in table.counts):
                    raise OutputRefused(
                        f"{name} was not protected",
                        expected=f"counts of {table.threshold} persons and more, rounded to {table.rounding}",
                        help="this is an error in fedkit: tell its maintainers",
                    )

    def explain(self) -> str:
        rounded = f", and counts leave rounded to {self.rounding}" if self.rounding > 1 else ""
        return (
            f"A row of a table leaves only if it rests on {self.threshold} persons or more and gives away none that does "
            f"not{rounded}."
        )


@dataclass(frozen=True)
class OutputSize(Policy):
    """One execution lets out no more than a person can look at. numbers: how many; rows: of each table."""

    aspect: ClassVar[str] = "what leaves"

    numbers: int
    rows: int

    def submits(self, context: Context) -> None:
        for entry in context.request.entries:
            self._check(entry.name, entry.contract)

    def admits(self, context: Context) -> None:
        self._check(context.entry, context.contract)

    def _check(self, name: str, contract: OutputContract) -> None:
        largest = max((table.max_rows for table in contract.tables.values()), default=0)
        if len(contract.numbers) > self.numbers or largest > self.rows:
            raise OutputRefused(
                f"{name} declares more than leaves this site at once",
                expected=f"at most {self.numbers} numbers, and {self.rows} rows a table",
                got=f"{len(contract.numbers)} numbers, up to {largest} rows",
                help="declare less: fewer numbers, categories with fewer values",
            )

    def explain(self) -> str:
        return f"One execution lets out at most {self.numbers} numbers, and {self.rows} rows of each table."
