"""Workers at their ordinary business: what code gets, what it may keep, how failures read, how a pool lives and ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from worker_world import LIGHT, PID, SECRET, function, go, needs_landlock, pid_of, pool, site_notes, store, workers_of

from fedkit.errors import ConfigurationError, ExecutionFailed, FedkitError, NotApproved, OutputRefused
from fedkit.sites.confinement import Limits, available
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.turns import Call
from fedkit.sites.worker import WorkerPool

__all__ = ["pool", "store"]  # fixtures

COUNT = 'return {"tensors": {}, "numbers": {"train": len(notes.train), "dev": len(notes.dev), "test": len(notes.test)}}'
CALLS = 'notes.cache["n"] = notes.cache.get("n", 0) + 1\nreturn {"tensors": {}, "numbers": {"n": notes.cache["n"]}}'


# -- what the code gets, and gives
def test_code_sees_the_private_splits(pool: WorkerPool, store: Path) -> None:
    assert go(pool, store, COUNT).numbers == {"train": 4, "dev": 3, "test": 2}


def test_on_the_mock_twin_every_split_is_the_mock_notes(pool: WorkerPool, store: Path) -> None:
    assert go(pool, store, COUNT, view="mock").numbers == {"train": 5, "dev": 5, "test": 5}
    body = f'return {{"numbers": {{"private": sum({SECRET!r} in n.text for n in notes.train)}}}}'
    assert go(pool, store, body, view="mock").numbers == {"private": 0}
    assert go(pool, store, body).numbers == {"private": 4}


def test_weights_go_in_and_out_as_copies(pool: WorkerPool, store: Path) -> None:
    weights = {"w": np.arange(3_000_000, dtype=np.float32), "b": np.zeros((2, 0, 3), np.float32)}
    body = 'weights["w"] += 1\nreturn {"tensors": weights, "numbers": {}}'
    result = go(pool, store, body, weights=weights)
    np.testing.assert_array_equal(result.tensors["w"], weights["w"] + 1)
    assert weights["w"][0] == 0
    assert result.tensors["b"].shape == (2, 0, 3)


def test_without_weights_code_gets_none_and_with_no_names_an_empty_dict(pool: WorkerPool, store: Path) -> None:
    body = 'return {"numbers": {"none": int(weights is None)}}'
    assert go(pool, store, body).numbers == {"none": 1}
    assert go(pool, store, body, weights={}).numbers == {"none": 0}


def test_the_same_settings_give_the_same_random_numbers_whatever_ran_before(pool: WorkerPool, store: Path) -> None:
    body = 'import random\nimport numpy\nreturn {"numbers": {"a": random.random(), "b": numpy.random.rand()}}'
    first = go(pool, store, body, settings={"round": 1}, key="seeds")
    second = go(pool, store, body, settings={"round": 2}, key="seeds")
    again = go(pool, store, body, settings={"round": 1}, key="seeds")
    elsewhere = go(pool, store, body, settings={"round": 1})
    assert first.numbers == again.numbers == elsewhere.numbers
    assert first.numbers != second.numbers


def test_torch_tensors_leave_as_arrays_and_train_in_one_thread(store: Path) -> None:
    body = """
        import torch
        layer = torch.nn.Linear(4, 2)
        loss = layer(torch.ones(3, 4)).square().mean()
        loss.backward()
        return {"tensors": {"g": layer.weight.grad}, "numbers": {"loss": loss.item(), "threads": torch.get_num_threads()}}
    """
    with WorkerPool() as pool:
        first, second = (go(pool, store, body, settings={"round": 1}) for _ in range(2))
    assert first.tensors["g"].shape == (2, 4)
    assert first.numbers["threads"] == 1
    np.testing.assert_array_equal(first.tensors["g"], second.tensors["g"])
    assert "cpuinfo" not in first.output


# -- the life of a worker
def test_the_cache_lives_through_the_rounds_of_a_key_and_no_further(pool: WorkerPool, store: Path) -> None:
    assert [go(pool, store, CALLS, key="cache").numbers["n"] for _ in range(3)] == [1, 2, 3]
    assert go(pool, store, CALLS, key="other").numbers["n"] == 1
    assert go(pool, store, CALLS, key="cache", view="mock").numbers["n"] == 1
    assert go(pool, store, f"{CALLS}\n# other code", key="cache").numbers["n"] == 1
    assert go(pool, store, CALLS, key="cache").numbers["n"] == 4


def test_notes_loaded_anew_are_seen_by_the_same_key(pool: WorkerPool, tmp_path: Path) -> None:
    notes = DuckDBNoteStore(tmp_path / "notes.duckdb")
    notes.load(site_notes(secret="old"))
    body = 'return {"numbers": {"new": int("new" in notes.train[0].text)}}'
    assert go(pool, notes.path, body, key="reload").numbers == {"new": 0}
    notes.load(site_notes(secret="new"))
    assert go(pool, notes.path, body, key="reload").numbers == {"new": 1}


def test_after_a_failure_the_next_call_gets_a_fresh_worker(pool: WorkerPool, store: Path) -> None:
    body = 'notes.cache["n"] = notes.cache.get("n", 0) + 1\nif settings["fail"]: raise ValueError\n' + CALLS.split("\n")[1]
    assert go(pool, store, body, key="fails", settings={"fail": False}).numbers["n"] == 1
    with pytest.raises(ExecutionFailed):
        go(pool, store, body, key="fails", settings={"fail": True})
    assert go(pool, store, body, key="fails", settings={"fail": False}).numbers["n"] == 1


def test_a_worker_that_died_between_calls_is_replaced(pool: WorkerPool, store: Path) -> None:
    pid = pid_of(pool, store, key="dies")
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert pid_of(pool, store, key="dies") != pid


def test_between_calls_a_worker_stands_still(pool: WorkerPool, store: Path) -> None:
    """A thread that the code left behind must not go on computing when its round is over."""
    body = """
        import threading, os
        def spin():
            while True:
                pass
        threading.Thread(target=spin, daemon=True).start()
        return {"numbers": {"pid": os.getpid()}}
    """
    pid = pid_of(pool, store, body)
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED


def test_an_idle_worker_ends(store: Path) -> None:
    with WorkerPool(Limits(idle_seconds=0.05), preload=LIGHT) as pool:
        pid = pid_of(pool, store, key="idle")
        assert gone(pid)
        assert pid_of(pool, store, key="idle") != pid


def test_a_pool_holds_no_more_workers_than_it_may(store: Path) -> None:
    with WorkerPool(Limits(workers=2), preload=LIGHT) as pool:
        first = pid_of(pool, store, key="a")
        second = pid_of(pool, store, key="b")
        go(pool, store, PID, key="a")
        go(pool, store, PID, key="c")
        assert psutil.pid_exists(first)  # used later than the second, so it stays
        assert gone(second)


def test_many_threads_and_sites_share_a_pool(pool: WorkerPool, store: Path) -> None:
    def call(n: int) -> tuple[float, float]:
        body = 'notes.cache["n"] = notes.cache.get("n", 0) + 1\nreturn {"numbers": {"n": notes.cache["n"], "x": settings["x"]}}'
        numbers = go(pool, store, body, key=f"shared-{n % 3}", settings={"x": n}).numbers
        return numbers["n"], numbers["x"]

    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(call, range(18)))
    assert [x for _, x in results] == list(range(18))
    for key in range(3):
        assert sorted(n for n, x in results if x % 3 == key) == [1, 2, 3, 4, 5, 6]


def test_a_zygote_that_was_killed_is_replaced_and_its_workers_are_gone(store: Path) -> None:
    with WorkerPool(preload=LIGHT) as pool:
        worker = pid_of(pool, store, key="z")
        zygote = psutil.Process(worker).parent()
        assert zygote is not None
        zygote.kill()
        assert gone(worker)
        assert pid_of(pool, store, key="z") != worker


def test_closing_ends_everything_and_leaves_no_zombie_and_no_folder(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with WorkerPool(preload=LIGHT) as pool:
        body = 'open("kept.txt", "w").write(notes.train[0].text)\n' + PID
        worker = pid_of(pool, store, body)
        zygote = psutil.Process(worker).parent()
        assert zygote is not None
        assert [p.name for p in tmp_path.rglob("kept.txt")] == ["kept.txt"]
    assert not psutil.pid_exists(worker)
    assert not psutil.pid_exists(zygote.pid)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="closed"):
        go(pool, store, PID)


# -- failures, in words that carry nothing
@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError(notes.train[0].text)", "go raised ValueError in line 4"),
        ("x = 1\nreturn undefined", "go raised NameError in line 5"),
        ("import json\njson.loads(notes.train[0].text)", "go raised ValueError in line 5"),
        (
            "from fedkit.errors import TrainingError\nraise TrainingError(notes.train[0].text)",
            "go raised TrainingError in line 5",
        ),
        ("raise SystemExit(notes.train[0].text)", "go raised SystemExit in line 4"),
        ("raise type(notes.train[0].text, (Exception,), {})", "go raised Exception in line 4"),
        ("raise type(notes.train[0].text, (KeyError,), {})", "go raised KeyError in line 4"),
        ("exec(notes.train[0].text)", "go raised SyntaxError in line 4"),
        ("import os\nos._exit(3)", "go ended before it gave a result"),
        ("import os\nos.abort()", "go died of SIGABRT before it gave a result"),
    ],
)
def test_a_failure_names_class_and_line_and_nothing_else(pool: WorkerPool, store: Path, body: str, says: str) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        go(pool, store, body)
    assert failed.value.message == says
    assert "Nordmann" not in str(failed.value.to_json())
    assert failed.value.__cause__ is None


def test_on_the_mock_twin_the_message_helps_the_researcher(pool: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        go(pool, store, 'raise ValueError(f"no such label in {notes.train[0].id}")', view="mock")
    assert failed.value.message == "go raised ValueError in line 4: no such label in mock-0"


def test_code_that_fails_while_it_is_loaded_is_named_too(pool: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed, match="ZeroDivisionError in line 1"):
        go(pool, store, "return {}", head="1 / 0")


@pytest.mark.parametrize(
    "value",
    [
        "None",
        "[1, 2]",
        '{"text": 1}',
        '{"numbers": {"n": "1"}}',
        '{"numbers": {"n": True}}',
        '{"numbers": {"n": float("nan")}}',
        '{"numbers": {"n": float("inf")}}',
        '{"numbers": {1: 1}}',
        '{"tensors": {"t": [1.0]}}',
    ],
)
def test_what_is_no_result_is_refused(pool: WorkerPool, store: Path, value: str) -> None:
    with pytest.raises(OutputRefused, match="go gave back no result"):
        go(pool, store, f"return {value}")


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("object()", "something other than a dict"),
        ('{"figure": 1}', "something other than a dict"),
        ('{"numbers": [1]}', "something other than a dict"),
        ('{"tables": {1: []}}', "a name that is no string"),
        ('{"tensors": {"t": [1.0]}}', "a tensor that is no float32 array"),
        ('{"numbers": {"n": "1"}}', "a number that is not finite"),
        ('{"tables": {"t": 3}}', "a table that is no list of dicts"),
        ('{"tables": {"t": [[1]]}}', "a table that is no list of dicts"),
        ('{"tables": {"t": [{"c": b"x"}]}}', "a cell of a table"),
        ('{"tables": {"t": [{"c": True}]}}', "a cell of a table"),
        ('{"tables": {"t": [{"c": float("nan")}]}}', "a cell of a table"),
        ('{"tables": {"t": [{"c": "x" * 257}]}}', "text of up to 256 characters"),
        ('{"tables": {"t": [{"c": 2**53}]}}', "a cell that is no number"),
        ('{"tables": {"t": [{}] * 10_001}}', "no list of up to 10,000 rows"),
        ('{"tables": {"t": [{str(n): 1 for n in range(65)}]}}', "no dict of up to 64 columns"),
        ('{"tables": {str(n): [] for n in range(65)}}', "65 names"),
    ],
)
def test_a_result_that_is_none_says_what_came_and_what_was_expected(
    pool: WorkerPool, store: Path, value: str, got: str
) -> None:
    """On the private notes too: the sentence is the site's own, the worker only says which."""
    with pytest.raises(OutputRefused) as refused:
        go(pool, store, f"return {value}")
    assert got in refused.value.got
    assert "tables" in refused.value.expected


