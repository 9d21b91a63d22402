"""Who takes part in a round: a share of the sites, those that are in time, and as many as a round needs."""

from __future__ import annotations

import math
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from federation import toy
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import ExecutionFailed, SiteError, TrainingError
from fedkit.federation.parameters import Parameters, digest_parameters
from fedkit.federation.participation import Participation
from fedkit.federation.rounds import Execution, RoundPlan, RoundsResult, read_history, run_rounds
from fedkit.federation.strategies import FedAvg

SITES = ("da", "et", "fi", "no", "sv")


def run(folder: Path, who: Participation, execute: Any = toy.train, rounds: int = 3, **more: Any) -> RoundsResult:
    plan = RoundPlan(rounds, parallel=5, name="p", who=who)
    return run_rounds(plan, toy.START, SITES, execute, FedAvg("equal"), folder=folder, **more)


class TestAShareOfTheSites:
    @given(st.floats(0.01, 1), st.integers(1, 50), st.integers(0, 9))
    def test_it_is_rounded_up_and_the_same_for_everybody(self, share: float, round: int, seed: int) -> None:
        asked = Participation(share, seed=seed).asked(round, SITES)
        assert len(asked) == max(1, math.ceil(share * 5 - 1e-9))
        assert asked == Participation(share, seed=seed).asked(round, SITES)
        assert asked == [site for site in SITES if site in asked], "in the order in which they were given"

    def test_over_many_rounds_every_site_has_its_turn(self) -> None:
        turns = Counter(site for number in range(1, 501) for site in Participation(0.4).asked(number, SITES))
        assert sum(turns.values()) == 1000
        assert all(150 < count < 250 for count in turns.values())

    def test_no_fewer_are_asked_than_a_round_needs(self) -> None:
        assert len(Participation(0.2, fewest=3).asked(1, SITES)) == 3

    def test_a_round_is_the_average_of_those_that_were_asked(self, tmp_path: Path) -> None:
        who = Participation(0.6)
        for record in run(tmp_path, who).history:
            assert record.order == tuple(who.asked(record.round, SITES))
            assert set(record.sites) == set(record.order)


class TestSitesThatFail:
    @staticmethod
    def failing(*sites: str) -> Any:
        def execute(site: str, entry: str, round: int, weights: Parameters) -> Execution:
            if site in sites:
                raise ExecutionFailed("the code ran out of memory")
            return toy.train(site, entry, round, weights)

        return execute

    def test_a_round_goes_on_with_as_many_as_it_needs_and_names_the_others(self, tmp_path: Path) -> None:
        events: list[Any] = []
        result = run(tmp_path, Participation(fewest=3), self.failing("et", "no"), on_event=events.append)
        assert [record.order for record in result.history] == [("da", "fi", "sv")] * 3
        assert Counter(e.site for e in events if e.kind == "site-failed") == {"et": 3, "no": 3}

    def test_with_fewer_it_stops_and_goes_on_once_they_are_back(self, tmp_path: Path) -> None:
        with pytest.raises(ExecutionFailed):
            run(tmp_path, Participation(fewest=4), self.failing("et", "no"))
        assert not read_history(tmp_path)
        assert len(run(tmp_path, Participation(fewest=4)).history) == 3

    def test_by_default_all_are_needed(self, tmp_path: Path) -> None:
        with pytest.raises(ExecutionFailed):
            run(tmp_path, Participation(), self.failing("et"))

    def test_a_defect_is_no_site_that_fails(self, tmp_path: Path) -> None:
        def defect(site: str, entry: str, round: int, weights: Parameters) -> Execution:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run(tmp_path, Participation(fewest=1), defect)


class TestSitesThatAreLate:
    def test_a_round_goes_on_without_them_and_their_update_never_counts(self, tmp_path: Path) -> None:
        """fi answers to round 1 when round 2 is over: late for the one, and it was still busy at the other."""
        release, asked, given_up, lock = threading.Event(), [], [], threading.Lock()

        def execute(site: str, entry: str, round: int, weights: Parameters) -> Execution:
            with lock:
                asked.append((site, round))
            if site == "fi" and round == 1:
                assert release.wait(60)
            if round == 3:
                release.set()
            return toy.train(site, entry, round, weights)

        events: list[Any] = []
        result = run(tmp_path, Participation(fewest=4, deadline=3), execute, on_event=events.append, late=given_up.append)
        assert [record.order for record in result.history[:2]] == [("da", "et", "no", "sv")] * 2
        assert given_up == ["fi"], "its work can be ended, once"
        assert ("fi", 2) not in asked, "never two calls to one site at a time"
        assert not [e for e in events if e.site == "fi" and e.kind == "site-done" and e.round == 1]
        messages = [e.message for e in events if e.site == "fi" and e.kind == "site-failed"]
        assert "by the deadline" in messages[0]
        assert "earlier round" in messages[1]

    def test_a_site_that_is_back_in_time_takes_part_again(self, tmp_path: Path) -> None:
        release, back = threading.Event(), threading.Event()

        def execute(site: str, entry: str, round: int, weights: Parameters) -> Execution:
            if (site, round) == ("fi", 1):
                assert release.wait(60)
                threading.Timer(0.5, back.set).start()  # after this call has ended
            if (site, round) == ("da", 2):
                release.set()
                assert back.wait(60)
            return toy.train(site, entry, round, weights)

        history = run(tmp_path, Participation(fewest=4, deadline=3), execute).history
        assert ["fi" in record.order for record in history] == [False, False, True]

    def test_too_few_in_time_stop_the_round_with_a_name(self, tmp_path: Path) -> None:
        release = threading.Event()

        def execute(site: str, entry: str, round: int, weights: Parameters) -> Execution:
            if site != "da":
                release.wait(60)
            return toy.train(site, entry, round, weights)

        with pytest.raises(SiteError, match="not done by the deadline"):
            run(tmp_path, Participation(fewest=2, deadline=1), execute)
        release.set()
        assert not read_history(tmp_path)

    def test_nobody_late_is_the_same_as_no_deadline(self, tmp_path: Path) -> None:
        ends = [run(tmp_path / str(i), who) for i, who in enumerate((Participation(), Participation(fewest=2, deadline=60)))]
        assert digest_parameters(ends[0].parameters) == digest_parameters(ends[1].parameters)


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0},
        {"share": 1.5},
        {"share": True},
        {"share": float("nan")},
        {"fewest": -1},
        {"fewest": 1.5},
        {"deadline": 5},
        {"deadline": -1, "fewest": 1},
        {"deadline": float("inf"), "fewest": 1},
        {"deadline": "5", "fewest": 1},
        {"sites": 3},
        "half",
    ],
)
def test_what_is_no_participation_is_refused(wrong: Any) -> None:
    with pytest.raises(TrainingError, match="participation"):
        Participation.of({"participation": wrong})
