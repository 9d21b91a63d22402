"""The embedded chain when its process is killed, its disk refuses or its file is hurt: what was acknowledged is there."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_plain import SENDER, act, hashes, raw

from fedkit.errors import LedgerError, StorageError
from fedkit.ledger.chain import EmbeddedChain

BLOCKS = 1


def in_a_child(work: Callable[[Callable[[int], None]], None]) -> tuple[list[int], int]:
    """Run `work` in a forked process; returns what it acknowledged before it ended, and its wait status."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        code = 1
        try:
            work(lambda number: os.write(write, bytes([number])) and None)  # type: ignore[func-returns-value]
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = list(pipe.read())
    return said, os.waitpid(child, 0)[1]


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def check_and_go_on(path: Path, acknowledged: list[int], made: int) -> None:
    """The chain opens, has each acknowledged block and at most the one that was under way, and takes the next act."""
    with closing(EmbeddedChain(path)) as chain:
        head = chain.head().number
        assert max(acknowledged, default=0) <= head <= len(acknowledged) + 1 <= made + 1
        assert len(hashes(chain)) == head + 1
        assert chain.nonce(SENDER) == head
        assert act(chain) == head + 1


def test_kill_9_before_any_statement_of_its_sql(tmp_path: Path) -> None:
    """From the first statement that makes the file to the last of the last block: each one is the last in turn."""
    last = 0
    for stop_at in range(1, 1000):
        path = tmp_path / str(stop_at) / "chain.sqlite"

        def work(acknowledge: Callable[[int], None], path: Path = path, stop_at: int = stop_at) -> None:
            seen = 0

            def count(statement: str) -> None:
                nonlocal seen
                seen += 1
                if seen == stop_at:
                    kill_me()

            connect = sqlite3.connect

            def traced(*where: object, **how: object) -> sqlite3.Connection:
                connection = connect(*where, **how)  # type: ignore[call-overload]
                connection.set_trace_callback(count)
                return connection  # type: ignore[no-any-return]

            sqlite3.connect = traced  # type: ignore[assignment]
            chain = EmbeddedChain(path)
            for _ in range(BLOCKS):
                acknowledge(act(chain))
            os._exit(0)

        acknowledged, status = in_a_child(work)
        if os.WIFEXITED(status):
            assert (os.WEXITSTATUS(status), acknowledged) == (0, [1])
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        check_and_go_on(path, acknowledged, BLOCKS)
        shutil.rmtree(path.parent)
        last = stop_at
    assert last > 20  # PRAGMAs, and BEGIN, rows, COMMIT three times: table, block 0, block 1


def test_kill_9_at_any_moment(tmp_path: Path) -> None:
    """By the clock, so that it comes in the middle of a write or a flush as well; one chain goes through all of it."""
    path = tmp_path / "chain.sqlite"
    with closing(EmbeddedChain(path)) as chain:
        act(chain)
    for attempt in range(12):
        with closing(EmbeddedChain(path)) as chain:
            before = chain.head().number

        def work(acknowledge: Callable[[int], None], attempt: int = attempt, before: int = before) -> None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            chain = EmbeddedChain(path)
            signal.signal(signal.SIGALRM, lambda *_: kill_me())
            acknowledge(act(chain) - before)
            signal.setitimer(signal.ITIMER_REAL, 0.002 + 0.0017 * attempt)
            while True:
                acknowledge(act(chain) - before)

        acknowledged, status = in_a_child(work)
        assert os.WTERMSIG(status) == signal.SIGKILL
        with closing(EmbeddedChain(path)) as chain:
            assert acknowledged[-1] <= chain.head().number - before <= acknowledged[-1] + 1
            assert len(hashes(chain)) == chain.head().number + 1


