"""Widgets on a study and on an evidence bundle: what they take from it, and what running a cell again does."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ledger_world import CANARIES, World
from widget_samples import click, everything_sent, live_html

from fedkit.audit.forge import forge
from fedkit.federation.rounds import Execution, RoundEvent, RoundPlan, RoundsResult, run_rounds
from fedkit.federation.strategies import strategy_for
from fedkit.governance.request import CodeRequest
from fedkit.study.runs import RunFolder
from fedkit.widgets import AuditTable, TrainingMonitor

SITES = ["oslo", "tartu"]
COUNTS = {"dev.tp.DRUG": 3.0, "dev.fp.DRUG": 1.0, "dev.fn.DRUG": 1.0}


class Trained:
    """Steps 7 and 8 of a study on the real loop of rounds, with sites that only add one."""

    def __init__(self, folder: Path, request: CodeRequest) -> None:
        self.folder, self.run_folder, self._request = folder, RunFolder(folder), request
        self.on_training: Any = None
        self.go = threading.Event()
        self.go.set()
        self.runs = 0

    def requested(self) -> CodeRequest:
        return self._request

    def approved_sites(self) -> list[str]:
        return SITES

    def execute(self, site: str, entry: str, number: int, weights: Any) -> Execution:
        self.go.wait(10)
        return Execution({"w": weights["w"] + 1}, {"notes": 2.0, **COUNTS})

    def run(self, stop: threading.Event) -> RoundsResult:
        self.runs += 1
        result = run_rounds(
            RoundPlan(self._request.settings["rounds"]),
            {"w": np.zeros((2, 3), np.float32)},
            SITES,
            self.execute,
            strategy_for({"rounds": 4, "sequential_rounds": 1, "seed": 1}),
            folder=self.folder / "training",
            on_event=self.on_training,
            stop=stop,
        )
        if not result.stopped:
            self.run_folder.write("evaluation", {site: {**COUNTS, "dev.fp.DRUG": 0.0, "dev.fn.DRUG": 0.0} for site in SITES})
        return result


@pytest.fixture
def study(tmp_path: Path, request_: CodeRequest) -> Any:
    return Trained(tmp_path, request_)


def test_the_monitor_of_a_study_shows_its_rounds_and_the_last_evaluation(study: Any) -> None:
    monitor = TrainingMonitor.for_study(study)
    result = monitor.finish()
    assert len(result.history) == 4
    assert monitor.scores["oslo"] == {0: 0.75, 1: 0.75, 2: 0.75, 3: 0.75, 4: 1.0}
    assert monitor.bytes == 4 * len(SITES) * 2 * (2 * 3 * 4)


def test_running_the_cell_of_the_monitor_again_trains_once(study: Any) -> None:
    study.go.clear()
    monitor = TrainingMonitor.for_study(study)
    click(monitor._start_button)
    assert TrainingMonitor.for_study(study) is monitor
    study.go.set()
    monitor.finish()
    assert study.runs == 1


def test_a_new_monitor_goes_on_where_an_interrupted_study_stopped(study: Any) -> None:
    stop = threading.Event()

    def after_two(event: RoundEvent) -> None:
        if event.kind == "aggregated" and event.round == 2:
            stop.set()

    study.on_training = after_two
    study.run(stop)
    monitor = TrainingMonitor.for_study(study)
    assert monitor.done_rounds == 2
    assert not monitor._resume_button.disabled
    assert monitor._start_button.disabled
    click(monitor._resume_button)
    assert len(monitor.finish().history) == 4


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    world = World(folder / "world")
    request = world.study()
    bundle = world.export(folder / "evidence", request)
    world.close()
    return bundle


def test_a_bundle_is_verified_and_each_act_says_whether_it_is_anchored(evidence: Path) -> None:
    table = AuditTable.from_bundle(evidence)
    assert table.report is not None
    assert table.report.ok
    # The head of the chain is signed last, over the anchors: that row can only be anchored the next time.
    assert {act.what for act in table.acts if act.proof != "anchored"} <= {"head.signed"}
    assert {act.proof for act in table.acts if act.what != "head.signed"} == {"anchored"}
    assert {act.site for act in table.acts} == {"norway", "sweden"}
    assert not any(canary in everything_sent(table) for canary in CANARIES)


def test_a_forged_bundle_shows_the_row_and_the_check(evidence: Path, tmp_path: Path) -> None:
    forged = Path(shutil.copytree(evidence, tmp_path / "forged"))
    forge(forged, "journal-row")
    table = AuditTable.from_bundle(forged)
    assert [act for act in table.acts if act.proof == "broken"]
    assert "NOT clean" in live_html(table)
    assert "could be:" in live_html(table)
