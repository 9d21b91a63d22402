"""What a study leaves for an auditor: its own journal, heads that the sites signed, and all of it as one file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from study_samples import Finished

from fedkit.audit.evidence import read
from fedkit.audit.verify import verify
from fedkit.cli import fedkit as command
from fedkit.ledger.rows import verify_rows
from fedkit.study.evidence import StudyJournal


def test_a_study_keeps_a_journal_of_what_it_did(finished: Finished) -> None:
    evidence = read(finished.outcome.folder / "evidence")
    assert verify_rows(evidence.study) == []
    acts = [row["act"] for row in evidence.study]
    assert acts[:4] == ["study.described", *["study.submitted"] * 3]
    assert acts[4:] == [*["round.aggregated"] * 3, "model.released"]  # one passed on, one averaged, one evaluated
    kinds = [row["fields"]["kind"] for row in evidence.study if row["act"] == "round.aggregated"]
    assert kinds == ["sequential", "averaged", "evaluated"]


def test_every_site_signed_the_head_when_it_was_asked_and_at_the_end(finished: Finished) -> None:
    evidence = read(finished.outcome.folder / "evidence")
    last = len(evidence.blocks) - 1
    for site in ("no", "fi", "et"):
        numbers = [head.number for head in evidence.heads if head.site == site]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == last
        told = [row["fields"]["number"] for row in evidence.journals[site] if row["act"] == "head.signed"]
        assert told[-len(numbers) :] == numbers


def test_evidence_collected_anew_with_the_weights_computes_the_averages_again(finished: Finished, tmp_path: Path) -> None:
    file = tmp_path / "evidence.zip"
    run = str(finished.outcome.folder)
    anew = ["evidence", "export", run, "--to", str(file), "--home", str(finished.home), "--updates"]
    done = CliRunner().invoke(command, anew)
    assert done.exit_code == 0, done.output
    report = verify(file)
    assert report.ok, str(report)
    assert report.checks[12].note.startswith("1 averages were computed again")
    assert len(read(file).weights) == 5  # before, after and of three sites, in the one round that averaged


def test_the_numbers_of_every_receipt_are_in_the_evidence_and_cannot_be_guessed_from_the_ledger(finished: Finished) -> None:
    evidence = read(finished.outcome.folder / "evidence")
    assert len(evidence.receipts) == 9  # two rounds and an evaluation, at three sites
    assert all(receipt.numbers_fit() for receipt in evidence.receipts)
    assert len({receipt.salt for receipt in evidence.receipts} - {""}) == 9


@pytest.fixture
def journal(tmp_path: Path) -> StudyJournal:
    return StudyJournal(tmp_path)


def test_what_a_resumed_study_repeats_is_told_once(journal: StudyJournal, tmp_path: Path) -> None:
    journal.describe(3)
    said = {"request": "ab" * 32, "weights": "cd" * 32, "folder": None}
    journal.tell("model.released", **said)
    journal.close()
    journal.tell("model.released", **said)  # a study that was closed can be taken up
    again = StudyJournal(tmp_path)
    again.tell("model.released", **said)
    again.tell("model.released", **said | {"folder": "ef" * 32})  # released with another folder is another act
    assert [row["act"] for row in again.rows()] == ["study.described", "model.released", "model.released"]


def test_a_study_keeps_its_name_when_it_is_described_anew(journal: StudyJournal) -> None:
    journal.describe(3)
    journal.describe(5)
    assert [row["fields"]["sites"] for row in journal.rows()] == [3, 5]
    assert {row["fields"]["study"] for row in journal.rows()} == {journal.id}


def test_two_studies_have_two_names(tmp_path: Path) -> None:
    names = set()
    for name in ("one", "two"):
        journal = StudyJournal(tmp_path / name)
        journal.tell("study.submitted", request="ab" * 32, site="no")
        names.add(json.dumps(journal.id))
    assert len(names) == 2
