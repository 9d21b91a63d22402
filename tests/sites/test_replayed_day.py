"""Fifty requests at one site, with and without standing approvals: what people still decide, and that nothing slips through.

What is safe is told twice, by nothing that decides: by hand in the day itself, and here from the raw requests. To the letter,
and but for harmless numbers, a steward must have approved it before, for somebody whose permit was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from replayed_day import DAY, Played, counted, replay, unsafe


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    return replay(tmp_path_factory.mktemp("with"))


@pytest.fixture(scope="module")
def day_before(tmp_path_factory: pytest.TempPathFactory) -> list[Played]:
    """The same requests, where nothing stands approved."""
    return replay(tmp_path_factory.mktemp("without"), standing=False)


#: The settings in which requests may differ, with the lowest and highest value that a steward would wave through.
HARMLESS_NUMBERS = {"rate": (0.05, 1.0), "epochs": (1, 5)}
HARMLESS = {"study", "labels", "words", "since", "until", "negated"}
REPEATS = 15


def raw(one: Played) -> dict[str, Any]:
    return one.request.to_json()


def was_read_before(one: Played, earlier: Sequence[Played]) -> bool:
    """Whether a steward had approved the same code and outputs, and a request under the same permit by the same person."""
    asked = raw(one)
    by_hand = [raw(other) for other in earlier if (other.decided, other.status) == ("person", "approved")]
    same = [
        other
        for other in by_hand
        if all(other[key] == asked[key] for key in ("source", "environment", "entries", "dataset"))
        and all(other["settings"].get(name) == value for name, value in asked["settings"].items() if not harmless(name, value))
    ]
    known = [other for other in by_hand if (other["researcher"], other["permit"]) == (asked["researcher"], asked["permit"])]
    repeats = [o for o in earlier if o.decided == "automatic" and raw(o)["source"] == asked["source"]]
    return bool(same and known) and (one.ask.what != "train" or len(repeats) < REPEATS)


def harmless(name: str, value: Any) -> bool:
    low, high = HARMLESS_NUMBERS.get(name, (1, 0))
    return name in HARMLESS or (isinstance(value, int | float) and low <= value <= high)


def test_the_day_is_a_mix_of_fifty() -> None:
    assert len(DAY) == 50
    verdicts = [ask.verdict for ask in DAY]
    assert (verdicts.count("no"), verdicts.count("read")) == (6, 7)
    assert {ask.what for ask in DAY} == {"train", "count", "table"}
    assert {ask.permit for ask in DAY} == {"", "another site's", "old"}


def test_people_decide_a_fifth_of_what_they_did(day: list[Played], day_before: list[Played]) -> None:
    now, before = counted(day), counted(day_before)
    assert before["automatic"] == 0
    assert now["refused"] == before["refused"]
    assert 1 - now["person"] / before["person"] >= 0.8


def test_nothing_unsafe_is_approved_without_a_person(day: list[Played]) -> None:
    assert unsafe(day) == []
    for at, one in enumerate(day):
        if one.decided == "automatic":
            assert was_read_before(one, day[:at]), f"number {at + 1}: {one.ask}"


def test_everything_that_must_never_run_was_stopped(day: list[Played]) -> None:
    hostile = [one for one in day if one.ask.verdict == "no"]
    assert {one.status for one in hostile} == {"refused", "denied"}


def test_what_is_fine_is_approved_in_the_end(day: list[Played]) -> None:
    assert {one.status for one in day if one.ask.verdict != "no"} == {"approved"}
    assert {one.decided for one in day if one.ask.verdict == "fine"} == {"automatic"}


def test_the_oracle_would_see_an_unsafe_one(day: list[Played]) -> None:
    """Each request that was not automatic would have been unsafe if it had been."""
    pretended = [Played(one.ask, one.request, "automatic", "approved") for one in day if one.decided != "automatic"]
    assert len(unsafe(pretended)) == len(pretended)
    for one in day:
        if one.decided != "automatic":
            assert not was_read_before(one, day[: day.index(one)])
