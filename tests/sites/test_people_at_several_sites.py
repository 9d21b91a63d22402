"""One person with an account at several sites: one key for all of them, so that a study runs as that person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fedkit.errors import AccessRefused, SiteError
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import Federation, launch
from fedkit.study import Study

SITES = ("no", "fi")


@pytest.fixture(scope="module")
def federation(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    samples = read_corpus(root / "data_samples")
    small = [
        replace(
            samples.sites[s], train=samples.sites[s].train[:20], dev=samples.sites[s].dev[:4], test=samples.sites[s].test[:4]
        )
        for s in SITES
    ]
    corpus = tmp_path_factory.mktemp("corpus") / "two"
    write_corpus(build_corpus(small), corpus)
    with launch("several", tmp_path_factory.mktemp("several"), corpus=corpus) as running:
        yield running


def test_one_key_stands_at_every_site_and_a_study_is_asked_run_and_recorded_as_that_person(
    federation: Federation, tmp_path: Path
) -> None:
    card = federation.add_user(SITES, "ana", "analyst", name="Ana Berg")
    assert federation.address("ana") == card.address != federation.researcher
    study = Study(federation, tmp_path / "counted-by-ana", user="ana")
    study.describe(title="Notes", purpose="Plan the capacity", template="count")
    study.request(), study.rehearse(), study.submit()
    for site in SITES:
        assert study.session(site, "researcher").user == "ana"
        study.decide(site, approved=True)
    study.run()
    assert study.requested().researcher == card.address
    study.release()
    report = study.verify()
    study.close()
    assert report.ok, [finding for check in report.checks for finding in check.findings]


def test_the_researcher_and_nobody_have_their_addresses_too(federation: Federation) -> None:
    assert federation.address("researcher") == federation.researcher
    with pytest.raises(AccessRefused, match="no account for 'nobody'"):
        federation.address("nobody")


@pytest.mark.parametrize("sites", [(), ("no", "elsewhere")])
def test_a_site_that_is_not_there_gets_no_account_and_no_other_site_either(
    federation: Federation, sites: tuple[str, ...]
) -> None:
    with pytest.raises((AccessRefused, SiteError)):
        federation.add_user(sites, "early", "analyst")
    with pytest.raises(AccessRefused):
        federation.login("no", "early")
