"""Two hospitals, each in a process of its own, whose notes hold words that stand nowhere else; and who tries to get at them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
sys.path.insert(0, str(CONTRACTS))
pytest.register_assert_rewrite("site_suite", "attempts")

from attackers import Http, PySyftClient, Town  # noqa: E402
from attempts import Attempt, Trial  # noqa: E402
from site_suite import make_corpus  # noqa: E402

from fedkit.config import write_config  # noqa: E402
from fedkit.sites.launch import _first, launch  # noqa: E402

LIMITS = {"seconds": 3.0, "memory": 512 << 20, "result": 4 << 20, "output": 20_000, "scratch": 4 << 20, "files": 32}


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Shared by all that leave it as it was: everybody works on requests of their own."""
    corpus = make_corpus(tmp_path_factory.mktemp("corpus"))
    with launch("attacks", tmp_path_factory.mktemp("federation"), corpus=corpus, isolation="process") as federation:
        yield Town(federation)


@pytest.fixture(scope="package")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Sites whose findings see nothing (`blind.py`), with tight limits: what stands behind the findings has to hold."""
    folder, corpus = tmp_path_factory.mktemp("blind"), make_corpus(tmp_path_factory.mktemp("corpus"))
    config, _ = _first(folder, "blind", corpus, "")
    write_config(folder, replace(config, limits=LIMITS))
    python = tmp_path_factory.mktemp("python") / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("blind.py")} "$@"\n')
    python.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(python))
        federation = launch("blind", folder, corpus=corpus, isolation="process")
    with federation:
        yield Town(federation)


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    attempt = request.param
    assert isinstance(attempt, Attempt)
    # Where a test has sites of its own, it is about those.
    where = next((name for name in ("own", "blind") if name in request.fixturenames), "world")
    trial = Trial(attempt, request.getfixturevalue(where))
    yield trial
    assert trial.made, "the attempt is declared and was not made"


@pytest.fixture
def http(world: Town) -> Http:
    """Anybody, with a socket."""
    return Http(str(world.researcher.info.url))


@pytest.fixture
def researcher(world: Town) -> PySyftClient:
    """A researcher who speaks to PySyft without fedkit's client."""
    return PySyftClient(world, "researcher")


@pytest.fixture
def anybody(world: Town) -> PySyftClient:
    """Somebody without an account who speaks PySyft."""
    return PySyftClient(world, None)
