"""The pipeline over a file of notes: in parallel, resumable, one bad note never costing the rest.

1. The stage is begun with the digest of settings, word lists and rules; results of other ones are dropped.
2. Batches of notes that the stage does not hold yet go to worker processes, a few ahead of what is saved, so memory stays flat.
3. Each batch is saved whole, in order. A run that was cut off goes on behind the last one.
4. A note that raises is recorded with the kind of its error; one that takes its worker down is found out by going through its
   batch one by one, and recorded too.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

from fedkit.errors import ConfigurationError, FedkitError
from fedkit.notes.note import CONTEXT_ATTRIBUTES, Note
from fedkit.notes.pipeline import Pipeline, Settings
from fedkit.notes.readers.base import MAX_CHARACTERS
from fedkit.notes.store import NoteFile

#: The stage that holds what the pipeline made of the notes.
STAGE = "processed"

BATCH = 100
TOO_LONG, WORKER_ENDED = "too long", "worker ended"

Batch = list[tuple[int, Note]]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a batch: notes, and the position and reason of those that failed."""

    notes: Batch
    failed: list[tuple[int, str]]


@dataclass(slots=True)
class ProcessReport:
    """notes, failed: in the stage now, failures by reason.   added: notes of this run; the counts after it are theirs.

    places: the first positions of this run's failures, by reason. Nothing here holds text.
    """

    notes: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    added: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    context: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[int]] = field(default_factory=dict)

    def count(self, done: Done) -> None:
        """Add a batch."""
        self.added += len(done.notes)
        for _, note in done.notes:
            self.languages[note.language] += 1
            for span in note.spans:
                self.labels[span.label] += 1
                self.context.update(name for name in CONTEXT_ATTRIBUTES if span.attributes.get(name) == "true")
        for position, reason in done.failed:
            places = self.places.setdefault(reason, [])
            if len(places) < 5:
                places.append(position)

    def to_json(self) -> dict[str, Any]:
        """Plain data, for a file."""
        return {
            "notes": self.notes,
            "failed": dict(self.failed),
            "added": self.added,
            **{name: dict(sorted(getattr(self, name).items())) for name in ("languages", "labels", "context")},
            "places": {reason: list(found) for reason, found in self.places.items()},
        }


def process_notes(
    store: NoteFile,
    settings: Settings | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ProcessReport:
    """Run the pipeline over the notes of a store that are not processed yet, into its stage "processed".

    workers: processes; 1 works in this one; None for one a core.   progress: called with notes done and in all.
    Raises StorageError if the disk is full, ConfigurationError if workers cannot start; what was saved before stays, and the
    same call goes on from there.
    """
    settings = settings or Settings()
    workers = workers or len(os.sched_getaffinity(0))
    total = store.count()
    done = store.begin(STAGE, settings.print)
    progress(done, total)
    report = ProcessReport()
    if total - done <= BATCH:
        workers = 1  # a process takes longer to start than so few notes to read
    for result in read_batches(store.pending(STAGE, size=BATCH), settings, workers):
        store.save(STAGE, result.notes, result.failed)
        report.count(result)
        done += len(result.notes) + len(result.failed)
        progress(done, total)
    report.notes, report.failed = store.count(STAGE), store.failed(STAGE)
    return report


def read_batches(batches: Iterable[Batch], settings: Settings, workers: int) -> Iterator[Done]:
    """Batches through the pipeline, in their order. workers: processes; 1 works in this one.

    Raises ConfigurationError if workers cannot start.
    """
    return _here(batches, settings) if workers == 1 else _in_workers(batches, settings, workers)


def read_batch(pipeline: Pipeline, batch: Batch) -> Done:
    """A batch through the pipeline. An error becomes a reason: its class, or the code of a FedkitError, and never its words."""
    result = Done([], [])
    for position, note in batch:
        try:
            if len(note.text) > MAX_CHARACTERS:
                result.failed.append((position, TOO_LONG))
                continue
            result.notes.append((position, pipeline(note)))
        except ImportError:
            raise  # of the environment, and none of this note's doing
        except FedkitError as error:
            result.failed.append((position, error.code))
        except Exception as error:
            result.failed.append((position, type(error).__name__))
    return result


def _here(batches: Iterable[Batch], settings: Settings) -> Iterator[Done]:
    pipeline = Pipeline(settings)
    for batch in batches:
        yield read_batch(pipeline, batch)


def _in_workers(batches: Iterable[Batch], settings: Settings, workers: int) -> Iterator[Done]:
    """The results in the order of the batches; at most two a worker are under way."""
    pool = _pool(settings, workers)
    waiting: deque[tuple[Batch, Future[Done]]] = deque()
    source = iter(batches)
    try:
        while True:
            while len(waiting) < 2 * workers and (batch := next(source, None)) is not None:
                waiting.append((batch, _submit(pool, batch)))
            if not waiting:
                return
            batch, future = waiting.popleft()
            try:
                result = future.result()
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
                result = _one_by_one(batch, settings)
                pool = _pool(settings, workers)
                waiting = deque((b, _submit(pool, b)) for b, _ in waiting)
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, batch: Batch) -> Future[Done]:
    """The batch on its way; if the pool broke meanwhile, a future that says so when its turn comes."""
    try:
        return pool.submit(_work, batch)
    except BrokenProcessPool as error:
        broken: Future[Done] = Future()
        broken.set_exception(error)
        return broken


def _one_by_one(batch: Batch, settings: Settings) -> Done:
    """The batch, each note by itself in one worker at a time, so that only the note that ends a worker is lost."""
    result = Done([], [])
    pool = _sound_pool(settings)
    for position, note in batch:
        try:
            done = pool.submit(_work, [(position, note)]).result()
        except BrokenProcessPool:
            pool.shutdown()
            pool = _sound_pool(settings)
            done = Done([], [(position, WORKER_ENDED)])
        result.notes.extend(done.notes)
        result.failed.extend(done.failed)
    pool.shutdown()
    return result


def _sound_pool(settings: Settings) -> ProcessPoolExecutor:
    """A pool of one worker that has started. Raises ConfigurationError if workers end before they have read any note."""
    pool = _pool(settings, 1)
    try:
        pool.submit(_work, []).result()
    except BrokenProcessPool:
        pool.shutdown()
        raise ConfigurationError(
            "the worker processes cannot start",
            expected="a Python that loads fedkit.notes.pipeline, and memory for it (about 0.4 GB each)",
            got="a worker that ended at once",
            help="run the same command with --workers 1, or free some memory: what was saved stays",
        ) from None
    return pool


# --- in a worker ---------------------------------------------------------------------------------------------------------

_pipeline: Pipeline | None = None


def _pool(settings: Settings, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, get_context("spawn"), _start, (settings,))


def _start(settings: Settings) -> None:
    global _pipeline
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted as well, and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _pipeline = Pipeline(settings)


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _work(batch: Batch) -> Done:
    assert _pipeline is not None
    return read_batch(_pipeline, batch)
