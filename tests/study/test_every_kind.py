"""Counts, tables, evaluations and analyses take the same ten steps as a training: on three sites, a process each."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from study_samples import CANARY

from fedkit.audit.verify import verify
from fedkit.digests import digest_bytes, digest_folder
from fedkit.errors import DigestMismatch, ExecutionFailed, NotApproved, RequestError
from fedkit.governance.table_contract import Category, Count, Number, TableContract
from fedkit.ledger.events import Released, RoundRecorded
from fedkit.results import Analysis, Evaluation, Table, TrainedModel, build
from fedkit.results import Count as CountResult
from fedkit.study import Study
from fedkit.study.querying import answers_of
from fedkit.study.runs import StudyEvent
from fedkit.templates.figures import FigureSpec

#: What a researcher wrote; a histogram is drawn of it afterwards.
ANALYSIS = '''"""How long notes are, by how many drugs they name."""


def analyse(notes, weights, settings):
    groups = {"0": [], "1": [], "2+": []}
    for note in (*notes.train, *notes.dev, *notes.test):
        drugs = sum(span.label == "DRUG" for span in note.spans)
        groups["2+" if drugs > 1 else str(drugs)].append(note)
    rows = []
    for name, found in groups.items():
        words = sum(len(note.text.split()) for note in found) / max(1, len(found))
        rows.append({"drugs": name, "patients": len({note.patient for note in found}), "words": words})
    return {"tables": {"lengths": rows}, "numbers": {"notes": sum(map(len, groups.values()))}}
'''

LENGTHS = TableContract(
    {"drugs": Category(("0", "1", "2+")), "patients": Count(), "words": Number(0, 1000, "patients", 1)},
    threshold=5,
    rounding=1,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that nobody has trained: scores are what they are, the way to them is what matters."""
    import torch

    from fedkit.ner.models import build as build_model

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("models") / "small"
    build_model({"kind": "hash-cnn", "d": 8, "rows": 64, "ngrams": 64, "layers": 1}, ["DRUG", "IMPLANT"]).save_pretrained(
        folder
    )
    return folder


@pytest.fixture
def ask(processes: Any, tmp_path: Path) -> Iterator[Callable[..., Study]]:
    """A study that is approved everywhere but where it is denied."""
    studies: list[Study] = []

    def asked(
        template: str,
        parameters: Mapping[str, Any],
        source: str | None = None,
        *,
        denied: tuple[str, ...] = (),
        later: tuple[str, ...] = (),
    ) -> Study:
        said: list[StudyEvent] = []
        study = Study(processes, tmp_path / f"study-{len(studies)}-of-{tmp_path.name}", said.append)
        studies.append(study)
        study.describe(title="A question", purpose="Plan the capacity", template=template, parameters=parameters)
        study.request(source)
        study.rehearse()
        study.submit()
        for site in study.sites:
            if site not in later:
                study.decide(site, approved=site not in denied, reason="Not this month." if site in denied else "")
        return study

    yield asked
    for study in studies:
        study.close()


def executions(study: Study) -> int:
    """How often the study's request was started at its sites."""
    rows = [row for site in study.sites for row in study.session(site, "auditor").journal()]
    return sum(row["act"] == "execution.started" and row["fields"]["request"] == study.requested().digest for row in rows)


def parameters_of(kind: str, model: Path) -> tuple[dict[str, Any], str | None]:
    figure = FigureSpec("how_long", "histogram", "lengths", ("drugs",), "words")
    return {
        "count": ({"by": "label", "threshold": 5}, None),
        "table": ({"by": ["label", "language"], "values": {"language": ["nb", "fi"]}, "threshold": 2, "rounding": 1}, None),
        "evaluation": ({"model": str(model)}, None),
        "analysis": ({"tables": {"lengths": LENGTHS}, "numbers": {"notes": (0, 1e6)}, "figures": [figure]}, ANALYSIS),
    }[kind]


