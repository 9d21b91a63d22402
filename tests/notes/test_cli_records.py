"""`fedkit notes records` and `fedkit notes check-mock`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fedkit.cli.notes import notes as command
from fedkit.notes.corpus import read_corpus


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("records") / "corpus"
    made = run("records", "--out", str(out), "--patients", "6", "--dev", "1", "--test", "4", "--sites", "no,fi", "--seed", "3")
    assert made.exit_code == 0, made.output
    return out


def test_the_corpus_is_read_back_with_its_records(folder: Path) -> None:
    corpus = read_corpus(folder)
    assert list(corpus.sites) == ["no", "fi"]
    notes = corpus.sites["fi"].train
    assert len({n.patient for n in notes}) == 6
    assert all(n.date and n.type and n.sections for n in notes)
    assert any(n.relations for n in notes)
    text = run("describe", str(folder)).output
    assert f"digest {corpus.digest}" in text


def test_a_corpus_is_not_replaced_unasked_and_a_wrong_site_is_named(folder: Path) -> None:
    again = run("records", "--out", str(folder))
    assert again.exit_code != 0
    assert "a corpus is there" in str(again.exception)
    assert "choose from" in run("records", "--out", str(folder / "x"), "--sites", "se").output
    assert not (folder / "x").exists()


def test_clean_twins_pass_and_a_copied_note_ends_with_1(folder: Path) -> None:
    assert run("check-mock", str(folder)).exit_code == 0
    mock, train = folder / "fi" / "mock.jsonl", folder / "fi" / "train.jsonl"
    before = mock.read_text("utf-8")
    row = json.loads(train.read_text("utf-8").splitlines()[0]) | {"id": "mock-copied"}
    mock.write_text(before + json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    try:
        found = run("check-mock", str(folder))
    finally:
        mock.write_text(before, "utf-8")
    assert found.exit_code == 1
    assert "fi: 1 mock notes are private notes" in found.output
    assert row["text"][:20] not in found.output
