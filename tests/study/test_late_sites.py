"""A training that goes on without a site that is late: over three sites with a process each, down to the audit."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from study_samples import CANARY

from fedkit.ner.tasks import SOURCE
from fedkit.study import Study

#: At one site the code takes longer than anybody waits; not on its mock twin, whose notes are made up.
SLOW = SOURCE.replace(
    "    return tasks.train_round(notes, weights, settings)",
    '    private = any("CANARY" in note.text for note in notes.train)\n'
    '    while private and settings["site"] == "fi" and settings["round"] == 1:\n'
    "        pass\n"
    "    return tasks.train_round(notes, weights, settings)",
).replace("CANARY", CANARY)


def test_the_round_goes_on_the_site_ends_its_run_and_the_audit_is_clean(processes: Any, tmp_path: Path) -> None:
    study = Study(processes, tmp_path / "late")
    study.describe(
        title="Not all in time",
        purpose="Find names",
        rounds=2,
        sequential_rounds=0,
        settings={"participation": {"fewest": 2, "deadline": 25}},
    )
    study.request(SLOW)
    study.rehearse()
    study.submit()
    for site in study.sites:
        study.decide(site, approved=True)
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
