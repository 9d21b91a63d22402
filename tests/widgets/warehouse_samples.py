"""Plans and answers of the warehouse as sites and the caller's side make them, and a data request that answers from a list."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fedkit.errors import FedkitError, SiteError
from fedkit.governance.review import RequestState
from fedkit.results.warehouse import WarehouseAnswer
from fedkit.warehouse.builder import count
from fedkit.warehouse.plan_report import PlanReport, Verdict
from fedkit.warehouse.question import Asked, Question
from fedkit.widgets.warehouse_budget import Budget

SITES = ("no", "sv", "et")
BY_YEAR = count("mentions").where(label="IMPLANT", year=(2022, 2024)).by("year").question()
BY_SITE = count("mentions").where(label="IMPLANT", year=(2022, 2023)).by("year", "site").question()


def plan_of(site: str, question: Asked = BY_YEAR, **changes: Any) -> PlanReport:
    """A plan in which every rule passes."""
    rules = (Verdict("Question", True, "fits the schema and the request"), Verdict("GroupLimit", True, "up to 100 rows"))
    return replace(PlanReport(site, question.digest, "SELECT 1 AS one", 3, 0.0, 1.0, rules), **changes)


def refused(site: str, why: str = "too many groups. Name fewer.") -> PlanReport:
    """A plan that one rule is against."""
    return plan_of(site, verdicts=(Verdict("GroupLimit", False, why),))


def answer_of(
    question: Question,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    missing: Mapping[str, str] | None = None,
    number: int = 1,
    **more: Any,
) -> WarehouseAnswer:
    """The answer that these rows of each site make."""
    tables = {site: {"answer": [dict(row) for row in given]} for site, given in rows.items()}
    receipts = dict.fromkeys(more.get("summed", rows), "a" * 64)
    return WarehouseAnswer("b" * 64, receipts, missing or {}, number, question, tables, {}, **more)


def years(**persons: int) -> list[dict[str, Any]]:
    """Rows of a site for BY_YEAR: years(y2022=30)."""
    return [{"year": year.lstrip("y"), "persons": number, "rows": 2 * number} for year, number in persons.items()]


class Request:
    """A data request at three sites. plans, answers: what it says, in turn; the last one for good."""

    title, known = "Implants", {"department": ("Ortopedi", "Medisin")}

    def __init__(self, plans: Sequence[Any] = (), answers: Sequence[Any] = (), sites: Sequence[str] = SITES) -> None:
        self.sites, self.asked = sites, []  # type: Sequence[str], list[tuple[str, str]]
        self._plans = list(plans) or [{site: plan_of(site) for site in sites}]
        self._answers = list(answers)

    def about(self) -> str:
        return "<p>120 patients</p>"

    def budgets(self) -> list[Budget]:
        granted = {"query": 20}
        state = {site: RequestState("c" * 64, site, "Implants", "ana", "approved", granted=granted) for site in self.sites}
        used = {"query": sum(what == "run" for what, _ in self.asked)}
        return [Budget(site, replace(state[site], used=used), "query", 1.0) for site in self.sites]

    def plan(self, question: Question) -> dict[str, PlanReport | FedkitError]:
        self.asked.append(("plan", question.digest))
        return self._next(self._plans)

    def run(self, question: Question) -> WarehouseAnswer:
        self.asked.append(("run", question.digest))
        return self._next(self._answers)

    @staticmethod
    def _next(given: list[Any]) -> Any:
        said = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(said, Exception):
            raise said
        return said


def not_there(site: str) -> SiteError:
    return SiteError(f"{site} did not answer", expected="an answer", got="none", help="try again later")


#: Stands in every note of `make_patients` and nowhere else.
WORD_OF_A_NOTE = "Zyxophon"


def make_patients(folder: Path) -> Path:
    """Notes of two sites: 60 persons at north, 45 at east, a note each; every third is a man, born in 1940 and the 49 years
    after it, seen in 2022 to 2024."""
    for site, language, persons in (("north", "nb", 60), ("east", "et", 45)):
        (folder / site).mkdir(parents=True)
        notes: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
        for person in range(persons):
            text = f"{WORD_OF_A_NOTE} {site} {person}: fikk Paracet mot feber."
            start = text.index("Paracet")
            note = {
                "id": f"{site}-{person}",
                "lang": language,
                "text": text,
                "patient": f"{site}-{person}",
                "spans": [{"start": start, "end": start + 7, "label": "DRUG"}],
                "date": f"{2022 + person % 3}-01-15",
                "meta": {"sex": "female" if person % 3 else "male", "year_of_birth": str(1940 + person % 50)},
            }
            notes[("train", "train", "dev", "test")[person % 4]].append(json.dumps(note))
        for split, rows in notes.items():
            (folder / site / f"{split}.jsonl").write_text("\n".join([*rows, ""]), "utf-8")
    return folder
