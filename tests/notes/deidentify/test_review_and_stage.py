"""Review: counts and intervals, no text. Stage: over a file of notes, resumable, nothing passes that could not be
de-identified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fedkit.cli.notes import notes
from fedkit.errors import ConfigurationError
from fedkit.notes.deidentify import Deidentifier, ProjectKey, deidentify_note, review
from fedkit.notes.deidentify import stage as stage_module
from fedkit.notes.deidentify.review import wilson
from fedkit.notes.deidentify.stage import STAGE, deidentify_store
from fedkit.notes.note import Note, Span
from fedkit.notes.store import NoteFile

SECRET = "Kari Hansen"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(notes, [str(a) for a in arguments], env={"COLUMNS": "140"})


def row(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"n{number}",
        "text": f"{SECRET} kom {number % 27 + 1}.05.2018.",
        "lang": "nb",
        "patient": f"p{number % 7}",
        "spans": [],
        **more,
    }


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """500 notes in a file."""
    source = tmp_path / "notes.jsonl"
    rows = [row(n, spans=[{"start": 0, "end": len(SECRET), "label": "PER"}]) for n in range(500)]
    source.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    assert run("import", source, "--to", tmp_path / "notes.duckdb").exit_code == 0
    return tmp_path / "notes.duckdb"


# --- review --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)]
)
def test_intervals_are_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """81 of 263: the example of Newcombe (1998), 0.2553 to 0.3662."""
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-4)


def test_half_a_name_is_touched_and_not_covered() -> None:
    text = "Møtte Kari hansen igjen."
    found = review([Note("1", text, "nb", (Span(6, 17, "PER"), Span(0, 5, "DRUG")))], {"PER": "NAME"})
    report = found.to_json()
    assert report["gold"]["NAME"] | {"low": 0, "high": 0} == {
        "marked": 1,
        "covered": 0,
        "touched": 1,
        "recall": 0.0,
        "low": 0,
        "high": 0,
    }
    assert report["missed"] == [["1", 6, 17, "NAME"]]
    assert "hansen" not in json.dumps(report)


def test_without_truth_a_review_claims_no_recall() -> None:
    report = review([Note("1", "Kari Hansen, 34 år gammel.", "nb", (Span(0, 4, "PER"),))]).to_json()
    assert report["gold"] == {}
    assert report["precision_characters"] is None
    assert report["found"] == {"NAME": 1}


# --- stage ---------------------------------------------------------------------------------------------------------------


def test_a_run_that_is_cut_off_goes_on_behind_what_was_saved(
    store: Path, key: ProjectKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    save = NoteFile.save

    def once(self: NoteFile, *arguments: object) -> None:
        if saved:
            raise KeyboardInterrupt
        save(self, *arguments)  # type: ignore[arg-type]
        saved.append(1)

    monkeypatch.setattr(NoteFile, "save", once)
    with NoteFile.open(store, write=True) as file, pytest.raises(KeyboardInterrupt):
        deidentify_store(file, key)
    monkeypatch.undo()
    with NoteFile.open(store, write=True) as file:
        report = deidentify_store(file, key)
        assert (report.added, report.notes) == (500 - stage_module.BATCH, 500)
        assert len({n.id for n in file.notes(STAGE)}) == 500
        assert deidentify_store(file, key).added == 0


def test_another_key_or_mode_begins_anew(store: Path, key: ProjectKey) -> None:
    with NoteFile.open(store, write=True) as file:
        deidentify_store(file, key)
        first = [n.text for n in file.notes(STAGE)]
        assert deidentify_store(file, ProjectKey(b"z" * 16)).added == 500
        assert first != [n.text for n in file.notes(STAGE)]
        assert deidentify_store(file, key, mode="tags").added == 500
        assert next(file.notes(STAGE)).text.startswith("[NAME] kom ")


def test_a_note_that_fails_is_left_out_and_named_by_kind(
    tmp_path: Path, key: ProjectKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "notes.jsonl"
    foreign = row(1, meta={"deidentified": "other"})
    source.write_text("".join(json.dumps(r) + "\n" for r in (row(0), foreign, row(2), row(3))), "utf-8")
    run("import", source, "--to", tmp_path / "s.duckdb")

    def sometimes(worker: Deidentifier, note: Note, **more: object):
        if note.id == "n2":
            raise ValueError(note.text)
        return deidentify_note(worker, note, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(stage_module, "deidentify_note", sometimes)
    with NoteFile.open(tmp_path / "s.duckdb", write=True) as file:
        report = deidentify_store(file, key)
        assert report.failed == {"ValueError": 1, "corpus": 1}
        assert file.count(STAGE) == 2
        assert SECRET not in json.dumps(report.to_json())
        with pytest.raises(ConfigurationError):
            deidentify_store(file, key, source="nothing")


def test_what_comes_out_of_the_command_names_nobody(store: Path, tmp_path: Path) -> None:
    done = run("deidentify", store, "--key", tmp_path / "key", "--new-key", "--report", tmp_path / "report.json")
    assert done.exit_code == 0, done.output
    exported = run("export", store, "--to", tmp_path / "out.jsonl", "--format", "jsonl", "--stage", STAGE)
    assert exported.exit_code == 0, exported.output
    out = (tmp_path / "out.jsonl").read_text("utf-8")
    assert len(out.splitlines()) == 500
    for word in (*SECRET.split(), '"n1"', '"p1"'):
        assert word not in out + done.output + (tmp_path / "report.json").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["changed"] == {"DATE": 500, "NAME": 500}


def test_a_key_is_made_only_where_asked_and_never_replaced(store: Path, tmp_path: Path) -> None:
    assert isinstance(run("deidentify", store, "--key", tmp_path / "none").exception, ConfigurationError)
    assert run("deidentify", store, "--key", tmp_path / "k", "--new-key").exit_code == 0
    before = (tmp_path / "k").read_bytes()
    assert isinstance(run("deidentify", store, "--key", tmp_path / "k", "--new-key").exception, ConfigurationError)
    assert (tmp_path / "k").read_bytes() == before
    absent = run("deidentify", tmp_path / "no.duckdb", "--key", tmp_path / "k2", "--new-key")
    assert isinstance(absent.exception, ConfigurationError)
    assert not (tmp_path / "k2").exists()


def test_review_prints_recall_with_its_interval_and_changes_nothing(store: Path, tmp_path: Path) -> None:
    done = run("review", store, "--truth", "PER=NAME", "--report", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert "0.992–1.000" in done.output
    assert SECRET not in done.output
    with NoteFile.open(store) as file:
        assert file.stages() == {}
    assert run("review", store, "--truth", "PER=PERSON").exit_code == 2
