"""Starting a federation, starting it again, and what must not start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from site_suite import CANARY, World, make_corpus

from fedkit.config import read_config
from fedkit.errors import AccessRefused, AlreadyRunning, ConfigurationError, CorpusError, SiteError
from fedkit.ledger.rows import verify_rows
from fedkit.sites.launch import Federation, connect, launch
from fedkit.sites.lock import FolderLock


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def start(folder: Path, corpus: Path | None = None, **options: object) -> Federation:
    return launch("again", folder, corpus=corpus, **options)  # type: ignore[arg-type]


def test_a_second_start_finds_everything_again(tmp_path: Path, corpus: Path) -> None:
    with start(tmp_path, corpus) as federation:
        world = World(federation)
        request = world.approved(world.request(executions=2))
        denied = world.request()
        world.researcher.submit(denied)
        world.steward.decide(world.decision(denied, reason="No."))
        first = world.researcher.execute(request.digest, "count", 1)
        before = (federation.researcher, dict(federation.sites), world.auditor.journal(), federation.ledger.head().number)
    with start(tmp_path) as federation:  # without a corpus: it keeps its own
        world = World(federation)
        assert (federation.researcher, dict(federation.sites)) == before[:2]
        rows = world.auditor.journal()
        assert rows[: len(before[2])] == before[2]
        assert verify_rows(rows) == []
        assert federation.ledger.head().number >= before[3]
        assert world.researcher.state(request.digest).used == {"count": 1}
        assert world.researcher.state(denied.digest).status == "denied"
        assert world.researcher.execute(request.digest, "count", 1) == first
        assert world.researcher.get(first.outputs)
        assert world.researcher.execute(request.digest, "count", 2).round == 2
        assert world.researcher.submit(request).status == "approved"


def test_a_receipt_that_the_journal_missed_is_told_with_the_next_call(tmp_path: Path, corpus: Path) -> None:
    """As after a crash between the two: the receipt is kept, its row is not written."""
    with start(tmp_path, corpus) as federation:
        world = World(federation)
        request = world.approved()
        execution = federation._running["north"].gate.execution
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execution, "_finished", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                world.researcher.execute(request.digest, "count", 1)
        assert not world.rows("execution.finished", request=request.digest)
        receipt = world.researcher.execute(request.digest, "count", 1)
        assert len(world.rows("execution.finished", signature=receipt.signature)) == 1
        assert world.researcher.execute(request.digest, "count", 1) == receipt
        assert len(world.rows("execution.finished", signature=receipt.signature)) == 1
        assert world.researcher.state(request.digest).used == {"count": 1}


def test_the_two_isolations_are_one_federation(tmp_path: Path, corpus: Path) -> None:
    with start(tmp_path, corpus) as federation:
        world = World(federation)
        request = world.approved()
        receipt = world.researcher.execute(request.digest, "count", 1)
    with start(tmp_path, isolation="process") as federation:
        world = World(federation)
        assert world.researcher.execute(request.digest, "count", 1) == receipt
        assert world.researcher.execute(request.digest, "count", 2).site == "north"
        account = json.loads((tmp_path / "accounts.json").read_text())["north"]["auditor"]
        with_url = connect(str(federation.sites["north"].url), "auditor", account)
        assert with_url.info == federation.sites["north"]
        assert with_url.level == "auditor"


SECOND = """
import sys
from pathlib import Path
from fedkit.errors import AlreadyRunning
from fedkit.sites.lock import FolderLock
try:
    FolderLock(Path(sys.argv[1]))
except AlreadyRunning as error:
    print(error.got)
"""


def test_one_process_at_a_time_and_the_error_names_it(tmp_path: Path, corpus: Path) -> None:
    with start(tmp_path, corpus):
        with pytest.raises(AlreadyRunning) as caught:
            start(tmp_path)
        assert str(os.getpid()) in caught.value.got
        other = subprocess.run([sys.executable, "-c", SECOND, str(tmp_path)], capture_output=True, text=True, check=True)
        assert str(os.getpid()) in other.stdout
    start(tmp_path).close()


def test_a_lock_of_the_dead_is_taken_over(tmp_path: Path) -> None:
    """Whatever process id stands in the file: it may have been given to another process since."""
    for holder in (str(os.getppid()), "1", "999999", "", "not a number"):
        (tmp_path / "federation.lock").write_text(holder)
        FolderLock(tmp_path).release()


def test_a_federation_keeps_its_corpus(tmp_path: Path, corpus: Path) -> None:
    start(tmp_path / "fed", corpus).close()
    other = make_corpus(tmp_path / "other")
    notes = other / "north" / "train.jsonl"
    notes.write_text(notes.read_text().replace("feber", "hoste"))
    with pytest.raises(ConfigurationError, match="another corpus") as caught:
        start(tmp_path / "fed", other)
    assert CANARY not in caught.value.diagnostics()
    start(tmp_path / "fed", corpus).close()


def test_a_first_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "fed"
    folder.mkdir()
    (folder / "mine.txt").write_text("not fedkit's")
    broken = make_corpus(tmp_path / "corpus")
    (broken / "east" / "train.jsonl").write_text("{")
    for wrong in (broken, tmp_path / "nowhere"):
        with pytest.raises(CorpusError):
            start(folder, wrong)
        assert {p.name for p in folder.iterdir()} == {"mine.txt", "federation.lock"}


FULL = """
import resource, signal, sys
from pathlib import Path
from fedkit.errors import FedkitError
from fedkit.sites.launch import launch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for number, size in enumerate((1 << 10, 64 << 10, 300 << 10)):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        launch("full", Path(sys.argv[1]) / str(number), corpus=sys.argv[2])
    except FedkitError as error:
        print(error.code, flush=True)
