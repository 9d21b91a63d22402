"""A training whose updates come in fewer bits: from the plan to the audit, over three sites with a process each."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fedkit.audit.verify import verify
from fedkit.errors import FedkitError, RequestError, TrainingError
from fedkit.federation.compression import Ternary, restored, sent
from fedkit.federation.parameters import decode, encode
from fedkit.federation.rounds import read_history, read_weights
from fedkit.ner.comparison import Notes
from fedkit.ner.tasks import initial_parameters, train_round
from fedkit.notes.corpus import read_corpus
from fedkit.sites.database import Database
from fedkit.sites.residuals import Residuals
from fedkit.study import Study
from fedkit.study.report import read_events
from fedkit.study.runs import TRAINING

TERNARY = {"kind": "ternary", "share": 0.1}


def approved(federation: Any, folder: Path, compression: dict[str, Any], rounds: int = 2) -> Study:
    study = Study(federation, folder)
    study.describe(
        title="Small updates", purpose="Find names", rounds=rounds, sequential_rounds=0, settings={"compression": compression}
    )
    study.request()
    study.rehearse()
    study.submit()
    for site in study.sites:
        study.decide(site, approved=True)
    return study


@pytest.fixture(scope="module")
def trained(processes: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    study = approved(processes, tmp_path_factory.mktemp("small") / "study-in-few-bits", TERNARY)
    study.run()
    yield study
    study.close()


def test_what_comes_from_a_site_is_a_fiftieth_and_that_is_on_record(trained: Study) -> None:
    whole = len(encode(initial_parameters(trained.requested().settings)))
    for record in read_history(trained.folder / TRAINING):
        assert set(record.bytes) == set(trained.sites)
        for site, receipt in zip(record.order, record.receipts, strict=True):
            message = trained.session(site, "researcher").get(receipt["outputs"])
            assert len(message) == record.bytes[site] < whole / 40
    said = [row["message"] for row in read_events(trained.run_folder)]
    assert any("MB a round from each site" in message and "1/5" in message for message in said), "before anybody is asked"


def test_the_model_is_what_the_messages_make_and_the_audit_computes_it_again(trained: Study) -> None:
    first = read_history(trained.folder / TRAINING)[0]
    start = initial_parameters(trained.requested().settings)
    updates = [
        restored(Ternary(0.1), start, decode(trained.session(site, "researcher").get(receipt["outputs"])))
        for site, receipt in zip(first.order, first.receipts, strict=True)
    ]
    after = decode(read_weights(trained.folder / TRAINING, first.aggregate))
    largest = max(start, key=lambda name: start[name].size)
    for update in updates:
        assert 0 < (update[largest] != start[largest]).mean() <= 0.11, "a tenth of its values moved"
    assert any((after[name] != start[name]).any() for name in start)
    trained.release()
    report = verify(trained.export_evidence(updates=True))
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    assert "2 averages were computed again" in report.checks[12].note


def test_a_training_that_was_stopped_ends_with_the_same_weights(trained: Study, processes: Any, tmp_path: Path) -> None:
    """Bit for bit: what the first round left out lies at the sites until the second, whoever was stopped in between."""
    stop = threading.Event()
    again = approved(processes, tmp_path / "stopped-in-between", TERNARY)
    again.on_training = lambda event: stop.set() if event.kind == "aggregated" else None
    assert again.run(stop).stopped
    assert not again.run().stopped
    last = [read_history(study.folder / TRAINING)[-1].aggregate for study in (trained, again)]
    assert last[0] == last[1]
    again.close()


def test_without_a_memory_the_second_round_would_be_another(trained: Study, small_corpus: Path) -> None:
    """Or the site does not send what it kept. The round is computed again here, from the same notes, with nothing kept."""
    history = read_history(trained.folder / TRAINING)
    before = decode(read_weights(trained.folder / TRAINING, history[0].aggregate))
    digest = history[1].receipts[history[1].order.index("no")]["outputs"]
    message = decode(trained.session("no", "researcher").get(digest))
    notes = read_corpus(small_corpus).sites["no"]
    settings = {**trained.requested().settings, "round": 2, "site": "no"}
    new = train_round(Notes(notes.train, notes.dev, notes.test), before, settings)["tensors"]
    forgetful, _ = sent(Ternary(0.1), before, new)
    assert forgetful.keys() == message.keys()
    assert any(not np.array_equal(forgetful[name], message[name]) for name in message)


def test_masks_and_compression_are_refused_before_anybody_is_asked(processes: Any, tmp_path: Path) -> None:
    study = Study(processes, tmp_path / "both")
    with pytest.raises(RequestError, match="masks"):
        study.describe(
            title="Both", purpose="Find names", sequential_rounds=0, masked=True, settings={"compression": {"kind": "int8"}}
        )
    study.close()


def test_a_compression_that_is_none_is_refused_at_once(processes: Any, tmp_path: Path) -> None:
    study = Study(processes, tmp_path / "none")
    with pytest.raises(FedkitError, match="no such compression"):
        study.describe(title="None", purpose="Find names", settings={"compression": {"kind": "zip"}})
    study.close()


class TestWhatASiteKeeps:
    def test_a_round_begins_with_what_the_last_one_before_it_kept(self, tmp_path: Path) -> None:
        residuals = Residuals(Database(tmp_path / "gate.db"))
        assert residuals.before("r", "train_round", 1) is None
        for number in range(1, 6):
            residuals.keep("r", "train_round", number, {"w": np.full(3, number, np.float32)})
        for number, kept in ((5, 4.0), (6, 5.0), (9, 5.0), (4, 3.0)):
            found = residuals.before("r", "train_round", number)
            assert found is not None
            assert found["w"].tolist() == [kept] * 3, "a round that is run again begins as it did"
        assert residuals.before("other", "train_round", 6) is None

    def test_a_request_that_is_used_up_leaves_nothing(self, tmp_path: Path) -> None:
        residuals = Residuals(Database(tmp_path / "gate.db"))
        residuals.keep("r", "train_round", 1, {"w": np.ones(3, np.float32)})
        residuals.forget("r")
        assert residuals.before("r", "train_round", 2) is None


def test_a_message_that_is_none_of_the_codecs_stops_the_round_with_a_name() -> None:
    with pytest.raises(TrainingError, match="tensor w"):
        restored(Ternary(0.1), {"w": np.zeros(9, np.float32)}, {"w": np.zeros(4, np.uint8)})
