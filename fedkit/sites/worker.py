"""Approved code runs here: in a confined process of its own, never in the site's server.

    with WorkerPool(Limits(seconds=60)) as pool:
        result = pool.run(source=request.source, entry="train_round", store=store.path, view="private",
                          weights=weights, settings={**settings, "round": 1}, key=request.digest)

A zygote imports torch and the like once and forks a worker per request, which confines itself (`confinement`) before it reads
the request's source, and lives for further calls of the same request on the same store. Where one request came, a spare worker
waits for the next: it has read the notes and has run nothing. What comes back is data that the site checks (`replies`): names,
float32 arrays, finite numbers and tables of plain cells. A failure names a class and a line of the source; the message stays
inside, except on the mock twin, whose worker never had the private notes.

What remains: class, line and duration of a call are a few bits that the code chooses, for each execution that it was granted.
And where `confinement()` lacks "landlock", a rehearsal could look for the private notes on the disk: such a machine is for
lessons only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fedkit.errors import ConfigurationError, ExecutionFailed
from fedkit.sites import frames
from fedkit.sites.confinement import Limits, available, installation
from fedkit.sites.exchange import Exchange
from fedkit.sites.forks import Worker, Zygote, model_cache
from fedkit.sites.replies import WorkerResult, read_result
from fedkit.sites.store import mock_file
from fedkit.sites.turns import Call, Turns

__all__ = ["Limits", "WorkerPool", "WorkerResult"]

#: What the zygote imports, so that no worker has to. torch._dynamo is what every optimiser imports at its first step: 0.8 s.
PRELOAD = (
    *("numpy", "torch", "torch._dynamo", "duckdb", "fedkit.sites.inside", "fedkit.sites.store"),
    *("fedkit.ner.tasks", "fedkit.ner.training", "fedkit.ner.models.hash_cnn"),
)


class WorkerPool:
    """Confined workers behind one zygote. Safe for many threads and sites; calls with one key run one after another.

    limits:  for each worker.   preload: modules the zygote imports.
    models:  folders of model checkpoints that every worker may read, beside the Hugging Face cache. Nothing private in them.
    The zygote starts with the first call, or with `start()`, which does not wait for it.
    """

    def __init__(self, limits: Limits | None = None, *, preload: Sequence[str] = PRELOAD, models: Sequence[Path] = ()) -> None:
        self.limits = limits or Limits()
        self._read = tuple(path.resolve() for path in (*models, model_cache()) if path.is_dir())
        self._preload = tuple(preload)
        self._change = threading.RLock()
        self._turns = Turns(self.limits.workers, self.limits.seconds)
        self._workers: dict[str, Worker] = {}  # least recently used first
        self._spares: dict[str, Worker] = {}  # by what they have read; the oldest first
        self._zygote: Zygote | None = None
        self._closed = False

    def start(self) -> None:
        """Start the zygote if it does not run; returns at once. Raises ConfigurationError if the pool is closed."""
        with self._change:
            self._running_zygote()

    @staticmethod
    def confinement() -> tuple[str, ...]:
        """What holds a worker on this machine, strongest first: of "landlock", "seccomp", "namespaces", "rlimits"."""
        return available()

    def run(
        self,
        *,
        source: str,
        entry: str,
        store: Path,
        view: Literal["private", "mock"],
        weights: Mapping[str, np.ndarray] | None,
        settings: Mapping[str, Any],
        key: str,
        keep: Callable[[str], None] | None = None,
        turn: Call | None = None,
    ) -> WorkerResult:
        """Call `entry(notes, weights, settings)` of `source` in a confined worker and wait for it.

        store: the private file of a `DuckDBNoteStore`; a worker for view "mock" reads its mock file only.
        weights, settings: the code gets copies. Python's, NumPy's and torch's random numbers are seeded by the settings.
        key: calls with the same key, source, store and view share a worker and its `notes.cache`, one at a time.
        keep: gets stdout and stderr, also when the call fails; for the steward's eyes only.
        turn: held by who may want to know where the call is (`position`), or to end it (`Call.cancel`).
        Raises ExecutionFailed (raised, too slow, too much memory, killed, cancelled), OutputRefused (what came back is no
        result), ConfigurationError (no such store, pool closed). After a failure the next call gets a fresh worker.
        """
        file = _file(store, view, (*installation(), *self._read))
        stamp = file.stat()
        code = hashlib.sha256(source.encode()).hexdigest()
        notes = json.dumps([view, str(file), stamp.st_ino, stamp.st_mtime_ns])
        identity = json.dumps([key, code, notes])
        began, turn = time.monotonic(), turn or Call()
        with self._turns.take(turn, identity, entry):
            worker = self._worker(identity, notes, file, view)
            worker.calls += 1
            call = {"call": worker.calls, "entry": entry, "settings": dict(settings), "weights": weights is not None}
            if worker.calls == 1:
                call["source"] = source
            try:
                exchange = Exchange(worker.handles, frames.pack(call, weights), self.limits)
                try:
                    with turn.in_worker(worker.kill):
                        ended = exchange.run()
                finally:
                    if keep is not None:
                        keep(exchange.output())
                self._check(worker, ended, entry)
                tensors, numbers, tables = read_result(
                    exchange.reply(),
                    call=worker.calls,
                    entry=entry,
                    lines=source.count("\n") + 1,
                    view=view,
                    limits=self.limits,
                )
                worker.ask("pause")
            except BaseException:
                self._end(identity)
                raise
            finally:
                if worker.calls == 1:
                    self._prepare(notes, file, view)
        return WorkerResult(tensors, numbers, time.monotonic() - began, exchange.output(), tables)

    def position(self, turn: Call) -> int:
        """Where a call stands in the queue: 1 is next, 0 if it does not wait."""
        return self._turns.position(turn)

    def release(self, key: str) -> None:
        """End the idle workers of a key that will not be called again; returns at once."""
        with self._change:
            for name in [n for n in self._workers if json.loads(n)[0] == key and n not in self._turns.active]:
                self._workers.pop(name).end_later()

    def close(self) -> None:
        """End the zygote and all workers, and remove their folders. Calls that run fail."""
        with self._change:
            self._closed = True
            self._stop()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _worker(self, identity: str, notes: str, file: Path, view: str) -> Worker:
        """The worker of that identity, resumed, or a spare one, or a new one in the place of the one that idles longest."""
        with self._change:
            zygote = self._running_zygote()
            worker = self._workers.pop(identity, None)
            if worker is not None:
                if worker.ask("resume")["alive"]:
                    self._workers[identity] = worker
                    return worker
                worker.close()
            spare = self._spares.pop(notes, None)
            if spare is not None and not spare.ask("resume")["alive"]:
                spare.close()
                spare = None
            while self._spares and self._surplus() > 0:
                self._spares.pop(next(iter(self._spares))).end_later()
            idle = [name for name in self._workers if name not in self._turns.active]
            for name in idle[: max(0, self._surplus())]:
                self._end(name)
            worker = self._workers[identity] = spare or zygote.fork(file, view, self.limits, self._read)
            return worker

    def _surplus(self) -> int:
        """How many workers would be too many if there were one more."""
        return len(self._workers) + len(self._spares) + 1 - self.limits.workers

    def _prepare(self, notes: str, file: Path, view: str) -> None:
        """Have a spare worker started for these notes, if there is none and there is room."""
        with self._change, contextlib.suppress(ExecutionFailed):  # the zygote is gone: the next call starts one
            if self._closed or self._zygote is None or not self._zygote.alive() or notes in self._spares:
                return
            for old in [name for name in self._spares if json.loads(name)[:2] == json.loads(notes)[:2]]:
                self._spares.pop(old).end_later()  # the notes were loaded anew
            if self._surplus() <= 0:
                self._spares[notes] = self._zygote.fork(file, view, self.limits, self._read, spare=True)

    def _check(self, worker: Worker, ended: str, entry: str) -> None:
        """Raises ExecutionFailed that says why a call gave no reply, if it gave none."""
        limits = self.limits
        if ended == "reply":
            return
        if ended == "deadline":
            raise ExecutionFailed(
                f"{entry} took longer than {limits.seconds:g} s",
                expected=f"a result within {limits.seconds:g} s",
                got="none; it was ended",
                help="ask for less work in one call, or ask the site for a longer limit",
                killed="deadline",
            )
        if ended == "form":
            raise ExecutionFailed(f"{entry} broke the form in which a worker answers", expected="one result of bounded size")
        state = worker.ask("state")
        for _ in range(20):  # the pipe closes a moment before the process is gone
            if not state["alive"]:
                break
            time.sleep(0.01)
            state = worker.ask("state")
        if state["why"] == "scratch":
            raise ExecutionFailed(f"{entry} wrote more than {limits.scratch >> 20} MB into its folder", killed="scratch")
        if state["alive"]:
            raise ExecutionFailed(f"{entry} closed the pipe for its result", killed="died")
        if state["signal"] in (signal.SIGKILL, signal.SIGXCPU):
            used_up = state["cpu"] >= 0.8 * limits.cpu_seconds  # the kernel counts for its limit in ticks, which is coarser
            raise ExecutionFailed(
                f"{entry} was killed",
                expected=f"at most {limits.cpu_seconds} processor seconds"
                if used_up
                else f"at most {limits.memory >> 20} MB beyond the start, and a machine with memory left",
                got=f"{state['cpu']:.0f} seconds" if used_up else "more, or the machine itself ran out",
                help="ask for less work in one call, or ask the site for a higher limit",
                killed="cpu" if used_up else "memory",
            )
        died = f"died of {signal.Signals(state['signal']).name}" if state["signal"] else "ended"
        raise ExecutionFailed(f"{entry} {died} before it gave a result", killed="died")

    def _running_zygote(self) -> Zygote:
        if self._closed:
            raise ConfigurationError("this worker pool is closed", help="launch the site again")
        if self._zygote is None or not self._zygote.alive():
            self._stop()
            self._zygote = Zygote(self._preload)
        return self._zygote

    def _end(self, identity: str) -> None:
        with self._change:
            worker = self._workers.pop(identity, None)
        if worker is not None:
            with contextlib.suppress(ExecutionFailed):
                worker.ask("end")
            worker.close()

    def _stop(self) -> None:
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None
        for worker in (*self._workers.values(), *self._spares.values()):
            worker.close()
        self._workers.clear()
        self._spares.clear()


def _file(store: Path, view: str, readable: Sequence[Path]) -> Path:
    file = (store if view == "private" else mock_file(store)).resolve()
    if not file.is_file():
        raise ConfigurationError("the site has no notes yet", expected=f"{file.name}", got="no file", help="load notes first")
    if any(file.is_relative_to(place) for place in readable):
        raise ConfigurationError(
            "the notes lie where every worker may read",
            expected="a folder outside of Python, fedkit and the model folders",
            got=file.name,
            help="move the federation's folder, then launch again",
        )
    return file
