"""Approved code that reaches for what is not its own: files, processes, the network, the kernel. Tried by real workers."""

from __future__ import annotations

import contextlib
import errno
import os
import textwrap
from pathlib import Path

import numpy as np
import pytest
from worker_world import LIGHT, go, needs_landlock, needs_seccomp, pool, store

from fedkit.errors import FedkitError
from fedkit.sites.worker import WorkerPool

__all__ = ["pool", "store"]  # fixtures

#: Runs the lines of an attack; the number that leaves is the error the kernel gave, 0 if it went through.
HEAD = """
import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def syscall(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def tried(attack, settings, notes):
    try:
        attack(settings, notes)
    except OSError as error:
        return error.errno
    return 0
"""

DENIED = {errno.EPERM, errno.EACCES, errno.EROFS}


def attempt(pool: WorkerPool, store: Path, lines: str, settings: dict | None = None, view: str = "private") -> int:
    """The error number that the attack met, 0 if it succeeded."""
    attack = f"def attack(settings, notes):\n{textwrap.indent(textwrap.dedent(lines), '    ')}\n"
    body = 'return {"numbers": {"errno": tried(attack, settings, notes)}}'
    result = go(pool, store, body, head=HEAD + attack, settings=settings or {}, view=view)
    return int(result.numbers["errno"])


@pytest.fixture
def house(tmp_path: Path) -> dict[str, str]:
    """A site's folder as the server's user sees it: keys, PySyft's database, another site's notes, all readable to us."""
    files = {"key": ".ssh/id_ed25519", "syft": "domain/site.db", "other": "other/notes.duckdb", "journal": "journal.db"}
    for name in files.values():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not for you")
    return {**{k: str(tmp_path / v) for k, v in files.items()}, "folder": str(tmp_path), "pid": os.getpid()}  # type: ignore[dict-item]


def test_the_harness_sees_an_attack_that_succeeds(pool: WorkerPool, store: Path) -> None:
    assert attempt(pool, store, "open('mine.txt', 'w').write('x'); os.mkdir('d'); os.rename('mine.txt', 'd/mine.txt')") == 0
    assert attempt(pool, store, "open('/nowhere')") == errno.ENOENT


# -- files
@needs_landlock
@pytest.mark.parametrize("what", ["key", "syft", "other", "journal"])
@pytest.mark.parametrize("view", ["private", "mock"])
def test_no_file_of_the_site_can_be_read(pool: WorkerPool, store: Path, house: dict, what: str, view: str) -> None:
    assert attempt(pool, store, f"open(settings[{what!r}]).read()", house, view) in DENIED


@needs_landlock
@pytest.mark.parametrize("view", ["private", "mock"])
def test_not_even_its_own_store_so_no_rehearsal_reads_private_notes(pool: WorkerPool, store: Path, view: str) -> None:
    for file in store.parent.iterdir():
        assert attempt(pool, store, "open(settings['file'], 'rb').read()", {"file": str(file)}, view) in DENIED


@needs_landlock
@pytest.mark.parametrize(
    "path",
    [
        "/proc/{pid}/environ",
        "/proc/{pid}/mem",
        "/proc/{pid}/fd",
        "/proc/{parent}/environ",
        "/proc/{parent}/mem",
        "/proc/1/environ",
        "/proc/self/root/etc/passwd",
        "/etc/passwd",
        "/etc/shadow",
        "/dev/mem",
        "/dev/kmsg",
        "/sys/kernel",
        "/dev/shm",
        "/tmp",
        "{folder}",
        "{home}",
    ],
)
def test_nothing_of_the_machine_can_be_read(pool: WorkerPool, store: Path, house: dict, path: str) -> None:
    lines = """
        path = settings["path"].replace("{parent}", str(os.getppid()))
        if os.path.isdir(path):
            os.listdir(path)
        else:
            open(path, "rb").read(1)
    """
    known = {"pid": house["pid"], "folder": house["folder"], "home": str(Path.home())}
    for name, value in known.items():
        path = path.replace(f"{{{name}}}", str(value))
    assert attempt(pool, store, lines, {"path": path}) in DENIED | {errno.ENOENT}


@needs_landlock
@pytest.mark.parametrize(
    "lines",
    [
        "open(settings['folder'] + '/new', 'w')",
        "open(settings['journal'], 'a')",
        "open(settings['journal'], 'w')",
        "os.truncate(settings['journal'], 0)",
        "os.unlink(settings['journal'])",
        "os.rename(settings['journal'], 'stolen')",
        "os.mkdir(settings['folder'] + '/new')",
        "os.rmdir(settings['folder'])",
        "os.link(settings['journal'], 'linked')",
        "os.symlink(settings['journal'], 'linked')",
        "os.mkfifo('fifo')",
        "os.open('/dev/shm/new', os.O_CREAT | os.O_WRONLY)",
        "open('/tmp/new-from-a-worker', 'w')",
        "import sys; open(sys.modules['fedkit.errors'].__file__, 'a')",
        "open(os.path.dirname(os.__file__) + '/sitecustomize.py', 'w')",
    ],
)
def test_nothing_outside_its_own_folder_can_be_written(pool: WorkerPool, store: Path, house: dict, lines: str) -> None:
    assert attempt(pool, store, lines, house) in DENIED | {errno.EXDEV}
    assert Path(house["journal"]).read_text() == "not for you"


