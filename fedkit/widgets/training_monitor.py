"""Steps 7 and 8 while they run: curves and a table, fed from any thread; Start, Stop and Resume."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets

from fedkit.ner.metrics import from_numbers, micro
from fedkit.widgets.base import FedkitWidget, button, escape, table_html
from fedkit.widgets.curves import curves_svg

if TYPE_CHECKING:
    from fedkit.federation.rounds import RoundEvent
    from fedkit.study import Study

#: The curves are drawn at most this often, in seconds: a drawing takes some time away from training.
DRAW_EVERY = 1.0

STATUS = {
    "ready": "not started",
    "running": "running",
    "stopping": "stopping when the site that trains now is done",
    "stopped": "stopped; it can go on from the last complete round",
    "failed": "failed; it can go on from the last complete round",
    "done": "done",
}

#: What a site is doing, by the kind of the last event about it.
DOING = {"site-started": "training", "site-done": "has sent its weights", "site-failed": "failed"}


class TrainingMonitor(FedkitWidget):
    """Progress of a federated training.

    rounds, sites: what is planned.   weights_bytes: size of the model, which goes to a site and comes back in every round.
    run: called in a worker thread with a `threading.Event` that is set when it shall stop between rounds; calling it again goes
        on where it stopped (`study.run` is one).

    `update(event)` takes a `RoundEvent` from any thread. `start()`, `stop()` and `resume()` do what the buttons do; `finish()`
    waits for the end, starting it first if nobody has, and returns what `run` returned.
    """

    def __init__(
        self,
        rounds: int,
        sites: Sequence[str],
        run: Callable[[threading.Event], Any] | None = None,
        *,
        weights_bytes: int = 0,
    ) -> None:
        super().__init__()
        self.rounds, self.sites, self._run, self.weights_bytes = rounds, list(sites), run, weights_bytes
        self.status = "ready"
        self.result: Any = None
        #: site → rounds behind the weights → F1 from 0 to 1
        self.scores: dict[str, dict[int, float]] = {site: {} for site in self.sites}
        self._complete: dict[int, tuple[bool, float]] = {}  # round → whether it was sequential, seconds
        self._doing: dict[str, str] = {}
        self._calls = 0
        self._stop = threading.Event()
        self._drawn_at, self._timer = 0.0, None  # type: float, threading.Timer | None
        self._summary, self._plot, self._table = ipywidgets.HTML(), ipywidgets.HTML(), ipywidgets.HTML()
        self._start_button = button("Start training", self.start, "go")
        self._stop_button = button("Stop", self.stop)
        self._resume_button = button("Resume", self.resume)
        self._fill(
            ipywidgets.HTML('<h3>Training</h3><p class="fk-soft">Steps 7 and 8: run at the sites, aggregate.</p>'),
            ipywidgets.HBox([self._start_button, self._stop_button, self._resume_button]),
            self._summary, self._plot, self._table,
        )  # fmt: skip
        self._refresh()
        self._draw()

    @classmethod
    def for_study(cls, study: Study) -> TrainingMonitor:
        """The monitor of a study that a steward has approved; what was trained before stands in it. Raises NotApproved.

        While one is training, that one is returned: a study trains once at a time, however often a cell is run.
        """
        from fedkit.federation.rounds import RoundEvent, read_history
        from fedkit.study.runs import TRAINING

        shown = getattr(study.on_training, "__self__", None)
        if isinstance(shown, cls) and shown.busy:
            return shown
        request = study.requested()
        rounds = request.settings["rounds"]
        sizes = (math.prod(shape) for shape in request.entry("train_round").contract.tensors.values())

        def run(stop: threading.Event) -> Any:
            result = study.run(stop)
            for site, numbers in (study.run_folder.read("evaluation") or {}).items():
                monitor.score(site, rounds, numbers)
            return result

        monitor = cls(rounds, study.approved_sites(), run, weights_bytes=4 * sum(sizes))
        study.on_training = monitor.update
        for record in read_history(study.folder / TRAINING):
            monitor.update(RoundEvent("aggregated", record.round, record=record))
            monitor._end("stopped")
        return monitor

    @property
    def done_rounds(self) -> int:
        """Complete rounds so far."""
        return max(self._complete, default=0)

    @property
    def f1(self) -> dict[str, float]:
        """Site → its last F1, from 0 to 1; sites without one are absent."""
        return {site: points[max(points)] for site, points in self.scores.items() if points}

    @property
    def bytes(self) -> int:
        """Bytes of weights that crossed so far, all sites, both ways."""
        return 2 * self._calls * self.weights_bytes

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the mean of the rounds so far; None before the first is complete."""
        taken = [seconds for _, seconds in self._complete.values()]
        return sum(taken) / len(taken) * (self.rounds - self.done_rounds) if taken else None

    def update(self, event: RoundEvent) -> None:
        """Take in an event, from any thread. A round that is told again replaces what was told before."""
        with self.lock:
            if event.kind in DOING and event.site:
                self._doing[event.site] = DOING[event.kind]
            if event.kind == "site-done":
                self._calls += 1
            if event.record is not None:
                self._complete[event.round] = (event.record.sequential, event.record.seconds)
                self._doing.clear()
                for site, numbers in event.record.sites.items():
                    self.score(site, event.round - 1, numbers)
        self._refresh()
        self._draw_soon()

    def score(self, site: str, behind: int, numbers: Mapping[str, float]) -> None:
        """Take a site's counts on its development notes as the score of weights with `behind` rounds behind them.

        In a training round the counts are those of the weights as they arrived, before the site trained.
        """
        labels = [name.removeprefix("dev.tp.") for name in numbers if name.startswith("dev.tp.")]
        if labels and site in self.scores:
            with self.lock:
                self.scores[site][behind] = micro(from_numbers(numbers, labels, "dev")).f1

    def start(self) -> None:
        """Start in a worker thread. Does nothing while it is running or when it is done."""
        with self.lock:
            if self._run is None or self.busy or self.status == "done":
                return
            self._stop.clear()
            self.status = "running"
            self._in_background(self._work_through)

    resume = start

    def stop(self) -> None:
        """Ask it to stop when the sites that train now are done; what an unfinished round did is done again later."""
        with self.lock:
            if self.busy:
                self._stop.set()
                self.status = "stopping"
        self._refresh()

    def finish(self) -> Any:
        """Start if nobody has, wait for the end, and return what `run` returned. Raises what it raised.

        Interrupting the cell stops the training, as the button does.
        """
        self.start()
        try:
            self.wait()
        except KeyboardInterrupt:
            self.stop()
            self.wait()
        if self.error is not None:
            raise self.error from None
        return self.result

    def _work_through(self) -> None:
        try:
            result = self._run(self._stop)  # type: ignore[misc]
        except BaseException:
            self._end("failed")
            raise
        self.result = result
        self._end("stopped" if self._stop.is_set() and self.done_rounds < self.rounds else "done")

    def _end(self, status: str) -> None:
        with self.lock:
            self.status = status
            self._doing.clear()
        self._refresh()
        self._draw()

    def _draw_soon(self) -> None:
        """Draw now, or when a second has passed since the last drawing: the last event is never left out."""
        with self.lock:
            if self._timer is not None:
                return
            wait = DRAW_EVERY - (time.monotonic() - self._drawn_at)
            if wait > 0:
                self._timer = threading.Timer(wait, self._draw)
                self._timer.daemon = True
                self._timer.start()
                return
        self._draw()

    def _draw(self) -> None:
        with self.lock:
            self._timer = None
            self._drawn_at = time.monotonic()
            curves = {site: sorted(points.items()) for site, points in self.scores.items() if points}
            self._plot.value = curves_svg(curves, self.rounds) if curves else '<p class="fk-soft">No round is complete yet.</p>'

    def _refresh(self) -> None:
        with self.lock:
            left = self.seconds_left if self.status == "running" else None
            told = f"; about {left:.0f} s left" if left else ""
            self._summary.value = (
                f'<p role="status"><b>{escape(STATUS[self.status])}</b>: '
                f"round {self.done_rounds} of {self.rounds}, {self.bytes / 1e6:,.1f} MB moved{told}</p>"
            )
            self._table.value = self._scores()
            self._start_button.disabled = self._run is None or self.busy or self.status != "ready"
            self._stop_button.disabled = self.status != "running"
            self._resume_button.disabled = self.busy or self.status not in ("stopped", "failed")

    def _scores(self, *, now: bool = True) -> str:
        rows = []
        for site, points in self.scores.items():
            behind = max(points, default=None)
            score = (f"{100 * points[behind]:.1f}", behind) if behind is not None else ("–", "–")
            rows.append((site, *score, *([self._doing.get(site, "")] if now else [])))
        columns = ("Site", "F1 in percent", "Rounds trained", *(["Now"] if now else []))
        return table_html(rows, columns, numeric=(1, 2), empty="no site takes part")

    def static_html(self) -> str:
        return f"<h3>Training: {escape(STATUS[self.status])}</h3>{self._scores(now=False)}"

    def static_text(self) -> str:
        rows = [f"  {site}: F1 {100 * value:.1f} percent" for site, value in self.f1.items()]
        return "\n".join([f"Training {STATUS[self.status]}: round {self.done_rounds} of {self.rounds}", *rows])
