"""What a request form does with a study: drafts without a trace, rehearses, submits, and looks where the request stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fedkit.errors import FedkitError, RequestError
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.review import MockResult, RequestState
from fedkit.study.requesting import catalogued
from fedkit.templates import Data, template
from fedkit.widgets.request_values import MODELS, OF_TRAINING, RequestValues

if TYPE_CHECKING:
    from fedkit.study import Study
    from fedkit.study.runs import StudyEvent


class StudyAsking:
    """Steps 1 to 4 of one study, for a form. told: called with a line for each step at each site."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.told: Callable[[str], None] = lambda line: None
        self._rehearsed: RequestValues | None = None

    @cached_property
    def data(self) -> Data:
        """What the sites' catalogues say of the data set "notes"; read once."""
        return catalogued(self.study, "notes")

    @property
    def researcher(self) -> str:
        """The address of who asks."""
        return self.study.federation.researcher

    def draft(self, values: RequestValues) -> CodeRequest:
        """The request that these values make, with its digest; nothing is kept of it. Raises RequestError."""
        made = template(values.template)
        settings = {**made.settings(values.asked, self.data), "study": self.study.folder.name}
        return made.request(
            settings,
            title=values.title,
            purpose=values.purpose,
            researcher=self.researcher,
            permit=values.permit,
            dataset=values.dataset,
            source=values.source or None,
        )

    def rehearse(self, values: RequestValues) -> list[MockResult]:
        """Steps 1 to 3: describe, request, rehearse on every mock twin. Raises RequestError with what fails."""
        study = self.study
        common: dict[str, Any] = {
            "title": values.title,
            "purpose": values.purpose,
            "permit": values.permit,
            "dataset": values.dataset,
        }
        with self._telling():
            if values.template == "training":
                study.describe(
                    **common,
                    rounds=values.rounds,
                    sequential_rounds=values.sequential_rounds,
                    settings=MODELS[values.model],
                )
                study.request()
            else:
                study.describe(**common, template=values.template, parameters=dict(values.parameters))
                study.request(values.source) if values.source else study.request()
            results = study.rehearse()
        self._rehearsed = values
        return results

    def submit(self, values: RequestValues) -> str:
        """Steps 1 to 4; what was rehearsed just before is not rehearsed again. Returns a sentence."""
        if self._rehearsed != values:
            self.rehearse(values)
        with self._telling():
            states = self.study.submit()
        told = f"Rehearsed on the mock twins and submitted to {len(states)} sites."
        if automatic := [state for state in states if getattr(state, "automatic", "")]:
            told += f" {len(automatic)} of them had approved it already, under a standing approval."
        return told

    def states(self) -> dict[str, RequestState | FedkitError]:
        """Site → where the request stands there, or why that is not known; empty before it was submitted."""
        found: dict[str, RequestState | FedkitError] = {}
        if self.study.code_request is None:
            return found
        for name in self.study.sites:
            try:
                found[name] = self.study.session(name, "researcher").state(self.study.code_request.digest)
            except FedkitError as error:
                found[name] = error
        return found

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Hand the study's events on, a line each, beside whoever listens already."""
        before = getattr(self.study, "on_event", None)

        def hear(event: StudyEvent) -> None:
            self.told(f"{event.step} {event.name}{f' at {event.site}' if event.site else ''}: {event.message}")
            if before is not None:
                before(event)

        self.study.on_event = hear
        try:
            yield
        finally:
            self.study.on_event = before


def described(plan: Mapping[str, Any] | None, request: CodeRequest | None = None, data: Data | None = None) -> dict[str, Any]:
    """The form's values in the plan of a study, and in its request if there is one; empty if nothing is there yet.

    data: what the catalogues say; parameters that they give by default are left out.
    """
    if plan is None:
        return {}
    permit, settings, name = DataPermit.from_json(plan["permit"]), plan["settings"], plan.get("template", "training")
    found: dict[str, Any] = {
        "template": name,
        "title": plan["title"],
        "purpose": plan["purpose"],
        "category": permit.category,
        "permit_id": permit.id,
        "permit_purpose": permit.purpose,
        "permit_expires": date.fromisoformat(permit.expires),
        "permit_users": ", ".join(permit.users),
        "dataset": plan["dataset"],
    }
    if name == "training":
        chosen = [model for model, changes in MODELS.items() if changes and all(settings[k] == v for k, v in changes.items())]
        return {
            **found,
            **{field: settings[field] for field in OF_TRAINING if field in settings and field != "model"},
            "model": chosen[0] if chosen else "standard",
        }
    found["parameters"] = parameters_of(name, settings, data)
    if request is not None and not template(name).source:
        found["source"] = request.source
    return found


def parameters_of(name: str, settings: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
    """The parameters that made these settings, as a template takes them; without those that it would choose by itself."""
    made = template(name)
    known = {parameter.name for parameter in made.parameters}
    wanted = {key: value for key, value in settings.items() if key != "study"}
    found = {key: value for key, value in wanted.items() if key in known}
    if name == "count":  # one category, which its settings hold as a list
        column = settings["by"][0] if settings["by"] else ""
        found |= {"by": column, "values": settings["values"].get(column, [])}
    if name == "analysis":
        found["settings"] = {key: value for key, value in wanted.items() if key not in known}
    if name == "evaluation":
        found.pop("model", None)  # the folder that it came from is not in the request
        return found
    for key in list(found):
        without = {other: value for other, value in found.items() if other != key}
        with suppress(RequestError):
            if made.settings(without, data) == wanted:
                found = without
    return found
