"""A study without the demo: its order, its refusals, and what a steward can do to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fedkit.errors import NotApproved, RequestError, TrainingError
from fedkit.sites.launch import launch
from fedkit.study import STEPS, Study
from fedkit.study.report import percent, read_events
from fedkit.study.runs import RunFolder, StudyEvent


@pytest.fixture(scope="module")
def federation(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with launch("lesson", tmp_path_factory.mktemp("lesson"), corpus=small_corpus) as running:
        yield running


@pytest.fixture
def study(federation: Any, tmp_path: Path) -> Iterator[Study]:
    one = Study(federation, tmp_path / f"study-of-{tmp_path.name}")  # its name makes the request one of its own
    yield one
    one.close()


def described(study: Study, **more: Any) -> Study:
    study.describe(title="Implants", purpose="Find implants before an MRI", rounds=1, sequential_rounds=0, **more)
    study.request()
    return study


def test_steps_out_of_order_say_which_comes_first(study: Study) -> None:
    with pytest.raises(RequestError, match="not described"):
        study.request()
    with pytest.raises(RequestError, match="no request yet"):
        study.submit()


def test_an_impossible_plan_is_named(study: Study) -> None:
    with pytest.raises(RequestError) as caught:
        study.describe(title="t", purpose="p", rounds=2, sequential_rounds=3)
    assert caught.value.got == "3 of 2"


def test_code_that_fails_on_mock_data_reaches_no_steward(study: Study) -> None:
    source = """
def train_round(notes, weights, settings):
    return {"tensors": {}, "numbers": {"loss": 1 / 0}}


def evaluate(notes, weights, settings):
    return {"tensors": {}, "numbers": {}}
"""
    described(study).request(source)
    with pytest.raises(RequestError, match="no steward will see it") as caught:
        study.rehearse()
    assert "no, train_round" in caught.value.got
    assert "rehearsals()" in caught.value.help
    failed = next(r for r in study.rehearsals() if r.entry == "train_round")
    assert "ZeroDivisionError" in failed.traceback
    assert "1 / 0" in failed.traceback
    steward = study.session("no", "steward")
    assert study.requested().digest not in [state.digest for state in steward.requests()]


def test_denied_everywhere_nothing_runs_and_the_reason_is_said(study: Study) -> None:
    described(study).rehearse()
    study.submit()
    with pytest.raises(RequestError, match="needs a reason"):
        study.decide("no", approved=False)
    for site in study.sites:
        study.decide(site, approved=False, reason="The ethics board has not answered.")
    with pytest.raises(NotApproved) as caught:
        study.run()
    assert "ethics board" in caught.value.got


def test_who_approved_takes_part_and_who_denied_does_not(study: Study) -> None:
    described(study).rehearse()
    study.submit()
    study.decide("no", approved=True)
    study.decide("et", approved=True)
    study.decide("fi", approved=False, reason="Not this month.")
    with pytest.raises(TrainingError, match="no finished model"):
        study.release()
    result = study.run()
    assert result.history[-1].order == ("no", "et")
    folder = study.release()
    assert (folder / "model.safetensors").exists()
    assert study.verify().ok


def test_a_study_is_taken_up_by_another_process(study: Study, federation: Any) -> None:
    described(study)
    again = Study(federation, study.folder)
    assert again.requested().digest == study.requested().digest
    assert again.plan == study.plan


def test_the_numbers_of_the_steps_are_those_of_the_architecture(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text()
    for number, name in STEPS.items():
        assert f"{number}. **{name}**" in text


def test_a_damaged_study_folder_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "plan.json").write_text("{half")
    with pytest.raises(Exception, match="damaged"):
        folder.read("plan")


def test_an_event_cut_short_by_a_crash_is_left_out(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.log(StudyEvent(1, "Describe", "a"))
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"step": 2, "na')
    assert [row["message"] for row in read_events(folder)] == ["a"]


def test_what_was_not_measured_is_a_dash() -> None:
    assert (percent(None), percent(0.615)) == ("–", "61.5")
