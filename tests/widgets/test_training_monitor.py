from __future__ import annotations

import threading
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_samples import CANARY, EVIL, click, everything_sent, live_html, our_failure, private_failure, table_rows

from fedkit.errors import FedkitError
from fedkit.federation.checkpoint import RoundRecord
from fedkit.federation.rounds import RoundEvent
from fedkit.widgets import TrainingMonitor
from fedkit.widgets import training_monitor as module
from fedkit.widgets.curves import curves_svg

SITES = ["oslo", "tartu"]


def counts(f1: float) -> dict[str, float]:
    """Counts of a site whose F1 is exactly this number of hundredths."""
    right = round(100 * f1)
    return {"dev.tp.DRUG": right, "dev.fp.DRUG": 100 - right, "dev.fn.DRUG": 100 - right}


def round_(n: int, f1: float = 0.5, *, sites: list[str] = SITES, seconds: float = 10.0) -> RoundEvent:
    """Round n is complete; the weights that came into it had this F1 at every site."""
    numbers = {site: counts(f1) for site in sites}
    record = RoundRecord(n, n == 1, "0" * 64, "1" * 64, numbers, tuple(sites), (), seconds)
    return RoundEvent("aggregated", n, seconds=seconds, record=record)


class Training:
    """Rounds as the study runs them: stops between rounds, goes on from the last complete one."""

    def __init__(self, rounds: int = 4) -> None:
        self.rounds, self.done = rounds, 0
        self.fail_at: int | None = None
        self.failure: Exception = our_failure()
        self.steps: threading.Semaphore | None = None
        self.in_round = threading.Event()
        self.monitor = TrainingMonitor(rounds, SITES, self.run, weights_bytes=500_000)

    def run(self, stop: threading.Event) -> str:
        while self.done < self.rounds:
            if stop.is_set():
                break
            self.in_round.set()
            if self.steps is not None:
                self.steps.acquire(timeout=10)
            if self.fail_at == self.done + 1:
                self.fail_at = None
                raise self.failure
            self.done += 1
            for site in SITES:
                self.monitor.update(RoundEvent("site-started", self.done, site))
                self.monitor.update(RoundEvent("site-done", self.done, site, 1.0, counts(0.1)))
            self.monitor.update(round_(self.done, self.done / 10))
        return f"{self.done} rounds"


def test_before_the_first_round_it_says_so_and_only_start_is_open() -> None:
    monitor = Training().monitor
    page = live_html(monitor)
    assert "not started" in page
    assert "No round is complete yet" in page
    assert [b.disabled for b in (monitor._start_button, monitor._stop_button, monitor._resume_button)] == [False, True, True]
    assert monitor.seconds_left is None


def test_a_click_trains_in_a_worker_to_the_end() -> None:
    training = Training()
    click(training.monitor._start_button)
    assert training.monitor.finish() == "4 rounds"
    assert training.monitor.status == "done"
    assert training.monitor.done_rounds == 4
    assert training.monitor.f1 == {"oslo": 0.4, "tartu": 0.4}
    page = live_html(training.monitor)
    assert "round 4 of 4, 8.0 MB moved" in page
    assert ["oslo", "40.0", "3", ""] in table_rows(page)
    assert [
        b.disabled for b in (training.monitor._start_button, training.monitor._stop_button, training.monitor._resume_button)
    ] == [
        True,
        True,
        True,
    ]


def test_finish_starts_what_nobody_started_and_runs_it_once() -> None:
    training = Training()
    assert training.monitor.finish() == "4 rounds"
    assert training.monitor.finish() == "4 rounds"
    training.monitor.start()
    assert training.done == 4
    assert training.monitor.bytes == 4 * len(SITES) * 2 * 500_000


def test_stop_ends_after_the_round_and_resume_goes_on() -> None:
    training = Training()
    training.steps = threading.Semaphore(0)
    click(training.monitor._start_button)
    training.in_round.wait(10)
    click(training.monitor._stop_button)
    assert training.monitor.status == "stopping"
    training.steps.release(9)
    training.monitor.wait(10)
    assert training.monitor.status == "stopped"
    assert training.done == 1
    assert "go on from the last complete round" in live_html(training.monitor)
    click(training.monitor._resume_button)
    assert training.monitor.finish() == "4 rounds"
    assert training.done == training.monitor.done_rounds == 4


@pytest.mark.parametrize("failure", [our_failure(), private_failure()])
def test_a_failure_is_shown_raised_in_the_cell_and_can_be_resumed(failure: Exception) -> None:
    training = Training()
    training.fail_at, training.failure = 3, failure
    with pytest.raises(FedkitError):
        training.monitor.finish()
    assert training.monitor.status == "failed"
    assert 'role="alert"' in live_html(training.monitor)
    assert CANARY not in everything_sent(training.monitor)
    assert "Traceback" not in everything_sent(training.monitor)
    click(training.monitor._resume_button)
    assert training.monitor.finish() == "4 rounds"
    assert 'role="alert"' not in live_html(training.monitor)


