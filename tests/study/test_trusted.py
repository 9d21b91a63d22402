"""The trusted task library: what a steward reviewed once a site answers by itself, and nothing that only looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fedkit.errors import DigestMismatch, NotApproved, RequestError
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.results import Count
from fedkit.study import Study
from fedkit.templates.library import open_settings, trusted

PURPOSE = "Plan the capacity"
PERMIT = DataPermit("permit-2026", PURPOSE, ("notes",), "2027-01-31")
LABELS = ("DRUG", "IMPLANT", "REACTION")


@pytest.fixture(scope="module")
def library(processes: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """The first count: a steward at each site reviews it, approves it, and lets counts like it stand approved."""
    study = Study(processes, tmp_path_factory.mktemp("library") / "reviewed-once")
    ask(study, labels=["DRUG"])
    for site in study.sites:
        review = study.review(site)
        study.decide(site, approved=True)
        key = f"steward-{site}"
        standing = trusted(
            review.request,
            site=site,
            steward=processes.keys.address(key),
            findings=review.findings,
            labels=LABELS,
            years=[2025],
            requests=50,
            per_day=50,
        )
        signed = processes.keys.sign_standing(key, standing, processes.ledger.domain)
        study.session(site, "steward").offer_standing(signed)
    yield study
    study.close()


def ask(study: Study, template: str = "count", source: str | None = None, **parameters: Any) -> Study:
    study.describe(
        title="Patients", purpose=PURPOSE, permit=PERMIT, template=template, parameters={"threshold": 2, **parameters}
    )
    study.request(source)
    study.rehearse()
    study.submit()
    return study


@pytest.fixture
def study(library: Study, tmp_path: Path) -> Iterator[Study]:
    one = Study(library.federation, tmp_path / f"asked-{tmp_path.name}")
    yield one
    one.close()


@pytest.mark.parametrize("parameters", [{"labels": ["IMPLANT"]}, {"labels": [], "negated": True}, {"since": "2025-01-01"}])
def test_a_count_like_the_reviewed_one_needs_no_person_and_verifies(study: Study, parameters: dict[str, Any]) -> None:
    ask(study, **parameters)
    assert len(study.decisions()) == len(study.sites)  # the sites' own, brought to the ledger when it was submitted
    result = study.run()
    assert isinstance(result, Count)
    assert result.sites == study.sites
    study.release()
    report = study.verify()
    assert report.ok, report.verdict


@pytest.mark.parametrize(
    "parameters",
    [
        {"words": ["Nordmann"]},
        {"since": "2025-03-01", "until": "2025-03-01"},
        {"labels": ["DRUG", "IMPLANT"]},
        {"by": "label"},
        {"rounding": 1},
    ],
    ids=str,
)
def test_what_was_left_closed_waits_for_a_steward(study: Study, parameters: dict[str, Any]) -> None:
    ask(study, **parameters)
    assert study.decisions() == []
    with pytest.raises(NotApproved):
        study.run()


def test_the_same_words_around_other_code_wait_for_a_steward(study: Study) -> None:
    ask(study, labels=["IMPLANT"])
    request = study.requested()
    source = request.source.replace("counting.tally(counting.all_of(notes), settings)", "counting.tally(notes.train, settings)")
    row = {**request.to_json(), "source": source}
    session = study.session("no", "researcher")
    other = CodeRequest.from_json(row)
    assert session.submit(other).status == "pending"


def test_only_a_template_to_the_letter_is_trusted(library: Study) -> None:
    request = library.requested()
    with pytest.raises(RequestError, match="no template's"):
        trusted(replace(request, source=request.source + "\n"), site="no", steward="0x" + "1" * 40)


def test_the_weights_of_an_evaluation_are_never_left_open(library: Study, tmp_path: Path) -> None:
    from fedkit.ner.models import build

    build({"kind": "hash-cnn", "d": 8, "rows": 64, "ngrams": 64, "layers": 1}, ["DRUG"]).save_pretrained(tmp_path / "m")
    one = Study(library.federation, tmp_path / "evaluation")
    one.describe(title="T", purpose=PURPOSE, template="evaluation", parameters={"model": str(tmp_path / "m")})
    opened = open_settings(one.request())
    assert set(opened) == {"split", "study"}
    with pytest.raises(DigestMismatch):
        opened["split"].check("split", "train")
    one.close()
