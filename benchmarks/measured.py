"""What a benchmark gives back, and the helpers that all of them share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Peer → its environment, what is installed in it, and what that is.
PEERS = {
    "flower": (ROOT / ".venv-bench", ROOT / "benchmarks" / "requirements-flower.lock", "Flower and Ray, 0.5 GB"),
    "presidio": (ROOT / ".venv-bench-text", ROOT / "benchmarks" / "requirements-presidio.lock", "Presidio and spaCy, 0.4 GB"),
    "eth-tester": (
        ROOT / ".venv-bench-ledger",
        ROOT / "benchmarks" / "requirements-eth-tester.lock",
        "eth-tester and web3, 0.1 GB",
    ),
}


@dataclass(frozen=True)
class Measured:
    """One number. peer: the same of another system, measured in the same run, or the limit that was set; `peer_name` says what.

    command: makes the number again.   note: what a reader must know to judge it.
    """

    name: str
    value: float
    unit: str
    command: str
    peer: float | None = None
    peer_name: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.peer if self.peer else None

    def to_json(self) -> dict[str, Any]:
        return {
            "value": round(self.value, 4),
            "unit": self.unit,
            "peer": None if self.peer is None else round(self.peer, 4),
            "peer_name": self.peer_name,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "command": self.command,
            "note": self.note,
        }


def last_json(command: Sequence[str | Path], **settings: str) -> dict[str, Any]:
    """Run a command and read the JSON object in its last line of output. Raises RuntimeError with the end of its errors."""
    answer = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | settings,
    )
    rows = answer.stdout.strip().splitlines()
    if answer.returncode or not rows:
        raise RuntimeError(f"{command[1]} ended with {answer.returncode}:\n{answer.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(rows[-1])
    return result


def peer_python(peer: str = "flower") -> Path:
    """The Python of an environment that holds a peer, one of `PEERS`; made when it is first needed, again when its lock
    has changed."""
    venv, lock, what = PEERS[peer]
    python, stamp = venv / "bin" / "python", venv / "installed"
    wanted = lock.read_text("utf-8")
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        print(f"making {venv.name} with {what}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", "--no-deps", "-r", str(lock)], check=True)
        stamp.write_text(wanted, "utf-8")
    return python


def commit() -> str:
    """The short commit, with + if files differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=ROOT).stdout.strip()

    changed = [row for row in git("status", "--porcelain", "--untracked-files=no").splitlines() if "results.json" not in row]
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
