"""The parameters of a template as typed inputs, each with its bounds and a sentence where something is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import ipywidgets

from fedkit.errors import RequestError
from fedkit.templates import Parameter
from fedkit.widgets.base import escape

_STYLE = {"description_width": "190px"}
_WIDE = {"width": "100%", "max_width": "680px"}


class ParameterFields(ipywidgets.VBox):
    """A field for each parameter; those that are left alone keep the template's default.

    known:   name → what may be chosen where the parameter itself names nothing, such as the labels of the sites.
    changed: called after every change.

    `values` are the parameters as a template takes them; `problems` name → what is wrong, in a sentence.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        changed: Callable[[], None] | None = None,
        known: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.parameters = {parameter.name: parameter for parameter in parameters}
        self._changed = changed
        self.fields = {name: _control(p, (known or {}).get(name, ())) for name, p in self.parameters.items()}
        self.hints = {name: ipywidgets.HTML() for name in self.fields}
        for name, control in self.fields.items():
            control.description = words_of(name)
            self.hints[name].add_class("fk-hint")
            control.observe(lambda _: self._refresh(), names="value")
        super().__init__([ipywidgets.VBox([self.fields[n], self.hints[n]]).add_class("fk-field") for n in self.fields])
        self._refresh()

    @property
    def values(self) -> dict[str, Any]:
        """Name → value, of all that are not left at their default. What cannot be read is left out, and is in `problems`."""
        found, _ = self._read()
        return {name: value for name, value in found.items() if value != self.parameters[name].default}

    @property
    def problems(self) -> dict[str, str]:
        """Name → what is wrong, as a sentence."""
        return self._read()[1]

    def set(self, values: Mapping[str, Any]) -> None:
        """Fill in by name. Raises RequestError for a parameter that the template does not have, or a value it cannot take."""
        if strange := sorted(set(values) - set(self.fields)):
            raise RequestError(
                "the template has no such parameter", expected=f"some of {', '.join(self.fields)}", got=f"{len(strange)} others"
            )
        for name, value in values.items():
            try:
                self.fields[name].value = self._as_shown(name, value)
            except Exception:  # a trait error, whose text would repeat the value
                raise RequestError(
                    f"the parameter {name} is not possible", expected=self.parameters[name].expected(), got=type(value).__name__
                ) from None

    def _as_shown(self, name: str, value: Any) -> Any:
        """A list where it is chosen from a list, else what the parameter's field takes."""
        return list(value) if isinstance(self.fields[name], ipywidgets.SelectMultiple) else _shown(self.parameters[name], value)

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        found: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for name, parameter in self.parameters.items():
            try:
                value = _given(parameter, self.fields[name].value)
                if value is None or (parameter.default is None and value in ("", [])):
                    wrong[name] = f"Give {parameter.expected()}."
                else:
                    found[name] = parameter.check(value) if value != parameter.default else value
            except RequestError as error:
                wrong[name] = f"Give {error.expected}."
        return found, wrong

    def _refresh(self) -> None:
        wrong = self.problems
        for name, hint in self.hints.items():
            said = f'<p class="fk-bad" role="status">{escape(wrong[name])}</p>' if name in wrong else ""
            what = self.parameters[name].what
            hint.value = f'{said}<p class="fk-soft">{escape(what[:1].upper() + what[1:])}.</p>'
        if self._changed is not None:
            self._changed()


def words_of(name: str) -> str:
    """A parameter's name for people: "sequential_rounds" as "Sequential rounds"."""
    return name.replace("_", " ").capitalize()


def _control(parameter: Parameter, known: Sequence[str]) -> ipywidgets.Widget:
    wide = {"layout": ipywidgets.Layout(**_WIDE), "style": _STYLE}
    choices = list(parameter.choices or known)
    if parameter.type == "flag":
        return ipywidgets.Checkbox(value=bool(parameter.default), indent=True, **wide)
    if parameter.type == "whole":
        start = parameter.default if parameter.default is not None else parameter.low
        return ipywidgets.IntText(value=start, continuous_update=True, layout=ipywidgets.Layout(width="300px"), style=_STYLE)
    if parameter.type == "number":
        start = float(parameter.default if parameter.default is not None else parameter.low)
        return ipywidgets.FloatText(value=start, continuous_update=True, layout=ipywidgets.Layout(width="300px"), style=_STYLE)
    if parameter.type == "choice" and choices:
        options = [(choice or "no category", choice) for choice in choices]
        return ipywidgets.Dropdown(
            options=options, value=parameter.default if parameter.default in choices else choices[0], **wide
        )
    if parameter.type == "choices" and choices:
        rows = min(max(len(choices), 2), 6)
        chosen = [value for value in parameter.default or [] if value in choices]
        return ipywidgets.SelectMultiple(options=choices, value=chosen, rows=rows, **wide)
    if parameter.type == "date":
        return ipywidgets.DatePicker(style=_STYLE, layout=ipywidgets.Layout(width="360px"))
    if parameter.type == "data":
        return ipywidgets.Textarea(value=_shown(parameter, parameter.default), rows=2, placeholder="JSON", **wide)
    many = parameter.type in ("choices", "words")
    return ipywidgets.Text(
        value=_shown(parameter, parameter.default), placeholder="words with commas between" if many else "", **wide
    )


def _given(parameter: Parameter, value: Any) -> Any:
    """What a field holds, as the parameter's own type. Raises RequestError."""
    if parameter.type == "date":
        return value.isoformat() if value is not None else ""
    if parameter.type == "data":
        if not value.strip():
            return parameter.default
        try:
            return json.loads(value)
        except ValueError:
            if parameter.default is None:  # such as the path of a model
                return value.strip()
            raise RequestError(
                "this is no JSON", expected='JSON, such as {"year": ["2024", "2025"]}', got="other text"
            ) from None
    if parameter.type == "number":
        return int(value) if math.isfinite(value) and value == int(value) else value  # 1 and 1.0 have one digest
    if parameter.type in ("choices", "words"):
        return list(value) if not isinstance(value, str) else [word.strip() for word in value.split(",") if word.strip()]
    return value


def _shown(parameter: Parameter, value: Any) -> Any:
    """A value as its field shows it."""
    if parameter.type == "date":
        return date.fromisoformat(value) if value else None
    if parameter.type == "data":
        return value if isinstance(value, str) else "" if value is None else json.dumps(plain(value), ensure_ascii=False)
    if parameter.type in ("choices", "words"):
        return ", ".join(value or [])
    return "" if value is None else value


def plain(value: Any) -> Any:
    """Contracts and figures as the JSON that stands for them."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