def test_interrupting_the_cell_stops_after_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training()
    training.steps = threading.Semaphore(0)
    waits = iter([True])
    real = training.monitor.wait

    def interrupted(timeout: float | None = None) -> bool:
        if next(waits, False):
            training.in_round.wait(10)
            raise KeyboardInterrupt
        training.steps.release(9)  # type: ignore[union-attr]
        return real(timeout)

    monkeypatch.setattr(training.monitor, "wait", interrupted)
    assert training.monitor.finish() == "1 rounds"
    assert training.monitor.status == "stopped"


def test_a_round_that_is_told_again_counts_once() -> None:
    monitor = TrainingMonitor(4, SITES)
    monitor.update(round_(1, 0.1))
    monitor.update(round_(1, 0.2))
    assert monitor.scores["oslo"] == {0: 0.2}
    assert monitor.done_rounds == 1


def test_the_score_of_a_round_belongs_to_the_weights_that_came_into_it() -> None:
    monitor = TrainingMonitor(2, SITES)
    monitor.update(round_(1, 0.0))
    monitor.update(round_(2, 0.4))
    monitor.score("oslo", 2, counts(0.6))
    assert monitor.scores == {"oslo": {0: 0.0, 1: 0.4, 2: 0.6}, "tartu": {0: 0.0, 1: 0.4}}
    assert monitor.f1 == {"oslo": 0.6, "tartu": 0.4}


def test_between_rounds_the_table_says_what_each_site_does() -> None:
    monitor = TrainingMonitor(2, SITES)
    monitor.update(RoundEvent("site-started", 1, "oslo"))
    monitor.update(RoundEvent("site-failed", 1, "tartu", message="private words are not shown"))
    assert [row[-1] for row in table_rows(live_html(monitor))] == ["Now", "training", "failed"]
    assert "private words" not in everything_sent(monitor)
    monitor.update(round_(1))
    assert [row[-1] for row in table_rows(live_html(monitor))] == ["Now", "", ""]


def test_numbers_without_counts_and_sites_that_were_not_planned_draw_nothing() -> None:
    monitor = TrainingMonitor(2, SITES)
    monitor.score("oslo", 1, {"loss": 0.3})
    monitor.score("bergen", 1, counts(0.5))
    assert monitor.f1 == {}


def test_the_time_left_comes_from_the_rounds_so_far() -> None:
    monitor = TrainingMonitor(4, SITES)
    monitor.update(round_(1))
    assert monitor.seconds_left == 30.0


def test_events_from_many_threads_are_all_kept() -> None:
    monitor = TrainingMonitor(40, SITES)
    threads = [threading.Thread(target=monitor.update, args=(round_(n),)) for n in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(monitor.scores["oslo"]) == list(range(40))
    assert monitor.done_rounds == 40


def test_many_events_are_one_drawing_and_the_last_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = TrainingMonitor(50, SITES)
    drawn: list[int] = []
    monkeypatch.setattr(module, "curves_svg", lambda curves, rounds: drawn.append(len(curves["oslo"])) or "<svg></svg>")
    monkeypatch.setattr(module, "DRAW_EVERY", 3600.0)
    for n in range(1, 51):
        monitor.update(round_(n))
    assert drawn == [], "the drawing at the start was less than DRAW_EVERY ago"
    assert monitor._timer is not None
    monitor._timer.cancel()
    monitor._timer.function()
    assert drawn == [50]
    assert monitor._timer is None


NAMES = st.text("abcxyzåøäõ_$<>&\"' ", min_size=1, max_size=8)
POINTS = st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=1, max_size=4)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(NAMES, POINTS, min_size=1, max_size=7))
def test_curves_are_svg_in_the_colour_of_the_page_for_any_sites(curves: dict[str, list[tuple[int, float]]]) -> None:
    svg = curves_svg(curves, 9)
    assert svg.startswith(f'<svg role="img" aria-label="F1 of {len(curves)} sites by round"')
    assert "currentColor" in svg
    assert "#010203" not in svg
    ElementTree.fromstring(svg)


def test_names_of_sites_are_escaped() -> None:
    monitor = TrainingMonitor(2, [EVIL])
    monitor.update(RoundEvent("site-started", 1, EVIL))
    monitor.update(RoundEvent(EVIL, 1, EVIL, message=EVIL))
    monitor.update(round_(1, sites=[EVIL]))
    monitor._draw()
    assert "<img" not in live_html(monitor) + monitor.static_html()


def test_the_fallback_holds_scores_but_no_times() -> None:
    slow, fast = TrainingMonitor(2, SITES), TrainingMonitor(2, SITES)
    slow.update(round_(1))
    fast.update(round_(1, seconds=0.1))
    assert slow.static_html() == fast.static_html()
    assert slow.static_text().splitlines() == [
        "Training not started: round 1 of 2",
        "  oslo: F1 50.0 percent",
        "  tartu: F1 50.0 percent",
    ]


def test_no_sites_is_an_empty_table() -> None:
    assert "no site takes part" in live_html(TrainingMonitor(1, []))