@pytest.mark.parametrize("kind", ["count", "table", "evaluation", "analysis"])
def test_ten_steps_end_with_a_release_and_a_clean_audit(ask: Any, model: Path, kind: str) -> None:
    study: Study = ask(kind, *parameters_of(kind, model))
    result = study.run()
    assert result.sites == study.sites
    assert not result.missing
    folder = study.release()
    assert json.loads((folder / "result.json").read_text()) == result.to_json()
    assert result.digest in (folder / "README.md").read_text()
    released = [e for e in study.federation.ledger.records(Released) if e.request == study.requested().digest]
    assert [(e.model, e.folder) for e in released] == [(result.digest, digest_folder(folder))]
    report = study.verify()
    assert report.ok, report.verdict
    assert verify(study.folder / "evidence").ok
    assert executions(study) == len(study.sites)
    for path in study.folder.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path.name


@pytest.mark.parametrize("kind", ["count", "table", "evaluation", "analysis"])
def test_a_result_is_what_the_sites_signed_for_and_anybody_can_build_it_again(ask: Any, model: Path, kind: str) -> None:
    study: Study = ask(kind, *parameters_of(kind, model))
    result, request = study.run(), study.requested()
    answers = answers_of(study)
    assert result.verify(request, answers) == ()
    assert build(request, answers).digest == result.digest
    (recorded,) = [e for e in study.federation.ledger.records(RoundRecorded) if e.request == request.digest]
    assert recorded.aggregate == result.digest


def test_a_count_is_what_is_in_the_notes(ask: Any, small_corpus: Path) -> None:
    from fedkit.notes.corpus import read_corpus

    sites = read_corpus(small_corpus).sites.values()
    notes = [note for site in sites for note in (*site.train, *site.dev, *site.test)]
    study: Study = ask("count", {"labels": ["DRUG"], "negated": True, "threshold": 2, "rounding": 1})
    result = study.run()
    assert isinstance(result, CountResult)
    assert result.notes == sum(any(s.label == "DRUG" for s in note.spans) for note in notes)
    assert result.patients == len({note.patient for note in notes if any(s.label == "DRUG" for s in note.spans)})


def test_a_site_shows_no_row_of_few_patients(ask: Any) -> None:
    result = ask("count", {"by": "label", "threshold": 1000}).run()
    assert isinstance(result, CountResult)
    assert all(row["patients"] is None and len(row["hidden"]) == 3 for row in result.combined)
    assert not any(result.per_site.values())


def test_a_count_can_be_paid_for_and_leaves_with_noise(ask: Any) -> None:
    study: Study = ask("count", {"by": "label", "rho": 0.5, "threshold": 2, "rounding": 1})
    plain: Study = ask("count", {"by": "label", "threshold": 2, "rounding": 1})
    noisy, exact = study.run(), plain.run()
    assert all("notes" not in row for row in noisy.combined)
    rows = {site: {r["label"]: r["patients"] for r in given} for site, given in exact.per_site.items()}
    off = [r["patients"] - rows[site][r["label"]] for site, given in noisy.per_site.items() for r in given]
    assert any(off)  # eighteen cells, each off by two or three: that all are exact happens once in 10^13
    assert max(map(abs, off)) < 40
    study.release()
    assert study.verify().ok


def test_an_evaluation_scores_the_weights_that_were_approved_and_no_others(ask: Any, model: Path) -> None:
    from fedkit.templates.evaluation import read_model

    study: Study = ask("evaluation", {"model": str(model)})
    weights = read_model(model)[2]
    assert study.requested().settings["weights"] == digest_bytes(weights)
    other = bytearray(weights)
    other[-1] ^= 1
    session = study.session("no", "researcher")
    with pytest.raises(ExecutionFailed, match="DigestMismatch"):
        session.execute(study.requested().digest, "evaluate", 1, session.put(bytes(other)))
    result = study.run()
    assert isinstance(result, Evaluation)
    assert set(result.combined) == {"DRUG", "IMPLANT", "all"}


@pytest.mark.parametrize("kind", ["count", "analysis"])
def test_what_takes_no_weights_is_given_none(ask: Any, model: Path, kind: str) -> None:
    """Weights would be an input that no steward has seen."""
    study: Study = ask(kind, *parameters_of(kind, model))
    session = study.session("no", "researcher")
    from fedkit.templates.evaluation import read_model

    given = session.put(read_model(model)[2])
    with pytest.raises(RequestError, match="takes no weights"):
        session.execute(study.requested().digest, study.requested().entries[0].name, 1, given)
    rows = [row for row in study.session("no", "auditor").journal() if row["act"] == "execution.refused"]
    assert rows[-1]["fields"]["request"] == study.requested().digest


