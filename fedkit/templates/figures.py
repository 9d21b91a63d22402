"""Figures as data: which column of which released table is drawn, and how. The picture is made at the researcher's side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fedkit.errors import RequestError
from fedkit.governance.table_contract import Category, TableContract

#: Kind of figure → the columns it needs beside `value`, each a category.
KINDS: Mapping[str, int] = {"histogram": 1, "curve": 1, "matrix": 2}


@dataclass(frozen=True)
class FigureSpec:
    """One figure of an analysis.

    kind:  "histogram" (a bar for each value of `over[0]`), "curve" (a line over them) or "matrix" (`over[0]` down, `over[1]`
        across).   table: its name.   over: category columns.   value: a count or number column.
    """

    name: str
    kind: Literal["histogram", "curve", "matrix"]
    table: str
    over: tuple[str, ...]
    value: str
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "over": list(self.over)}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> FigureSpec:
        """Raises RequestError for a row that is no figure."""
        try:
            words = {name: str(row[name]) for name in ("name", "table", "value")}
            return FigureSpec(kind=row["kind"], over=tuple(map(str, row["over"])), title=str(row.get("title", "")), **words)
        except (KeyError, TypeError) as error:
            raise RequestError(
                "not a figure", expected="name, kind, table, over and value", got=f"{type(error).__name__}: {error}"
            ) from None

    def check(self, tables: Mapping[str, TableContract]) -> None:
        """Raises RequestError unless the tables that are declared hold what is to be drawn."""
        if self.kind not in KINDS:
            raise RequestError("no such kind of figure", expected=f"one of {', '.join(KINDS)}", got=str(self.kind)[:20])
        table = tables.get(self.table)
        if table is None:
            raise RequestError(
                f"figure {self.name} draws no declared table", expected=f"one of {sorted(tables)}", got=self.table
            )
        axes = [column for column in self.over if isinstance(table.columns.get(column), Category)]
        if len(self.over) != KINDS[self.kind] or len(axes) != len(self.over):
            raise RequestError(
                f"figure {self.name} has other axes",
                expected=f"{KINDS[self.kind]} category columns of {self.table}",
                got=f"{len(self.over)} columns",
            )
        if self.value not in table.columns or isinstance(table.columns[self.value], Category):
            raise RequestError(f"figure {self.name} draws no number", expected="a count or number column", got=self.value)


def figures_of(rows: Iterable[Any], tables: Mapping[str, TableContract]) -> list[FigureSpec]:
    """The figures in plain rows (or `FigureSpec`s), checked against the tables, each name once. Raises RequestError."""
    figures = [row if isinstance(row, FigureSpec) else FigureSpec.from_json(row) for row in rows]
    for figure in figures:
        figure.check(tables)
    if len({figure.name for figure in figures}) != len(figures):
        raise RequestError("two figures have one name", expected="names that differ", got="the same")
    return figures
