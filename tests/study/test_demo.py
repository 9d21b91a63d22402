"""The main job from end to end, on real parts: domains, workers, chain, audit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from study_samples import CANARY, Finished

from fedkit.audit.verify import TITLES, verify
from fedkit.demo import DemoOptions, run_demo
from fedkit.digests import digest_file
from fedkit.errors import ConfigurationError, CorpusError
from fedkit.ner.models import load
from fedkit.notes.note import Note


def test_it_ends_with_scores_a_clean_audit_and_the_forgery_found(finished: Finished) -> None:
    outcome = finished.outcome
    assert outcome.ok
    assert outcome.report.ok
    assert outcome.forgery["found_by"]
    for row in outcome.metrics["sites"]:
        assert all(0 <= row[kind] <= 1 for kind in ("local", "pooled", "federated"))
    mean = sum(row["federated"] for row in outcome.metrics["sites"]) / 3
    assert outcome.metrics["mean"]["federated"] == pytest.approx(mean)


def test_what_must_be_refused_was_refused_and_stands_in_the_journals(finished: Finished) -> None:
    rows = json.loads((finished.outcome.folder / "refusals.json").read_text())
    got = {row["tried"]: row["error"] for row in rows}
    assert got == {
        "run before the steward decided": "NotApproved",
        "run other code than was submitted": "DigestMismatch",
        "read the journal as a researcher": "AccessRefused",
        "round 3 of 2": "LimitReached",
        "run a request that was denied": "NotApproved",
        "let out a number that the contract does not allow": "OutputRefused",
    }
    journal = (finished.outcome.folder / "evidence" / "journals" / "no.jsonl").read_text()
    for code in ("refused.not-approved", "refused.digest", "refused.access", "refused.limit", "refused.output"):
        assert code in journal


def test_the_ten_steps_are_said_in_their_order(finished: Finished) -> None:
    first = {}
    for position, event in enumerate(finished.said):
        first.setdefault(event.step, position)
    assert [step for step in sorted(first, key=first.__getitem__) if step] == [1, 2, 3, 4, 7, 5, 6, 8, 9, 10]


def test_the_evidence_is_clean_for_an_outsider_and_a_changed_byte_is_not(finished: Finished, tmp_path: Path) -> None:
    assert verify(finished.outcome.folder / "evidence").ok
    assert not verify(finished.outcome.folder / "evidence-forged").ok


def test_the_released_model_loads_and_predicts(finished: Finished) -> None:
    model = load(finished.outcome.folder / "model")
    text = "Pasienten fikk paracetamol og ble kvalm."
    spans = model.predict([Note("n", text, "nb")])[0]
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    card = (finished.outcome.folder / "model" / "README.md").read_text()
    assert card.startswith("---\n")
    assert "the first 1 of them" in card
    provenance = json.loads((finished.outcome.folder / "model" / "provenance.json").read_text())
    assert {d["site"] for d in provenance["decisions"]} == {"no", "fi", "et"}


def test_the_report_is_one_page_that_loads_nothing(finished: Finished) -> None:
    page = (finished.outcome.folder / "report.html").read_text()
    assert f"clean: {len(TITLES)} of {len(TITLES)}" in page
    assert 'src="http' not in page
    assert "<script" not in page


def test_no_private_text_anywhere_but_in_the_stores(finished: Finished) -> None:
    """Promise 4 over everything that a run leaves: results, evidence, ledger, PySyft's database, journals, logs."""
    needle, wide = CANARY.encode(), CANARY.encode("utf-16-le")
    holders = []
    for base in (finished.out, finished.home):
        for path in base.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                if needle in data or wide in data:
                    holders.append(path.name)
    assert not [name for name in holders if name != "notes.duckdb"], holders
    for event in finished.said:
        assert CANARY not in event.message + str(dict(event.data))


def test_a_second_run_on_the_same_home_is_another_request_with_the_same_weights(finished: Finished) -> None:
    options = DemoOptions(
        notes=finished.corpus, out=finished.out, home=finished.home, rounds=2, sequential_rounds=1, compare=False
    )
    again = run_demo(options)
    assert again.ok
    assert digest_file(again.folder / "model" / "model.safetensors") == digest_file(
        finished.outcome.folder / "model" / "model.safetensors"
    )
    requests = [json.loads((f / "digests.json").read_text())["request"] for f in (again.folder, finished.outcome.folder)]
    assert requests[0] != requests[1]


def test_killed_half_way_it_goes_on_and_ends_bit_identical(finished: Finished, tmp_path: Path) -> None:
    out, log = tmp_path / "runs", tmp_path / "log"
    arguments = ["--notes", str(finished.corpus), "--out", str(out), "--home", str(tmp_path / "home"), "--rounds", "2"]
    command = [
        sys.executable,
        "-c",
        "from fedkit.cli import main; main()",
        "demo",
        *arguments,
        "--sequential",
        "1",
        "--no-compare",
    ]
    with log.open("w") as file:
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        while "round 1 of 2" not in log.read_text():
            assert child.poll() is None, log.read_text()
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert not list(out.glob("*/model"))
    resumed = run_demo(DemoOptions(out=out, home=tmp_path / "home", resume="last"))
    assert resumed.ok
    assert digest_file(resumed.folder / "model" / "model.safetensors") == digest_file(
        finished.outcome.folder / "model" / "model.safetensors"
    )


def test_a_corpus_that_cannot_be_read_leaves_no_run(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        run_demo(DemoOptions(notes=tmp_path / "missing", out=tmp_path / "runs", home=tmp_path / "home"))
    assert not list((tmp_path / "runs").glob("*"))
    assert not (tmp_path / "home").exists()


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no run to resume"):
        run_demo(DemoOptions(out=tmp_path, resume="last"))
