"""`fedkit warehouse ask`: the plan is shown, nothing is asked without a yes, and the answer is for people or for programs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fedkit.cli import fedkit
from fedkit.errors import FedkitError
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import launch

SITES = ("no", "fi")
SQL = "SELECT site, COUNT(*) FROM mentions WHERE label = 'DRUG' AND source_model = 'annotated' GROUP BY site"


@pytest.fixture(scope="module")
def home(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = read_corpus(root / "data_samples")
    small = [
        replace(
            samples.sites[s], train=samples.sites[s].train[:20], dev=samples.sites[s].dev[:4], test=samples.sites[s].test[:4]
        )
        for s in SITES
    ]
    base = tmp_path_factory.mktemp("ask")
    write_corpus(build_corpus(small), base / "corpus")
    launch("workshop", base / "home", corpus=base / "corpus").close()
    return base / "home"


@pytest.fixture(scope="module")
def run(home: Path) -> Path:
    """A data request that was opened and approved, with nothing asked yet."""
    folder = home.parent / "request"
    done = ask(home, folder, "--purpose", "Plan the capacity", "--approve", "--plan")
    assert done.exit_code == 0, done.output
    return folder


def ask(home: Path, folder: Path, *options: str, sql: str = SQL, answer: str = "") -> Result:
    command = ["warehouse", "ask", sql, "--home", str(home), "--run", str(folder), *options]
    return CliRunner().invoke(fedkit, command, input=answer)


def test_a_no_asks_nothing_and_a_yes_answers_with_a_table(home: Path, run: Path) -> None:
    refused = ask(home, run, answer="n\n")
    assert refused.exit_code == 1
    assert "2 of 2 sites would answer" in refused.output
    assert not list((run / "questions").glob("*.json"))
    told = ask(home, run, "--csv", str(run / "drugs.csv"), answer="y\n")
    assert told.exit_code == 0
    assert "Question 1 at 2 sites" in told.output
    rows = list(csv.DictReader((run / "drugs.csv").open()))
    assert [row["site"] for row in rows] == list(SITES)
    assert all(int(row["rows"]) > 0 for row in rows)


def test_for_programs_it_prints_json_and_nothing_else(home: Path, run: Path) -> None:
    planned = ask(home, run, "--plan", "--json", sql="SELECT COUNT(*) FROM notes")
    assert json.loads(planned.stdout)["willing"] == list(SITES)
    answered = ask(home, run, "--yes", "--json", sql="SELECT COUNT(*) FROM notes")
    assert json.loads(answered.stdout)["combined"] == [{"rows": 56, "hidden": []}]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT note_text FROM notes", "note_text"),
        ("SELECT COUNT(*) FROM notes; DROP TABLE note", "one"),
        ("SELECT COUNT(*) FROM read_csv('/etc/passwd')", ""),
    ],
)
def test_what_is_no_question_is_refused_before_anything_starts(tmp_path: Path, sql: str, said: str) -> None:
    done = ask(tmp_path / "no-home", tmp_path / "request", "--purpose", "P", "--yes", sql=sql)
    assert isinstance(done.exception, FedkitError)
    assert said in done.exception.diagnostics()
    assert not list(tmp_path.iterdir())


def test_the_first_question_needs_a_purpose(home: Path, tmp_path: Path) -> None:
    done = ask(home, tmp_path / "request", "--yes")
    assert done.exit_code == 2
    assert "--purpose" in done.output


def test_noise_is_added_in_one_way_or_the_other(home: Path, run: Path) -> None:
    done = ask(home, run, "--noise", "0.1", "--pooled", "0.1", "--yes")
    assert done.exit_code == 2
    assert "not both" in done.output


def test_without_an_approval_it_says_whose_turn_it_is(home: Path, tmp_path: Path) -> None:
    done = ask(home, tmp_path / "waiting", "--purpose", "Plan", "--yes")
    assert isinstance(done.exception, FedkitError)
    assert done.exception.code == "refused.not-approved"
    assert "waits for a decision" in done.output
