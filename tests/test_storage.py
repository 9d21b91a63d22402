"""Files are there whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fedkit.errors import StorageError
from fedkit.storage import write_whole


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # Python ignores the signal that comes with it
    try:
        with pytest.raises(StorageError):
            write_whole(path, b"new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_its_folder_is_made_and_its_mode_is_what_was_asked(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write_whole(tmp_path / "a" / "b" / "file", b"x", mode=0o666)
    finally:
        os.umask(old)
    assert (tmp_path / "a" / "b" / "file").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_is_a_file_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        write_whole(tmp_path / "a" / "file", b"x")
    assert caught.value.expected
    assert caught.value.help
    assert str(tmp_path) not in caught.value.diagnostics()


def test_whoever_is_killed_while_writing_leaves_one_of_the_two(tmp_path: Path) -> None:
    path = tmp_path / "file"
    program = "import sys, pathlib; from fedkit.storage import write_whole\nk = 0\nprint(flush=True)\nwhile True:\n"
    program += "    k += 1; write_whole(pathlib.Path(sys.argv[1]), bytes([k % 256]) * 300_000)"
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            while not path.exists():
                pass
            process.send_signal(signal.SIGKILL)
        data = path.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
