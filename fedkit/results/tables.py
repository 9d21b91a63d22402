"""Tables of counts: what each site let out, and their sum, in which it is told what is not in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, Self

from fedkit.errors import RequestError
from fedkit.governance.request import CodeRequest
from fedkit.governance.table_contract import Number, TableContract
from fedkit.results.base import Answer, Result, receipts_of
from fedkit.results.display import Cells

Row = Mapping[str, Any]

#: Combinations of categories that are all shown; of larger tables those that some site gave.
ALL_SHOWN = 1000


@dataclass(frozen=True, repr=False)
class Table(Result):
    """One table from each site.

    name, contract: as in the request.   rows: site → the rows that the site let out.

    `combined` has a row for each combination of categories: counts are summed, other numbers averaged with the weight of the
    count that they rest on, over the sites that gave the row; `hidden` names the sites that did not. None: no site gave it.
    """

    name: str
    contract: TableContract
    rows: Mapping[str, Sequence[Row]]

    kind: ClassVar[str] = "table"

    @classmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        (entry,) = request.entries
        ((name, contract),) = entry.contract.tables.items()
        rows = {site: contract.check(answer.tables.get(name, ()), name) for site, answer in answers.items()}
        return cls(request.digest, receipts_of(answers), missing, name, contract, rows)

    @property
    def per_site(self) -> Mapping[str, Sequence[Row]]:
        return {site: [dict(row) for row in rows] for site, rows in self.rows.items()}

    @property
    def combined(self) -> list[dict[str, Any]]:
        given = {site: {self._key(row): row for row in rows} for site, rows in self.rows.items()}
        return [
            {**dict(zip(self.contract.categories, key, strict=True)), **self._sum(key, given)}
            for key in self._keys({key for rows in given.values() for key in rows})
        ]

    def to_pandas(self, *, per_site: bool = False) -> Any:
        """A DataFrame: the combined table; with `per_site` the sites' own below each other, with a column "site".

        What is hidden is NA.
        """
        import pandas as pd  # type: ignore[import-untyped]

        if per_site:
            return pd.DataFrame(
                [{"site": site, **row} for site, rows in self.rows.items() for row in rows],
                columns=["site", *self.contract.columns],
            )
        frame = pd.DataFrame(self.combined, columns=[*self.contract.columns, "hidden"])
        return frame.astype(dict.fromkeys(self.contract.counts, "Int64"))

    def to_csv(self) -> str:
        """The combined table; `hidden` holds the names of sites, a blank between. Cells that no site gave are empty."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [*self.contract.columns, "hidden"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "hidden": " ".join(row["hidden"])} for row in self.combined)
        return text.getvalue()

    def cells(self) -> Cells:
        categories = list(self.contract.categories)
        values = [column for column in self.contract.columns if column not in categories]
        rows = [[*(row[c] for c in categories), *(self._shown(row[v], row["hidden"]) for v in values)] for row in self.combined]
        return Cells([*categories, *values], rows, words=len(categories))

    def note(self) -> str:
        least, rounding = self.contract.threshold, self.contract.rounding
        said = [f"Counts are rounded to {rounding}." if rounding > 1 else ""]
        if any(row["hidden"] for row in self.combined):
            said += [
                f"<{least}: fewer than {least} at each site, or left out so that another row cannot be computed.",
                "+: some sites left the row out.",
            ]
        return " ".join(filter(None, said))

    def _key(self, row: Row) -> tuple[str, ...]:
        return tuple(row[column] for column in self.contract.categories)

    def _keys(self, given: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The rows to show, in the order of the declared values."""
        values = [column.values for column in self.contract.categories.values()]
        count = 1
        for column in values:
            count *= len(column)
        if count <= ALL_SHOWN:
            return list(product(*values))
        return sorted(given, key=lambda key: [column.index(word) for column, word in zip(values, key, strict=True)])

    def _sum(self, key: tuple[str, ...], given: Mapping[str, Mapping[tuple[str, ...], Row]]) -> dict[str, Any]:
        rows = [rows[key] for rows in given.values() if key in rows]
        hidden = [site for site in given if key not in given[site]]
        summed: dict[str, Any] = {}
        for name, column in self.contract.columns.items():
            if name in self.contract.counts:
                summed[name] = sum(row[name] for row in rows) if rows else None
            elif isinstance(column, Number):
                weight = sum(row[column.over] for row in rows)
                mean = sum(row[name] * row[column.over] for row in rows) / weight if weight else None
                summed[name] = round(mean, column.digits) if mean is not None else None
        return {**summed, "hidden": hidden}

    def _shown(self, value: float | None, hidden: Sequence[str]) -> str:
        if value is None:
            return f"<{self.contract.threshold}" if hidden else "–"
        return f"{value:,}".replace(",", " ") + ("+" if hidden else "")


@dataclass(frozen=True, repr=False)
class Count(Table):
    """Patients and notes, in all or by one category: a table of two columns of counts."""

    kind: ClassVar[str] = "count"

    @property
    def patients(self) -> int | None:
        """Distinct patients at all sites that gave the row, of a count without a category; None if none did.

        Raises RequestError for a count by a category: its rows may overlap.
        """
        return self._only("patients")

    @property
    def notes(self) -> int | None:
        """Notes, as `patients`; None as well where noise was added, since then they are not counted."""
        return self._only("notes")

    def _only(self, column: str) -> int | None:
        if self.contract.categories:
            raise RequestError(
                "this count has several rows",
                expected="a count without a category",
                got="one by category",
                help="see `combined`",
            )
        value: int | None = self.combined[0].get(column)
        return value
