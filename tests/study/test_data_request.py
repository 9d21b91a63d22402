"""A data request over real sites: planned, asked, combined, recorded, audited; and what happens when a site is not there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from warehouse_tables import MemoryTables

import fedkit
from fedkit.errors import AccessRefused, ContractReverted, ExecutionFailed, NotApproved, RequestError, SiteError
from fedkit.ledger.events import RoundRecorded
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import Federation, launch
from fedkit.study.warehouse import Ask, Warehouse
from fedkit.warehouse.question import Measure, Question

SITES = ("no", "fi", "et")
PATIENTS = {
    "no": {"female": 60, "male": 50},
    "fi": {"female": 40, "male": 30},
    "et": {"female": 25, "male": 3},  # too few men
}


@pytest.fixture(scope="module")
def federation(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    samples = read_corpus(root / "data_samples")
    small = [
        replace(
            samples.sites[s], train=samples.sites[s].train[:20], dev=samples.sites[s].dev[:4], test=samples.sites[s].test[:4]
        )
        for s in SITES
    ]
    corpus = tmp_path_factory.mktemp("corpus") / "three"
    write_corpus(build_corpus(small), corpus)
    rules = {"preset": "teaching", "threshold": 10, "rounding": 5}
    with launch("warehouse", tmp_path_factory.mktemp("warehouse"), corpus=corpus, policy=rules) as running:
        yield running


@pytest.fixture
def tables(federation: Federation) -> dict[str, MemoryTables]:
    made = {site: MemoryTables(PATIENTS[site]) for site in SITES}
    for site, held in made.items():
        federation.running(site).gate.parts.warehouse = held
    return made


@pytest.fixture
def warehouse(federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path) -> Iterator[Warehouse]:
    with opened(federation, tmp_path) as made:
        made.approve()
        yield made


def opened(federation: Federation, tmp_path: Path, **more: object) -> Warehouse:
    made = fedkit.Warehouse(federation, tmp_path / f"request-of-{tmp_path.name}")
    made.open(title="Patients", purpose="Plan the capacity", questions=6, **more)  # type: ignore[arg-type]
    return made


_NUMBERS = count(1)


def patients(warehouse: Warehouse, **by: tuple[str, ...]) -> Ask:
    """A question that nobody asked before, about nobody of whom was asked: a site remembers every answer, and refuses what an
    earlier one would give away. The tables here look at no condition."""
    return warehouse.count("patients").where(birth_year=1900 + next(_NUMBERS)).by(**by)


def gone(federation: Federation, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    """From now on a site is not reached: its transport fails, as a closed port does."""
    warehouse.study.let_go(site)
    login = federation.login

    def refuse(name: str, user: str) -> object:
        if name == site:
            raise SiteError(f"{site} cannot be reached", help="ask again when it is back")
        return login(name, user)

    monkeypatch.setattr(federation, "login", refuse)


def test_from_a_plan_to_an_answer_that_the_audit_finds_clean(warehouse: Warehouse, tables: dict[str, MemoryTables]) -> None:
    asked = patients(warehouse, sex=("female", "male"))
    plan = asked.plan()
    assert plan.willing == list(SITES)
    assert (plan.cost_rho, plan.why_not) == (0.0, {})
    assert [held.answered for held in tables.values()] == [0, 0, 0]  # a plan runs nothing
    answer = asked.run()
    # Of two groups at et one is too small, so both stay there: the other would give it away.
    assert answer.combined == [
        {"sex": "female", "persons": 100, "hidden": ["et"]},
        {"sex": "male", "persons": 80, "hidden": ["et"]},
    ]
    assert warehouse.sql("SELECT COUNT(DISTINCT person_id) FROM patients").run().value == 210  # rounded to 5 at each site
    report = warehouse.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    bundle = warehouse.study.folder / "evidence"
    rounds = json.loads((bundle / "rounds.json").read_text())
    assert [(row["round"], len(row["receipts"])) for row in rounds] == [(1, 3), (2, 3)]
    assert rounds[0]["question"] == asked.question.to_json()
    results = [r["fields"]["result"] for r in warehouse.study.journal.rows() if r["act"] == "answer.combined"]
    assert results == [kept.digest for kept in warehouse.answers()]


def test_the_same_question_again_is_answered_from_the_folder_and_asks_nobody(
    warehouse: Warehouse, tables: dict[str, MemoryTables], federation: Federation
) -> None:
    def told(site: str) -> list[str]:
        acts = [row["act"] for row in warehouse.study.session(site, "auditor").journal()]
        return [act for act in acts if act.startswith(("question.", "execution."))]

    asked = patients(warehouse)
    first = asked.run()
    before = {site: told(site) for site in SITES}
    again = asked.run()
    assert (again.digest, again.number) == (first.digest, 1)
    assert {site: told(site) for site in SITES} == before
    assert {site: state.used["query"] for site, state in warehouse.status().items()} == dict.fromkeys(SITES, 1)


def test_a_site_that_is_not_there_is_named_and_the_rest_answer(
    warehouse: Warehouse, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        gone(federation, warehouse, away, "fi")
        asked = patients(warehouse)
        answer = asked.run()
        assert answer.sites == ["no", "et"]
        assert answer.missing == {"fi": "fi cannot be reached"}
        assert answer.value == 140
        assert "fi gave nothing: fi cannot be reached" in repr(answer)
        assert warehouse.left().keys() == {"no", "et"}
    whole = asked.run()  # it is back: who has answered gives the same again
    assert (whole.number, whole.sites, whole.value) == (2, list(SITES), 210)
    assert warehouse.verify().ok


def test_no_site_at_all_says_what_each_said(
    warehouse: Warehouse, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        for site in SITES:
            gone(federation, warehouse, away, site)
        with pytest.raises(SiteError, match="no site answers") as refused:
            patients(warehouse).run()
        assert all(f"{site}: {site} cannot be reached" in refused.value.got for site in SITES)
    assert warehouse.answers() == []
    assert patients(warehouse).run().number == 1  # it took no number


def test_a_site_whose_steward_said_no_answers_nothing_and_its_reason_is_told(
    federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path
) -> None:
    with opened(federation, tmp_path) as warehouse:
        with pytest.raises(NotApproved, match="no site answers"):
            patients(warehouse).run()
        warehouse.study.decide("et", approved=False, reason="not for capacity planning")
        warehouse.approve()
        answer = patients(warehouse).run()
        assert answer.sites == ["no", "fi"]
        assert "not for capacity planning" in answer.missing["et"]
        assert tables["et"].answered == 0
        report = warehouse.verify()
        assert report.ok, [(check.number, finding) for check in report.checks for finding in check.findings]


def test_an_approval_that_is_withdrawn_between_two_questions_counts_at_the_next(warehouse: Warehouse) -> None:
    assert patients(warehouse).run().sites == list(SITES)
    warehouse.study.decide("no", approved=False, reason="under review")
    answer = patients(warehouse, sex=("female", "male")).run()
    assert answer.sites == ["fi", "et"]
    assert "under review" in answer.missing["no"]
    assert warehouse.verify().ok


def test_a_site_that_fails_is_named_and_its_number_is_never_another_question(
    warehouse: Warehouse, tables: dict[str, MemoryTables]
) -> None:
    for held in tables.values():
        held.broken = True
    with pytest.raises(ExecutionFailed, match="no site answers"):
        patients(warehouse).run()
    for held in tables.values():
        held.broken = False
    answer = patients(warehouse).run()
    assert (answer.number, answer.value) == (2, 210)
    assert [e.round for e in warehouse.study.federation.ledger.records(RoundRecorded) if e.request == answer.request] == [2]
    assert warehouse.verify().ok


def test_a_late_site_is_left_out_by_the_deadline_and_asked_once_more_before_the_next_question(
    federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path
) -> None:
    with opened(federation, tmp_path) as warehouse:
        warehouse.approve()
        tables["fi"].gate.clear()
        warehouse.deadline = 3
        answer = patients(warehouse).run()
        assert answer.sites == ["no", "et"]
        assert "did not answer within 3 s" in answer.missing["fi"]
        tables["fi"].gate.set()
        warehouse.deadline = 60
        patients(warehouse, sex=("female", "male")).run()
        first, _ = warehouse.answers()
        assert first.sites == list(SITES)
        assert first.value == 210
        assert tables["fi"].answered == 2  # the late call was not run a second time
        report = warehouse.verify()
        assert report.ok, [finding for check in report.checks for finding in check.findings]


def test_a_crash_between_two_sites_loses_nothing_and_asks_nothing_twice(
    warehouse: Warehouse, tables: dict[str, MemoryTables], federation: Federation
) -> None:
    asked = patients(warehouse)
    whole = asked.run()
    file = warehouse.study.folder / "questions" / "0001.json"
    row = json.loads(file.read_text())
    kept = [r for r in row["receipts"] if r["site"] == "no"]  # as if the power had gone after the first site's receipt
    file.write_text(json.dumps({**row, "receipts": kept, "closed": False, "recorded": []}))
    shutil.rmtree(warehouse.study.folder / "answers")
    (warehouse.study.folder / "answers").mkdir()
    data = warehouse.study.session("no", "researcher").get(kept[0]["outputs"])
    (warehouse.study.folder / "answers" / f"{kept[0]['outputs']}.safetensors").write_bytes(data)
    warehouse.close()
    with fedkit.Warehouse(federation, warehouse.study.folder) as again:
        assert again.run(asked.question).digest == whole.digest
        assert [held.answered for held in tables.values()] == [1, 1, 1]
        assert {site: state.used["query"] for site, state in again.status().items()} == dict.fromkeys(SITES, 1)
        assert again.verify().ok


def test_a_crash_before_the_ledger_is_made_good_by_the_next_call(
    warehouse: Warehouse, tables: dict[str, MemoryTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def recorded() -> list[int]:
        request, ledger = warehouse.study.requested().digest, warehouse.study.federation.ledger
        return [e.round for e in ledger.records(RoundRecorded) if e.request == request]

    asked = patients(warehouse)
    with monkeypatch.context() as cut:
        cut.setattr(warehouse.study.federation.ledger, "record_round", power_cut)
        with pytest.raises(KeyboardInterrupt):
            asked.run()
    assert recorded() == []
    assert asked.run().number == 1
    assert recorded() == [1]
    assert [held.answered for held in tables.values()] == [1, 1, 1]


def test_what_the_contracts_refuse_does_not_stand_in_the_way_and_the_audit_tells_of_it(
    warehouse: Warehouse, tables: dict[str, MemoryTables], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ContractReverted("the contract refused: Closed")

    asked = patients(warehouse)
    with monkeypatch.context() as closed:
        closed.setattr(warehouse.study.federation.ledger, "record_round", refused)
        with pytest.raises(ContractReverted):
            asked.run()
        assert asked.run().value == 210  # it was answered, and is in the folder
    assert patients(warehouse).run().number == 2
    report = warehouse.verify()
    assert not report.ok
    told = [finding.what for check in report.checks for finding in check.findings]
    assert set(told) == {"ran, and is not on the ledger"}


def test_without_a_data_request_it_says_what_to_do_first(federation: Federation, tmp_path: Path) -> None:
    with fedkit.Warehouse(federation, tmp_path / "new") as warehouse:
        for act in (warehouse.count("patients").plan, warehouse.count("patients").run, warehouse.status, warehouse.verify):
            with pytest.raises(RequestError, match="no data request was opened here"):
                act()


def test_an_answer_in_the_folder_that_was_changed_is_not_given(warehouse: Warehouse) -> None:
    patients(warehouse).run()
    (file, *_) = sorted((warehouse.study.folder / "answers").glob("*.safetensors"))
    file.write_bytes(file.read_bytes().replace(b"persons", b"patient"))
    with pytest.raises(fedkit.Refused, match="not what its receipt names"):
        warehouse.answers()


def test_a_data_request_is_opened_once_and_opening_it_again_goes_on(
    federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path
) -> None:
    with opened(federation, tmp_path) as first:
        digest = first.study.requested().digest
    with opened(federation, tmp_path) as again:
        assert again.study.requested().digest == digest
        with pytest.raises(RequestError, match="another data request"):
            again.open(title="Patients", purpose="Something else", questions=6)


def test_what_a_data_request_does_not_cover_is_refused_before_anything_runs(
    federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path
) -> None:
    with opened(federation, tmp_path, views=("mentions",)) as warehouse:
        warehouse.approve()
        with pytest.raises(AccessRefused, match="does not cover patients"):
            warehouse.run(Question("patients", (Measure("persons"),)))
        assert [held.answered for held in tables.values()] == [0, 0, 0]


def test_a_pooled_question_needs_a_request_that_adds_up(warehouse: Warehouse) -> None:
    with pytest.raises(RequestError, match="adds nothing up under masks"):
        patients(warehouse).pooled(0.1).run()


def test_a_misspelt_column_is_told_before_any_site_is_asked(warehouse: Warehouse) -> None:
    with pytest.raises(RequestError) as refused:
        warehouse.sql("SELECT COUNT(DISTINCT person_id) FROM patients WHERE sexx = 'female'")
    assert "sex" in refused.value.help


def test_an_analyst_asks_as_themselves(federation: Federation, tables: dict[str, MemoryTables], tmp_path: Path) -> None:
    card = federation.add_user(SITES, "ana", "analyst", name="Ana Berg")
    with fedkit.Warehouse(federation, tmp_path / "by-ana", user="ana") as warehouse:
        warehouse.open(title="Patients", purpose="Plan the capacity", questions=2)
        warehouse.approve()
        assert patients(warehouse).run().value == 210
        assert warehouse.study.requested().researcher == card.address
        report = warehouse.verify()
        assert report.ok, [(check.number, finding) for check in report.checks for finding in check.findings]


def test_a_folder_of_a_study_is_no_data_request_and_the_other_way_round(
    federation: Federation, warehouse: Warehouse, tmp_path: Path
) -> None:
    study = fedkit.Study(federation, tmp_path / "study")
    study.describe(title="Notes", purpose="Plan", template="count")
    study.request()
    study.close()
    with pytest.raises(RequestError, match="folder is a study's"):
        fedkit.Warehouse(federation, tmp_path / "study")
    with pytest.raises(RequestError, match="is for questions"):
        warehouse.study.run()
