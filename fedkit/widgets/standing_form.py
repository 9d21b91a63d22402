"""A standing approval as a form: what may differ from the request that was read, how often, by whom, and until when."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import ipywidgets

from fedkit.errors import FedkitError, RequestError
from fedkit.governance.request import PURPOSES
from fedkit.governance.review import Review
from fedkit.governance.standing import StandingApproval
from fedkit.governance.varying import Choices, Name, Range, Varying
from fedkit.widgets.base import escape
from fedkit.widgets.words import PURPOSE_WORDS

FIXED, RANGE, CHOICES, NAME = "as it is", "any number from … to …", "one of …", "any short name"

_NUMBERS = re.compile(r"\s*(-?[0-9.]+)\s*(?:to|-|–|…)\s*(-?[0-9.]+)\s*")
_STYLE = {"description_width": "190px"}


class StandingForm(ipywidgets.VBox):
    """What a steward fills in to approve from now on. `standing(steward)` gives the approval, still unsigned.

    review: of the request that was read: code, environment, data set and output contracts stay as they are there.
    changed: called after every change.   `problem` is what is not right yet, or "".
    """

    def __init__(self, review: Review, changed: Any = None) -> None:
        self.review = review
        narrow = ipywidgets.Layout(width="300px")
        self.rules = {name: _RuleField(name, value) for name, value in sorted(review.request.settings.items())}
        self.requests = ipywidgets.IntText(value=20, description="Requests in all", style=_STYLE, layout=narrow)
        self.per_day = ipywidgets.IntText(value=5, description="Requests a day", style=_STYLE, layout=narrow)
        self.per_researcher = ipywidgets.IntText(value=20, description="Requests a person", style=_STYLE, layout=narrow)
        self.days = ipywidgets.IntText(value=90, description="Days it counts", style=_STYLE, layout=narrow)
        self.purpose = ipywidgets.Dropdown(
            options=[(PURPOSE_WORDS[name], name) for name in PURPOSES],
            value=review.request.permit.category,
            description="For the purpose",
            style=_STYLE,
            layout=ipywidgets.Layout(width="480px"),
        )
        self.who = ipywidgets.Dropdown(
            options=[("this researcher", True), ("anybody whose permit a steward here knows", False)],
            description="For",
            style=_STYLE,
            layout=ipywidgets.Layout(width="560px"),
        )
        self._hint = ipywidgets.HTML()
        self._hint.add_class("fk-hint")
        self._changed = changed
        self._plain = (self.requests, self.per_day, self.per_researcher, self.days, self.purpose, self.who)
        for field in (*self._plain, *(part for rule in self.rules.values() for part in rule.parts)):
            field.observe(lambda _: self._refresh(), names="value")
        super().__init__(
            [
                ipywidgets.HTML(
                    "<h4>Approve from now on</h4><p>Requests with this very code, environment, data set and output contract "
                    "are approved when they are submitted, if they differ only as you say here.</p>"
                ),
                *(rule.box for rule in self.rules.values()),
                *self._plain,
                self._hint,
            ]
        )
        self._refresh()

    @property
    def vary(self) -> dict[str, Varying]:
        """Setting → how it may differ. Raises RequestError for a rule that does not fit its setting."""
        found = {name: rule.rule for name, rule in self.rules.items()}
        return {name: rule for name, rule in found.items() if rule is not None}

    @property
    def problem(self) -> str:
        """What is not right yet, as a sentence; "" if nothing is."""
        try:
            self.standing("0x" + "0" * 40)
        except FedkitError as error:
            return f"{error.message}: {error.expected}" if error.expected else error.message
        return ""

    def standing(self, steward: str) -> StandingApproval:
        """The standing approval, unsigned. steward: address of who will sign. Raises RequestError for what does not fit."""
        limits = {"requests": self.requests.value, "per_day": self.per_day.value, "per_researcher": self.per_researcher.value}
        if not 1 <= self.days.value <= 3650:
            raise RequestError("a standing approval ends", expected="from 1 to 3650 days", got="another number")
        return StandingApproval.from_request(
            self.review.request,
            self.vary,
            site=self.review.site,
            steward=steward,
            findings=self.review.findings,
            purposes=(self.purpose.value,),
            researchers=None if self.who.value else (),
            days=self.days.value,
            **limits,
        )

    def set(self, vary: Mapping[str, Varying] | None = None, **limits: Any) -> StandingForm:
        """Fill in by name: settings that may vary, and requests, per_day, per_researcher, days, purpose, who.

        Raises RequestError for a name that the form does not have.
        """
        if strange := (set(vary or {}) - set(self.rules)) | (set(limits) - set(_FIELDS)):
            raise RequestError(
                "the form has no such field",
                expected=f"settings {sorted(self.rules)}, or {_FIELDS}",
                got=f"{len(strange)} others",
            )
        for name, rule in (vary or {}).items():
            self.rules[name].set(rule)
        for name, value in limits.items():
            getattr(self, name).value = value
        return self

    def _refresh(self) -> None:
        problem = self.problem
        self._hint.value = f'<p class="fk-bad" role="status">{escape(_sentence(problem))}</p>' if problem else ""
        if self._changed is not None:
            self._changed()


_FIELDS = ("requests", "per_day", "per_researcher", "days", "purpose", "who")


class _RuleField:
    """One setting: how it may differ, and within what."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        kinds = [FIXED, *([RANGE] if number else []), CHOICES, *([NAME] if isinstance(value, str) else [])]
        self.how = ipywidgets.Dropdown(options=kinds, description=name, style=_STYLE, layout=ipywidgets.Layout(width="420px"))
        self.text = ipywidgets.Text(
            description=f"{name} within",
            style={"description_width": "190px"},
            layout=ipywidgets.Layout(width="100%", max_width="520px"),
        )
        self.text.layout.display = "none"
        self.how.observe(lambda _: self._show(), names="value")
        shown = ipywidgets.HTML(f'<span class="fk-soft">now {escape(_short(value))}</span>')
        self.parts = (self.how, self.text)
        self.box = ipywidgets.HBox([self.how, self.text, shown], layout=ipywidgets.Layout(flex_flow="row wrap"))

    @property
    def rule(self) -> Varying | None:
        """None if it may not differ. Raises RequestError."""
        if self.how.value == FIXED:
            return None
        if self.how.value == NAME:
            return Name()
        if self.how.value == RANGE:
            found = _NUMBERS.fullmatch(self.text.value)
            if found is None:
                raise RequestError(
                    f"the range of {self.name} is not one", expected="two numbers, such as 1 to 24", got="other words"
                )
            low, high = (_number(text) for text in found.groups())
            return Range(low, high)
        values = [_value(part) for part in self.text.value.split(",") if part.strip()]
        if not values:
            raise RequestError(f"{self.name} has no values to choose from", expected="values with commas between", got="none")
        return Choices(tuple(values))

    def set(self, rule: Varying) -> None:
        """Show a rule."""
        if isinstance(rule, Range):
            self.how.value, self.text.value = RANGE, f"{rule.low:g} to {rule.high:g}"
        elif isinstance(rule, Choices):
            self.how.value, self.text.value = CHOICES, ", ".join(json.dumps(value) for value in rule.values)
        else:
            self.how.value = NAME

    def _show(self) -> None:
        self.text.layout.display = "" if self.how.value in (RANGE, CHOICES) else "none"
        if self.how.value == RANGE and not self.text.value:
            self.text.value = f"{self.value} to {self.value}"
        elif self.how.value == CHOICES and not self.text.value and not isinstance(self.value, list | dict):
            self.text.value = json.dumps(self.value)


def _number(text: str) -> int | float:
    try:
        return int(text) if "." not in text else float(text)
    except ValueError:
        raise RequestError("a bound is no number", expected="such as 1 to 24", got="other words") from None


def _value(text: str) -> Any:
    """A value as JSON, or the words as they stand."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
