"""Steps 1 to 4 for the researcher: a form that says at each field what is missing, shows what would be asked, and asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets

from fedkit.errors import FedkitError, RequestError
from fedkit.governance.findings import find
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding, MockResult, RequestState
from fedkit.templates import TEMPLATES, template
from fedkit.widgets.asking import StudyAsking, described
from fedkit.widgets.base import FedkitWidget, button, escape, facts_html
from fedkit.widgets.parameter_fields import ParameterFields, words_of
from fedkit.widgets.request_fields import controls
from fedkit.widgets.request_preview import preview_html, results_html, states_html
from fedkit.widgets.request_values import LABELS, MODELS, OF_TRAINING, SEQUENTIAL, RequestValues, problems
from fedkit.widgets.words import PURPOSE_WORDS

if TYPE_CHECKING:
    from fedkit.study import Study


class RequestForm(FedkitWidget):
    """The researcher's form.

    on_submit: called with the `RequestValues`, in a worker thread after a click, and directly by `submit()`. What it returns is
        kept in `request`; a string is shown as well.
    asking:    a study's steps (`StudyAsking`); with them the form shows the request as it would be, rehearses, and says where
        it stands.
    templates, datasets, models: what may be chosen.   **defaults: first values, by the field names of `RequestValues`.

    `values` is the data; `set(…)`, `rehearse()`, `submit()` and `look()` do what a person does with the mouse.
    """

    def __init__(
        self,
        on_submit: Callable[[RequestValues], Any],
        *,
        asking: StudyAsking | None = None,
        templates: Sequence[str] = ("training",),
        datasets: Sequence[str] = ("notes",),
        models: Sequence[str] = tuple(MODELS),
        **defaults: Any,
    ) -> None:
        super().__init__()
        self._on_submit, self._asking = on_submit, asking
        self.request: Any = None
        self.submitted: RequestValues | None = None
        self.draft: CodeRequest | None = None
        self.rehearsals: Sequence[MockResult] = ()
        self._found: tuple[str, list[Finding]] | None = None
        self.states: Mapping[str, RequestState | FedkitError] = {}
        start = {"permit_expires": _today() + timedelta(days=30), "dataset": next(iter(datasets), ""), "model": models[0]}
        first = _known(RequestValues(), {"template": templates[0], **start, **defaults})
        self.fields = controls(templates, datasets, models)
        self.hints = {name: ipywidgets.HTML() for name in self.fields}
        for name, control in self.fields.items():
            control.description = LABELS[name]
            self.hints[name].add_class("fk-hint")
            control.value = getattr(first, name)
        self._rows = {n: ipywidgets.VBox([self.fields[n], self.hints[n]]).add_class("fk-field") for n in self.fields}
        self.parameters = ParameterFields(())
        self._place = ipywidgets.VBox()
        self._preview, self._states = ipywidgets.HTML(), ipywidgets.HTML()
        self._try = button("Rehearse", lambda: self._in_background(self._rehearse))
        self._button = button("Rehearse and submit", lambda: self._in_background(self._submit), "go")
        self._look = button("Where does it stand?", lambda: self._attempt(self._read_states, again=False))
        self._try.layout.display = self._look.layout.display = "" if asking is not None else "none"
        self._fill(
            ipywidgets.HTML('<h3>Code request</h3><p class="fk-soft">Steps 1 to 4: describe, request, rehearse, submit.</p>'),
            *(self._rows[name] for name in self.fields if name not in (*OF_TRAINING, "source")),
            self._place,
            self._preview,
            ipywidgets.HBox([self._try, self._button, self._look]),
            self._states,
        )
        self._rebuild(first.parameters)
        for name, control in self.fields.items():
            control.observe(self._chosen if name == "template" else self._typed, names="value")
        self._refresh()

    @classmethod
    def for_study(cls, study: Study, *, templates: Sequence[str] = ("training",), **defaults: Any) -> RequestForm:
        """The form of a study: submitting describes it, makes the request, rehearses it and submits it to every site.

        templates: what may be asked for, from `fedkit.templates.TEMPLATES`.
        What the study was described with before comes before the defaults: running a cell again, or with a new kernel, loses
        nothing that was typed, and shows where a submitted request stands.
        """
        asking = StudyAsking(study)
        before = described(study.plan, study.code_request, asking.data if study.plan is not None else None)
        if before.get("template", templates[0]) not in templates:
            templates = (*templates, before["template"])
        form = cls(asking.submit, asking=asking, templates=templates, **{**defaults, **before})
        asking.told = form._progress
        if before:
            form._attempt(form._read_states, again=False)
        return form

    @property
    def values(self) -> RequestValues:
        """What the fields hold now."""
        held = {name: control.value for name, control in self.fields.items()}
        if template(held["template"]).source:  # what was typed for another template waits in its field
            held["source"] = ""
        return RequestValues(**held, parameters=self.parameters.values)

    @property
    def problems(self) -> dict[str, str]:
        """What is not right yet: field, or `parameters.<name>` → sentence."""
        researcher = self._asking.researcher if self._asking is not None else ""
        found = problems(self.values, _today(), researcher=researcher)
        return found | {f"parameters.{name}": said for name, said in self.parameters.problems.items()}

    def set(self, **values: Any) -> RequestForm:
        """Fill in fields by name; `parameters` by theirs. Raises RequestError for a name or choice that it does not have."""
        new = _known(self.values, values)
        for name in sorted(set(values) - {"parameters"}, key=list(LABELS).index):
            try:
                self.fields[name].value = getattr(new, name)
            except Exception:  # a trait error, whose text would repeat the value
                raise RequestError(
                    f"the form cannot take this value for {name}",
                    expected=f"{getattr(self.fields[name], 'options', None) or 'a value that fits: ' + LABELS[name]}",
                    got=type(values[name]).__name__,
                ) from None
        self.parameters.set(values.get("parameters", {}))
        return self

    def rehearse(self) -> Sequence[MockResult]:
        """Rehearse on every mock twin, as the button does. Raises RequestError while a field is wrong, or for what fails."""
        self.wait()
        self._attempt(self._rehearse, again=True)
        return self.rehearsals

    def submit(self) -> Any:
        """Do what the button does and return what came of it; values that were submitted already are not submitted twice.

        Waits if a click is being worked on. Raises RequestError while a field is wrong, and what `on_submit` raises.
        """
        self.wait()
        if self.submitted is not None and self.submitted == self.values:
            return self.request
        return self._attempt(self._submit, again=True)

    def look(self) -> Mapping[str, RequestState | FedkitError]:
        """Site → where the request stands there, or why that is not known."""
        self._attempt(self._read_states, again=True)
        return self.states

    # -- the acts
    def _complete(self) -> RequestValues:
        values, found = self.values, self.problems
        if found:
            raise RequestError(
                "the form is not complete",
                expected="a value that fits in every field",
                got=", ".join(LABELS.get(name, words_of(name.removeprefix("parameters."))) for name in found),
                help=" ".join(found.values()),
            )
        return values

    def _rehearse(self) -> None:
        values = self._complete()
        if self._asking is None:
            raise RequestError(
                "this form has no study to rehearse with", expected="RequestForm.for_study(study)", got="another form"
            )
        self.say("Rehearsing on the mock twins …")
        results = self._asking.rehearse(values)
        with self.lock:
            self.rehearsals = results
            self.say(f"Rehearsed: {len(results)} runs on mock notes passed. Nobody was asked yet.", "done")
        self._refresh()

    def _submit(self) -> Any:
        values = self._complete()
        self.say("Rehearsing on the mock twins and submitting …")
        result = self._on_submit(values)
        with self.lock:
            self.request, self.submitted = result, values
            self.say(result if isinstance(result, str) else "Submitted.", "done")
        if self._asking is not None:
            self._read_states()
        self._refresh()
        return result

    def _read_states(self) -> None:
        if self._asking is None:
            return
        states = self._asking.states()
        with self.lock:
            self.states = states
            if states and any(isinstance(state, RequestState) for state in states.values()) and self.submitted is None:
                self.submitted = self.values  # by an earlier kernel, or an earlier run of the cell
                self.request = "It was submitted before."
        self._refresh()

    def _progress(self, line: str) -> None:
        """A line of what goes on, from whichever thread it comes."""
        self.say(line)

    # -- what is shown
    def _chosen(self, _: Any) -> None:
        self._rebuild({})

    def _typed(self, _: Any) -> None:
        self._refresh()

    def _rebuild(self, given: Mapping[str, Any]) -> None:
        """The fields of the chosen template. given: parameters to start with."""
        chosen = template(str(self.fields["template"].value))
        training = chosen.name == "training"
        labels = list(self._asking.data.labels) if self._asking is not None and not training else []
        made = ParameterFields(() if training else chosen.parameters, self._refresh, {"labels": labels} if labels else {})
        made.set(
            {k: v for k, v in given.items() if k in made.fields} if isinstance(given, Mapping) and "new" not in given else {}
        )
        with self.lock:
            self.parameters = made
            own = [] if chosen.source or training else [self._rows["source"]]
            self._place.children = [self._rows[name] for name in OF_TRAINING] if training else [*own, made]
            self._rows["template"].layout.display = "" if len(self.fields["template"].options) > 1 else "none"
        self._refresh()

    def _refresh(self) -> None:
        with self.lock:
            values, found = self.values, self.problems
            said = {"sequential_rounds": SEQUENTIAL, "template": template(values.template).what}
            for name, hint in self.hints.items():
                bad, note = found.get(name, ""), said.get(name, "")
                text = f'<p class="fk-bad" role="status">{escape(bad)}</p>' if bad else ""
                hint.value = text + (f'<p class="fk-soft">{escape(note)}</p>' if note else "")
            problem = self._redraft(values, found)
            self._preview.value = (
                preview_html(values, self.draft, self._findings(values.source), problem) if self._asking is not None else ""
            )
            self._states.value = results_html(self.rehearsals) + states_html(self.states)
            stuck = bool(found or problem) or self.busy
            self._try.disabled = stuck
            self._button.disabled = stuck or values == self.submitted
            self._look.disabled = self.busy or self.submitted is None

    def _findings(self, source: str) -> list[Finding]:
        """What a static look finds in one's own code; looked for once for each text."""
        if self._found is None or self._found[0] != source:
            self._found = (source, find(source) if source.strip() else [])
        return self._found[1]

    def _redraft(self, values: RequestValues, found: Mapping[str, str]) -> str:
        """Make the draft anew; returns why there is none, or ""."""
        self.draft = None
        if self._asking is None or found:
            return ""
        try:
            self.draft = self._asking.draft(values)
        except FedkitError as error:
            return error.diagnostics()
        return ""

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
        shown["template"], shown["category"] = TEMPLATES[values.template].title, PURPOSE_WORDS[values.category]
        shown["source"] = f"{len(values.source.splitlines())} lines"
        hidden = {name for name in ("permit_users", "source") if not getattr(values, name)}
        hidden |= set(OF_TRAINING) if values.template != "training" else set()
        facts: list[tuple[str, object]] = [(LABELS[name], shown[name]) for name in LABELS if name not in hidden]
        return facts + [(words_of(name), _plain(value)) for name, value in values.parameters.items()]


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _known(base: RequestValues, values: dict[str, Any]) -> RequestValues:
    names = {f.name for f in fields(RequestValues)}
    if unknown := sorted(set(values) - names):
        raise RequestError("the form has no such field", expected=f"one of {sorted(names)}", got=", ".join(unknown))
    return replace(base, **values)


def _today() -> date:
    return datetime.now(UTC).date()