@needs_seccomp
@pytest.mark.parametrize("lines", ["os.chmod(settings['journal'], 0o777)", "os.utime(settings['journal'])", "os.chroot('.')"])
def test_what_landlock_does_not_see_is_no_system_call(pool: WorkerPool, store: Path, house: dict, lines: str) -> None:
    before = Path(house["journal"]).stat()
    assert attempt(pool, store, lines, house) in DENIED
    after = Path(house["journal"]).stat()
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)


# -- network and other processes
@needs_seccomp
@pytest.mark.parametrize(
    "lines",
    [
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socketpair()",
        "import http.client; http.client.HTTPConnection('127.0.0.1', 1).connect()",
        "os.fork()",
        "os.execv('/bin/sh', ['sh'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "subprocess.run(['true'])",
        "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()",
        "os.kill(os.getppid(), 9)",
        "os.kill(settings['pid'], 9)",
        "os.killpg(os.getpgid(0), 9)",
        "os.pidfd_open(settings['pid'])",
        "os.memfd_create('x')",
        "os.setuid(0)",
        "os.nice(1)",
        "os.sched_setaffinity(settings['pid'], {0})",
    ],
)
def test_no_network_and_no_other_process(pool: WorkerPool, store: Path, house: dict, lines: str) -> None:
    found = attempt(pool, store, lines, house)
    assert found in DENIED, errno.errorcode.get(found, found)


@needs_seccomp
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ptrace", "101, 16, settings['pid'], 0, 0"),
        ("process_vm_readv", "310, settings['pid'], 0, 0, 0, 0, 0"),
        ("process_vm_writev", "311, settings['pid'], 0, 0, 0, 0, 0"),
        ("io_uring_setup", "425, 1, 0"),
        ("keyctl", "250, 0, 0"),
        ("mount", "165, 0, 0, 0, 0, 0"),
        ("unshare", "272, 0x10000000"),
        ("bpf", "321, 0, 0, 0"),
        ("perf_event_open", "298, 0, 0, 0, 0, 0"),
        ("userfaultfd", "323, 0"),
        ("seccomp", "317, 0, 0, 0"),
        ("prctl dumpable", "157, 4, 1, 0, 0, 0"),
        ("prctl keep capabilities", "157, 8, 1, 0, 0, 0"),
        ("capset", "126, 0, 0"),
        ("prlimit of another", "302, settings['pid'], 7, 0, 0"),
        ("clone of a process", "56, 17, 0, 0, 0, 0"),
        ("tgkill of another", "234, settings['pid'], settings['pid'], 9"),
        ("x32", "0x40000000 | 39"),
    ],
    ids=lambda value: value.replace(" ", "-") if "," not in value else "",
)
def test_the_kernel_refuses_what_computing_does_not_need(
    pool: WorkerPool, store: Path, house: dict, name: str, arguments: str
) -> None:
    assert attempt(pool, store, f"syscall({arguments})", house) == errno.EPERM


def test_limits_cannot_be_raised(pool: WorkerPool, store: Path) -> None:
    lines = """
        import resource
        for what in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU):
            try:
                resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except ValueError:
                continue
            return
        raise PermissionError(1, "all of them refused")
    """
    assert attempt(pool, store, lines) == errno.EPERM


@needs_seccomp
def test_a_worker_has_no_capability_left(pool: WorkerPool, store: Path) -> None:
    lines = """
        header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        libc.prctl(3)
        if any(libc.prctl(23, n) == 1 for n in range(40)) or libc.prctl(3) != 0:
            return
        raise PermissionError(1, "none, and not dumpable")
    """
    assert attempt(pool, store, lines) == errno.EPERM


# -- what is already in the process
def test_no_secret_of_the_site_is_in_the_environment(store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FEDKIT_TEST_PASSWORD", "hunter2")
    body = 'return {"numbers": {"n": sum("hunter2" in v or "PASSWORD" in k for k, v in os.environ.items())}}'
    with WorkerPool(preload=LIGHT) as pool:
        assert go(pool, store, body, head="import os").numbers == {"n": 0}


def test_no_handle_but_its_pipes_is_open(pool: WorkerPool, store: Path) -> None:
    """A handle left open would be a way around every rule about paths."""
    lines = """
        import stat
        for handle in range(256):
            try:
                mode = os.fstat(handle).st_mode
            except OSError:
                continue
            if not stat.S_ISFIFO(mode) and not (handle == 0 and stat.S_ISCHR(mode)):
                return
        raise PermissionError(1, "only pipes")
    """
    assert attempt(pool, store, lines) == errno.EPERM


def test_no_pysyft_and_no_key_is_in_its_memory(pool: WorkerPool, store: Path) -> None:
    body = 'return {"numbers": {"n": sum(m.split(".")[0] in ("syft", "nacl", "web3", "eth_account") for m in sys.modules)}}'
    assert go(pool, store, body, head="import sys").numbers == {"n": 0}


def test_what_it_changes_in_fedkit_is_gone_for_the_next_request(pool: WorkerPool, store: Path) -> None:
    poison = """
        import builtins, numpy
        from fedkit.sites import inside, frames
        from fedkit.notes import note
        note.Note.from_row = staticmethod(lambda row: None)
        frames.pack = inside._plain = lambda *a, **k: 1 / 0
        builtins.len = lambda x: 7
        numpy.float32 = numpy.float64
        return {"numbers": {}}
    """
    with contextlib.suppress(FedkitError):  # the worker may well have broken itself
        go(pool, store, poison, key="poison")
    weights = {"w": np.ones(3, np.float32)}
    result = go(pool, store, 'return {"tensors": weights, "numbers": {"n": len(notes.train)}}', weights=weights)
    assert result.numbers == {"n": 4}
    assert result.tensors["w"].dtype == np.float32