"""


def test_without_room_nothing_is_half_written(tmp_path: Path, corpus: Path) -> None:
    """A limit on the size of files stands for a disk that is full: the same writes fail, at several places of the start."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path), str(corpus)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["storage"] * 3, done.stdout + done.stderr
    for number in range(3):
        assert {p.name for p in (tmp_path / str(number)).iterdir()} <= {"federation.lock"}


def test_a_site_that_was_closed_before_its_federation_is_closed_once(tmp_path: Path, corpus: Path) -> None:
    with start(tmp_path, corpus) as federation:
        federation.running("north").close()
    with start(tmp_path) as again, closing(again.login("north", "auditor")) as session:
        acts = [row["act"] for row in session.journal()]
    assert acts.count("site.closed") == 1


def test_what_is_no_isolation_no_site_and_no_level_has_a_name(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(ConfigurationError):
        start(tmp_path, corpus, isolation="none")
    with start(tmp_path, corpus) as federation:
        with pytest.raises(SiteError):
            federation.login("south", "researcher")
        with pytest.raises(AccessRefused):
            federation.login("north", "king")
        assert len(repr(federation)) < 100
        assert federation.notice
        session = federation.login("north", "auditor")
        assert len(repr(session)) < 100
    federation.close()  # twice is no harm
    with pytest.raises(SiteError):
        federation.login("north", "researcher")


def test_a_damaged_federation_file_and_open_accounts_are_named(tmp_path: Path, corpus: Path) -> None:
    start(tmp_path, corpus).close()
    config = (tmp_path / "federation.toml").read_text()
    for wrong in (
        "name = 1 = 2",
        config.replace("[limits]", "[limits]\nspeed = 3"),
        config.replace("[limits]", "[limits]\nseconds = -1"),
    ):
        (tmp_path / "federation.toml").write_text(wrong)
        with pytest.raises(ConfigurationError):
            start(tmp_path)
    (tmp_path / "federation.toml").write_text(config)
    (tmp_path / "accounts.json").chmod(0o644)
    with pytest.raises(ConfigurationError, match="others can read"):
        start(tmp_path)
    (tmp_path / "accounts.json").chmod(0o600)
    start(tmp_path).close()
    assert read_config(tmp_path) is not None


# -- ends that nobody planned

RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from site_suite import COUNT, World
from fedkit.sites.launch import launch
federation = launch("again", Path(sys.argv[1]), corpus=sys.argv[2], isolation=sys.argv[4])
world = World(federation)
line = "    n = sum(i * i for i in range(10**8)) if notes.train[0].id[:5] == 'north' else 0"
slow = COUNT.replace("    w = weights", line + "\\n    w = weights")
request = world.approved(world.request(slow, executions=1))
print(request.digest, flush=True)
world.researcher.execute(request.digest, "count", 1)
"""


def test_kill_in_the_middle_of_a_run_charges_once(tmp_path: Path, corpus: Path) -> None:
    contracts = str(Path(__file__).resolve().parents[1] / "contracts")
    arguments = [sys.executable, "-c", RUN, str(tmp_path), str(corpus), contracts, "in-process"]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    digest = running.stdout.readline().strip()
    journal = tmp_path / "sites" / "north" / "journal.db-wal"
    while b"execution.started" not in (journal.read_bytes() if journal.exists() else b""):
        assert running.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    with start(tmp_path) as federation:
        world = World(federation)
        assert world.researcher.state(digest).used == {"count": 1}
        receipt = world.researcher.execute(digest, "count", 1)
        assert receipt.numbers["notes"] == 12
        assert world.researcher.state(digest).used == {"count": 1}
        assert [r["act"] for r in world.auditor.journal() if r["fields"].get("request") == digest].count(
            "execution.finished"
        ) == 1


def test_sites_in_processes_end_with_who_started_them(tmp_path: Path, corpus: Path) -> None:
    contracts = str(Path(__file__).resolve().parents[1] / "contracts")
    arguments = [sys.executable, "-c", RUN, str(tmp_path), str(corpus), contracts, "process"]
    running = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline().strip()
    family = psutil.Process(running.pid).children(recursive=True)
    assert sum("fedkit.sites.serve" in " ".join(p.cmdline()) for p in family) == 3
    running.send_signal(signal.SIGKILL)
    running.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    start(tmp_path).close()  # and the folder is free again
