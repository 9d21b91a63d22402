"""When: days and hours by the clock on the site's wall, and a clock that can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_world import NOON, call, refused

from fedkit.errors import ConfigurationError, Refused
from fedkit.governance.policies import Clock, SaneClock, TimeWindow
from fedkit.governance.policies.moment import DAYS

OFFICE = TimeWindow(("mon", "tue", "wed", "thu", "fri"), 420, 1140, "Europe/Oslo")


def at(text: str, zone: str = "Europe/Oslo") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize("moment", ["2026-11-24T07:00:00", "2026-11-24T18:59:59", "2026-11-27T12:00:00"])
def test_within_the_hours_it_runs(moment: str) -> None:
    OFFICE.admits(call(now=at(moment)))


@pytest.mark.parametrize("moment", ["2026-11-24T06:59:59", "2026-11-24T19:00:00", "2026-11-28T12:00:00", "2026-11-29T12:00:00"])
def test_outside_it_says_when_it_would(moment: str) -> None:
    wrong = refused(OFFICE, call(now=at(moment)))
    assert isinstance(wrong, Refused)
    assert "mon–fri 07:00–19:00 (Europe/Oslo)" in wrong.expected


def test_hours_are_those_on_the_wall_in_winter_and_in_summer() -> None:
    seven = datetime(2026, 7, 1, 5, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)
    for moment in seven:
        OFFICE.admits(call(now=moment.timestamp()))
        refused(OFFICE, call(now=moment.timestamp() - 1))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = TimeWindow(("fri",), 1320, 360)
    friday_night.admits(call(now=at("2026-11-27T22:00:00", "UTC")))
    friday_night.admits(call(now=at("2026-11-28T05:59:59", "UTC")))
    for moment in ("2026-11-27T21:59:59", "2026-11-28T06:00:00", "2026-11-28T22:00:00", "2026-11-27T05:00:00"):
        refused(friday_night, call(now=at(moment, "UTC")))


@given(st.integers(0, 1439), st.integers(0, 1440), st.integers(0, 7 * 1440 - 1))
def test_a_window_and_the_rest_of_the_day_are_never_both_open_and_never_both_closed(start: int, end: int, minute: int) -> None:
    if start == end or (start, end) in ((0, 1440),) or end in (0, 1440) or start == 0:
        return
    moment = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(minutes=minute)
    assert TimeWindow(start=start, end=end).holds(moment) != TimeWindow(start=end, end=start).holds(moment)


def test_the_whole_week_is_always() -> None:
    assert TimeWindow().always
    assert TimeWindow().explain() == "At any time."
    assert not OFFICE.always


@pytest.mark.parametrize(
    "make",
    [
        lambda: TimeWindow(()),
        lambda: TimeWindow(("monday",)),
        lambda: TimeWindow(start=1440),
        lambda: TimeWindow(start=60, end=60),
        lambda: TimeWindow(end=1441),
        lambda: TimeWindow(time_zone="Mars/Olympus"),
        lambda: TimeWindow(time_zone="../../etc/passwd"),
    ],
)
def test_a_window_that_is_none_is_a_wrong_configuration(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]


def test_days_in_a_row_are_told_as_a_row() -> None:
    assert "mon, wed 00:00" in TimeWindow(("mon", "wed")).explain()
    assert "every day" in TimeWindow(DAYS, 60).explain()


# -- the clock
@pytest.mark.parametrize(
    "clock", [Clock(), Clock(NOON + 300, NOON), Clock(NOON, NOON - 300), Clock(NOON, NOON + 300), Clock(0.0, None)]
)
def test_a_clock_that_is_a_little_off_is_believed(clock: Clock) -> None:
    SaneClock(300).admits(call(clock=clock))
    SaneClock(300).submits(call(clock=clock))


def test_a_clock_behind_its_own_records_is_named() -> None:
    for ask in ("submits", "admits"):
        wrong = refused(SaneClock(300), call(clock=Clock(NOON + 301, None)), ask)
        assert "clock skew" in wrong.message
        assert wrong.got == "301 s behind"
        assert "NTP" in wrong.help


@pytest.mark.parametrize("running", [NOON - 301, NOON + 301])
def test_a_clock_that_was_set_while_the_site_ran_is_named(running: float) -> None:
    wrong = refused(SaneClock(300), call(clock=Clock(0.0, running)))
    assert "clock skew" in wrong.message
    assert wrong.got in ("+301 s", "-301 s")
