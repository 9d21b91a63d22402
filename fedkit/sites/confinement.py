"""What holds approved code: a process gives up rights, layer by layer, before it looks at the code it is to run.

- rlimits: processor seconds, size of a file, open files, no core dump; memory on Linux, no processes elsewhere (POSIX).
- Landlock: may read the Python installation and fedkit, may write one folder; no TCP, no signals and no abstract sockets out
  of the process (Linux 5.13; later kernels add the last three).
- seccomp: only the system calls that computing needs (see `syscalls`).
- namespaces: no network, no other process, no mount to write to but its own folder (see `namespaces`; Linux, where allowed).
- no new privileges, no capabilities, not dumpable, dies with its parent (Linux).

ctypes only. A layer that the machine does not have is left out, and `available()` says so; a layer that it has and that cannot
be set up is an error, and nothing runs.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import site
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fedkit.errors import ConfigurationError
from fedkit.sites import namespaces
from fedkit.sites.syscalls import ARCHITECTURES, program

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
_SECCOMP_MODE_FILTER = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

# linux/landlock.h, LANDLOCK_ACCESS_FS_*
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REFER, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 13, 1 << 14, 1 << 15
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_ALL_OF_ABI_1 = (1 << 13) - 1
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE

#: Outside the Python installation: shared libraries that are loaded late, and time zones.
_SYSTEM = (
    *(
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/etc/ld.so.cache",
        "/usr/share/zoneinfo",
        "/etc/localtime",
    ),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
)


@dataclass(frozen=True)
class Limits:
    """What one worker may use.

    seconds:      wall clock for one call.        cpu_seconds: processor time in a worker's life.
    memory:       bytes of address space beyond what the worker starts with.
    result:       bytes of one reply.             output: bytes kept of stdout and stderr of one call.
    scratch:      bytes in its folder.            files: open at once.
    idle_seconds: a worker not called for that long ends.   workers: alive at once in a pool.
    """

    seconds: float = 600.0
    cpu_seconds: int = 6 * 3600
    memory: int = 4 << 30
    result: int = 512 << 20
    output: int = 256 << 10
    scratch: int = 256 << 20
    files: int = 64
    idle_seconds: float = 300.0
    workers: int = 12


@cache
def landlock_version() -> int:
    """The Landlock ABI of this kernel, 0 if it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def available() -> tuple[str, ...]:
    """The layers this machine gives, strongest first: of "landlock", "seccomp", "namespaces", "rlimits"."""
    layers = ["landlock"] if landlock_version() else []
    if sys.platform == "linux" and platform.machine() in ARCHITECTURES and Path("/proc/sys/kernel/seccomp").is_dir():
        layers.append("seccomp")
    if namespaces.work():
        layers.append("namespaces")
    return (*layers, "rlimits")


def installation() -> tuple[Path, ...]:
    """What a worker may read: Python, the installed packages, fedkit itself and the system's libraries."""
    places = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1], *map(Path, _SYSTEM)}
    if site.ENABLE_USER_SITE:
        places.add(Path(site.getusersitepackages()))
    return tuple(sorted({p.resolve() for p in places if p.exists()} - {Path("/")}))


def die_with_parent(parent: int) -> None:
    """Ask for SIGKILL when the parent ends (Linux), and end now if it already has."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() not in (parent, 0):  # 0: the parent lives outside of this process's namespace
        os._exit(1)


def confine(limits: Limits, *, write: Path, read: Iterable[Path] = ()) -> tuple[str, ...]:
    """Give up, for good, all but: reading the installation and `read`, writing below `write`, computing. Returns the layers.

    Call it with one thread only. Raises ConfigurationError if a layer that the machine has cannot be set up.
    """
    layers = available()
    if sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) > 1:
        raise ConfigurationError("a process with threads cannot confine itself", expected="one thread", got="several")
    _limit_resources(limits)
    if "namespaces" in layers:
        try:
            namespaces.enter(write)
        except OSError as error:
            raise _unusable("namespaces", error.errno) from None
    if sys.platform == "linux":
        _must(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
        _must(_libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "not dumpable")
    if "landlock" in layers:
        _restrict_files((*installation(), *read), write)
    if sys.platform == "linux" and platform.machine() in _CAPSET:
        _drop_capabilities()
    if "seccomp" in layers:
        _restrict_calls()
    return layers


def _limit_resources(limits: Limits) -> None:
    def at_most(what: int, amount: int) -> None:
        _, hard = resource.getrlimit(what)
        amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(what, (amount, amount))

    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_CPU, limits.cpu_seconds)
    at_most(resource.RLIMIT_FSIZE, limits.scratch)
    at_most(resource.RLIMIT_NOFILE, limits.files)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        at_most(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.memory)
    else:
        at_most(resource.RLIMIT_NPROC, 0)  # on Linux this would count threads too, so seccomp forbids processes there


def _restrict_files(read: Iterable[Path], write: Path) -> None:
    version = landlock_version()
    handled = _ALL_OF_ABI_1 | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled |= _IOCTL_DEV if version >= 5 else 0
    network = 0b11 if version >= 4 else 0  # bind and connect, TCP
    scoped = 0b11 if version >= 6 else 0  # abstract sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("=QQQ", handled, network, scoped)[:size]
    rules = _libc().syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    _must(min(0, rules), "landlock")
    try:
        for path in read:
            _allow(rules, path, _READ & handled)
        _allow(rules, write, _WRITE & handled)
        _must(_libc().syscall(_RESTRICT_SELF, rules, 0), "landlock")
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, access: int) -> None:
    handle = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    try:
        access = access if path.is_dir() else access & _ON_FILES
        _must(_libc().syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", access, handle), 0), "landlock")
    finally:
        os.close(handle)


def _drop_capabilities() -> None:
    """A worker of a site that runs as root is no root: no capability in any set, and no way to gain one."""
    for capability in range(64):
        if _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # no such capability, or no right to drop it, which is as good
    header, nothing = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24)
    _must(_libc().syscall(_CAPSET[platform.machine()], header, nothing), "no capabilities")


def _restrict_calls() -> None:
    code = program(platform.machine(), os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    _must(_libc().prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.c_char_p(head), 0, 0), "seccomp")


def _must(returned: int, layer: str) -> None:
    if returned != 0:
        raise _unusable(layer, ctypes.get_errno())


def _unusable(layer: str, number: int | None) -> ConfigurationError:
    return ConfigurationError(
        f"this machine offers {layer} and does not let a worker use it",
        expected="a worker that confines itself before it reads any code",
        got=os.strerror(number or 0),
        help="run the site outside of the sandbox that forbids it; no approved code runs until then",
    )


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
