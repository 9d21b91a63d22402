"""The evidence that comes with fedkit: the auditor's notebook opens it, so it must be what this fedkit writes and verifies."""

from __future__ import annotations

import json
from pathlib import Path

from fedkit.audit.evidence import read
from fedkit.audit.timeline import tell
from fedkit.audit.verify import verify

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "evidence.zip"


def test_it_is_clean_by_the_contracts_and_the_format_of_today() -> None:
    report = verify(SAMPLE)
    assert report.ok, f"{report.verdict}: make it again with `python tools/make_sample_evidence.py`, then the notebook"


def test_it_tells_of_a_whole_study_over_five_sites_and_holds_no_weights() -> None:
    evidence = read(SAMPLE)
    assert len(evidence.journals) == 5
    assert not evidence.weights
    assert {moment.step for moment in tell(evidence)} >= {1, 3, 4, 5, 6, 7, 8, 9, 10}


def test_no_note_and_no_folder_of_a_machine_stands_in_it() -> None:
    held = b"".join(read(SAMPLE).files.values()).decode()
    files = [path for split in ("train", "test") for path in SAMPLE.parent.glob(f"*/{split}.jsonl")]
    texts = [json.loads(line)["text"][:40] for path in files for line in path.read_text("utf-8").splitlines()]
    assert len(texts) > 1000
    assert not [text for text in texts if text in held or json.dumps(text)[1:-1] in held]
    assert "/tmp" not in held
    assert "/home/" not in held
