"""Runs at a site in a process of its own: where they are, how they are ended, what is kept of them, and for whom."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from site_suite import CANARY, COUNT, World, corpus

from fedkit.config import read_config, write_config
from fedkit.errors import (
    AccessRefused,
    DigestMismatch,
    ExecutionCancelled,
    ExecutionFailed,
    FedkitError,
    LimitReached,
    NotApproved,
)
from fedkit.federation.parameters import decode_tables
from fedkit.governance.decision import Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.running import RunningCall
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.sites.base import Site
from fedkit.sites.launch import launch

__all__ = ["corpus"]  # a fixture

#: Limits of the workers here.
SECONDS, MEMORY = 25, 700 << 20


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the sites' workers have their folders."""
    folder = tmp_path_factory.mktemp("scratch")
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    yield folder
    os.environ.pop("TMPDIR")
    if before is not None:
        os.environ["TMPDIR"] = before


@pytest.fixture(scope="module")
def world(corpus: Path, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("federation")
    launch("suite", folder, corpus=corpus).close()
    config = read_config(folder)
    assert config is not None
    limits = {"seconds": SECONDS, "memory": MEMORY}
    write_config(folder, replace(config, limits={**config.limits, **limits}))
    with launch("suite", folder, isolation="process") as federation:
        yield World(federation)


def on_private(lines: str) -> str:
    """The counting code, which does this only where it meets the private notes of the site."""
    body = "".join(f"        {line}\n" for line in lines.splitlines())
    return COUNT.replace("    w = weights", f"    if notes.train[0].id.startswith('north'):\n{body}    w = weights")


BLOCK = on_private("while True: pass")


class Running:
    """A call in a thread of its own, with what came of it."""

    def __init__(self, session: Site, request: CodeRequest, round: int = 1) -> None:
        self.receipt: Receipt | None = None
        self.error: FedkitError | None = None
        self._thread = threading.Thread(target=self._run, args=(session, request, round))
        self._thread.start()

    def _run(self, session: Site, request: CodeRequest, round: int) -> None:
        try:
            self.receipt = session.execute(request.digest, "count", round)
        except FedkitError as error:
            self.error = error

    def end(self) -> FedkitError | None:
        self._thread.join()
        return self.error


def until_running(session: Site, request: CodeRequest) -> RunningCall:
    """The first call of a request, once it has a worker; it must get one sooner than it could run."""
    for _ in range(60 * SECONDS):
        calls = session.progress(request.digest)
        if calls and calls[0].status == "running":
            return calls[0]
        time.sleep(0.02)
    raise AssertionError("it does not run")


def start(world: World, source: str = BLOCK, executions: int = 1, user: str = "researcher") -> tuple[CodeRequest, Running]:
    """An approved request whose first run is at work."""
    request = world.approved(world.request(source, executions=executions))
    call = Running(world.federation.login("north", user), request)
    until_running(world.researcher, request)
    return request, call


def workers(world: World) -> list[psutil.Process]:
    """The processes of all sites that are workers: forks of a zygote, so that parent and child have the same command line."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = process.parent()
            if parent and "fedkit.sites.zygote" in " ".join(process.cmdline()) and parent.cmdline() == process.cmdline():
                found.append(process)
    return found


def eventually(true: Callable[[], bool]) -> bool:
    """What other processes do soon after."""
    for _ in range(400):
        if true():
            return True
        time.sleep(0.05)
    return False


# -- logs
def test_what_code_prints_and_its_traceback_are_for_the_stewards_of_the_site(world: World) -> None:
    request = world.approved(world.request(on_private("print(notes.train[0].text)\nraise ValueError(notes.train[1].text)")))
    with pytest.raises(ExecutionFailed) as failed:
        world.researcher.execute(request.digest, "count", 1)
    assert failed.value.message == "count raised ValueError in line 8"
    assert CANARY not in failed.value.diagnostics()
    (log,) = world.steward.logs(request.digest)
    assert (log.entry, log.round, log.outcome, log.killed) == ("count", 1, "execution", "")
    assert f"{CANARY}northtrain0 fikk" in log.text
    assert f"ValueError: {CANARY}northtrain1 fikk" in log.text
    assert "line 8, in count" in log.text
    assert 0 < log.seconds < SECONDS
    assert abs(log.began - time.time()) < 300
    assert world.rows("logs.read", request=request.digest, logs=1)


def test_a_run_that_went_well_leaves_what_it_printed_and_a_silent_one_nothing(world: World) -> None:
    loud, silent = (world.approved(world.request(s)) for s in (on_private("print(notes.train[0].text)"), COUNT))
    for request in (loud, silent):
        world.researcher.execute(request.digest, "count", 1)
    assert [(log.outcome, CANARY in log.text) for log in world.steward.logs(loud.digest)] == [("ok", True)]
    assert world.steward.logs(silent.digest) == []


def test_nobody_else_reads_a_log_and_who_tries_is_written_down(world: World) -> None:
    request = world.approved(world.request(on_private("print(notes.train[0].text)")))
    world.researcher.execute(request.digest, "count", 1)
    for level in ("analyst", "guest"):
        world.federation.add_user("north", f"curious-{level}", level)
    people = ["researcher", "auditor", "admin", "curious-analyst", "curious-guest"]
    for user in people:
        with pytest.raises(AccessRefused) as refused:
            world.federation.login("north", user).logs(request.digest)
        assert CANARY not in refused.value.diagnostics()
    tried = [row["actor"] for row in world.rows("access.refused", method="logs")]
    assert set(people) <= set(tried)
    assert not world.rows("logs.read", request=request.digest)


def test_no_call_of_anybody_but_a_steward_carries_what_was_printed(world: World) -> None:
    request = world.approved(world.request(on_private("print(notes.train[0].text)")))
    receipt = world.researcher.execute(request.digest, "count", 1)
    asked = world.researcher
    seen = [receipt, asked.state(request.digest), asked.requests(), asked.progress(request.digest), asked.get(receipt.outputs)]
    seen += [world.auditor.journal(), world.auditor.state(request.digest), world.admin.progress(request.digest)]
    assert CANARY not in repr(seen)


def test_a_steward_of_another_site_finds_no_log_of_this_one(world: World) -> None:
    request = world.approved(world.request(on_private("print(notes.train[0].text)")))
    world.researcher.execute(request.digest, "count", 1)
    with pytest.raises(DigestMismatch):
        world.federation.login("east", "steward").logs(request.digest)


# -- the rehearsal says more, since nothing private is near it
def test_a_rehearsal_that_fails_shows_its_whole_traceback(world: World) -> None:
    source = COUNT.replace("    w = weights", "    float(notes.train[0].text)\n    w = weights")
    result = world.researcher.rehearse(world.request(source), "count")
    assert result.error is not None
    lines = result.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == '  File "<request>", line 6, in count'
    assert lines[2] == "    float(notes.train[0].text)"
    assert lines[-1].startswith("ValueError: could not convert string to float: ")
    assert result.error in f"count raised ValueError in line 6: {lines[-1].removeprefix('ValueError: ')}"


def test_a_traceback_names_files_of_the_installation_but_not_where_it_lies(world: World) -> None:
    source = COUNT.replace("    w = weights", "    import json\n    json.loads('{')\n    w = weights")
    text = world.researcher.rehearse(world.request(source), "count").traceback
    assert '/json/decoder.py"' in text
    assert os.path.dirname(os.__file__) not in text  # noqa: PTH120


def test_the_real_run_gives_the_researcher_no_traceback(world: World) -> None:
    request = world.approved(world.request(on_private("raise ValueError(notes.train[0].text)")))
    with pytest.raises(ExecutionFailed) as failed:
        world.researcher.execute(request.digest, "count", 1)
    assert failed.value.traceback == ""
    assert "Traceback" not in failed.value.diagnostics()


# -- progress
def test_progress_says_what_runs_since_when_and_nothing_from_inside(world: World) -> None:
    request, call = start(world, on_private("print(notes.train[0].text)\nwhile True: pass"))
    now = until_running(world.researcher, request)
    assert (now.request, now.site, now.entry, now.round, now.position) == (request.digest, "north", "count", 1, 0)
    assert 0 <= now.seconds <= SECONDS
    assert abs(now.since - time.time()) < 60
    assert until_running(world.steward, request).seconds >= now.seconds
    assert CANARY not in repr(now)
    world.researcher.cancel(request.digest)
    call.end()
    assert world.researcher.progress(request.digest) == []


def test_the_same_request_waits_for_its_worker_and_says_so(world: World) -> None:
    request, first = start(world, executions=2)
    second = Running(world.federation.login("north", "researcher"), request, round=2)
    while len(calls := world.researcher.progress(request.digest)) < 2:
        time.sleep(0.02)
    assert [(c.round, c.status) for c in calls] == [(1, "running"), (2, "waiting")]
    assert calls[1].position >= 1
    assert world.researcher.cancel(request.digest) == 2
    assert [type(call.end()) for call in (first, second)] == [ExecutionCancelled] * 2


def test_another_researcher_sees_and_ends_nothing(world: World) -> None:
    world.federation.add_user("north", "other", "researcher")
    request, call = start(world)
    other = world.federation.login("north", "other")
    for act in (other.progress, other.cancel):
        with pytest.raises(DigestMismatch):
            act(request.digest)
    with pytest.raises(AccessRefused):
        world.auditor.cancel(request.digest)
    until_running(world.researcher, request)
    world.researcher.cancel(request.digest)
    call.end()


# -- cancel
@pytest.mark.parametrize("who", ["researcher", "steward"])
def test_a_cancelled_run_ends_by_name_and_its_worker_and_folder_are_gone(world: World, scratch: Path, who: str) -> None:
    request, call = start(world)
    alive, folders = {p.pid for p in workers(world)}, set(scratch.iterdir())
    assert len(folders) >= 1
    assert getattr(world, who).cancel(request.digest) == 1
    error = call.end()
    assert isinstance(error, ExecutionCancelled)
    assert ("a steward" if who == "steward" else "its researcher") in error.message
    assert alive - {p.pid for p in workers(world)}
    assert folders - set(scratch.iterdir())
    (ended,) = world.rows("execution.cancelled", request=request.digest)
    assert (ended["actor"], ended["fields"]["calls"]) == (who, 1)
    assert world.rows("execution.failed", request=request.digest, reason="execution.cancelled", killed="cancelled")
    assert [log.killed for log in world.steward.logs(request.digest)] == ["cancelled"]


def test_a_cancelled_run_is_charged_once_however_often_it_is_tried(world: World) -> None:
    request, call = start(world)
    for attempt in range(3):
        if attempt:
            call = Running(world.federation.login("north", "researcher"), request)
            until_running(world.researcher, request)
        world.researcher.cancel(request.digest)
        assert isinstance(call.end(), ExecutionCancelled)
        assert world.researcher.state(request.digest).used == {"count": 1}
    with pytest.raises(LimitReached):
        world.researcher.execute(request.digest, "count", 1)


def test_there_is_nothing_to_cancel_where_nothing_runs(world: World) -> None:
    request = world.approved()
    assert world.researcher.cancel(request.digest) == 0
    assert world.researcher.execute(request.digest, "count", 1).numbers["notes"] == 12
    assert world.researcher.cancel(request.digest) == 0


# -- what stops counting while the code runs
def test_an_approval_withdrawn_mid_run_ends_the_run_and_nothing_leaves(world: World) -> None:
    request, call = start(world)
    world.steward.decide(world.decision(request, reason="found a flaw"))
    error = call.end()
    assert isinstance(error, NotApproved)
    assert "withdrawn while the code ran" in error.message
    assert world.rows("execution.failed", request=request.digest, reason="refused.not-approved", killed="cancelled")
    assert not world.rows("execution.finished", request=request.digest)
    assert call.receipt is None


def test_a_user_revoked_mid_run_gets_no_result(world: World) -> None:
    card = world.federation.add_user("north", "leaving", "researcher")
    session = world.federation.login("north", "leaving")
    request = replace(world.request(BLOCK, executions=1), researcher=card.address)
    session.submit(request)
    world.steward.decide(world.decision(request))
    call = Running(session, request)
    until_running(world.steward, request)
    world.federation.revoke_user("north", "leaving")
    assert isinstance(call.end(), AccessRefused)
    assert call.receipt is None
    assert world.rows("execution.failed", request=request.digest, reason="refused.access", killed="cancelled")
    assert not world.rows("execution.finished", request=request.digest)


# -- killed workers (every way to be killed: tests/sites/test_worker.py)
@pytest.mark.parametrize(("killed", "lines"), [("deadline", "while True: pass"), ("memory", "x = bytearray(10 << 30)")])
def test_the_journal_and_the_log_say_what_killed_a_worker(world: World, killed: str, lines: str) -> None:
    request = world.approved(world.request(on_private(f"print(notes.train[0].text, flush=True)\n{lines}")))
    with pytest.raises(ExecutionFailed) as failed:
        world.researcher.execute(request.digest, "count", 1)
    assert CANARY not in failed.value.diagnostics()
    assert [row["fields"]["killed"] for row in world.rows("execution.failed", request=request.digest)] == [killed]
    (log,) = world.steward.logs(request.digest)
    assert (log.killed, CANARY in log.text) == (killed, True)
    assert eventually(lambda: all(p.status() != psutil.STATUS_ZOMBIE for p in workers(world)))


# -- what is left in PySyft
def test_pysyft_keeps_nothing_of_an_execution(world: World) -> None:
    request = world.approved(world.request(executions=6))
    (database,) = world.federation.folder.rglob("north/domain/site.db")

    def rows() -> dict[str, int]:
        with sqlite3.connect(database) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: db.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in tables}

    before = rows()
    receipts = [world.researcher.execute(request.digest, "count", round) for round in range(1, 6)]
    assert rows() == before
    assert [world.researcher.execute(request.digest, "count", round) for round in range(1, 6)] == receipts
    bad = world.approved(world.request(on_private("raise ValueError")))
    before = rows()
    with pytest.raises(ExecutionFailed):
        world.researcher.execute(bad.digest, "count", 1)
    assert rows() == before


# -- tables
def test_a_table_leaves_as_the_contract_protects_it_and_under_the_receipts_digest(world: World) -> None:
    contract = OutputContract(
        tables={"labels": TableContract({"label": Category(("DRUG", "ADE")), "notes": Count()}, threshold=10, rounding=5)}
    )
    source = """
def count(notes, weights, settings):
    rows = [{"label": "DRUG", "notes": len(notes.train)}]
    return {"tables": {"labels": rows}}
"""
    request = world.approved(replace(world.request(source), kind="table", entries=(Entry("count", 1, contract),)))
    receipt = world.researcher.execute(request.digest, "count", 1)
    assert decode_tables(world.researcher.get(receipt.outputs)) == {"labels": [{"label": "DRUG", "notes": 10}]}


@pytest.mark.parametrize("rows", ['[{"label": notes.train[0].text, "notes": 12}]', "[{notes.train[0].text: 12}]"])
def test_no_table_carries_text_that_was_not_declared(world: World, rows: str) -> None:
    contract = OutputContract(tables={"labels": TableContract({"label": Category(("DRUG",)), "notes": Count()})})
    source = f"""
def count(notes, weights, settings):
    honest = [{{"label": "DRUG", "notes": 12}}]
    return {{"tables": {{"labels": {rows} if notes.train[0].id.startswith("north") else honest}}}}
"""
    request = world.approved(replace(world.request(source), kind="table", entries=(Entry("count", 1, contract),)))
    with pytest.raises(FedkitError) as refused:
        world.researcher.execute(request.digest, "count", 1)
    assert CANARY not in refused.value.diagnostics()
    assert world.rows("execution.failed", request=request.digest, reason="refused.output")
