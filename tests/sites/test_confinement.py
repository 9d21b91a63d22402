"""Confinement fails closed, and says what it gives. (What it holds is in tests/attacks/test_worker_*.py.)"""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from worker_world import needs_landlock

from fedkit.errors import ConfigurationError
from fedkit.sites import confinement
from fedkit.sites.confinement import Limits, confine, installation


def in_a_child(act: Callable[[], bool]) -> bool:
    """Run in a process of its own, since there is no way back out of confinement. True if it returned True."""
    child = os.fork()
    if child == 0:
        os._exit(0 if act() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_layers_that_were_set_up_are_the_ones_that_are_available(tmp_path: Path) -> None:
    assert in_a_child(lambda: confine(Limits(), write=tmp_path) == confinement.available())


def test_with_rlimits_alone_it_runs_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "available", lambda: ("rlimits",))

    def act() -> bool:
        layers = confine(Limits(files=20), write=tmp_path)
        return layers == ("rlimits",) and resource.getrlimit(resource.RLIMIT_NOFILE) == (20, 20)

    assert in_a_child(act)


@needs_landlock
def test_a_layer_that_cannot_be_set_up_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs half confined: here the folder to write in does not exist."""

    def act() -> bool:
        try:
            confine(Limits(), write=tmp_path / "missing")
        except (ConfigurationError, OSError):
            return True
        return False

    assert in_a_child(act)


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
