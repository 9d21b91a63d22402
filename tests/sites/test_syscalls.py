"""The seccomp program, run by a small interpreter of classic BPF: what is not on the list is refused, whatever it is."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.sites.syscalls import ARCHITECTURES, FREE, program

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
PID = 4242
MACHINES = sorted(ARCHITECTURES)

#: name → number on x86_64, aarch64, from the kernel's own tables, apart from ours.
FORBIDDEN = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "sendto": (44, 206),
    "sendmsg": (46, 211), "socketpair": (53, 199), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129), "tkill": (200, 130),
    "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "pivot_root": (155, 41),
    "chroot": (161, 51), "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "memfd_create": (319, 279), "shmget": (29, 194),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "init_module": (175, 105),
    "finit_module": (313, 273), "kexec_load": (246, 104), "reboot": (169, 142), "setuid": (105, 146), "capset": (126, 91),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchownat": (260, 54), "setxattr": (188, 5), "symlinkat": (266, 36),
    "linkat": (265, 37), "mknodat": (259, 33), "seccomp": (317, 277), "open_by_handle_at": (304, 265), "ioperm": (173, None),
    "fork": (57, None), "vfork": (58, None), "personality": (135, 92), "sched_setaffinity": (203, 122),
}  # fmt: skip


def run(code: bytes, *, arch: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would return for this call."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *(arguments + (0,) * 6)[:6])
    lines = [struct.unpack_from("<HBBI", code, at) for at in range(0, len(code), 8)]
    value, at = 0, 0
    while True:
        operation, yes, no, k = lines[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, k)
        elif operation == 0x06:
            return k
        else:
            holds = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[operation]
            at += yes if holds else no


def call(machine: str, number: int, *arguments: int) -> int:
    return run(program(machine, PID), arch=ARCHITECTURES[machine], number=number, arguments=arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_the_program_ends_and_is_short_enough_for_the_kernel(machine: str) -> None:
    assert len(program(machine, PID)) // 8 < 4096


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**31 - 1))
def test_only_what_is_on_the_list_is_allowed(machine: str, number: int) -> None:
    column = list(ARCHITECTURES).index(machine)
    listed = {numbers[column] for numbers in FREE.values()}
    guarded = {"x86_64": {56, 72, 16, 157, 234, 302}, "aarch64": {220, 25, 29, 167, 131, 261}}[machine]
    if number not in guarded:
        assert (call(machine, number) == ALLOW) == (number in listed)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_would_reach_out_is_refused(machine: str, name: str) -> None:
    number = FORBIDDEN[name][list(ARCHITECTURES).index(machine)]
    if number is None:
        return
    assert call(machine, number) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architectures_numbers_are_refused(machine: str) -> None:
    for other in {*ARCHITECTURES.values(), 0x40000003, 0} - {ARCHITECTURES[machine]}:
        assert run(program(machine, PID), arch=other, number=0) == EPERM
    assert call("x86_64", 0x40000000) == EPERM  # read by its x32 number


@pytest.mark.parametrize(("machine", "clone", "clone3"), [("x86_64", 56, 435), ("aarch64", 220, 435)])
def test_threads_but_no_processes(machine: str, clone: int, clone3: int) -> None:
    assert call(machine, clone, 0x3D0F00) == ALLOW  # the flags of pthread_create
    assert call(machine, clone, 0x01200011) == EPERM  # the flags of fork
    assert call(machine, clone3) == ENOSYS  # its flags lie in memory, so glibc is sent back to clone


@pytest.mark.parametrize(("machine", "tgkill", "prlimit"), [("x86_64", 234, 302), ("aarch64", 131, 261)])
def test_signals_and_limits_for_oneself_only(machine: str, tgkill: int, prlimit: int) -> None:
    assert call(machine, tgkill, PID, PID, 6) == ALLOW
    assert call(machine, tgkill, PID + 1, PID, 9) == EPERM
    assert call(machine, prlimit, 0) == ALLOW
    assert call(machine, prlimit, PID + 1) == EPERM


@pytest.mark.parametrize(("machine", "ioctl", "prctl", "fcntl"), [("x86_64", 16, 157, 72), ("aarch64", 29, 167, 25)])
def test_calls_of_many_uses_for_harmless_ones_only(machine: str, ioctl: int, prctl: int, fcntl: int) -> None:
    assert call(machine, ioctl, 1, 0x5401) == ALLOW  # isatty
    assert call(machine, ioctl, 1, 0x5412) == EPERM  # type into a terminal
    assert call(machine, prctl, 4) == EPERM  # be dumpable again
    assert call(machine, fcntl, 1, 3) == ALLOW
    assert call(machine, fcntl, 1, 8) == EPERM  # have the kernel send signals to another process


def test_a_machine_without_a_table_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        program("mips", PID)
