"""What a request form holds, and what is not right with it yet: plain data, no widgets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.request import PURPOSES, DataPermit

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

#: Field → its name for people, in the order of the form.
LABELS = {
    "template": "What you ask for",
    "title": "Title",
    "purpose": "Purpose",
    "category": "Purpose by law",
    "permit_id": "Data permit",
    "permit_purpose": "Permit is given for",
    "permit_expires": "Permit is valid until",
    "permit_users": "Permit is given to",
    "dataset": "Data set",
    "rounds": "Rounds",
    "sequential_rounds": "Of these, sequential first",
    "model": "Model",
    "source": "Your code",
}

#: Fields that only a training has; every other template has parameters instead.
OF_TRAINING = ("rounds", "sequential_rounds", "model")

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True)
class RequestValues:
    """What the form holds.

    template:       name of a template (`fedkit.templates`).   parameters: of any but a training.   source: one's own code, for
        an analysis; "" for a template's.
    permit_expires: the last day included, UTC; None while it is not given.   category: one of `PURPOSES`.
    permit_users:   addresses with commas between, of the only ones who may use the permit; "" for anybody it was issued to.
    """

    template: str = "training"
    title: str = ""
    purpose: str = ""
    category: str = "research"
    permit_id: str = ""
    permit_purpose: str = ""
    permit_expires: date | None = None
    permit_users: str = ""
    dataset: str = "notes"
    rounds: int = 4
    sequential_rounds: int = 0
    model: str = "standard"
    source: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def users(self) -> tuple[str, ...]:
        """The addresses of `permit_users`."""
        return tuple(part.strip() for part in self.permit_users.split(",") if part.strip())

    @property
    def permit(self) -> DataPermit:
        """The permit as a request carries it. Raises RequestError while the day is missing."""
        if self.permit_expires is None:
            raise RequestError("the permit has no last day", expected="a date", got="none")
        return DataPermit(
            self.permit_id, self.permit_purpose, (self.dataset,), self.permit_expires.isoformat(), self.category, self.users
        )

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters that the template is given."""
        if self.template != "training":
            return dict(self.parameters)
        return {"rounds": self.rounds, "sequential_rounds": self.sequential_rounds, **MODELS[self.model]}


def problems(values: RequestValues, today: date, *, most_rounds: int = 100, researcher: str = "") -> dict[str, str]:
    """What is not right yet: field → one sentence that says what to do; empty if the request can be made.

    researcher: the address of who asks, if it is known.
    """
    found: dict[str, str] = {}
    if len(values.title.strip()) < 5:
        found["title"] = "Give a title of at least five characters."
    if len(values.purpose.strip()) < 10:
        found["purpose"] = "Say in a sentence what the result is for; the stewards decide by it."
    found |= _of_permit(values, today, researcher)
    if not values.dataset:
        found["dataset"] = "Choose a data set."
    if values.template == "training":
        if not 1 <= values.rounds <= most_rounds:
            found["rounds"] = f"Choose from 1 to {most_rounds} rounds."
        if not 0 <= values.sequential_rounds <= max(values.rounds, 0):
            found["sequential_rounds"] = "Choose from 0 to the number of rounds."
        if not values.model:
            found["model"] = "Choose a model."
    elif values.template == "analysis" and not values.source.strip():
        found["source"] = "Write the code that is to run: def analyse(notes, weights, settings)."
    return found


def _of_permit(values: RequestValues, today: date, researcher: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if not values.permit_id.strip():
        found["permit_id"] = "Give the number of the data permit."
    if not values.permit_purpose.strip():
        found["permit_purpose"] = "Say what the permit was given for."
    elif values.permit_purpose != values.purpose:
        found["permit_purpose"] = "The purpose of the study has to be the permit's, word for word; the sites compare them."
    if values.category not in PURPOSES:
        found["category"] = "Choose the kind of purpose that the permit names."
    if values.permit_expires is None:
        found["permit_expires"] = "Give the last day on which the permit is valid."
    elif values.permit_expires < today:
        found["permit_expires"] = "This permit has expired; ask for a new one."
    if not all(_ADDRESS.fullmatch(user) for user in values.users):
        found["permit_users"] = "Give addresses of 0x and 40 hex digits, with commas between, or leave it empty."
    elif values.users and researcher and researcher.lower() not in [user.lower() for user in values.users]:
        found["permit_users"] = f"You are not among them: add {researcher}, or ask for a permit of your own."
    return found
