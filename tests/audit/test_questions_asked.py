"""Check 18: what sites wrote down of questions to the warehouse; each site here holds its own key and writes its journal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from audit.cases import tries
from audit.conftest import failed
from audit.hands import rewritten
from ledger_world import CANARIES, World

from fedkit.audit.verify import verify
from fedkit.digests import digest
from fedkit.governance.decision import Receipt
from fedkit.governance.request import CodeRequest
from fedkit.ledger.spending import EPSILON, Budget, Spend, amount_of
from fedkit.templates import TEMPLATES
from fedkit.warehouse.predicates import Compare, Has
from fedkit.warehouse.question import Asked, Measure, Protection, Question

SITE = "norway"
PERSONS = (Measure("persons"),)
EXACT = Question("patients", PERSONS, Compare("sex", "in", ("female",)))
NOISY = Question("patients", PERSONS, protection=Protection("noise", 0.1))
BEYOND = Question("patients", PERSONS, Has("visits"), protection=Protection("noise", 0.1))


@dataclass
class Asking:
    """A federation whose researcher has one approved data request, and what the site does about its questions, or fakes."""

    world: World
    rho: float = 0.25
    request: CodeRequest = field(init=False)
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        template = TEMPLATES["warehouse"]
        settings = template.settings({"questions": 9, "rho": self.rho, "views": ["patients", "mentions"]})
        permit = self.world.request().permit
        about: dict[str, Any] = {"title": "T", "purpose": CANARIES[1], "researcher": self.world.researcher, "permit": permit}
        request = replace(template.request(settings, **about), environment=digest("environment"))
        self.request = self.world.submit(request)
        for site in self.world.sites:
            self.world.decide(self.request, site, rounds=9)

    def tell(self, act: str, actor: str = "ada", **fields: Any) -> None:
        self.world.journals[SITE].append(act, actor, request=self.request.digest, **fields)

    def plan(self, question: Asked) -> None:
        self.tell("question.planned", question=question.digest, cost=amount_of(question.cost()), allowed=True)

    def answer(
        self,
        number: int,
        question: Asked,
        *,
        actor: str = "ada",
        outputs: str = "",
        cost: int | None = None,
        remembered: bool = False,
        told: Callable[[dict[str, Any]], Mapping[str, Any] | None] = lambda row: row,
        ledger: bool = True,
        bundle: bool = True,
    ) -> None:
        """A run of a question. told: the row of the answer as the site writes it, None for none."""
        outputs = outputs or digest(["answer", question.digest])
        call = {"entry": "query", "round": number, "inputs": question.digest}
        receipt = Receipt(self.request.digest, SITE, "query", number, question.digest, outputs, {}, digest({}))
        receipt = self.world.keys.sign_receipt(f"site-{SITE}", receipt, self.world.ledger.domain)
        ran = {"code": self.request.code_digest, "environment": self.request.environment}
        self.tell("execution.started", actor, **call, **ran)
        paid = amount_of(0.0 if remembered else question.cost()) if cost is None else cost
        row = {"entry": "query", "round": number, "question": question.digest, "outputs": outputs, "cost": paid}
        if (fields := told({**row, "remembered": remembered})) is not None:
            self.tell("question.answered", actor, **fields)
        of_receipt = {"numbers": receipt.numbers_digest, "signature": receipt.signature}
        self.tell("execution.finished", actor, **call, outputs=outputs, **of_receipt)
        if ledger:
            asked = question.digest
            self.world.record(self.request.digest, "query", number, "EVALUATED", asked, asked, [receipt])
        if bundle:
            self.rounds.append({"entry": "query", "round": number, "question": question.to_json(), "receipts": []})

    def export(self, folder: Path) -> Path:
        self.world.anchor()
        return self.world.export(folder, self.request, rounds=self.rounds)


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    world = World(tmp_path / "world")
    yield Asking(world)
    world.close()


def eighteen(bundle: Path) -> str:
    return "; ".join(f"{finding.what} ({finding.who})" for finding in verify(bundle).checks[17].findings)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An exact question, one with noise, and the same again from memory."""
    folder = tmp_path_factory.mktemp("honest")
    world = World(folder / "world")
    asking = Asking(world)
    budget = Budget(SITE, "notes", 3 * EPSILON, 1, world.keys.address(f"steward-{SITE}"))
    world.ledger.set_budget(world.keys.sign_budget(f"steward-{SITE}", budget, world.ledger.domain))
    cost, spent = amount_of(0.1), 0
    for number, (question, amount, again) in enumerate([(EXACT, 0, False), (NOISY, cost, False), (NOISY, 0, True)], 1):
        spend = Spend(asking.request.digest, SITE, "query", number, amount, spent)
        world.ledger.spend(world.keys.sign_spend(f"site-{SITE}", spend, world.ledger.domain))
        spent += amount
        asking.plan(question)
        asking.answer(number, question, remembered=again)
    yield asking.export(folder / "evidence")
    world.close()


def test_honest_answers_pass_and_are_counted(honest: Path) -> None:
    report = verify(honest)
    assert report.ok, str(report)
    assert report.checks[17].note == "3 answers; 2 questions are in the bundle"


def test_a_study_that_asked_nothing_says_so(bundle: Path) -> None:
    assert verify(bundle).checks[17].note == "the warehouse was not asked"


@tries("answer to a question that was not planned")
@pytest.mark.parametrize("when", ["never", "after"])
def test_an_answer_without_a_plan_before_it_is_found(asking: Asking, tmp_path: Path, when: str) -> None:
    asking.answer(1, EXACT)
    if when == "after":
        asking.plan(EXACT)
    assert f"an answer to a question that was not planned ({SITE})" in eighteen(asking.export(tmp_path / "evidence"))


