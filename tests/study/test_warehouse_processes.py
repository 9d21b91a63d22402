"""The warehouse as it is meant: a process for each site, tables that each built of its notes, and an analyst of all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import CANARY

import fedkit
from fedkit.errors import AccessRefused, RequestError
from fedkit.notes.corpus import Corpus, read_corpus
from fedkit.sites.launch import Federation
from fedkit.stewardship import Stewardship
from fedkit.study.warehouse import Warehouse
from fedkit.warehouse.catalogue import Terms

SITES = ("no", "fi", "et")


@pytest.fixture(scope="module")
def analyst(processes: Federation) -> str:
    processes.add_user(SITES, "berit", "analyst", name="Berit Aas")
    return "berit"


@pytest.fixture
def warehouse(processes: Federation, analyst: str, tmp_path: Path) -> Iterator[Warehouse]:
    with fedkit.Warehouse(processes, tmp_path / f"by-{analyst}-{tmp_path.name}", user=analyst) as made:
        made.open(title="Drugs", purpose="Plan the capacity", questions=8, rho=2.0, pooled=True)
        made.approve()
        yield made


@pytest.fixture(scope="module")
def corpus(small_corpus: Path) -> Corpus:
    return read_corpus(small_corpus)


def spans(corpus: Corpus, site: str, label: str) -> int:
    """How often people annotated the label in the private notes of a site."""
    notes = (note for split in ("train", "dev", "test") for note in getattr(corpus.sites[site], split))
    return sum(span.label == label for note in notes for span in note.spans)


def test_figures_are_those_of_the_notes_and_nothing_else_of_them_is_anywhere(warehouse: Warehouse, corpus: Corpus) -> None:
    asked = warehouse.count("mentions").where(label="DRUG", source_model="annotated")
    by_site = asked.by("site").run()
    assert {row["site"]: row["rows"] for row in by_site.combined} == {site: spans(corpus, site, "DRUG") for site in SITES}
    assert asked.run().value == sum(spans(corpus, site, "DRUG") for site in SITES)
    typed = warehouse.sql("SELECT COUNT(*) FROM mentions WHERE label = 'DRUG' AND source_model = 'annotated'").run()
    assert typed.value == sum(spans(corpus, site, "DRUG") for site in SITES)
    report = warehouse.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    written = [path.read_bytes() for path in warehouse.study.folder.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not any(CANARY.encode() in data for data in written)


def test_a_pooled_question_goes_through_pysyft_of_three_processes(warehouse: Warehouse, corpus: Corpus) -> None:
    answer = warehouse.count("patients").pooled(1.5).run()
    people = sum(
        len({note.patient for split in ("train", "dev", "test") for note in getattr(corpus.sites[s], split)}) for s in SITES
    )
    assert answer.value == pytest.approx(people, abs=12)
    assert answer.parts == {}


def test_noise_is_charged_once_and_the_budget_refuses_what_is_beyond_it(warehouse: Warehouse) -> None:
    asked = warehouse.count("notes").noise(1.2)
    first = asked.run()
    assert warehouse.left() == pytest.approx(dict.fromkeys(SITES, 0.8))
    assert asked.run().digest == first.digest
    beyond = warehouse.count("visits").noise(0.9)
    assert beyond.plan().willing == []
    with pytest.raises(fedkit.Refused, match="budget"):
        beyond.run()
    assert warehouse.left() == pytest.approx(dict.fromkeys(SITES, 0.8))
    assert warehouse.verify().ok


def test_a_revoked_account_asks_nothing_any_more(processes: Federation, tmp_path: Path) -> None:
    processes.add_user(SITES, "cecilia", "analyst")
    with fedkit.Warehouse(processes, tmp_path / "by-cecilia", user="cecilia") as made:
        made.open(title="Notes", purpose="Plan", questions=3)
        made.approve()
        assert made.count("patients").run().sites == list(SITES)
        processes.revoke_user("fi", "cecilia")
        answer = made.count("notes").run()
        assert answer.sites == ["no", "et"]
        assert "account was revoked" in answer.missing["fi"]
        for site in ("no", "et"):
            processes.revoke_user(site, "cecilia")
        with pytest.raises(AccessRefused, match="no site answers"):
            made.count("visits").run()


def test_a_session_that_has_ended_is_opened_again(warehouse: Warehouse, processes: Federation, analyst: str) -> None:
    warehouse.plan(warehouse.count("patients").question)
    processes.reset_password("no", analyst)  # which ends the account's sessions there
    assert warehouse.plan(warehouse.count("patients").question).willing == list(SITES)


def test_the_catalogue_of_all_sites_is_signed_by_their_stewards(warehouse: Warehouse, processes: Federation) -> None:
    assert warehouse.catalogue() == {}
    desk = Stewardship.of(processes, "no")
    desk.publish_catalogue(desk.draft_catalogue(Terms()))
    published = warehouse.catalogue()
    assert list(published) == ["no"]
    assert warehouse.drift() == {}
    with pytest.raises(AccessRefused, match="signed by nobody who may"):
        warehouse._signed("fi", published["no"])
    with pytest.raises(AccessRefused, match="signed by nobody who may"):
        warehouse._signed("no", replace(published["no"], published=published["no"].published + 1))


def test_what_does_not_fit_says_the_near_name_and_reaches_no_site(warehouse: Warehouse) -> None:
    for text, near in (
        ("SELECT COUNT(*) FROM mention", "mentions"),
        ("SELECT COUNT(*) FROM mentions WHERE lable = 'DRUG'", "label"),
    ):
        with pytest.raises(RequestError) as refused:
            warehouse.sql(text)
        assert near in refused.value.help
    assert json.loads((warehouse.study.folder / "plan.json").read_text())["template"] == "warehouse"
    assert warehouse.answers() == []
