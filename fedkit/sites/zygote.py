"""The zygote: a process with a clean environment that imports what approved code needs once, and forks a worker per request.

It runs no approved code, holds no secret and knows no PySyft. Forking it takes milliseconds, and its workers share its memory.
It ends, with all its workers and their folders, when the site's process does: its end of the control socket closes, or its
parent changes (which also covers `kill -9`, and a socket that another child of the site has inherited).

    request                                             reply
    {"do": "fork", "id", "order": {...}} + 3 handles    {"id", "alive": true}
    {"do": "resume" | "pause" | "state", "id"}          {"id", "alive": bool, "signal": int | null, "why", "cpu": seconds}
    {"do": "end", "id"}                                 the same, once the worker is gone
    {..., "later": true}                                {"id"}; it is done after that. A worker forked later is a spare one, and
                                                        counts as idle until it is resumed
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedkit.sites.confinement import available
from fedkit.sites.namespaces import new_process_tree

_PREFIX = "fedkit-worker-"
_TICK = 0.5  # seconds between looks at parent, idle workers and their folders
_MESSAGE = 1 << 16


@dataclass
class _Worker:
    pid: int
    scratch: Path
    idle_seconds: float
    scratch_limit: int
    paused_at: float | None = None
    status: int | None = None
    why: str | None = None
    cpu: float = 0.0  # processor seconds of its life, known when it is dead
    dead_since: float = field(default=0.0)


def main(control_handle: int, parent: int, preload: Sequence[str]) -> None:
    """Serve until the parent is gone. preload: modules to import first; one that cannot be is left out."""
    for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN if which == signal.SIGINT else signal.SIG_DFL)
    sys.dont_write_bytecode = True
    control = socket.socket(fileno=control_handle)
    _sweep()
    own_processes = "namespaces" in available()  # and its workers need not find out again
    for name in preload:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # code that needs it meets the same error, and a steward sees it there
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
        with torch.no_grad():  # looks at /proc/cpuinfo once, which a confined worker cannot; starts no thread
            torch.nn.functional.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2))
            torch.nn.functional.linear(torch.ones(1, 2), torch.ones(2, 2))
    gc.collect()
    gc.freeze()  # so that a collection in a worker does not copy what it shares
    first = new_process_tree() if own_processes else None
    zygote = _Zygote(control, parent)
    try:
        control.sendall(b'{"ready": true}\n')
        zygote.run()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        zygote.end_all()
        if first is not None:
            os.kill(first, signal.SIGKILL)


class _Zygote:
    def __init__(self, control: socket.socket, parent: int) -> None:
        self.control, self.parent, self.workers = control, parent, {}  # type: socket.socket, int, dict[str, _Worker]

    def run(self) -> None:
        while os.getppid() == self.parent:
            ready, _, _ = select.select([self.control], [], [], _TICK)
            if ready:
                data, handles, _, _ = socket.recv_fds(self.control, _MESSAGE, 3)
                if not data:
                    return
                request = json.loads(data)
                later = request.get("later", False)
                reply = {"id": request["id"]} if later else self.answer(request, tuple(handles))
                self.control.sendall(json.dumps(reply).encode() + b"\n")
                if later:
                    self.answer(request, tuple(handles))
            self.watch()

    def answer(self, request: Mapping[str, Any], handles: tuple[int, ...]) -> dict[str, Any]:
        name, act = request["id"], request["do"]
        if act == "fork":
            self.fork(name, request["order"], handles, spare=request.get("later", False))
        worker = self.workers.get(name)
        if worker is None:
            return {"id": name, "alive": False, "signal": None, "why": "idle", "cpu": 0.0}
        if act == "end":
            self.end(worker)
        self.reap(worker)
        if worker.status is None:
            if act == "resume":
                worker.paused_at = None
                os.kill(worker.pid, signal.SIGCONT)
            elif act == "pause":
                worker.paused_at = time.monotonic()
                os.kill(worker.pid, signal.SIGSTOP)
                self.reap(worker, os.WUNTRACED)  # until it does stand still, or is gone
        elif act == "end":
            del self.workers[name]
        died_by = os.WTERMSIG(worker.status) if worker.status is not None and os.WIFSIGNALED(worker.status) else None
        return {"id": name, "alive": worker.status is None, "signal": died_by, "why": worker.why, "cpu": worker.cpu}

    def fork(self, name: str, order: Mapping[str, Any], handles: tuple[int, ...], *, spare: bool) -> None:
        scratch = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        me, (requests, replies, output) = os.getpid(), handles
        pid = os.fork()
        if pid == 0:
            self.control.close()
            from fedkit.sites.inside import work

            work(order, (requests, replies, output), scratch, me)
            os._exit(2)
        for handle in handles:
            os.close(handle)
        limits = order["limits"]
        paused_at = time.monotonic() if spare else None
        self.workers[name] = _Worker(pid, scratch, limits["idle_seconds"], limits["scratch"], paused_at)

    def watch(self) -> None:
        """End workers that idle too long or fill their folder; bury the dead."""
        now = time.monotonic()
        for name, worker in list(self.workers.items()):
            self.reap(worker)
            if worker.status is not None:
                worker.dead_since = worker.dead_since or now
                if now - worker.dead_since > 60:
                    del self.workers[name]  # nobody asked how it died
            elif worker.paused_at is not None:
                if now - worker.paused_at > worker.idle_seconds:
                    self.end(worker)
                    del self.workers[name]
            elif _size(worker.scratch) > worker.scratch_limit:
                self.end(worker)
                worker.why = "scratch"

    def reap(self, worker: _Worker, options: int = os.WNOHANG) -> None:
        if worker.status is None:
            pid, status, used = os.wait4(worker.pid, options)
            if pid and not os.WIFSTOPPED(status):
                worker.status, worker.cpu = status, used.ru_utime + used.ru_stime
                shutil.rmtree(worker.scratch, ignore_errors=True)

    def end(self, worker: _Worker) -> None:
        if worker.status is None:
            os.kill(worker.pid, signal.SIGKILL)
            self.reap(worker, 0)

    def end_all(self) -> None:
        for worker in self.workers.values():
            self.end(worker)


def _size(folder: Path) -> int:
    total = 0
    for base, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(base) / file).lstat().st_size
            except OSError:
                continue
    return total


def _sweep() -> None:
    """Remove folders of workers whose zygote was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name[len(_PREFIX) :].split("-")[0]
        try:
            if owner.isdigit() and folder.stat().st_uid == os.getuid() and not _alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