def test_a_log_that_was_cut_or_torn_gives_an_earlier_head_and_no_broken_one(tmp_path: Path) -> None:
    """What a power cut may leave of SQLite's log: any part of it, or a torn page. No block is there in halves."""
    path = tmp_path / "chain.sqlite"
    with closing(EmbeddedChain(path)) as chain:
        founded = chain.genesis
    with closing(EmbeddedChain(path)) as chain:
        act(chain, 4)
        whole, whole_hashes = (tmp_path / "chain.sqlite-wal").read_bytes(), hashes(chain)
        base = path.read_bytes()
    found = []
    for cut in [*range(0, len(whole), 1500), len(whole)]:
        for number, log in enumerate((whole[:cut], whole[:cut] + bytes(len(whole) - cut))):
            copy = tmp_path / f"{cut}-{number}" / "chain.sqlite"
            copy.parent.mkdir()
            copy.write_bytes(base)
            copy.with_name("chain.sqlite-wal").write_bytes(log)
            with closing(EmbeddedChain(copy)) as chain:
                assert chain.genesis == founded
                assert hashes(chain) == whole_hashes[: chain.head().number + 1]
                found.append(chain.head().number)
                assert act(chain) == found[-1] + 1
            shutil.rmtree(copy.parent)
    assert found == sorted(found)
    assert set(found) == {0, 1, 2, 3, 4}


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes: a disk that is full, as the kernel has it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # Python ignores the signal that comes with it
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_acts_and_keeps_those_before(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        act(chain)
        before = hashes(chain)
        with files_up_to((tmp_path / "chain.sqlite-wal").stat().st_size + 3000):
            for _ in range(3):  # and again
                with pytest.raises(StorageError, match="cannot be written") as caught:
                    act(chain, 9)
                assert caught.value.help
        assert hashes(chain)[: len(before)] == before
        head = chain.head().number
        assert act(chain) == head + 1
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        assert chain.head().number == head + 1


def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    with files_up_to(100), pytest.raises(StorageError):
        EmbeddedChain(tmp_path / "chain.sqlite")
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        assert act(chain) == 1


def test_a_batch_that_does_not_fit_leaves_no_part_of_itself(tmp_path: Path) -> None:
    with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
        before = chain.head()
        with files_up_to(60_000), pytest.raises(StorageError):
            chain.send([raw(chain, n, data=bytes(2000), gas=500_000) for n in range(40)])
        assert (chain.head(), chain.nonce(SENDER)) == (before, 0)
        assert len(chain.send([raw(chain, n) for n in range(40)])) == 40


def test_a_page_that_was_overwritten_is_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "chain.sqlite"
    with closing(EmbeddedChain(path)) as chain:
        act(chain, 20)
    pages, found = path.read_bytes(), 0
    for page in range(1, len(pages) // 4096):
        path.write_bytes(pages[: page * 4096] + b"\xff" * 4096 + pages[(page + 1) * 4096 :])
        found += is_found(path, 21)
    assert found > 1


def is_found(path: Path, blocks: int) -> bool:
    """Whether a damaged chain says so, by a named error; else everything in it is as it was made."""
    try:
        with closing(EmbeddedChain(path)) as chain:
            assert (len(hashes(chain)), chain.nonce(SENDER)) == (blocks, blocks - 1)
            assert all(len(chain.rpc("eth_getBlockReceipts", hex(number))) == 1 for number in range(1, blocks))
            assert act(chain) == blocks
    except LedgerError:
        return True
    return False


@pytest.mark.parametrize("change", ["flip", "cut", "gone"])
def test_a_row_that_was_changed_is_a_named_error_or_is_never_read(tmp_path: Path, change: str) -> None:
    """Rows named by their hash are looked at again when they are read: a flipped bit in a trie node gives no other state."""
    whole, path = tmp_path / "whole.sqlite", tmp_path / "chain.sqlite"
    with closing(EmbeddedChain(whole)) as chain:
        act(chain, 3)
    with closing(sqlite3.connect(whole)) as sql:
        rows = sql.execute("SELECT key, value FROM kv ORDER BY key").fetchall()
    found = 0
    for key, value in rows:
        shutil.copy(whole, path)
        with closing(sqlite3.connect(path, isolation_level=None)) as sql:
            if change == "gone":
                sql.execute("DELETE FROM kv WHERE key = ?", (key,))
            else:
                half = len(value) // 2
                other = value[:half] if change == "cut" else value[:half] + bytes([value[half] ^ 4]) + value[half + 1 :]
                sql.execute("UPDATE kv SET value = ? WHERE key = ?", (other, key))
        found += is_found(path, 4)
    assert found > len(rows) // 2


def test_the_file_and_its_log_are_the_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with closing(EmbeddedChain(tmp_path / "chain.sqlite")) as chain:
            act(chain)
            assert {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {
                "chain.sqlite": 0o600,
                "chain.sqlite-wal": 0o600,
            }
    finally:
        os.umask(old)


def test_a_closed_chain_says_that_it_was_closed(tmp_path: Path) -> None:
    chain = EmbeddedChain(tmp_path / "chain.sqlite")
    chain.close()
    for use in (chain.head, lambda: act(chain)):
        with pytest.raises(LedgerError, match="was closed"):
            use()
