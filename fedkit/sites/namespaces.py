"""Namespaces of a worker's own (Linux): users, network, mounts, shared memory, host name; and of its zygote's own: processes.

A worker sees no network device, not even loopback, no semaphore and no process of the machine; every mount is read-only to it,
but for its folder, and /proc is empty. The kernel ends all workers when the first process of their namespace ends, which ends
with the zygote. Containers often forbid namespaces: `work()` tries them in a process of its own, and says so.

Standard library alone, since it is also run as a script.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_HOST = b"worker"


@cache
def work() -> bool:
    """Whether this machine lets a process like this one have all of them."""
    if sys.platform != "linux":
        return False
    try:
        tried = subprocess.run([sys.executable, "-I", "-S", __file__], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0


def enter(write: Path) -> None:
    """Give this process namespaces of its own, for good; it may write below `write` only. One thread only. Raises OSError."""
    user, group = os.geteuid(), os.getegid()
    dies_with = ctypes.c_int()
    _do("prctl", _PR_GET_PDEATHSIG, ctypes.byref(dies_with), 0, 0, 0)
    _do("unshare", _NEWUSER | _NEWNET | _NEWIPC | _NEWUTS | _NEWNS)
    _map(user, group)
    if dies_with.value:  # the kernel forgets it where a process changes what it may
        _do("prctl", _PR_SET_PDEATHSIG, dies_with.value, 0, 0, 0)
    _do("sethostname", _HOST, len(_HOST))
    place = str(write).encode()
    _do("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    _do("mount", place, place, None, _MS_BIND, None)
    _set_mounts(b"/", _AT_RECURSIVE, read_only=True)
    _set_mounts(place, 0, read_only=False)
    _do("mount", b"none", b"/proc", b"tmpfs", _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, b"size=4k")
    with suppress(OSError):  # the folder that it stands in, by its name: now on the mount of its own
        os.chdir(Path.cwd())


def new_process_tree() -> int:
    """From now on this process's children have a namespace of processes of their own; returns the pid of the first of them.

    It does nothing, ends with this process, and with it ends every other process there. Afterwards this process can start no
    thread. Raises OSError.
    """
    try:
        _do("unshare", _NEWPID)
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        _do("unshare", _NEWUSER | _NEWPID)
        _map(user, group)
    alive, _mine = os.pipe()  # open as long as this process lives; whoever is forked from it closes what it inherits
    first = os.fork()
    if first == 0:
        _wait_for_the_end(alive)
    os.close(alive)
    return first


def _wait_for_the_end(alive: int) -> NoReturn:
    try:
        _do("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever has no parent left is buried by the kernel
        os.dup2(alive, 0)
        os.closerange(1, os.sysconf("SC_OPEN_MAX"))
        os.read(0, 1)  # its parent was gone before it could ask the kernel for the signal
    finally:
        os._exit(1)


def _map(user: int, group: int) -> None:
    """The same user in the new namespace, and no other."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _set_mounts(place: bytes, flags: int, *, read_only: bool) -> None:
    change = (_MOUNT_ATTR_RDONLY, 0) if read_only else (0, _MOUNT_ATTR_RDONLY)
    attributes = struct.pack("=QQQQ", *change, 0, 0)
    _do("syscall", _MOUNT_SETATTR, _AT_FDCWD, place, flags, attributes, ctypes.c_size_t(len(attributes)))


def _do(name: str, *arguments: object) -> None:
    if getattr(_libc(), name)(*arguments) < 0:
        number = ctypes.get_errno() or errno.EPERM
        raise OSError(number, f"{name}: {os.strerror(number)}")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _try_out() -> int:
    """Exit status 0 if everything above can be done here."""
    try:
        first = new_process_tree()
        child = os.fork()
        if child == 0:
            try:
                enter(Path(sys.executable).parent)
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        os.kill(first, signal.SIGKILL)
    except OSError:
        return 1
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_try_out())
