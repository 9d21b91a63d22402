"""The benchmarks' own instruments: memory of a process tree, ratios, and results that are kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import groups
import measured
import process_tree
import pytest
import run

#: A parent that uses little, whose child fills 120 MB, says so, and ends when its input does.
CHILD = "import sys; held = bytearray(b'x') * 120_000_000; print('held', flush=True); sys.stdin.read()"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.communicate()


def test_memory_of_children_counts(family: subprocess.Popen[str]) -> None:
    assert process_tree.tree_memory(family.pid) > 120_000_000


def test_the_peak_stays_when_the_process_has_gone(family: subprocess.Popen[str]) -> None:
    with process_tree.PeakMemory(family.pid, interval=0.01) as memory:
        while memory.samples < 2:
            pass
        family.communicate()
    assert memory.peak > 120_000_000
    assert process_tree.tree_memory(family.pid) == 0


def test_ratio_is_value_over_peer() -> None:
    row = measured.Measured("x", 3.0, "s", "make bench", peer=2.0).to_json()
    assert (row["value"], row["peer"], row["ratio"]) == (3.0, 2.0, 1.5)
    assert measured.Measured("x", 3.0, "s", "make bench").to_json()["ratio"] is None


def test_measuring_one_group_keeps_the_results_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    run.save([measured.Measured("a", 1.0, "s", "c"), measured.Measured("b", 2.0, "s", "c")])
    run.save([measured.Measured("b", 3.0, "s", "c")])
    rows = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert {name: row["value"] for name, row in rows.items()} == {"a": 1.0, "b": 3.0}
    assert all(row["commit"] and row["command"] for row in rows.values())


def test_a_group_that_fails_is_said_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> list[measured.Measured]:
        raise RuntimeError("no disk")

    monkeypatch.setattr(run, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(run, "GROUPS", {"good": lambda: [measured.Measured("a", 1.0, "s", "c")], "bad": fails})
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main() == 1
    assert "bad: failed: no disk" in capsys.readouterr().err
    assert list(json.loads((tmp_path / "results.json").read_text("utf-8"))) == ["a"]


def test_the_first_round_is_found_in_the_events_of_a_run(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    rows = [
        {"step": 1, "at": 10.0, "data": {}},
        {"step": 8, "at": 21.5, "data": {"event": "round", "round": 1, "rounds": 2}},
        {"step": 8, "at": 30.0, "data": {"event": "round", "round": 2, "rounds": 2}},
    ]
    events.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert groups.first_round(events) == 21.5
    events.write_text(json.dumps(rows[0]) + "\n")
    with pytest.raises(RuntimeError, match="no round"):
        groups.first_round(events)


def test_a_command_that_fails_shows_the_end_of_its_errors() -> None:
    with pytest.raises(RuntimeError, match="it broke"):
        measured.last_json([sys.executable, "-c", "raise SystemExit('it broke')"])


def test_every_result_that_is_committed_has_what_a_reader_needs() -> None:
    if not run.RESULTS.exists():
        pytest.skip("no results yet: make bench")
    for name, row in json.loads(run.RESULTS.read_text("utf-8")).items():
        assert {"value", "unit", "peer", "ratio", "command", "commit"} <= set(row), name
