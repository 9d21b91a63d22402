"""A training that goes on without a site that is late: over three sites with a process each, down to the audit."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from study_samples import CANARY

from fedkit.ner.tasks import SOURCE
from fedkit.study import Study
from fedkit.study.training import RoundBridge

#: At one site the code takes longer than anybody waits; not on its mock twin, whose notes are made up.
SLOW = SOURCE.replace(
    "    return tasks.train_round(notes, weights, settings)",
    '    private = any("CANARY" in note.text for note in notes.train)\n'
    '    while private and settings["site"] == "fi" and settings["round"] == 1:\n'
    "        pass\n"
    "    return tasks.train_round(notes, weights, settings)",
).replace("CANARY", CANARY)


#: At one site the code is done a while after the deadline.
LATE = SLOW.replace(
    '    while private and settings["site"]',
    '    until = datetime.now() + timedelta(seconds=14)\n    while datetime.now() < until and private and settings["site"]',
).replace("from fedkit.ner import tasks", "from datetime import datetime, timedelta\n\nfrom fedkit.ner import tasks")


def asked(federation: Any, folder: Path, source: str, deadline: float) -> Study:
    study = Study(federation, folder)
    study.describe(
        title="Not all in time",
        purpose="Find names",
        rounds=2,
        sequential_rounds=0,
        settings={"participation": {"fewest": 2, "deadline": deadline}},
    )
    study.request(source)
    study.rehearse()
    study.submit()
    for site in study.sites:
        study.decide(site, approved=True)
    return study


def test_an_update_that_comes_after_its_round_counts_nowhere_and_the_audit_says_so(
    processes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came to its end at the site in the moment in which it was given up."""
    monkeypatch.setattr(RoundBridge, "late", lambda self, site: self.study.let_go(site))
    study = asked(processes, tmp_path / "too-late", LATE, deadline=8)
    result = study.run()
    assert "fi" not in result.history[0].order
    study.release()
    report = study.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    assert "fi: 1 executions in no round" in report.checks[10].note
    study.close()


def test_the_round_goes_on_the_site_ends_its_run_and_the_audit_is_clean(processes: Any, tmp_path: Path) -> None:
    study = asked(processes, tmp_path / "late", SLOW, deadline=12)
    result = study.run()
    assert len(result.history) == 2
    assert result.history[0].order == ("no", "et")
    assert set(study.run_folder.read("evaluation")) == {"no", "fi", "et"}, "it is free again, and scores the model"
    with closing(study.federation.login("fi", "steward")) as steward:
        acts = [row["act"] for row in steward.journal()]
    assert "execution.cancelled" in acts
    study.release()
    report = study.verify()
    assert report.ok, [finding for check in report.checks for finding in check.findings]
    study.close()