@tries("answer that cost less than its question")
@pytest.mark.parametrize("cost", [0, amount_of(0.1) - 1, amount_of(0.1) + 1])
def test_a_price_that_the_question_does_not_have_is_found(asking: Asking, tmp_path: Path, cost: int) -> None:
    asking.plan(NOISY)
    asking.answer(1, NOISY, cost=cost)
    assert "cost another price than its question has" in eighteen(asking.export(tmp_path / "evidence"))


@tries("answer whose cost the ledger was told differently")
def test_a_cost_that_the_ledger_was_told_differently_is_found(honest: Path, tmp_path: Path) -> None:
    """The site's own signed words against each other: its journal says one thing, its spending another."""
    forged = Path(shutil.copytree(honest, tmp_path / "evidence"))

    def other(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            if row["act"] == "question.answered" and row["fields"]["cost"]:
                row["fields"]["cost"] += 1
        return rows

    rewritten(forged, f"journals/{SITE}.jsonl", other)
    assert "another cost than the site told the ledger" in eighteen(forged)
    assert failed(forged) >= {9, 18}


@tries("answer given again that was not given before")
@pytest.mark.parametrize("before", ["nobody", "another person", "another answer"])
def test_what_was_not_given_before_is_not_given_again_for_nothing(asking: Asking, tmp_path: Path, before: str) -> None:
    asking.plan(NOISY)
    if before != "nobody":
        asking.answer(1, NOISY, actor="bob" if before == "another person" else "ada")
    asking.answer(2, NOISY, remembered=True, outputs=digest("fresh noise") if before == "another answer" else "")
    assert "given again, and was not given before" in eighteen(asking.export(tmp_path / "evidence"))


def test_what_is_given_again_is_not_paid_for_again(asking: Asking, tmp_path: Path) -> None:
    asking.plan(NOISY)
    asking.answer(1, NOISY)
    asking.answer(2, NOISY, remembered=True, cost=amount_of(0.1))
    assert "given again, and was paid for" in eighteen(asking.export(tmp_path / "evidence"))


@tries("answers beyond the budget of their request")
def test_answers_that_cost_more_together_than_was_approved_are_found(asking: Asking, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        question = replace(NOISY, where=Compare("birth_year", ">=", (1900 + number,)))
        asking.plan(question)
        asking.answer(number, question)
    assert "its answers cost rho 0.3 together, approved were 0.25" in eighteen(asking.export(tmp_path / "evidence"))


@tries("answer about a view that was not approved")
def test_an_answer_about_a_view_that_the_request_does_not_name_is_found(asking: Asking, tmp_path: Path) -> None:
    asking.plan(BEYOND)
    asking.answer(1, BEYOND)
    assert "answered a question about visits, which was not approved" in eighteen(asking.export(tmp_path / "evidence"))


@tries("two questions under one number")
def test_two_questions_under_one_number_are_found(asking: Asking, tmp_path: Path) -> None:
    for question, ledger in ((EXACT, True), (NOISY, False)):
        asking.plan(question)
        asking.answer(1, question, ledger=ledger)
    assert "another question under a number that was used" in eighteen(asking.export(tmp_path / "evidence"))


@tries("run of a question without an answer, or an answer without a run")
def test_a_run_without_an_answer_and_an_answer_without_a_run_are_found(asking: Asking, tmp_path: Path) -> None:
    asking.plan(EXACT)
    asking.answer(1, EXACT, told=lambda row: None)
    asking.answer(2, EXACT, told=lambda row: {**row, "outputs": digest("something else")})
    found = eighteen(asking.export(tmp_path / "evidence"))
    assert "ran, and its journal tells of no answer" in found
    assert "an answer of no run" in found


@tries("question left out of the bundle")
def test_a_question_on_the_ledger_that_is_not_in_the_bundle_is_found(asking: Asking, tmp_path: Path) -> None:
    asking.plan(NOISY)
    asking.answer(1, NOISY, bundle=False)
    assert "answered a question that is not in the bundle (the researcher" in eighteen(asking.export(tmp_path / "evidence"))


@tries("question changed in the bundle")
def test_a_question_that_was_changed_in_the_bundle_is_another_one(honest: Path, tmp_path: Path) -> None:
    forged = Path(shutil.copytree(honest, tmp_path / "evidence"))

    def otherwise(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for done in rounds:
            done["question"]["protection"]["groups_per_person"] = 7
        return rounds

    rewritten(forged, "rounds.json", otherwise)
    assert "answered a question that is not in the bundle" in eighteen(forged)


@pytest.mark.parametrize("question", [{}, {"protection": 3}, {"protection": {"rho": "0.1"}}, {"protection": {"rho": 1e300}}])
def test_what_is_no_question_has_no_price_that_fits(asking: Asking, tmp_path: Path, question: dict[str, Any]) -> None:
    class Forged:
        digest = digest(question)

        def cost(self) -> float:
            return 0.0

        def to_json(self) -> dict[str, Any]:
            return question

    asking.plan(Forged())  # type: ignore[arg-type]
    asking.answer(1, Forged())  # type: ignore[arg-type]
    assert "cost another price than its question has" in eighteen(asking.export(tmp_path / "evidence"))


def test_the_bundle_holds_the_questions_as_they_were_asked(honest: Path) -> None:
    rounds = json.loads((honest / "rounds.json").read_text("utf-8"))
    assert [digest(done["question"]) for done in rounds] == [EXACT.digest, NOISY.digest, NOISY.digest]
