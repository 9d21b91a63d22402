"""What comes of somebody's own analysis: its tables and numbers, and figures drawn of the tables.

A figure is drawn here, at the researcher's, of rows that left a site under its rules: nothing drawn ever leaves a site.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Self

from fedkit.errors import RequestError
from fedkit.governance.request import CodeRequest
from fedkit.results.base import Answer, Result, receipts_of
from fedkit.results.display import Cells
from fedkit.results.tables import Table
from fedkit.templates.figures import FigureSpec, figures_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

#: Okabe & Ito (2008), told apart by the colour-blind.
BLUE, GREY = "#0072B2", "0.85"


@dataclass(frozen=True)
class Figure:
    """A figure of a released table. spec: what is drawn.   table: of what."""

    spec: FigureSpec
    table: Table

    def draw(self, site: str | None = None) -> Drawing:
        """The figure, of all sites together or of one; it has no window and no pyplot behind it. What is hidden is a gap."""
        from matplotlib.figure import Figure as Drawing

        drawing = Drawing(figsize=(6.4, 3.6), layout="constrained")
        axes = drawing.add_subplot()
        values = self.values(site)
        names = [list(self.table.contract.categories[column].values) for column in self.spec.over]
        if self.spec.kind == "matrix":
            rows = [[values.get((down, across)) for across in names[1]] for down in names[0]]
            shown = axes.imshow([[float("nan") if v is None else v for v in row] for row in rows], cmap="Blues", aspect="auto")
            for y, row in enumerate(rows):
                for x, value in enumerate(row):
                    axes.text(x, y, self._label(value), ha="center", va="center", fontsize=8, color="black")
            axes.set_xticks(range(len(names[1])), names[1], rotation=30, ha="right")
            axes.set_yticks(range(len(names[0])), names[0])
            axes.set(xlabel=self.spec.over[1], ylabel=self.spec.over[0])
            drawing.colorbar(shown, label=self.spec.value)
        else:
            heights = [values.get((name,)) for name in names[0]]
            places = range(len(names[0]))
            if self.spec.kind == "histogram":
                axes.bar(places, [0 if h is None else h for h in heights], color=BLUE)
                for x, height in enumerate(heights):
                    if height is None:
                        axes.text(x, 0, self._label(None), ha="center", va="bottom", fontsize=8)
            else:
                axes.plot(places, [float("nan") if h is None else h for h in heights], color=BLUE, marker="o", markersize=4)
            axes.set_xticks(places, names[0], rotation=30, ha="right")
            axes.set(xlabel=self.spec.over[0], ylabel=self.spec.value)
            axes.grid(axis="y", color=GREY, linewidth=0.6)
            axes.set_axisbelow(True)
        axes.set_title(self.spec.title or self.spec.name, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        return drawing

    def values(self, site: str | None = None) -> dict[tuple[str, ...], float | None]:
        """Categories → the number that is drawn; None where it is hidden. Raises RequestError for a site that gave nothing.

        A table with more categories than the figure has axes is summed over the others, as far as it is known.
        """
        if site is not None and site not in self.table.rows:
            raise RequestError("that site gave nothing", expected=f"one of {self.table.sites}", got=str(site)[:40])
        rows = self.table.combined if site is None else self.table.rows[site]
        found: dict[tuple[str, ...], float | None] = {}
        for row in rows:
            key, value = tuple(row[column] for column in self.spec.over), row[self.spec.value]
            known = found.get(key)
            found[key] = value if known is None else known + (value or 0)
        return found

    def to_json(self) -> dict[str, Any]:
        return {**self.spec.to_json(), "values": [[*key, value] for key, value in self.values().items()]}

    def to_png(self, site: str | None = None) -> bytes:
        """The figure as a picture."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        drawing, data = self.draw(site), io.BytesIO()
        FigureCanvasAgg(drawing)
        drawing.savefig(data, format="png", dpi=110, metadata={"Software": None})
        return data.getvalue()

    def __repr__(self) -> str:
        return f"Figure({self.spec.name!r}, {self.spec.kind} of {self.spec.value} in table {self.spec.table!r})"

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.to_png()).decode()
        return f'<img alt="{escape(repr(self))}" src="data:image/png;base64,{picture}">'

    def _label(self, value: float | None) -> str:
        return f"<{self.table.contract.threshold}" if value is None else f"{value:g}"


@dataclass(frozen=True, repr=False)
class Analysis(Result):
    """tables: name → table.   numbers: site → name → number.   figures: name → figure, as the request names them.

    Numbers are not combined: what a mean over sites would mean is for whoever wrote the code to say.
    """

    tables: Mapping[str, Table]
    numbers: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, Figure]

    kind: ClassVar[str] = "analysis"

    @classmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        (entry,) = request.entries
        receipts = receipts_of(answers)
        tables = {}
        for name, contract in entry.contract.tables.items():
            rows = {site: contract.check(answer.tables.get(name, ()), name) for site, answer in answers.items()}
            tables[name] = Table(request.digest, receipts, missing, name, contract, rows)
        numbers = {
            site: {name: answer.receipt.numbers[name] for name in entry.contract.numbers} for site, answer in answers.items()
        }
        specs = figures_of(request.settings.get("figures", ()), entry.contract.tables)
        figures = {spec.name: Figure(spec, tables[spec.table]) for spec in specs}
        return cls(request.digest, receipts, missing, tables, numbers, figures)

    @property
    def per_site(self) -> Mapping[str, Any]:
        return {
            site: {"tables": {name: table.per_site[site] for name, table in self.tables.items()}, "numbers": dict(numbers)}
            for site, numbers in self.numbers.items()
        }

    @property
    def combined(self) -> dict[str, Any]:
        return {
            "tables": {name: table.combined for name, table in self.tables.items()},
            "figures": [figure.to_json() for figure in self.figures.values()],
        }

    def cells(self) -> Cells:
        names = list(next(iter(self.numbers.values()), {}))
        rows = [[site, *(f"{numbers[name]:g}" for name in names)] for site, numbers in self.numbers.items()]
        return Cells(["site", *names], rows)

    def note(self) -> str:
        tables = ", ".join(f"{name} ({len(table.combined)} rows)" for name, table in self.tables.items())
        figures = ", ".join(self.figures)
        return "; ".join(
            part for part in (f"tables: {tables}" if tables else "", f"figures: {figures}" if figures else "") if part
        )