def test_figures_are_drawn_from_what_left_and_lie_beside_it(ask: Any, model: Path) -> None:
    study: Study = ask("analysis", *parameters_of("analysis", model))
    result = study.run()
    assert isinstance(result, Analysis)
    folder = study.release()
    assert (folder / "how_long.png").read_bytes() == result.figures["how_long"].to_png()
    with (folder / "lengths.csv").open() as file:
        assert [row["drugs"] for row in csv.DictReader(file)] == ["0", "1", "2+"]


class TestSitesThatDoNotAnswer:
    def test_who_denied_is_named_and_the_rest_combine(self, ask: Any, model: Path) -> None:
        study: Study = ask("count", {"threshold": 2}, denied=("fi",))
        result = study.run()
        assert result.sites == ["no", "et"]
        assert result.missing == {"fi": "denied: Not this month."}
        study.release()
        assert study.verify().ok

    def test_who_decides_later_is_asked_later(self, ask: Any) -> None:
        study: Study = ask("count", {"threshold": 2}, later=("et",))
        early = study.run()
        assert early.missing == {"et": "pending"}
        assert study.run().digest == early.digest
        assert not [e for e in study.federation.ledger.records(RoundRecorded) if e.request == study.requested().digest]
        study.decide("et", approved=True)
        result = study.run()
        assert result.sites == study.sites
        assert result.missing == {}
        assert executions(study) == 3
        study.release()
        assert study.verify().ok

    def test_a_release_does_not_wait_for_who_has_not_decided(self, ask: Any) -> None:
        study: Study = ask("count", {"threshold": 2}, later=("et",))
        result = study.run()
        study.release()
        study.decide("et", approved=True)
        assert study.run().digest == result.digest
        assert executions(study) == 2
        assert study.verify().ok

    def test_denied_everywhere_nothing_runs(self, ask: Any) -> None:
        study: Study = ask("count", {}, denied=("no", "fi", "et"))
        with pytest.raises(NotApproved, match="no site has approved"):
            study.run()
        with pytest.raises(RequestError, match="no result yet"):
            study.result()
        with pytest.raises(RequestError, match="no result yet"):
            study.release()

    def test_a_site_whose_code_fails_is_named_tried_again_and_left_out_by_the_release(self, ask: Any) -> None:
        source = ANALYSIS.replace(
            '    groups = {"0"',
            '    if settings["site"] == "fi" and notes.train[0].id[:4] != "mock":\n        1 / 0\n    groups = {"0"',
        )
        study: Study = ask("analysis", {"tables": {"lengths": LENGTHS}, "numbers": {"notes": (0, 1e6)}}, source)
        result = study.run()
        assert result.sites == ["no", "et"]
        assert "ZeroDivisionError" in result.missing["fi"]
        assert executions(study) == 3
        again = study.run()  # only the one that failed is asked again
        assert executions(study) == 4
        assert again.digest == result.digest
        recorded = [e for e in study.federation.ledger.records(RoundRecorded) if e.request == study.requested().digest]
        assert not recorded  # not closed: it could still have answered
        study.release()
        assert study.run().digest == result.digest
        assert executions(study) == 4
        assert study.verify().ok

    def test_where_every_site_fails_the_first_error_is_raised(self, ask: Any) -> None:
        source = 'def analyse(notes, weights, settings):\n    if notes.train[0].id[:4] != "mock":\n        1 / 0\n'
        source += '    return {"numbers": {"notes": 1}}\n'
        study: Study = ask("analysis", {"numbers": {"notes": (0, 1)}}, source)
        with pytest.raises(ExecutionFailed, match="ZeroDivisionError in line 3"):
            study.run()


