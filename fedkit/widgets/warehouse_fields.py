"""A line of the warehouse's form: a column, and what it is compared with or grouped into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets

from fedkit.warehouse.schema import Column
from fedkit.widgets.base import escape
from fedkit.widgets.warehouse_values import COMPARISONS, By, Chosen, Condition

_STYLE = {"description_width": "190px"}
_WIDE = {"width": "100%", "max_width": "680px"}


class Line(ipywidgets.VBox):
    """A column, a comparison where there are several, and a control that fits the column: a list where the words are known,
    else a text. Changing the column changes the control.

    title:   what stands before the column: "Only if", "In groups of".   columns: those to choose from.
    known:   column → words that the sites' catalogues have, where the schema itself names none.
    compare: whether it is a condition; else it is a group.   changed: called after every change.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        known: Mapping[str, Sequence[str]],
        changed: Callable[[], None],
        *,
        compare: bool,
    ) -> None:
        self._title, self._known, self._changed, self._compare = title, known, changed, compare
        self._columns = {column.name: column for column in columns}
        options = [("–", ""), *((f"{name}: {column.what}", name) for name, column in self._columns.items())]
        self.column = ipywidgets.Dropdown(
            options=options, value="", description=title, style=_STYLE, layout=ipywidgets.Layout(**_WIDE)
        )
        self.op = ipywidgets.Dropdown(options=COMPARISONS["category"], style=_STYLE, layout=ipywidgets.Layout(width="400px"))
        self.given: ipywidgets.Text | ipywidgets.SelectMultiple = ipywidgets.Text()
        self._hint = ipywidgets.HTML()
        self._hint.add_class("fk-hint")
        self._place = ipywidgets.VBox()
        self.column.observe(self._chosen, names="value")
        self.op.observe(self._compared, names="value")
        super().__init__([self.column, self._place, self._hint])
        self.add_class("fk-field")

    @property
    def text(self) -> Chosen:
        """What is given: words that were chosen, or the text."""
        value: Chosen = self.given.value
        return tuple(value) if isinstance(self.given, ipywidgets.SelectMultiple) else value

    def condition(self) -> Condition:
        """The line as a condition."""
        return Condition(self.column.value, self.op.value, self.text if self.column.value else ())

    def group(self) -> By:
        """The line as a group."""
        return By(self.column.value, self.text if self.column.value else ())

    def set(self, wanted: Condition | By) -> None:
        """Fill in the line. Raises TraitError for a column or a word that it does not have."""
        self.column.value = wanted.column
        if isinstance(wanted, Condition) and wanted.column:
            self.op.value = wanted.op
        if isinstance(self.given, ipywidgets.SelectMultiple):
            self.given.value = wanted.given.split(", ") if isinstance(wanted.given, str) else wanted.given
        else:
            self.given.value = wanted.given if isinstance(wanted.given, str) else ", ".join(wanted.given)

    def say(self, wrong: str) -> None:
        """Show what is wrong with it, or what there is to know."""
        column = self._columns.get(self.column.value)
        note = "" if column is None else self._advice(column)
        bad = f'<p class="fk-bad" role="status">{escape(wrong)}</p>' if wrong else ""
        self._hint.value = bad + (f'<p class="fk-soft">{escape(note)}</p>' if note else "")

    def _words(self, column: Column) -> Sequence[str]:
        return column.values or self._known.get(column.name, ())

    def _advice(self, column: Column) -> str:
        listed = isinstance(self.given, ipywidgets.SelectMultiple)
        if column.kind == "category":
            every = "" if self._compare or not column.values else " None chosen: a group for each."
            return (f"Several can be chosen.{every}" if listed else "Words with commas between.") if self._words(column) else (
                "Words as the sites have them, with commas between."
            )  # fmt: skip
        if column.kind == "date":
            return "Days as 2024-01-31."
        bounds = f"From {column.low:g} to {column.high:g}. " if column.low is not None and column.high is not None else ""
        if self._compare:
            return bounds.strip()
        return (
            f"{bounds}A range such as 2020 to 2024 gives a group for each; edges such as 0, 40, 65, 90 a group between two."
            " Empty: a group for each number that the conditions leave."
        )

    def _chosen(self, _: object) -> None:
        """Another column: its comparisons, and an empty control that fits it."""
        column = self._columns.get(self.column.value)
        if column is not None:
            self.op.options = COMPARISONS[column.kind]
            self.op.index = 0
        self._remake()

    def _compared(self, _: object) -> None:
        """Another comparison may want a list instead of a text, or a text instead of a list."""
        column = self._columns.get(self.column.value)
        if column is not None and column.kind == "category" and self._wants_list(column) != isinstance(
            self.given, ipywidgets.SelectMultiple
        ):  # fmt: skip
            self._remake()
        else:
            self._changed()

    def _wants_list(self, column: Column) -> bool:
        return column.kind == "category" and bool(self._words(column)) and not (self._compare and self.op.value == "starts")

    def _remake(self) -> None:
        column = self._columns.get(self.column.value)
        if column is None:
            self._place.children = ()
        else:
            self.given = self._control(column)
            self.given.observe(lambda _: self._changed(), names="value")
            self.op.description = f"{column.name}"
            self._place.children = (*((self.op,) if self._compare else ()), self.given)
        self._changed()

    def _control(self, column: Column) -> ipywidgets.Text | ipywidgets.SelectMultiple:
        named = {"description": f"{column.name}, {'values' if self._compare else 'groups'}", "style": _STYLE}
        if self._wants_list(column):
            words = list(self._words(column))
            return ipywidgets.SelectMultiple(
                options=words, rows=min(max(len(words), 2), 6), layout=ipywidgets.Layout(width="400px"), **named
            )
        return ipywidgets.Text(continuous_update=True, layout=ipywidgets.Layout(width="400px"), **named)
