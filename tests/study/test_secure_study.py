"""A training under masks, from the request to the audit: nobody sees one site's weights, and a site may drop out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fedkit.errors import NotApproved, RequestError
from fedkit.federation.parameters import decode, encode
from fedkit.federation.rounds import read_history, read_weights
from fedkit.governance.decision import Receipt
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import launch
from fedkit.study import Study
from fedkit.study.runs import TRAINING

#: Four sites: a sum opens with three of them.
SITES = ("da", "et", "fi", "no")


@pytest.fixture(scope="module")
def federation(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    samples = read_corpus(root / "data_samples")
    small = [
        replace(
            samples.sites[s], train=samples.sites[s].train[:20], dev=samples.sites[s].dev[:6], test=samples.sites[s].test[:6]
        )
        for s in SITES
    ]
    corpus = tmp_path_factory.mktemp("corpus") / "four"
    write_corpus(build_corpus(small), corpus)
    with launch("masks", tmp_path_factory.mktemp("masks"), corpus=corpus) as running:
        yield running


@pytest.fixture
def study(federation: Any, tmp_path: Path) -> Iterator[Study]:
    one = Study(federation, tmp_path / f"study-of-{tmp_path.name}")
    yield one
    one.close()


def asked(study: Study, rounds: int = 2) -> Study:
    study.describe(title="Names", purpose="Find names", rounds=rounds, sequential_rounds=0, masked=True)
    study.request()
    study.rehearse()
    study.submit()
    return study


def approved(study: Study, rounds: int = 2) -> Study:
    asked(study, rounds)
    for site in study.sites:
        study.decide(site, approved=True)
    return study


def test_nobody_sees_one_sites_weights_and_the_audit_is_clean(study: Study) -> None:
    result = approved(study).run()
    assert len(result.history) == 2
    start = encode(decode(read_weights(study.folder / TRAINING, result.history[0].aggregate)))
    for record in result.history:
        assert record.order == SITES
        for row in record.receipts:
            receipt = Receipt.from_json(row)
            left = decode(study.session(receipt.site, "researcher").get(receipt.outputs))
            assert [(name, array.dtype) for name, array in left.items()] == [("masked", np.dtype(np.uint32))]
            # As many bytes as the weights, and a few for how much each row weighs.
            assert len(encode(left)) < 1.1 * len(start)
    study.release()
    report = study.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    shown = str(report.to_json())
    assert "updates are under masks" in shown


def test_a_study_that_lost_its_rounds_gets_the_same_weights_again(study: Study) -> None:
    """As after a crash: sites give the same masked updates and the same shares again, bit for bit."""
    first = approved(study).run()
    shutil.rmtree(study.folder / TRAINING)
    (study.folder / "evaluation.json").unlink()
    second = study.run()
    assert [r.aggregate for r in second.history] == [r.aggregate for r in first.history]


def test_a_site_that_withdraws_in_the_middle_leaves_the_sum_to_the_others(study: Study) -> None:
    approved(study, rounds=3)

    def leave(event: Any) -> None:
        if event.kind == "aggregated" and event.round == 1:
            study.decide("et", approved=False, reason="the data set is under review")

    study.on_training = leave
    result = study.run()
    assert [sorted(record.sites) for record in result.history] == [list(SITES), ["da", "fi", "no"], ["da", "fi", "no"]]
    assert all(np.isfinite(array).all() for array in result.parameters.values())
    failures = (study.folder / TRAINING / "failures.jsonl").read_text("utf-8")
    assert '"site": "et"' in failures
    assert len(read_history(study.folder / TRAINING)) == 3


def test_too_few_sites_are_no_sum_and_say_so(study: Study) -> None:
    approved(study, rounds=2)

    def leave(event: Any) -> None:
        if event.kind == "aggregated" and event.round == 1:
            for site in ("et", "fi"):
                study.decide(site, approved=False, reason="not any more")

    study.on_training = leave
    with pytest.raises(NotApproved, match="not any more"):
        study.run()
    assert len(read_history(study.folder / TRAINING)) == 1  # what was done is kept


def test_masks_need_the_approval_of_all(study: Study) -> None:
    asked(study)
    for site in ("da", "fi", "no"):
        study.decide(site, approved=True)
    with pytest.raises(NotApproved, match="every site of the sum") as refused:
        study.run()
    assert "et" in refused.value.got


def test_what_masks_cannot_hide_is_refused_before_anybody_is_asked(study: Study) -> None:
    with pytest.raises(RequestError, match="all train at the same time"):
        study.describe(title="t", purpose="p", rounds=2, sequential_rounds=1, masked=True)
    with pytest.raises(RequestError, match="all train at the same time"):
        study.describe(title="t", purpose="p", template="count", masked=True)