class TestTakenUpAgain:
    def test_a_second_run_runs_nothing_and_gives_the_same(self, ask: Any) -> None:
        study: Study = ask("count", {"by": "label"})
        result = study.run()
        again = Study(study.federation, study.folder)
        try:
            assert again.run().digest == result.digest
            assert again.result().digest == result.digest
            assert executions(study) == 3
        finally:
            again.close()

    @pytest.mark.parametrize(
        "lost", [("result",), ("result", "missing"), ("result", "missing", "answers")], ids=["result", "missing", "answers"]
    )
    def test_killed_at_any_moment_it_goes_on_and_no_site_runs_twice(self, ask: Any, lost: tuple[str, ...]) -> None:
        """What a crash leaves: each document is written whole, in this order, and the last of them are not there."""
        study: Study = ask("count", {"by": "label"})
        result = study.run()
        for name in lost:
            (study.folder / f"{name}.json").unlink()
        assert study.run().digest == result.digest
        assert executions(study) == 3
        study.release()
        assert study.verify().ok

    def test_half_of_the_answers_are_kept_and_the_others_fetched(self, ask: Any) -> None:
        study: Study = ask("count", {"by": "label"})
        result = study.run()
        rows = study.run_folder.read("answers")
        study.run_folder.write("answers", rows[:1])
        (study.folder / "result.json").unlink()
        assert study.run().digest == result.digest

    def test_a_release_is_done_once_however_often(self, ask: Any) -> None:
        study: Study = ask("count", {})
        study.run()
        first = digest_folder(study.release())
        assert digest_folder(study.release()) == first
        records = [e for e in study.federation.ledger.records(Released) if e.request == study.requested().digest]
        assert len(records) == 1

    @pytest.mark.parametrize("file", ["answers", "result"])
    def test_a_folder_that_somebody_changed_is_found_out(self, ask: Any, file: str) -> None:
        study: Study = ask("count", {"by": "label"})
        study.run()
        if file == "answers":
            path = next((study.folder / "answers").iterdir())
            path.write_bytes(path.read_bytes().replace(b"DRUG", b"DROG"))
        else:
            study.run_folder.write("result", {**study.run_folder.read("result"), "missing": ["et"]})
        with pytest.raises(DigestMismatch):
            study.release()


def test_a_run_can_be_watched_and_cancelled_and_goes_on_later(ask: Any) -> None:
    """The code waits until it is ended at one site; what the others answered stays."""
    source = (
        "def analyse(notes, weights, settings):\n"
        '    while settings["site"] == "et" and notes.train[0].id[:4] != "mock":\n        pass\n'
        '    return {"numbers": {"notes": len(notes.train)}}\n'
    )
    study: Study = ask("analysis", {"numbers": {"notes": (0, 1e6)}}, source)
    came: list[Any] = []
    runner = threading.Thread(target=lambda: came.append(study.run()))
    runner.start()
    while not study.progress()["et"] and runner.is_alive():
        runner.join(0.2)
    while len(study.run_folder.read("answers") or []) < 2 and runner.is_alive():
        runner.join(0.05)
    assert study.cancel() == 1
    runner.join()
    (result,) = came
    assert result.sites == ["no", "fi"]
    assert "et" in result.missing
    study.release()
    assert study.verify().ok


def test_what_happens_at_each_site_is_said(ask: Any) -> None:
    study: Study = ask("count", {})
    study.run()
    rows = [json.loads(line) for line in (study.folder / "events.jsonl").read_text().splitlines()]
    for site in study.sites:
        assert [row["data"]["event"] for row in rows if row["step"] == 7 and row["site"] == site] == ["asked", "answered"]
    assert rows[-1]["step"] == 8


def test_a_training_has_a_result_as_well(processes: Any, tmp_path: Path) -> None:
    study = Study(processes, tmp_path / f"training-{tmp_path.name}")
    small = {"model": {"kind": "hash-cnn", "d": 8, "rows": 64, "ngrams": 64, "layers": 1}}
    study.describe(title="A model", purpose="Find implants", rounds=1, settings=small)
    study.request(), study.rehearse(), study.submit()
    for site in study.sites:
        study.decide(site, approved=True)
    with pytest.raises(RequestError, match="no result yet"):
        study.result()
    done = study.run()
    result = study.result()
    assert isinstance(result, TrainedModel)
    assert result.weights == done.history[-1].aggregate
    assert result.rounds == 1
    assert set(result.per_site) == set(study.sites)
    study.close()


def test_tables_of_two_categories_add_up_over_the_sites(ask: Any, model: Path) -> None:
    result = ask("table", parameters_of("table", model)[0]).run()
    assert isinstance(result, Table)
    for row in result.combined:
        given = [
            r
            for rows in result.per_site.values()
            for r in rows
            if (r["label"], r["language"]) == (row["label"], row["language"])
        ]
        assert row["patients"] == (sum(r["patients"] for r in given) if given else None)