def test_tables_leave_a_worker_as_rows_of_plain_cells(pool: WorkerPool, store: Path) -> None:
    body = """
        import numpy
        rows = [{"label": "DRUG", "n": numpy.int64(3), "share": numpy.float32(0.5), "note": None}]
        return {"tables": {"labels": rows, "none": ()}}
    """
    result = go(pool, store, body)
    assert result.tables == {"labels": [{"label": "DRUG", "n": 3, "share": 0.5, "note": None}], "none": []}
    assert type(result.tables["labels"][0]["n"]) is int
    assert "DRUG" not in repr(result)


def test_output_is_kept_for_the_steward_whether_the_code_fails_or_not(pool: WorkerPool, store: Path) -> None:
    kept: list[str] = []
    result = go(pool, store, 'print(notes.train[0].text)\nreturn {"numbers": {}}', keep=kept.append)
    assert SECRET in result.output
    assert SECRET in kept[0]
    assert SECRET not in repr(result)
    with pytest.raises(ExecutionFailed):
        go(pool, store, "raise ValueError(notes.train[0].text)", keep=kept.append)
    assert SECRET in kept[1]


def test_output_of_one_round_is_not_shown_with_the_next(pool: WorkerPool, store: Path) -> None:
    body = 'print("round", settings["round"])\nreturn {"numbers": {}}'
    assert [go(pool, store, body, key="prints", settings={"round": n}).output for n in (1, 2)] == ["round 1\n", "round 2\n"]


