"""`fedkit notes`: what a person sees and what stands on the disk afterwards."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from fedkit.cli.notes import notes
from fedkit.errors import CorpusError
from fedkit.notes.corpus import read_corpus
from fedkit.notes.synthetic import DEFAULT_SEED, HELD_OUT, SITES


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(notes, [str(a) for a in arguments], env={"COLUMNS": "120"})


def make(out: Path, *more: str) -> Result:
    return run("synthesise", "--out", out, "--notes", "12", "--dev", "12", "--test", "12", "--sites", "fi,et", *more)


def test_synthesise_writes_a_corpus_and_prints_its_counts(tmp_path: Path) -> None:
    done = make(tmp_path / "out", "--seed", "3")
    assert done.exit_code == 0
    corpus = read_corpus(tmp_path / "out")
    assert list(corpus.sites) == ["fi", "et"]
    assert corpus.digest in done.output
    assert not any(note.text.splitlines()[0] in done.output for note in corpus.sites["fi"].train)


def test_a_second_run_is_refused_unless_forced(tmp_path: Path) -> None:
    make(tmp_path / "out", "--seed", "3")
    before = read_corpus(tmp_path / "out")
    refused = make(tmp_path / "out", "--seed", "4")
    assert isinstance(refused.exception, CorpusError)
    assert read_corpus(tmp_path / "out") == before
    assert make(tmp_path / "out", "--seed", "4", "--force").exit_code == 0
    assert read_corpus(tmp_path / "out") != before


@pytest.mark.parametrize("sites", ["de", "no,xx", "", ","])
def test_an_unknown_site_is_wrong_usage_and_leaves_nothing(tmp_path: Path, sites: str) -> None:
    wrong = run("synthesise", "--out", tmp_path / "out", "--sites", sites)
    assert wrong.exit_code == 2
    assert "no,sv,da,fi,et" in wrong.output
    assert list(tmp_path.iterdir()) == []


def test_describe_counts_and_shows_warnings(tmp_path: Path) -> None:
    make(tmp_path / "out")
    (tmp_path / "out" / "et" / "test.jsonl").write_text("")
    shown = run("describe", tmp_path / "out")
    assert shown.exit_code == 0
    assert "warning: site et: no test notes" in shown.output
    assert "MANUFACTURER" in shown.output.replace("\n", "")


def test_describe_refuses_what_is_no_corpus(tmp_path: Path) -> None:
    assert isinstance(run("describe", tmp_path / "none").exception, CorpusError)


def test_defaults_are_the_samples_and_every_option_has_help() -> None:
    for command in notes.commands.values():
        assert command.help
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help
    defaults = {p.name: p.default for p in notes.commands["synthesise"].params}
    assert defaults["seed"] == DEFAULT_SEED
    assert {k: defaults[k] for k in HELD_OUT} == HELD_OUT
    assert defaults["sites"] == ",".join(s.name for s in SITES)
