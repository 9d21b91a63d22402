"""Logs of executions: kept for a while, bounded, readable by their owner only, and harmless to print."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.governance.running import ExecutionLog
from fedkit.sites.execution_logs import ExecutionLogs

REQUEST, OTHER = "a" * 64, "b" * 64


def log(text: str = "printed", *, began: float | None = None, outcome: str = "ok", round: int = 1) -> ExecutionLog:
    return ExecutionLog("count", round, time.time() if began is None else began, 0.5, outcome, "", text)


def test_a_log_comes_back_with_its_request_and_with_no_other(tmp_path: Path) -> None:
    logs = ExecutionLogs(tmp_path / "logs")
    now = time.time()
    kept = [log(f"round {n}", began=now + n, round=n) for n in (1, 2)]
    assert all(logs.add(REQUEST, one) for one in kept)
    assert logs.add(OTHER, log("another's"))
    assert logs.of(REQUEST) == kept
    assert ExecutionLogs(tmp_path / "logs").of(REQUEST) == kept  # opened again
    assert logs.of("c" * 64) == []


def test_only_the_owner_of_the_site_reads_them(tmp_path: Path) -> None:
    logs = ExecutionLogs(tmp_path / "logs")
    logs.add(REQUEST, log())
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "logs").iterdir()] == [0o600]


def test_nothing_is_kept_of_a_run_that_printed_nothing_unless_it_failed(tmp_path: Path) -> None:
    logs = ExecutionLogs(tmp_path / "logs")
    logs.add(REQUEST, log(""))
    logs.add(REQUEST, log("", outcome="execution"))
    assert [one.outcome for one in logs.of(REQUEST)] == ["execution"]


@pytest.mark.parametrize("bound", [{"total": 3_000}, {"most": 5}])
def test_the_oldest_go_first_when_there_are_too_many(tmp_path: Path, bound: dict[str, int]) -> None:
    logs = ExecutionLogs(tmp_path / "logs", **bound)
    now = time.time()
    for number in range(30):
        logs.add(REQUEST, log("x" * 400, began=now + number, round=number))
    rounds = [one.round for one in logs.of(REQUEST)]
    assert 1 <= len(rounds) <= 7
    assert rounds == list(range(30))[-len(rounds) :]
    assert len(list((tmp_path / "logs").iterdir())) == len(rounds)


def test_after_some_days_they_are_gone_from_the_disk(tmp_path: Path) -> None:
    logs = ExecutionLogs(tmp_path / "logs", days=30)
    logs.add(REQUEST, log("old", began=time.time() - 29 * 86_400))
    assert len(logs.of(REQUEST)) == 1
    assert ExecutionLogs(tmp_path / "logs", days=28).of(REQUEST) == []
    assert list((tmp_path / "logs").iterdir()) == []


def test_what_a_killed_site_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    ExecutionLogs(tmp_path / "logs").add(REQUEST, log())
    (tmp_path / "logs" / ".half.json.1234.part").write_text("private")
    ExecutionLogs(tmp_path / "logs")
    assert not list((tmp_path / "logs").glob(".*"))


@given(st.text())
def test_no_log_can_drive_the_terminal_of_who_reads_it(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    logs = ExecutionLogs(tmp_path_factory.mktemp("logs"))
    logs.add(REQUEST, log(f"\x1b[2J\x9b\x07{text}\u202e"))
    (read,) = logs.of(REQUEST)
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 or c == "\u202e" for c in read.text)


def test_a_log_does_not_show_its_text_by_accident() -> None:
    assert "private" not in repr(log("private"))


def test_a_full_disk_fails_no_run(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    assert ExecutionLogs(tmp_path / "logs").add(REQUEST, log()) is False
