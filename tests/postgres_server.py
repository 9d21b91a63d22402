"""A Postgres server of a test's own, on a socket in a folder of its own, gone when the test is."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty server; skips the test where this machine has none."""
    programs = _programs()
    if programs is None:
        pytest.skip("no Postgres on this machine")
    user = None
    if os.geteuid() == 0:  # Postgres does not run as root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("Postgres does not run as root, and there is no user postgres")
    # Not below pytest's folder: that is root's alone, and too long a path for a socket.
    folder = Path(tempfile.mkdtemp(prefix="fedkit-pg-"))
    if user:
        shutil.chown(folder, user)
    data, name = folder / "data", user or pwd.getpwuid(os.geteuid()).pw_name

    def call(program: str, *arguments: str) -> None:
        subprocess.run([str(programs / program), *arguments], check=True, user=user, capture_output=True, cwd=folder)

    call("initdb", "-D", str(data), "-A", "trust", "-U", name, "--encoding=UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(  # the server outlives the call, so it may not hold its output
        [str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"postgresql:///postgres?host={folder}&user={name}"
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """The folder of Postgres' own programs, which Debian keeps off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)
