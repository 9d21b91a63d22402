"""A site's clock has two witnesses: its journal, which never goes back, and the seconds that are counted since it started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from fedkit.sites import journal as journals
from fedkit.sites.clock import SiteClock, seconds_counted
from fedkit.sites.journal import Journal


@dataclass
class Hands:
    """A wall clock that can be set, and a counter that cannot."""

    wall: float = 1_000_000.0
    counted: float = 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.counted += seconds


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def test_a_clock_that_runs_on_agrees_with_the_seconds_counted(journal: Journal) -> None:
    hands = Hands()
    clock = SiteClock(journal, lambda: hands.wall, lambda: hands.counted)
    hands.pass_by(86_400)
    assert clock.wall() == 1_086_400.0
    assert clock.reading().running == 1_086_400.0


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_clock_that_was_set_does_not(journal: Journal, step: float) -> None:
    hands = Hands()
    clock = SiteClock(journal, lambda: hands.wall, lambda: hands.counted)
    hands.wall += step
    running = clock.reading().running
    assert running is not None
    assert clock.wall() - running == step


def test_the_journal_remembers_the_latest_time_over_a_restart_and_a_clock_set_back(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert journal.latest() == 0.0
    journal.append("site.closed", "north")
    seen = journal.latest()
    journal.close()

    class Earlier(journals.datetime):
        @classmethod
        def now(cls, tz: object = None) -> object:
            return cls(2020, 1, 1, tzinfo=tz)  # type: ignore[arg-type]

    monkeypatch.setattr(journals, "datetime", Earlier)
    again = Journal(tmp_path / "journal.db")
    again.append("site.closed", "north")
    assert again.latest() == seen
    assert SiteClock(again).reading().latest == seen


def test_the_counter_of_the_machine_only_goes_on() -> None:
    readings = [seconds_counted() for _ in range(100)]
    assert readings == sorted(readings)
