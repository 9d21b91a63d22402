"""The seccomp filter of a worker: the system calls that computing needs, as a classic BPF program. All else gets EPERM.

An allow-list, because a deny-list rots with every kernel. What is missing on purpose: sockets, ptrace, process_vm_*, execve,
kill, fork (clone without CLONE_THREAD), mount, keyctl, io_uring, bpf, perf, chmod and its kin (Landlock does not see them),
memfd and shared memory (the address-space limit does not see them). Numbers: Linux `asm/unistd_64.h` and
`asm-generic/unistd.h`. A refused call fails with an error number rather than a kill, so that Python raises PermissionError.
"""

from __future__ import annotations

import struct

#: `platform.machine()` → AUDIT_ARCH_* (linux/audit.h)
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_NONE = -1  # the architecture does not have this call

#: name → number on x86_64, on aarch64. These may be called with any arguments.
FREE = {
    # files: what may be opened is Landlock's business
    "read": (0, 63), "write": (1, 64), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66),
    "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286), "pwritev2": (328, 287), "close": (3, 57),
    "close_range": (436, 436), "open": (2, _NONE), "openat": (257, 56), "access": (21, _NONE), "faccessat": (269, 48),
    "faccessat2": (439, 439), "stat": (4, _NONE), "lstat": (6, _NONE), "fstat": (5, 80), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "lseek": (8, 62), "getdents": (78, _NONE),
    "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50), "readlink": (89, _NONE),
    "readlinkat": (267, 78), "rename": (82, _NONE), "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, _NONE),
    "mkdirat": (258, 34), "rmdir": (84, _NONE), "unlink": (87, _NONE), "unlinkat": (263, 35), "umask": (95, 166),
    "ftruncate": (77, 46), "truncate": (76, 45), "fallocate": (285, 47), "fadvise64": (221, 223), "readahead": (187, 213),
    "fsync": (74, 82), "fdatasync": (75, 83), "flock": (73, 32), "dup": (32, 23), "dup2": (33, _NONE), "dup3": (292, 24),
    "pipe": (22, _NONE), "pipe2": (293, 59), "sendfile": (40, 71), "copy_file_range": (326, 285),
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233), "brk": (12, 214),
    "mincore": (27, 232), "msync": (26, 227), "membarrier": (324, 283), "get_mempolicy": (239, 236),
    # threads and signals of this process
    "futex": (202, 98), "futex_waitv": (449, 449), "set_robust_list": (273, 99), "set_tid_address": (218, 96),
    "rseq": (334, 293), "exit": (60, 93), "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    "pause": (34, _NONE), "arch_prctl": (158, _NONE), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "getcpu": (309, 168),
    # clocks and waiting
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "nanosleep": (35, 101),
    "gettimeofday": (96, 169), "time": (201, _NONE), "setitimer": (38, 103), "getitimer": (36, 102), "alarm": (37, _NONE),
    "poll": (7, _NONE), "ppoll": (271, 73), "select": (23, _NONE), "pselect6": (270, 72), "epoll_create": (213, _NONE),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, _NONE), "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441), "eventfd2": (290, 19),
    # who and where am I
    "uname": (63, 160), "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getpgrp": (111, _NONE), "getpgid": (121, 155), "getsid": (124, 156), "getgroups": (115, 158), "sysinfo": (99, 179),
    "times": (100, 153), "getrusage": (98, 165), "getrlimit": (97, 163), "getrandom": (318, 278),
}  # fmt: skip

_CLONE, _CLONE3, _PRLIMIT, _TGKILL = (56, 220), (435, 435), (302, 261), (234, 131)
_FCNTL, _IOCTL, _PRCTL = (72, 25), (16, 29), (157, 167)

_CLONE_THREAD = 0x00010000
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030)  # all but owner, signal, lease, notify, seals
_IOCTL_REQUESTS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO(N)CLEX
_PRCTL_OPTIONS = (3, 15, 16, 0x53564D41)  # GET_DUMPABLE, SET_NAME, GET_NAME, SET_VMA

_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH = 0, 4


def _argument(n: int) -> int:
    return 16 + 8 * n  # low half of argument n of struct seccomp_data, on a little-endian machine


def program(machine: str, pid: int) -> bytes:
    """The filter as an array of `struct sock_filter`, for this machine and for the process that installs it.

    pid: the only process that tgkill may name. Raises KeyError for a machine without a table.
    """
    arch = ARCHITECTURES[machine]
    column = list(ARCHITECTURES).index(machine)
    code: list[tuple[int, int, int, int]] = [
        (_LD, 0, 0, _ARCH),
        (_JEQ, 1, 0, arch),
        (_RET, 0, 0, _ERRNO | _EPERM),
        (_LD, 0, 0, _NR),
    ]
    if machine == "x86_64":  # the x32 calls hide behind bit 30
        code += [(_JGE, 0, 1, 0x40000000), (_RET, 0, 0, _ERRNO | _EPERM)]
    for numbers in FREE.values():
        if numbers[column] != _NONE:
            code += [(_JEQ, 0, 1, numbers[column]), (_RET, 0, 0, _ALLOW)]
    code += [(_JEQ, 0, 1, _CLONE3[column]), (_RET, 0, 0, _ERRNO | _ENOSYS)]  # glibc then falls back to clone
    flags = [(_JSET, 0, 1, _CLONE_THREAD), (_RET, 0, 0, _ALLOW)]
    code += _guarded(_CLONE[column], 0, flags)
    code += _guarded(_PRLIMIT[column], 0, _one_of((0,)))
    code += _guarded(_TGKILL[column], 0, _one_of((pid,)))
    code += _guarded(_FCNTL[column], 1, _one_of(_FCNTL_COMMANDS))
    code += _guarded(_IOCTL[column], 1, _one_of(_IOCTL_REQUESTS))
    code += _guarded(_PRCTL[column], 0, _one_of(_PRCTL_OPTIONS))
    code.append((_RET, 0, 0, _ERRNO | _EPERM))
    return b"".join(struct.pack("<HBBI", *line) for line in code)


def _one_of(values: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    return [line for value in values for line in ((_JEQ, 0, 1, value), (_RET, 0, 0, _ALLOW))]


def _guarded(number: int, argument: int, tests: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Call `number` is allowed if `tests` on the low half of its argument say so, else refused."""
    body = [(_LD, 0, 0, _argument(argument)), *tests, (_RET, 0, 0, _ERRNO | _EPERM)]
    return [(_JEQ, 0, len(body), number), *body]
