"""`fedkit notes process`: a store in one process and in several, cut off and gone on with, with notes that cannot be read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fedkit.cli import main
from fedkit.errors import ConfigurationError, CorpusError
from fedkit.notes import processing
from fedkit.notes.note import Note
from fedkit.notes.pipeline import Pipeline, Settings
from fedkit.notes.processing import STAGE, TOO_LONG, WORKER_ENDED, process_notes, read_batch
from fedkit.notes.store import NoteFile

#: Quick steps: what is tested here is the carrying out.
QUICK = Settings(steps=("sections", "sentences"))
CANARY = "Kanarifugl"


def store_of(path: Path, texts: list[str]) -> Path:
    with NoteFile.open(path, write=True) as store, store.transaction():
        store.append(1, [(f"line {i}", Note(f"n{i}", text, "nb")) for i, text in enumerate(texts)])
    return path


def texts(count: int) -> list[str]:
    return [f"Plan: Kontroll nummer {i}. Ingen feber." for i in range(count)]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return store_of(tmp_path / "notes.duckdb", texts(250))


def processed(path: Path) -> list[Note]:
    with NoteFile.open(path) as store:
        return list(store.notes(STAGE))


def test_one_process_and_several_give_the_same_notes_in_order(store: Path, tmp_path: Path) -> None:
    with NoteFile.open(store, write=True) as notes:
        report = process_notes(notes, QUICK, workers=1)
    other = store_of(tmp_path / "other.duckdb", texts(250))
    with NoteFile.open(other, write=True) as notes:
        assert process_notes(notes, QUICK, workers=2).to_json() == report.to_json()
    assert processed(store) == processed(other)
    assert [n.id for n in processed(store)] == [f"n{i}" for i in range(250)]
    assert all(n.sections and n.sentences for n in processed(store))
    assert (report.notes, report.added, report.failed) == (250, 250, {})


def test_a_second_run_adds_nothing_and_other_settings_begin_anew(store: Path) -> None:
    with NoteFile.open(store, write=True) as notes:
        process_notes(notes, QUICK, workers=1)
        assert process_notes(notes, QUICK, workers=1).added == 0
        assert process_notes(notes, Settings(steps=("sentences",)), workers=1).added == 250
    assert not any(n.sections for n in processed(store))


def test_it_goes_on_where_it_was_cut_off(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted between two batches; then whatever is done again would show in the count of reads."""
    read: list[int] = []
    whole = read_batch

    def counting(pipeline: Pipeline, batch: processing.Batch) -> processing.Done:
        if len(read) >= 100 and not hasattr(counting, "went"):
            counting.went = True  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        read.extend(at for at, _ in batch)
        return whole(pipeline, batch)

    monkeypatch.setattr(processing, "read_batch", counting)
    with NoteFile.open(store, write=True) as notes:
        with pytest.raises(KeyboardInterrupt):
            process_notes(notes, QUICK, workers=1)
        seen: list[tuple[int, int]] = []
        process_notes(notes, QUICK, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert read == list(range(250))
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_killed_outright_it_leaves_whole_batches_and_no_workers(tmp_path: Path) -> None:
    store = store_of(tmp_path / "notes.duckdb", texts(3000))
    code = (
        "from pathlib import Path; from fedkit.notes.store import NoteFile; from fedkit.notes.pipeline import Settings\n"
        "from fedkit.notes.processing import process_notes\n"
        "if __name__ == '__main__':\n"
        f"    with NoteFile.open(Path({str(store)!r}), write=True) as notes:\n"
        "        process_notes(notes, Settings(steps=('sections', 'sentences')), workers=2,\n"
        "                      progress=lambda done, total: print(done, flush=True))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 200:
            break
    group = os.getpgid(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 30
    while _alive(group):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)
    done = len(processed(store))
    assert done >= 200
    assert done % processing.BATCH == 0
    with NoteFile.open(store, write=True) as notes:
        assert process_notes(notes, QUICK, workers=1).added == 3000 - done
    assert [n.id for n in processed(store)] == [f"n{i}" for i in range(3000)]


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


class Breaking(Pipeline):
    """Fails as its notes say."""

    def __call__(self, note: Note) -> Note:
        if "VALUE" in note.text:
            raise ValueError(note.text)
        if "CORPUS" in note.text:
            raise CorpusError(note.text)
        if "EXIT" in note.text:
            os._exit(7)
        return super().__call__(note)


def test_a_note_that_raises_costs_itself_alone_and_its_words_stay_out(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "MAX_CHARACTERS", 100)
    monkeypatch.setattr(processing, "Pipeline", Breaking)
    bad = [f"VALUE {CANARY}", f"CORPUS {CANARY}", "x" * 101]
    with NoteFile.open(store, write=True) as notes:
        with notes.transaction():
            notes.append(2, [(f"line {i}", Note(f"b{i}", text, "nb")) for i, text in enumerate(bad)])
            notes.append(3, [("line 0", Note("last", "Ingen feber", "nb"))])
        report = process_notes(notes, QUICK, workers=1)
    assert report.failed == {"ValueError": 1, "corpus": 1, TOO_LONG: 1}
    assert report.places == {"ValueError": [250], "corpus": [251], TOO_LONG: [252]}
    assert report.notes == 251
    assert CANARY not in json.dumps(report.to_json())


def _start_breaking(settings: Settings) -> None:
    processing._pipeline = Breaking(settings)


def test_a_note_that_ends_its_worker_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = texts(130)
    every[105] = "EXIT"
    store = store_of(tmp_path / "notes.duckdb", every)
    monkeypatch.setattr(processing, "_start", _start_breaking)
    monkeypatch.setattr(processing, "BATCH", 15)
    with NoteFile.open(store, write=True) as notes:
        report = process_notes(notes, QUICK, workers=2)
    assert report.failed == {WORKER_ENDED: 1}
    assert report.places == {WORKER_ENDED: [105]}
    assert [n.id for n in processed(store)] == [f"n{i}" for i in range(130) if i != 105]


def _start_never(settings: Settings) -> None:
    os._exit(3)


def test_workers_that_cannot_start_are_no_fault_of_the_notes(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "_start", _start_never)
    with NoteFile.open(store, write=True) as notes:
        with pytest.raises(ConfigurationError):
            process_notes(notes, QUICK, workers=2)
        assert notes.count(STAGE) == 0
        assert notes.failed(STAGE) == {}


def test_a_missing_package_is_no_fault_of_the_notes(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Pipeline, note: Note) -> Note:
        raise ModuleNotFoundError("lingua")

    monkeypatch.setattr(Pipeline, "__call__", missing)
    with NoteFile.open(store, write=True) as notes:
        with pytest.raises(ModuleNotFoundError):
            process_notes(notes, QUICK, workers=1)
        assert notes.failed(STAGE) == {}


# --- the command -----------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def test_the_command_says_what_it_did_and_shows_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = store_of(
        tmp_path / "notes.duckdb", [f"Innlagt {CANARY} med brystsmerter. Ingen kvalme.", "Bruker warfarin pga. flimmer."]
    )
    report = tmp_path / "report.json"
    status, out, err = run(capsys, "notes", "process", store, "--workers", 1, "--report", report)
    assert status == 0
    assert "2 notes read now, 2 in all" in out
    assert "negated 1" in out
    assert CANARY not in out + err + report.read_text()
    assert json.loads(report.read_text())["labels"]["DRUG"] == 1
    status, out, _ = run(capsys, "notes", "process", store)
    assert status == 0
    assert "0 notes read now, 2 in all" in out


def test_an_empty_store_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "notes", "process", store_of(tmp_path / "notes.duckdb", []))
    assert status == 0
    assert "0 notes read now" in out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["none.duckdb"], 1, "no file of notes"),
        (["notes.duckdb", "--steps", "foo"], 2, "choose from"),
        (["notes.duckdb", "--languages", "xx"], 2, "choose from"),
        (["notes.duckdb", "--languages", "fi"], 1, "at least two"),
        (["notes.duckdb", "--workers", "0"], 2, "--workers"),
        (["bad.duckdb"], 1, "bad.duckdb"),
    ],
)
def test_bad_input_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    store_of(tmp_path / "notes.duckdb", texts(1))
    (tmp_path / "bad.duckdb").write_bytes(b"not a database" * 100)
    code, out, err = run(capsys, "notes", "process", *arguments)
    assert code == status
    assert words in out + err
    assert not (tmp_path / "none.duckdb").exists()
