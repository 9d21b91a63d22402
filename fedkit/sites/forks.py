"""The zygote and its workers as the site's process sees them: a process, a socket to it, three pipe ends for each worker."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fedkit.errors import ExecutionFailed
from fedkit.sites.confinement import Limits

_START_SECONDS = 120.0
_BOOT = (
    "import sys; sys.path.append(sys.argv[3]); from fedkit.sites.zygote import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4:])"
)


class Worker:
    """One worker as its pool sees it: three pipe ends, and the zygote to ask about it."""

    def __init__(self, zygote: Zygote, name: str, handles: tuple[int, int, int]) -> None:
        self.name, self.handles, self.calls, self._zygote = name, handles, 0, zygote

    def ask(self, do: str) -> dict[str, Any]:
        return self._zygote.ask({"do": do, "id": self.name})

    def end_later(self) -> None:
        """End the process as soon as its zygote has time, and close the pipes."""
        with contextlib.suppress(ExecutionFailed):
            self._zygote.ask({"do": "end", "id": self.name, "later": True})
        self.close()

    def kill(self) -> None:
        """End the process now; the pipes stay, so that what it said last can still be read."""
        with contextlib.suppress(ExecutionFailed):  # its zygote is gone, and so is the worker
            self.ask("end")

    def close(self) -> None:
        for handle in self.handles:
            with contextlib.suppress(OSError):
                os.close(handle)


class Zygote:
    """The zygote process and the socket to it."""

    def __init__(self, preload: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._ready = self._lost = False
        self._forks = 0
        self._owner = os.getpid()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_START_SECONDS)
        root = str(Path(__file__).parents[2])
        # No PDEATHSIG here: it would fire when the *thread* that starts the zygote ends. See `zygote.main`.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno()), str(os.getpid()), root, *preload],
            env=_clean_environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # an interrupt typed at the terminal is meant for the site, not for its workers
        )
        theirs.close()

    def alive(self) -> bool:
        return self._owner == os.getpid() and not self._lost and self._process.poll() is None

    def ask(self, request: Mapping[str, Any], handles: Sequence[int] = ()) -> dict[str, Any]:
        """One request, one reply. Raises ExecutionFailed if the zygote is gone."""
        with self._lock:
            try:
                if not self._ready:
                    self._line()
                    self._ready = True
                socket.send_fds(self._socket, [json.dumps(request).encode()], handles)
                return self._line()
            except (OSError, ValueError):
                self._lost = True
                raise self._gone() from None

    def fork(self, file: Path, view: str, limits: Limits, read: Sequence[Path], *, spare: bool = False) -> Worker:
        """A new worker. spare: for a call that may come; returns before it is forked, and `resume` says whether it is there."""
        self._forks += 1
        name = str(self._forks)
        (requests, request_end), (reply_end, replies), (output_end, output) = os.pipe(), os.pipe(), os.pipe()
        try:
            order = {"file": str(file), "view": view, "limits": asdict(limits), "read": [str(path) for path in read]}
            self.ask({"do": "fork", "id": name, "order": order, "later": spare}, (requests, replies, output))
        except BaseException:
            for handle in (request_end, reply_end, output_end):
                os.close(handle)
            raise
        finally:
            for handle in (requests, replies, output):
                os.close(handle)
        for handle in (request_end, reply_end, output_end):
            os.set_blocking(handle, False)
        return Worker(self, name, (request_end, reply_end, output_end))

    def close(self) -> None:
        """The zygote ends its workers when its socket closes; it is killed if it does not end soon."""
        self._socket.close()
        if self._owner == os.getpid():
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def _line(self) -> dict[str, Any]:
        data = b""
        while not data.endswith(b"\n"):
            piece = self._socket.recv(1 << 16)
            if not piece:
                raise ConnectionResetError
            data += piece
        return json.loads(data)

    def _gone(self) -> ExecutionFailed:
        last = ""
        with contextlib.suppress(ValueError, OSError):
            self._errors.seek(0)
            last = (self._errors.read().decode(errors="replace").strip().splitlines() or [""])[-1]
        return ExecutionFailed(
            "the process that starts workers is gone",
            expected="a process that forks confined workers",
            got=last[:200] or "it ended",
            help="try again, which starts a new one; if it stays so, run `fedkit doctor`",
        )


def model_cache() -> Path:
    """Where this user's public model checkpoints lie (the Hugging Face hub's own rules); it may not exist."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")


def _clean_environment() -> dict[str, str]:
    """What a zygote may know: nothing of the site's environment but where libraries, time zone and temp folder are."""
    fixed = {
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
        **dict.fromkeys(("TQDM_DISABLE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"), "1"),
        **{"PATH": os.defpath, "HOME": "/", "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"},
        "MALLOC_ARENA_MAX": "2",
    }
    fixed["HF_HUB_CACHE"] = str(model_cache())
    return fixed | {name: os.environ[name] for name in ("TZ", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
