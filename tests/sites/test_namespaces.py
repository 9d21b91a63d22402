"""A worker's namespaces hold by themselves: here without Landlock and seccomp, which would hide what they do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import psutil
import pytest
from worker_world import LIGHT, go, pid_of, store, workers_of

from fedkit.errors import ExecutionFailed
from fedkit.sites import namespaces
from fedkit.sites.worker import WorkerPool

__all__ = ["store"]  # a fixture

needs_namespaces = pytest.mark.skipif(not namespaces.work(), reason="this machine lets nobody have namespaces of their own")

HEAD = """
import errno, os, socket, sys
from pathlib import Path
from fedkit.errors import ConfigurationError
from fedkit.sites import confinement, namespaces
from fedkit.sites.confinement import Limits, confine

write = Path({write!r})

def tried(act):
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
"""


def in_a_child(code: str, write: Path) -> str:
    """Run in a fresh process, since there is no way back; what it printed."""
    text = HEAD.replace("{write!r}", repr(str(write))) + dedent(code)
    child = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout.strip()


ALONE = 'confinement.available = lambda: ("namespaces", "rlimits")\n'


@needs_namespaces
def test_no_network_is_left_not_even_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
            to = ("127.0.0.1", {server.getsockname()[1]})
            print(tried(lambda: socket.create_connection(to, 5).close()), end=" ")
            confine(Limits(), write=write)
            print(tried(lambda: socket.create_connection(to, 5)), [name for _, name in socket.if_nameindex()])
        """
        assert in_a_child(ALONE + dedent(code), tmp_path) == "done ENETUNREACH ['lo']"


@needs_namespaces
def test_it_writes_into_its_folder_and_nowhere_else_whoever_it_runs_as(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "site.db").write_text("not for you")
    code = f"""
        write = Path({str(tmp_path / "mine")!r})
        os.chdir(write)
        confine(Limits(), write=write)
        other = write.parent / "site.db"
        print(tried(lambda: other.open("a")), tried(lambda: other.unlink()), tried(lambda: (write.parent / "new").mkdir()),
              tried(lambda: (write / "a").write_text("x")), tried(lambda: Path("b").write_text("x")),
              tried(lambda: Path("../c").write_text("x")))
    """
    assert in_a_child(ALONE + dedent(code), tmp_path) == "EROFS EROFS EROFS done done EROFS"
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["a", "b"]


@needs_namespaces
def test_nothing_is_in_proc_and_the_host_has_no_name(tmp_path: Path) -> None:
    code = """
        confine(Limits(), write=write)
        print(os.listdir("/proc"), os.uname().nodename, os.geteuid() == int(sys.argv[1]) if len(sys.argv) > 1 else "")
    """
    assert in_a_child(ALONE + dedent(code), tmp_path) == "[] worker"


@needs_namespaces
@pytest.mark.parametrize("alone", [True, False])
def test_it_cannot_leave_again(tmp_path: Path, alone: bool) -> None:
    """Without seccomp it may make namespaces inside of its own, in which it is root; what is locked from outside stays so."""
    (tmp_path / "mine").mkdir()
    code = """
        import ctypes
        libc, write = ctypes.CDLL(None, use_errno=True), write / "mine"
        confine(Limits(), write=write)
        before = [libc.umount2(b"/proc", 2), libc.mount(b"none", b"/proc", b"proc", 0, None), libc.setns(0, 0)]
        libc.unshare(0x10020000)
        after = [libc.umount2(b"/proc", 2), libc.mount(None, b"/", None, 0x1020, None)]
        print(before, after, tried(lambda: (write.parent / "new").mkdir()))
    """
    expected = "[-1, -1, -1] [-1, -1] EROFS"
    assert in_a_child((ALONE if alone else "") + dedent(code), tmp_path) == expected
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@needs_namespaces
def test_who_dies_with_its_parent_still_does(tmp_path: Path) -> None:
    code = """
        import ctypes
        libc, signal = ctypes.CDLL(None), ctypes.c_int()
        libc.prctl(1, 9, 0, 0, 0)
        confine(Limits(), write=write)
        libc.prctl(2, ctypes.byref(signal), 0, 0, 0)
        print(signal.value)
    """
    assert in_a_child(ALONE + dedent(code), tmp_path) == "9"


def test_where_they_are_forbidden_the_others_hold_and_the_site_says_so(tmp_path: Path) -> None:
    code = """
        namespaces.work = lambda: False
        print("namespaces" in confine(Limits(), write=write))
    """
    assert in_a_child(code, tmp_path) == "False"


def test_where_they_are_offered_and_then_refused_nothing_runs(tmp_path: Path) -> None:
    code = """
        def refuse(write):
            raise PermissionError(errno.EPERM, "refused")
        namespaces.enter = refuse
        try:
            confine(Limits(), write=write)
        except ConfigurationError as error:
            print(error.message)
    """
    assert in_a_child(ALONE + dedent(code), tmp_path) == "this machine offers namespaces and does not let a worker use it"


# -- the processes of a zygote
@needs_namespaces
def test_a_worker_sees_no_process_but_those_of_its_pool(store: Path) -> None:
    with WorkerPool(preload=LIGHT) as pool:
        numbers = go(pool, store, 'import os\nreturn {"numbers": {"me": os.getpid(), "parent": os.getppid()}}').numbers
    assert numbers["parent"] == 0
    assert 2 <= numbers["me"] < 50


@needs_namespaces
def test_when_the_first_process_of_the_namespace_ends_all_end_and_the_pool_goes_on(store: Path) -> None:
    with WorkerPool(preload=LIGHT) as pool:
        worker = pid_of(pool, store, key="a")
        zygote = psutil.Process(worker).parent()
        assert zygote is not None
        (first,) = {child.pid for child in zygote.children()} - set(workers_of(zygote).values())
        os.kill(first, 9)
        for _ in range(400):
            if not psutil.pid_exists(worker) or psutil.Process(worker).status() == psutil.STATUS_ZOMBIE:
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the worker is still there")
        again = 'return {"numbers": {"n": len(notes.train)}}'
        with suppress(ExecutionFailed):  # unless the pool has seen by then that its zygote can fork no more
            go(pool, store, again, key="b")
        assert go(pool, store, again, key="b").numbers == {"n": 4}


def test_the_zygote_and_its_first_process_end_with_the_pool(store: Path) -> None:
    with WorkerPool(preload=LIGHT) as pool:
        zygote = psutil.Process(pid_of(pool, store)).parent()
        assert zygote is not None
        family = [zygote.pid, *(child.pid for child in zygote.children())]
    for _ in range(400):
        if not any(psutil.pid_exists(pid) for pid in family):
            return
        time.sleep(0.05)
    raise AssertionError("somebody of the family is left")
