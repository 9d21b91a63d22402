"""Confinement fails closed, and says what it gives. (What it holds is in tests/attacks/test_worker_*.py.)"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from textwrap import dedent

import pytest
from worker_world import needs_landlock

from fedkit.errors import ConfigurationError
from fedkit.sites import confinement
from fedkit.sites.confinement import Limits, confine, installation


def in_a_child(code: str, write: Path) -> str:
    """Run in a fresh process, since there is no way back out of confinement, and a fork of a process with threads may hang.
    What it printed; `write` is the folder to write in."""
    head = "import resource\nfrom pathlib import Path\nfrom fedkit.sites import confinement\n"
    head += f"from fedkit.sites.confinement import Limits, confine\nwrite = Path({str(write)!r})\n"
    child = subprocess.run([sys.executable, "-c", head + dedent(code)], capture_output=True, text=True, timeout=60, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout.strip()


def test_the_layers_that_were_set_up_are_the_ones_that_are_available(tmp_path: Path) -> None:
    assert in_a_child("print(confine(Limits(), write=write))", tmp_path) == str(confinement.available())


def test_with_rlimits_alone_it_runs_and_says_so(tmp_path: Path) -> None:
    code = """
        confinement.available = lambda: ("rlimits",)
        print(confine(Limits(files=20), write=write), resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    assert in_a_child(code, tmp_path) == "('rlimits',) (20, 20)"


@needs_landlock
def test_a_layer_that_cannot_be_set_up_is_an_error(tmp_path: Path) -> None:
    """Nothing runs half confined: here the folder to write in does not exist."""
    code = """
        from fedkit.errors import ConfigurationError
        try:
            confine(Limits(), write=write)
        except (ConfigurationError, OSError):
            print("refused")
    """
    assert in_a_child(code, tmp_path / "missing") == "refused"


def test_a_process_with_threads_cannot_confine_itself(tmp_path: Path) -> None:
    """Landlock and seccomp would hold the calling thread only."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with pytest.raises(ConfigurationError, match="threads"):
            confine(Limits(), write=tmp_path)
    finally:
        done.set()
        thread.join()


def test_the_installation_is_no_ancestor_of_where_sites_live(tmp_path: Path) -> None:
    for place in installation():
        assert place != Path("/")
        assert place != Path.home()
        assert not tmp_path.resolve().is_relative_to(place)
    assert any((place / "errors.py").is_file() for place in installation())