def test_an_entry_or_store_that_is_not_there_is_named(pool: WorkerPool, store: Path, tmp_path: Path) -> None:
    with pytest.raises(ExecutionFailed, match="AttributeError"):
        go(pool, store, "return {}", entry="other")
    with pytest.raises(ConfigurationError, match="no notes yet"):
        go(pool, tmp_path / "notes.duckdb", "return {}")


def test_a_store_where_every_worker_may_read_is_refused(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    monkeypatch.setattr("fedkit.sites.worker.installation", lambda: (store.parent.resolve(),))
    with pytest.raises(ConfigurationError, match="where every worker may read"):
        go(pool, store, "return {}")


def test_a_call_waits_its_turn_no_longer_than_the_limit(store: Path) -> None:
    with WorkerPool(Limits(seconds=1), preload=LIGHT) as pool:
        go(pool, store, COUNT)
        errors: list[FedkitError] = []

        def call() -> None:
            try:
                go(pool, store, "while True: pass", key="long")
            except FedkitError as error:
                errors.append(error)

        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(errors) == 2
    assert all(isinstance(error, ExecutionFailed) for error in errors)
    assert any("took longer than 1 s" in error.message for error in errors)


@needs_landlock
def test_model_folders_can_be_read_but_not_written_and_others_not(store: Path, tmp_path: Path) -> None:
    for name in ("models", "others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    read = 'open(settings["path"], settings["mode"])\nreturn {"numbers": {}}'
    with WorkerPool(preload=LIGHT, models=[tmp_path / "models"]) as pool:
        go(pool, store, read, settings={"path": str(tmp_path / "models" / "config.json"), "mode": "r"})
        for name, mode in (("models", "a"), ("others", "r")):
            with pytest.raises(ExecutionFailed, match=r"PermissionError|OSError"):
                go(pool, store, read, settings={"path": str(tmp_path / name / "config.json"), "mode": mode})


@needs_landlock
def test_the_pool_says_what_confines_its_workers(pool: WorkerPool) -> None:
    assert pool.confinement() == available()
    assert pool.confinement()[-1] == "rlimits"


def test_a_fork_of_the_sites_process_starts_a_zygote_of_its_own(pool: WorkerPool, store: Path) -> None:
    mine = pid_of(pool, store, key="forked")
    child = os.fork()
    if child == 0:
        try:
            other = pid_of(pool, store, key="forked")
            pool.close()
            os._exit(0 if other != mine else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pid_of(pool, store, key="forked") == mine


def test_the_source_is_what_the_request_says_to_the_line() -> None:
    """The line numbers in the tests above count from the source that a steward reads."""
    assert function("return {}").split("\n")[3] == "    return {}"


def gone(pid: int) -> bool:
    """Whether a process ends, which another process sees to: wait for it, but not for ever."""
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


# -- spare workers
def test_the_next_request_finds_a_worker_that_has_read_the_notes_and_has_run_nothing(store: Path) -> None:
    """It was forked before anybody called it, and what the first request left in its process is not in it."""
    body = """
        import os, sys
        seen = getattr(sys, "left_behind", 0)
        sys.left_behind = 1
        return {"numbers": {"pid": os.getpid(), "seen": seen, "n": len(notes.train)}}
    """
    with WorkerPool(preload=LIGHT) as pool:
        first = go(pool, store, body).numbers
        assert pool._zygote is not None
        zygote = psutil.Process(pool._zygote._process.pid)
        while not (waiting := set(workers_of(zygote)) - {first["pid"]}):
            time.sleep(0.01)  # it is forked after the first call was answered
        second = go(pool, store, body).numbers
    assert first["seen"] == second["seen"] == 0
    assert first["n"] == second["n"] == 4
    assert second["pid"] in waiting


def test_a_spare_worker_serves_its_own_notes_and_view_only(pool: WorkerPool, store: Path, tmp_path: Path) -> None:
    other = DuckDBNoteStore(tmp_path / "notes.duckdb")
    other.load(site_notes(secret="old"))
    body = 'return {"numbers": {"old": sum("old" in n.text for n in notes.train), "n": len(notes.train)}}'
    for _ in range(2):
        assert go(pool, store, body).numbers == {"old": 0, "n": 4}
        assert go(pool, other.path, body).numbers == {"old": 4, "n": 4}
        assert go(pool, store, body, view="mock").numbers == {"old": 0, "n": 5}
    other.load(site_notes(secret="new"))
    assert go(pool, other.path, body).numbers == {"old": 0, "n": 4}


def test_spare_workers_take_no_room_from_those_that_are_needed(store: Path) -> None:
    with WorkerPool(Limits(workers=2), preload=LIGHT) as pool:
        for _ in range(4):
            go(pool, store, CALLS, key="a")
            go(pool, store, CALLS, key="b")
        assert go(pool, store, CALLS, key="a").numbers["n"] == 5
        assert go(pool, store, CALLS, key="b").numbers["n"] == 5


def test_a_released_worker_is_gone(store: Path) -> None:
    with WorkerPool(preload=LIGHT) as pool:
        pid = pid_of(pool, store, key="done")
        pool.release("done")
        pool.release("never called")
        assert gone(pid)


# -- killed workers
KILLED = [
    ("deadline", "import time\ntime.sleep(1000)"),
    ("cpu", "while True: pass"),
    ("memory", "x = bytearray(10 << 30)"),
    ("scratch", "import time\nfor n in range(100): open(f'f{n}', 'wb').write(bytes(100_000))\ntime.sleep(1000)"),
    ("died", "import os\nos._exit(3)"),
    ("died", "import ctypes\nctypes.string_at(0)"),
    ("died", "import os\nos.closerange(3, 64)\nimport time\ntime.sleep(1000)"),
]


@pytest.mark.parametrize(("killed", "lines"), KILLED, ids=["deadline", "cpu", "memory", "disk", "exit", "fault", "closed"])
def test_what_killed_a_worker_is_named_and_it_leaves_no_trace(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str, lines: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    limits = Limits(seconds=3 if killed == "deadline" else 60, cpu_seconds=1, memory=300 << 20, scratch=1 << 20)
    body = "import os\nprint(os.getcwd())\nopen('left.txt', 'w').write(notes.train[0].text)\n" + lines
    printed: list[str] = []
    with WorkerPool(limits, preload=LIGHT) as pool:
        go(pool, store, COUNT)
        zygotes = psutil.Process().children()
        before = {worker.pid for zygote in zygotes for worker in zygote.children()}
        with pytest.raises(ExecutionFailed) as failed:
            go(pool, store, body, keep=printed.append)
        assert failed.value.killed == killed
        folder = Path(printed[0].splitlines()[0])
        assert folder.parent == tmp_path
        assert not folder.exists()
        left = [p for zygote in zygotes for p in zygote.children() if p.pid not in before]
        assert all(p.status() != psutil.STATUS_ZOMBIE for p in left)
        assert not list(tmp_path.rglob("left.txt"))
        assert go(pool, store, COUNT).numbers["train"] == 4


def test_a_call_that_is_ended_from_outside_says_so_and_its_worker_is_gone(pool: WorkerPool, store: Path) -> None:
    turn = Call()
    errors: list[FedkitError] = []

    def run() -> None:
        try:
            go(pool, store, "while True: pass", turn=turn)
        except FedkitError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not turn.running:
        time.sleep(0.01)
    zygotes = psutil.Process().children()
    before = {worker.pid for zygote in zygotes for worker in zygote.children()}
    turn.cancel(NotApproved("withdrawn"))
    thread.join()
    assert [(type(error), error.message) for error in errors] == [(NotApproved, "withdrawn")]
    assert before - {worker.pid for zygote in zygotes for worker in zygote.children()}


# -- the traceback of a rehearsal
HUNT = """
import gc
texts, seen, todo = [], set(), gc.get_objects()
while todo:
    thing = todo.pop()
    if id(thing) in seen or isinstance(thing, type):
        continue
    seen.add(id(thing))
    if isinstance(thing, str):
        if " ".join(["Kari", "Nordmann"]) in thing or notes.train[0].text in thing:
            texts.append(thing)
    elif isinstance(thing, (dict, list, tuple, set)):
        todo.extend(thing.values() if isinstance(thing, dict) else thing)
raise ValueError(texts)
"""


def test_whatever_a_rehearsal_finds_in_its_process_there_is_no_private_note(pool: WorkerPool, store: Path) -> None:
    """Other workers of the same zygote have read the private notes before. The hunt finds the mock notes, so it can find."""
    go(pool, store, COUNT)
    with pytest.raises(ExecutionFailed) as failed:
        go(pool, store, HUNT, view="mock")
    assert "Syntetisk notat, mock 0" in failed.value.traceback
    assert "Kari" not in failed.value.traceback.rpartition("ValueError")[2]
    with pytest.raises(ExecutionFailed) as real:
        go(pool, store, HUNT)
    assert (real.value.traceback, real.value.message) == ("", "go raised ValueError in line 17")


def test_a_traceback_is_cut_at_its_beginning(pool: WorkerPool, store: Path) -> None:
    with pytest.raises(ExecutionFailed) as failed:
        go(pool, store, "raise ValueError('x' * 100_000 + ' at the end')", view="mock")
    assert len(failed.value.traceback) <= 16_384
    assert failed.value.traceback.endswith(" at the end\n")
