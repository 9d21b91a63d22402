"""Steps 1 to 4 for the researcher: a form that says at each field what is missing, and hands its values to the study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets

from fedkit.errors import RequestError
from fedkit.governance.request import DataPermit
from fedkit.widgets.base import FedkitWidget, button, escape, facts_html

if TYPE_CHECKING:
    from fedkit.study import Study

#: Models to choose from: name → what it changes in the settings of `fedkit.ner.tasks.default_settings`.
MODELS: dict[str, dict[str, Any]] = {
    "standard": {},
    "small": {"model": {"kind": "hash-cnn", "d": 32, "rows": 1024, "ngrams": 2048, "layers": 2}},
}

#: What a sequential round shows, and to whom; it stands beside the field and in every steward's review.
SEQUENTIAL = (
    "In a sequential round one site trains after the other, so each site sees the weights of the site before it. "
    "It learns faster with few notes. With 0, no site sees another site's weights."
)

LABELS = {
    "title": "Title",
    "purpose": "Purpose",
    "permit_id": "Data permit",
    "permit_purpose": "Permit is given for",
    "permit_expires": "Permit is valid until",
    "dataset": "Data set",
    "rounds": "Rounds",
    "sequential_rounds": "Of these, sequential first",
    "model": "Model",
}


@dataclass(frozen=True)
class RequestValues:
    """What the form holds. permit_expires: the last day included, UTC; None while it is not given."""

    title: str = ""
    purpose: str = ""
    permit_id: str = ""
    permit_purpose: str = ""
    permit_expires: date | None = None
    dataset: str = "notes"
    rounds: int = 4
    sequential_rounds: int = 0
    model: str = "standard"

    @property
    def permit(self) -> DataPermit:
        """The permit as a request carries it. Raises RequestError while the day is missing."""
        if self.permit_expires is None:
            raise RequestError("the permit has no last day", expected="a date", got="none")
        return DataPermit(self.permit_id, self.permit_purpose, (self.dataset,), self.permit_expires.isoformat())


def problems(values: RequestValues, today: date, *, most_rounds: int = 100) -> dict[str, str]:
    """What is not right yet: field → one sentence that says what to do; empty if the request can be made."""
    found: dict[str, str] = {}
    if len(values.title.strip()) < 5:
        found["title"] = "Give a title of at least five characters."
    if len(values.purpose.strip()) < 10:
        found["purpose"] = "Say in a sentence what the result is for; the stewards decide by it."
    if not values.permit_id.strip():
        found["permit_id"] = "Give the number of the data permit."
    if not values.permit_purpose.strip():
        found["permit_purpose"] = "Say what the permit was given for."
    elif values.permit_purpose != values.purpose:
        found["permit_purpose"] = "The purpose of the study has to be the permit's, word for word; the sites compare them."
    if values.permit_expires is None:
        found["permit_expires"] = "Give the last day on which the permit is valid."
    elif values.permit_expires < today:
        found["permit_expires"] = "This permit has expired; ask for a new one."
    if not values.dataset:
        found["dataset"] = "Choose a data set."
    if not 1 <= values.rounds <= most_rounds:
        found["rounds"] = f"Choose from 1 to {most_rounds} rounds."
    if not 0 <= values.sequential_rounds <= max(values.rounds, 0):
        found["sequential_rounds"] = "Choose from 0 to the number of rounds."
    if not values.model:
        found["model"] = "Choose a model."
    return found


class RequestForm(FedkitWidget):
    """The researcher's form.

    on_submit: called with the `RequestValues`, in a worker thread after a click, and directly by `submit()`. What it returns is
        kept in `request`; a string is shown as well.
    datasets, models: what may be chosen.   **defaults: first values, by the field names of `RequestValues`.

    `values` is the data, `set(…)` and `submit()` do what a person does with the mouse.
    """

    def __init__(
        self,
        on_submit: Callable[[RequestValues], Any],
        *,
        datasets: Sequence[str] = ("notes",),
        models: Sequence[str] = tuple(MODELS),
        **defaults: Any,
    ) -> None:
        super().__init__()
        self._on_submit = on_submit
        self.request: Any = None
        self.submitted: RequestValues | None = None
        start = {"permit_expires": _today() + timedelta(days=30), "dataset": next(iter(datasets), ""), "model": models[0]}
        first = _known(RequestValues(), {**start, **defaults})
        wide = {"layout": ipywidgets.Layout(width="100%", max_width="680px"), "style": {"description_width": "190px"}}
        short = {"layout": ipywidgets.Layout(width="300px"), "style": {"description_width": "190px"}}
        made: dict[str, ipywidgets.Widget] = {
            "title": ipywidgets.Text(**wide),
            "purpose": ipywidgets.Textarea(rows=2, **wide),
            "permit_id": ipywidgets.Text(**wide),
            "permit_purpose": ipywidgets.Text(**wide),
            "permit_expires": ipywidgets.DatePicker(**{**short, "layout": ipywidgets.Layout(width="360px")}),
            "dataset": ipywidgets.Dropdown(options=list(datasets), **wide),
            "rounds": ipywidgets.IntText(continuous_update=True, **short),
            "sequential_rounds": ipywidgets.IntText(continuous_update=True, **short),
            "model": ipywidgets.Dropdown(options=list(models), **wide),
        }
        self.fields = made
        self.hints = {name: ipywidgets.HTML() for name in made}
        for name, control in made.items():
            control.description = LABELS[name]
            self.hints[name].add_class("fk-hint")
            control.value = getattr(first, name)
            control.observe(lambda _: self._refresh(), names="value")
        self._button = button("Rehearse and submit", self._clicked, "go")
        self._fill(
            ipywidgets.HTML('<h3>Code request</h3><p class="fk-soft">Steps 1 to 4: describe, request, rehearse, submit.</p>'),
            *(ipywidgets.VBox([made[n], self.hints[n]]).add_class("fk-field") for n in made),
            ipywidgets.HBox([self._button]),
        )
        self._refresh()

    @classmethod
    def for_study(cls, study: Study, **defaults: Any) -> RequestForm:
        """The form of a study: submitting describes it, makes the request, rehearses it and submits it to every site.

        What the study was described with before comes before the defaults: running a cell again loses nothing that was typed.
        """

        def submit(values: RequestValues) -> str:
            study.describe(
                title=values.title,
                purpose=values.purpose,
                permit=values.permit,
                dataset=values.dataset,
                rounds=values.rounds,
                sequential_rounds=values.sequential_rounds,
                settings=MODELS[values.model],
            )
            study.request()
            study.rehearse()
            return f"Rehearsed on the mock twins and submitted to {len(study.submit())} sites."

        return cls(submit, models=list(MODELS), **{**defaults, **_described(study.plan)})

    @property
    def values(self) -> RequestValues:
        """What the fields hold now."""
        return RequestValues(**{name: control.value for name, control in self.fields.items()})

    @property
    def problems(self) -> dict[str, str]:
        """What is not right yet: field → sentence."""
        return problems(self.values, _today())

    def set(self, **values: Any) -> RequestForm:
        """Fill in fields by name. Raises RequestError for a name or a choice that the form does not have."""
        new = _known(self.values, values)
        for name in values:
            try:
                self.fields[name].value = getattr(new, name)
            except Exception:  # a trait error, whose text would repeat the value
                raise RequestError(
                    f"the form cannot take this value for {name}",
                    expected=f"{getattr(self.fields[name], 'options', None) or 'a value that fits: ' + LABELS[name]}",
                    got=type(values[name]).__name__,
                ) from None
        return self

    def submit(self) -> Any:
        """Do what the button does and return what came of it; values that were submitted already are not submitted twice.

        Waits if a click is being worked on. Raises RequestError while a field is wrong, and what `on_submit` raises.
        """
        self.wait()
        if self.submitted is not None and self.submitted == self.values:
            return self.request
        return self._attempt(self._submit, again=True)

    def _submit(self) -> Any:
        values = self.values
        if found := problems(values, _today()):
            raise RequestError(
                "the form is not complete",
                expected="a value that fits in every field",
                got=", ".join(LABELS[name] for name in found),
                help=" ".join(found.values()),
            )
        self.say("Rehearsing on the mock twins and submitting …")
        result = self._on_submit(values)
        with self.lock:
            self.request, self.submitted = result, values
            self.say(result if isinstance(result, str) else "Submitted.", "done")
        self._refresh()
        return result

    def _clicked(self) -> None:
        self._in_background(self._submit)

    def _refresh(self) -> None:
        with self.lock:
            values, found = self.values, self.problems
            for name, hint in self.hints.items():
                note = SEQUENTIAL if name == "sequential_rounds" else ""
                bad = found.get(name, "")
                text = f'<p class="fk-bad" role="status">{escape(bad)}</p>' if bad else ""
                hint.value = text + (f'<p class="fk-soft">{escape(note)}</p>' if note else "")
            self._button.disabled = bool(found) or self.busy or values == self.submitted

    def static_html(self) -> str:
        return "<h3>Code request</h3>" + facts_html(self._facts())

    def static_text(self) -> str:
        rows = [f"  {label}: {value}" for label, value in self._facts()]
        return "\n".join([f"Code request ({'submitted' if self.submitted else 'not submitted yet'})", *rows])

    def _facts(self) -> list[tuple[str, object]]:
        """The values for the fallback; a date as the days it is away, so that it reads the same tomorrow."""
        values = self.values
        last = values.permit_expires
        days = "no day given" if last is None else f"{(last - _today()).days} days from today"
        shown = {name: getattr(values, name) for name in LABELS} | {"permit_expires": days}
        return [(LABELS[name], shown[name]) for name in LABELS]


def _described(plan: Mapping[str, Any] | None) -> dict[str, Any]:
    """The form's values in the plan of a study; empty if there is none yet."""
    if plan is None:
        return {}
    permit, settings = DataPermit.from_json(plan["permit"]), plan["settings"]
    chosen = [name for name, changes in MODELS.items() if changes and all(settings[k] == v for k, v in changes.items())]
    return {
        "title": plan["title"],
        "purpose": plan["purpose"],
        "permit_id": permit.id,
        "permit_purpose": permit.purpose,
        "permit_expires": date.fromisoformat(permit.expires),
        "dataset": plan["dataset"],
        "rounds": settings["rounds"],
        "sequential_rounds": settings["sequential_rounds"],
        "model": chosen[0] if chosen else "standard",
    }


def _known(base: RequestValues, values: dict[str, Any]) -> RequestValues:
    names = {f.name for f in fields(RequestValues)}
    if unknown := sorted(set(values) - names):
        raise RequestError("the form has no such field", expected=f"one of {sorted(names)}", got=", ".join(unknown))
    return replace(base, **values)


def _today() -> date:
    return datetime.now(UTC).date()
