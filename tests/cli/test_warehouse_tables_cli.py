"""`fedkit warehouse build`, `status`, `synthesise` and `catalogue` as who keeps a site uses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import fedkit.cli as cli
from fedkit.errors import ConfigurationError, SiteError
from fedkit.notes.note import Note, Span
from fedkit.notes.store import NoteFile
from fedkit.sites.launch import Federation, launch
from fedkit.sites.turns import Call
from fedkit.stewardship import Stewardship
from fedkit.warehouse.catalogue import Terms
from fedkit.warehouse.question import Measure, Question

CANARY = "Vrålekopf"


def notes(count: int) -> list[Note]:
    text = f"{CANARY} bruker paracetamol."
    start = text.index("paracetamol")
    return [
        Note(f"n{n}", f"{text} {n}", "nb", (Span(start, start + 11, "DRUG"),), patient=f"p{n}", date="2023-02-03")
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    corpus = tmp_path_factory.mktemp("corpus") / "c"
    for site in ("north", "south"):
        (corpus / site).mkdir(parents=True)
        for split, made in (("train", notes(30)), ("dev", []), ("test", [])):
            (corpus / site / f"{split}.jsonl").write_text("".join(json.dumps(n.to_row()) + "\n" for n in made), "utf-8")
    with launch("w", tmp_path_factory.mktemp("home"), corpus=corpus, isolation="process") as running:
        yield running


def run(*arguments: object) -> Result:
    found = CliRunner().invoke(cli.fedkit, ["warehouse", *map(str, arguments)])
    assert CANARY not in found.output
    return found


def test_a_site_is_built_and_says_what_its_tables_are(home: Federation) -> None:
    before = run("status", "--home", home.folder, "--site", "north")
    assert before.exit_code == 0
    assert "fedkit warehouse build" in before.output
    built = run("build", "--home", home.folder, "--site", "north", "--json")
    report = json.loads(built.stdout)["north"]
    assert (report["read"], report["persons"], report["mentions"]) == (30, 30, 30)
    again = run("build", "--home", home.folder, "--site", "north")
    assert "0 notes read, 30 as they were, 0 taken out; 30 persons" in again.output
    row = json.loads(run("status", "--home", home.folder, "--json").stdout)
    assert (row["north"]["notes"], row["north"]["pipeline"], row["north"]["fits"]) == (30, report["pipeline"], True)
    assert row["south"]["fits"] is False  # a status builds nothing


def test_a_running_site_answers_from_what_was_built_beside_it(home: Federation, tmp_path: Path) -> None:
    file = tmp_path / "more.duckdb"
    with NoteFile.open(file, write=True) as store, store.transaction():
        store.append(1, [(f"line {n}", note) for n, note in enumerate(notes(50))])
    desk = Stewardship.of(home, "south")
    assert desk.draft_catalogue(Terms()).persons == 30
    built = run("build", "--home", home.folder, "--site", "south", "--notes", file)
    assert "20 notes read, 30 as they were" in built.output
    desk.publish_catalogue(desk.draft_catalogue(Terms(licence="CC0")))
    shown = run("catalogue", home.running("south").info.url)
    assert "south: 50 persons" in shown.output
    assert "licence: CC0" in shown.output
    assert "years: 2023 50" in shown.output
    assert "nothing is published there" in run("catalogue", home.running("north").info.url).output
    acts = [row["fields"] for row in home.login("south", "auditor").journal() if row["act"] == "warehouse.opened"]
    assert [fields["notes"] for fields in acts] == [30, 50]


def test_invented_tables_are_the_same_for_the_same_seed(home: Federation, tmp_path: Path) -> None:
    from fedkit.sites.store import DuckDBNoteStore
    from fedkit.sites.warehouse.site_tables import SiteTables

    answers = []
    for seed in (1, 1, 2):
        made = run("synthesise", "--home", home.folder, "--site", "north", "--notes", 2000, "--seed", seed)
        assert made.exit_code == 0
        assert "2,000 notes" in made.output
        folder = home.folder / "sites" / "north"
        tables = SiteTables("north", folder, DuckDBNoteStore(folder / "notes.duckdb"))
        question = Question("mentions", (Measure("persons"), Measure("rows")))
        answers.append([tables.rows(question, Call()), tables.about().model])
        tables.close()
    assert answers[0] == answers[1] != answers[2]
    assert answers[0][1] == "synthetic"


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("build", "--home", "{home}", "--site", "west"), SystemExit),
        (("build", "--home", "{home}", "--database", "postgresql:///x"), SystemExit),
        (("build", "--home", "{home}", "--site", "north", "--ask-as", "postgresql:///x"), SystemExit),
        (("build", "--home", "{tmp}"), ConfigurationError),
        (("catalogue", "http://127.0.0.1:9"), SiteError),
    ],
)
def test_what_cannot_be_is_said(
    home: Federation, tmp_path: Path, arguments: tuple[str, ...], refusal: type[BaseException]
) -> None:
    found = run(*(argument.format(home=home.folder, tmp=tmp_path) for argument in arguments))
    assert found.exit_code != 0
    assert isinstance(found.exception, refusal)
