"""Limits: approved code that takes more than its share of time, memory, disk, threads and words."""

from __future__ import annotations

import psutil
import pytest
from attackers import Town
from attempts import Attempt, Trial, tries
from rounds import Rounds, approved

#: What is tried → what ended the worker, as the journal has it ("" for an error of the code's own), and lines of code.
GREED: dict[str, tuple[str, str]] = {
    "computes without end": ("deadline", "while True: pass"),
    "sleeps for a day": ("deadline", "import time; time.sleep(86400)"),
    "is deaf to every signal, and computes": (
        "deadline",
        "import signal\nfor n in {*range(1, 32)} - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
    ),
    "computes without end in C": ("deadline", "sum(range(10 ** 12))"),
    "asks for ten gigabytes": ("", "x = bytearray(10 << 30)"),
    "asks for ten gigabytes, bit by bit": ("", "x = []\nwhile True: x.append(bytearray(1 << 20))"),
    "maps ten gigabytes": ("", "import mmap; mmap.mmap(-1, 10 << 30)"),
    "grows a list in itself until the interpreter gives up": ("", "def f(): return f()\nf()"),
    "writes one large file": ("", "open('big', 'wb').write(bytes(64 << 20))"),
    "fills the disk with small files": (
        "scratch",
        "n = 0\nwhile True:\n    n += 1\n    open(f'f{n % 50}', 'wb').write(bytes(200_000))",
    ),
    "opens a thousand files": ("", "x = [open(f'f{n}', 'w') for n in range(1000)]"),
    "starts ten thousand threads": (
        "",
        "import threading\nfor n in range(10_000): threading.Thread(target=threading.Event().wait, daemon=True).start()",
    ),
    "returns a gigabyte": ("", "return {'tensors': {'w': np.broadcast_to(np.float32(1), (1 << 28,))}, 'numbers': {}}"),
    "returns a million numbers": ("", "return {'tensors': {}, 'numbers': {f'n{n}': n for n in range(1_000_000)}}"),
}


@pytest.fixture(scope="module")
def rounds(blind: Town) -> Rounds:
    return approved(blind, {name: code for name, (_, code) in GREED.items()} | {"works": "return FINE"})


@tries(*(Attempt(name, "researcher", "execution", "execution.failed execution") for name in GREED if "returns" not in name))
def test_who_takes_more_than_a_share_is_stopped(trial: Trial, rounds: Rounds) -> None:
    ended = GREED[trial.attempt.name][0]
    with trial(request=rounds.digest, **({"killed": ended} if ended else {})):
        rounds.run(trial.attempt.name)
    assert rounds.run("works", again=rounds.names.index(trial.attempt.name)).numbers["notes"] == 1


@tries(*(Attempt(name, "researcher", "execution", "execution.failed execution") for name in GREED if "returns" in name))
def test_a_result_that_is_too_large_stays_inside(trial: Trial, rounds: Rounds) -> None:
    with trial(request=rounds.digest):
        rounds.run(trial.attempt.name)


def test_a_stopped_worker_leaves_nothing_behind(blind: Town, rounds: Rounds) -> None:
    """No process, and no file in a folder of its own."""
    server = [p for p in psutil.Process().children(recursive=True) if "fedkit.sites" in " ".join(p.cmdline())]
    assert all(p.status() != psutil.STATUS_ZOMBIE for p in server)
    assert rounds.run("works", again=900).numbers["notes"] == 1
