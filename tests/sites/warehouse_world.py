"""A federation whose notes say whose they are, and short ways to open a data request, plan a question and ask it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from site_suite import World

from fedkit.federation.parameters import decode_tables
from fedkit.governance.decision import Receipt
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.sites.base import Site
from fedkit.templates import TEMPLATES
from fedkit.warehouse.plan_report import PlanReport
from fedkit.warehouse.predicates import Compare, Predicate
from fedkit.warehouse.question import ANSWER, Asked, Group, Measure, Protection, Question

#: Stands in every private note and nowhere else.
CANARY = "Zyxophon"

#: Persons at each site: of the first third, one note each, of all others two; every third is a man.
SITES: Mapping[str, tuple[str, int]] = {"north": ("nb", 60), "east": ("et", 45)}

PERSONS = (Measure("persons"),)


def make_patients(folder: Path, sites: Mapping[str, tuple[str, int]] = SITES) -> Path:
    """A corpus in which persons are known."""
    for site, (language, persons) in sites.items():
        (folder / site).mkdir(parents=True)
        notes: dict[str, list[dict[str, Any]]] = {"train": [], "dev": [], "test": []}
        for person in range(persons):
            for number in range(1 if person < persons // 3 else 2):
                text = f"{CANARY} {site} {person} {number} fikk Paracet mot feber."
                start = text.index("Paracet")
                note = {"id": f"{site}-{person}-{number}", "lang": language, "text": text, "patient": f"{site}-{person}"}
                note["spans"] = [{"start": start, "end": start + 7, "label": "DRUG"}]
                note["date"] = f"{2020 + person % 3}-0{1 + number}-15"
                note["meta"] = {"sex": "male" if person % 3 == 0 else "female", "year_of_birth": str(1940 + person % 50)}
                notes[("train", "train", "dev", "test")[person % 4]].append(note)
        for split, rows in notes.items():
            (folder / site / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def counted(where: Predicate | None = None, by: tuple[Group, ...] = (), rho: float = 0.0, view: str = "patients") -> Question:
    """Distinct persons; with noise where it has a price."""
    return Question(view, PERSONS, where, by, Protection("noise", rho) if rho else Protection())


def born(since: int, rho: float = 0.0) -> Question:
    """One of many questions that are not each other."""
    return counted(Compare("birth_year", ">=", (since,)), rho=rho)


@dataclass
class Warehouse:
    """Data requests of one account at one site of a world. session: whose."""

    world: World
    session: Site
    address: str
    permit: DataPermit = field(default_factory=lambda: DataPermit("permit-1", "to test", ("notes",), "2099-01-01"))

    def request(self, *, approve: bool = True, permit: DataPermit | None = None, **parameters: Any) -> CodeRequest:
        """A data request that is like no other; with its steward's approval."""
        template, permit = TEMPLATES["warehouse"], permit or self.permit
        settings = {**template.settings(parameters), "study": secrets.token_hex(8)}
        about: dict[str, Any] = {"title": "T", "purpose": permit.purpose, "researcher": self.address, "permit": permit}
        made = template.request(settings, **about)
        self.session.submit(made)
        if approve:
            self.world.steward.decide(self.world.decision(made))
        return made

    def plan(self, request: CodeRequest, question: Asked) -> PlanReport:
        return self.session.plan(request.digest, question)

    def execute(self, request: CodeRequest, number: int, question: Asked) -> Receipt:
        return self.session.execute(request.digest, "query", number, question.digest)

    def ask(self, request: CodeRequest, number: int, question: Asked) -> list[dict[str, Any]]:
        """Plan, execute, get: the rows of the answer."""
        self.plan(request, question)
        return self.rows(self.execute(request, number, question))

    def rows(self, receipt: Receipt) -> list[dict[str, Any]]:
        return decode_tables(self.session.get(receipt.outputs))[ANSWER]


def of(world: World, level: str = "researcher") -> Warehouse:
    """The warehouse of the federation's own account of a level."""
    session = world.federation.login(world.site, level)
    return Warehouse(world, session, world.federation.researcher)
