"""Pooled questions over real sites and masks: only the sum is known, with noise once; small sites count; sites drop out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from warehouse_tables import MemoryTables

import fedkit
from fedkit.errors import SiteError
from fedkit.federation.parameters import decode
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import Federation, launch
from fedkit.study.warehouse import Warehouse
from fedkit.warehouse.noise import deviations

#: Four sites: a sum opens with three of them. At every one there are fewer than ten men, and at all together thirty.
PATIENTS = {site: {"female": 50, "male": men} for site, men in {"da": 9, "et": 6, "fi": 8, "no": 7}.items()}
SITES = tuple(PATIENTS)


@pytest.fixture(scope="module")
def federation(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    samples = read_corpus(root / "data_samples")
    small = [
        replace(
            samples.sites[s], train=samples.sites[s].train[:20], dev=samples.sites[s].dev[:4], test=samples.sites[s].test[:4]
        )
        for s in SITES
    ]
    corpus = tmp_path_factory.mktemp("corpus") / "four"
    write_corpus(build_corpus(small), corpus)
    rules = {"preset": "teaching", "threshold": 10, "rounding": 5}
    with launch("pooled", tmp_path_factory.mktemp("pooled"), corpus=corpus, policy=rules) as running:
        for site in SITES:
            running.running(site).gate.parts.warehouse = MemoryTables(PATIENTS[site])
        yield running


@pytest.fixture
def warehouse(federation: Federation, tmp_path: Path) -> Iterator[Warehouse]:
    with fedkit.Warehouse(federation, tmp_path / f"request-of-{tmp_path.name}") as made:
        made.open(title="Patients", purpose="Plan the capacity", questions=6, rho=9.0, pooled=True)
        made.approve()
        yield made


def away(federation: Federation, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, *sites: str) -> None:
    """From now on these sites are not reached."""
    login = federation.login

    def refuse(name: str, user: str) -> object:
        if name in sites:
            raise SiteError(f"{name} cannot be reached")
        return login(name, user)

    for site in sites:
        warehouse.study.let_go(site)
    monkeypatch.setattr(federation, "login", refuse)


def test_small_sites_are_not_erased_and_nobody_sees_the_figures_of_one(warehouse: Warehouse) -> None:
    asked = warehouse.count("patients").by("sex", sex=("female", "male"))
    exact = asked.run()
    assert [row["persons"] for row in exact.combined] == [None, None]  # each site's rules keep everything back
    question = asked.pooled(4.0)
    answer = question.run()
    # Six standard deviations of the noise: one run in half a billion is further off.
    close = 6 * deviations(question.question)["persons"]  # type: ignore[arg-type]
    assert [row["persons"] for row in answer.combined] == [pytest.approx(200, abs=close), pytest.approx(30, abs=close)]
    assert answer.summed == SITES
    for site, part in warehouse.study.federation.sites.items():
        kept = next(r for r in warehouse._records.all()[-1].receipts if r.site == site)
        left = decode(warehouse.study.session(site, "researcher").get(kept.outputs))
        assert [(name, array.dtype) for name, array in left.items()] == [("masked", np.dtype(np.uint32))], part
        assert np.abs(left["masked"].astype(np.int64) - 25).min() > 100  # not a count; by chance once in 10 million
    assert warehouse.left() == dict.fromkeys(SITES, 5.0)
    report = warehouse.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]


def test_a_pooled_mean_is_where_it_belongs(warehouse: Warehouse) -> None:
    """Sums go under the masks around the middle of their bounds; what is opened has to come back from there."""
    answer = warehouse.mean("notes", 0, 10).pooled(6.0).run()
    assert answer.value == pytest.approx(3, abs=0.5)


def test_a_site_that_drops_out_between_two_questions_leaves_the_sum_to_the_others(
    warehouse: Warehouse, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert warehouse.count("patients").pooled(0.5).run().summed == SITES
    with monkeypatch.context() as gone:
        away(federation, warehouse, gone, "fi")
        answer = warehouse.count("patients").pooled(4.0).run()
        assert answer.summed == ("da", "et", "no")
        assert answer.value == pytest.approx(172, abs=10)
        assert answer.missing == {"fi": "fi cannot be reached"}
    assert warehouse.verify().ok


def test_too_few_sites_are_no_sum_and_cost_nothing(
    warehouse: Warehouse, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.count("patients").pooled(0.5).run()
    with monkeypatch.context() as gone:
        away(federation, warehouse, gone, "fi", "no")
        with pytest.raises(SiteError, match="a pooled answer needs 3 sites, and 2 would answer"):
            warehouse.count("patients").pooled(0.6).run()
    assert warehouse.left() == dict.fromkeys(SITES, 8.5)


def test_a_sum_that_cannot_be_opened_is_said_and_does_not_stand_in_the_way_of_the_next(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise SiteError("it cannot be reached")

    with monkeypatch.context() as broken:
        for site in SITES:
            broken.setattr(warehouse.study.session(site, "researcher"), "sum_open", refuse)
        with pytest.raises(SiteError, match="cannot be reached"):
            warehouse.count("patients").pooled(0.4).run()
        second = warehouse.count("patients").noise(0.3).run()
    assert second.number == 2
    first = warehouse.answers()[0]
    assert (first.value, first.summed, first.sites) == (None, (), list(SITES))
    assert "Too few sites answered to open the sum" in first.note()
    assert warehouse.verify().ok


def test_a_folder_that_lost_the_sum_opens_the_same_sum_again(warehouse: Warehouse) -> None:
    """As after a crash between the receipts and the sum: the sites give the same masked numbers and the same shares."""
    first = warehouse.count("patients").pooled(0.7).run()
    record = warehouse._records.all()[-1]
    warehouse._records.write(replace(record, total=None, summed=(), closed=False, recorded=(), receipts=record.receipts[:1]))
    with fedkit.Warehouse(warehouse.study.federation, warehouse.study.folder) as again:
        answer = again.run(first.question)
    assert (answer.total, answer.summed, answer.digest) == (first.total, first.summed, first.digest)


def test_a_statistic_gets_the_sum_and_its_sites(warehouse: Warehouse) -> None:
    question = warehouse.count("patients").pooled(3.0).question
    replies = warehouse.replies(question)
    assert replies.pooled is not None
    assert replies.pooled.dtype == np.int64
    assert replies.pooled_sites == SITES
    assert replies.answers == {}
