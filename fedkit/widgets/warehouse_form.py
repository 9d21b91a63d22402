"""The fields in which a question to the warehouse is put together, or typed as SQL; at each stands what is not right yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import ipywidgets

from fedkit.errors import FedkitError, RequestError
from fedkit.warehouse.question import Question
from fedkit.warehouse.schema import SCHEMA, VIEWS
from fedkit.widgets.base import escape
from fedkit.widgets.warehouse_fields import Line
from fedkit.widgets.warehouse_values import (
    MODE_WORDS,
    By,
    Condition,
    QueryValues,
    compared_in,
    grouped_in,
    measures_of,
    numbers_of,
    problems,
    protection_of,
    question_of,
    sentence,
)

_STYLE = {"description_width": "190px"}
_WIDE = {"width": "100%", "max_width": "680px"}

#: Lines for conditions and for groups; the next one appears when the one before it is used.
CONDITIONS, GROUPS = 4, 3


class QueryForm(ipywidgets.VBox):
    """A question in fields.

    known:   column → words that the sites' catalogues have, such as the departments; where the schema names them itself, these
        are not needed.   changed: called after every change.   **values: first values, by the names of `QueryValues`.

    `values` is what the fields hold, `question` what they make (None while something is wrong), `problems` field → a sentence.
    `sql` holds the text of a person who would rather type; it stands for the fields as long as it is shown.
    """

    def __init__(
        self, known: Mapping[str, Sequence[str]] | None = None, changed: Callable[[], None] | None = None, **values: Any
    ) -> None:
        self._known, self.changed, self._quiet = known or {}, changed or (lambda: None), True
        short = {"style": _STYLE}
        views = [(f"{view.name}: {view.what}", name) for name, view in VIEWS.items()]
        self.way = ipywidgets.Dropdown(options=[("choosing", ""), ("typing SQL", "sql")], description="Ask by", **short)
        self.sql = ipywidgets.Textarea(rows=5, description="SQL", continuous_update=True, **_wide()).add_class("fk-source")
        self.fields: dict[str, Any] = {
            "view": ipywidgets.Dropdown(options=views, description="Ask about", **_wide()),
            "measure": ipywidgets.Dropdown(
                options=measures_of(SCHEMA.view("patients")), description="Count or measure", **_wide()
            ),
            "column": ipywidgets.Dropdown(options=numbers_of(SCHEMA.view("patients")), description="Of column", **_wide()),
            "low": ipywidgets.FloatText(description="Lowest value that counts", **short),
            "high": ipywidgets.FloatText(description="Highest value that counts", **short),
            "by_site": ipywidgets.Checkbox(description="Tell the sites apart", indent=True, **_wide()),
            "mode": ipywidgets.Dropdown(options=[(w, n) for n, w in MODE_WORDS.items()], description="Protection", **_wide()),
            "rho": ipywidgets.FloatText(value=0.1, step=0.05, description="Privacy cost (rho)", **short),
            "groups_per_person": ipywidgets.IntText(value=1, description="Groups of one person", **short),
        }
        self.conditions: list[Line] = []
        self.groups: list[Line] = []
        self._hints = {name: ipywidgets.HTML().add_class("fk-hint") for name in ("measure", "protection", "sql")}
        self._lines = ipywidgets.VBox()
        self._fields = ipywidgets.VBox()
        super().__init__()
        self._relist()
        self._place()
        for name, control in self.fields.items():
            control.observe(self._viewed if name == "view" else self._typed, names="value")
        self.fields["column"].observe(self._bounded, names="value")
        self.way.observe(self._switched, names="value")
        self.sql.observe(self._typed, names="value")
        self._quiet = False
        self.set(**values)

    @property
    def values(self) -> QueryValues:
        """What the fields hold now."""
        held = {name: control.value for name, control in self.fields.items()}
        return QueryValues(
            **held,
            where=tuple(line.condition() for line in self.conditions if line.column.value),
            by=tuple(line.group() for line in self.groups if line.column.value),
        )

    @property
    def problems(self) -> dict[str, str]:
        """What is not right yet: field → sentence."""
        return self._read()[1]

    @property
    def question(self) -> Question | None:
        """The question that the form makes, or None."""
        return self._read()[0]

    def set(self, **values: Any) -> QueryForm:
        """Fill in by the names of `QueryValues`, or `sql`. Raises RequestError for a name or a choice that it does not have."""
        known = {field.name for field in fields(QueryValues)} | {"sql"}
        if strange := sorted(set(values) - known):
            raise RequestError("the form has no such field", expected=f"one of {sorted(known)}", got=", ".join(strange))
        self._quiet = True
        try:
            for name in (*self.fields, "where", "by", "sql"):  # the view first: it changes what the others can be
                if name in values:
                    self._put(name, values[name])
        finally:
            self._quiet = False
            self._typed(None)
        return self

    def _put(self, name: str, value: Any) -> None:
        try:
            if name in ("where", "by"):
                lines, empty = (self.conditions, Condition()) if name == "where" else (self.groups, By())
                for line, wanted in zip(lines, [*value, *[empty] * (len(lines) - len(value))], strict=True):
                    line.set(wanted)
            elif name == "sql":
                self.sql.value, self.way.value = value, "sql" if value else ""
            else:
                self.fields[name].value = value
        except Exception:  # a trait error, whose text would repeat the value
            raise RequestError(
                f"the form cannot take this value for {name}", expected="one that can be chosen there", got=type(value).__name__
            ) from None

    def _read(self) -> tuple[Question | None, dict[str, str]]:
        """The question, or what is wrong."""
        if not self.way.value:
            found = problems(self.values)
            return (question_of(self.values) if not found else None), found
        try:
            protection = protection_of(self.values)
        except FedkitError as error:
            return None, {"protection": sentence(error)}
        if not self.sql.value.strip():
            return None, {"sql": "Type a SELECT, such as SELECT COUNT(DISTINCT person_id) FROM patients."}
        try:
            from fedkit.warehouse import sql

            question = replace(sql.parse(self.sql.value), protection=protection)
            question.check()
        except FedkitError as error:
            return None, {"sql": sentence(error)}
        return question, {}

    # -- what is shown
    def _relist(self) -> None:
        """The lines that fit the view."""
        view = SCHEMA.view(self.fields["view"].value)
        self.fields["measure"].options = measures_of(view)
        self.fields["column"].options = numbers_of(view)
        titles = ("Only if", *["and"] * (CONDITIONS - 1)), ("In groups of", *["and"] * (GROUPS - 1))
        compared, grouped = compared_in(view), grouped_in(view)
        self.conditions = [Line(t, compared, self._known, self._changed_line, compare=True) for t in titles[0]]
        self.groups = [Line(t, grouped, self._known, self._changed_line, compare=False) for t in titles[1]]
        self._lines.children = [*self.conditions, *self.groups]

    def _place(self) -> None:
        of, hints = self.fields, self._hints
        self._fields.children = [
            of["view"], of["measure"], of["column"], of["low"], of["high"], hints["measure"], self._lines, of["by_site"],
        ]  # fmt: skip
        self.children = [
            self.way, self.sql, hints["sql"], self._fields,
            of["mode"], of["rho"], of["groups_per_person"], hints["protection"],
        ]  # fmt: skip

    def _viewed(self, _: Any) -> None:
        quiet, self._quiet = self._quiet, True
        self._relist()
        self._quiet = quiet
        self._bounded(None)

    def _bounded(self, _: Any) -> None:
        """Bounds that fit the column, for a start."""
        column = SCHEMA.view(self.fields["view"].value).column(self.fields["column"].value)
        quiet, self._quiet = self._quiet, True
        self.fields["low"].value, self.fields["high"].value = float(column.low or 0), float(column.high or 0)
        self._quiet = quiet
        self._typed(None)

    def _switched(self, _: Any) -> None:
        """Who goes on to SQL finds there what was chosen so far."""
        if self.way.value and not self.sql.value and not problems(self.values):
            from fedkit.warehouse import sql

            self.sql.value = sql.write(question_of(self.values))
        self._typed(None)

    def _changed_line(self) -> None:
        self._typed(None)

    def _typed(self, _: Any) -> None:
        if self._quiet:
            return
        values, (_question, found) = self.values, self._read()
        typing, summed = bool(self.way.value), values.measure in ("sum", "mean", "variance")
        shown = {self.sql: typing, self._hints["sql"]: typing, self._fields: not typing}
        shown |= {self.fields[name]: summed for name in ("column", "low", "high")}
        shown |= {self.fields[name]: values.mode != "rules" for name in ("rho", "groups_per_person")}
        for lines in (self.conditions, self.groups):
            for before, line in zip([None, *lines], lines, strict=False):
                shown[line] = before is None or bool(before.column.value) or bool(line.column.value)
        for widget, whether in shown.items():
            widget.layout.display = "" if whether else "none"
        self._advise(found, summed, values.mode)
        self.changed()

    def _advise(self, found: Mapping[str, str], summed: bool, mode: str) -> None:
        noted = {"measure": "A value beyond these bounds counts as the bound. Narrow bounds cost less noise." if summed else ""}
        noted["protection"] = _MODE_HINTS[mode]
        for name, hint in self._hints.items():
            bad = " ".join(filter(None, (found.get(name, ""), found.get("question", "") if name == "measure" else "")))
            note = noted.get(name, "")
            hint.value = (f'<p class="fk-bad" role="status">{escape(bad)}</p>' if bad else "") + (
                f'<p class="fk-soft">{escape(note)}</p>' if note else ""
            )
        for kind, lines in (("where", self.conditions), ("by", self.groups)):
            number = 0
            for line in lines:
                number += bool(line.column.value)
                line.say(found.get(f"{kind} {number}", "") if line.column.value else "")


def _wide() -> dict[str, Any]:
    """Style and a layout of its own: what shares a layout is hidden together."""
    return {"style": _STYLE, "layout": ipywidgets.Layout(**_WIDE)}


_MODE_HINTS: Mapping[str, str] = {
    "rules": "Costs no privacy budget. Groups of few persons are kept back, and figures may be rounded.",
    "noise": "Each site's figures get noise of their own and nothing is kept back for being small. It costs privacy budget.",
    "pooled": "No site's own figure is seen by anybody; small sites count in full. It costs privacy budget.",
}
