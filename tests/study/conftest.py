"""A small corpus with a canary in every private note, and one finished demo over it, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from study_samples import Finished, with_canary

from fedkit.demo import DemoOptions, run_demo
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import Federation, launch
from fedkit.study.runs import StudyEvent


@pytest.fixture(scope="session")
def small_corpus(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sites with a few of the sample notes."""
    samples = read_corpus(root / "data_samples")
    sites = []
    for name in ("no", "fi", "et"):
        site = samples.sites[name]
        parts = {split: getattr(site, split)[:size] for split, size in (("train", 40), ("dev", 12), ("test", 12))}
        marked = {split: tuple(with_canary(n, i) for i, n in enumerate(notes)) for split, notes in parts.items()}
        sites.append(replace(site, **marked))
    folder = tmp_path_factory.mktemp("corpus") / "small"
    write_corpus(build_corpus(sites), folder)
    return folder


@pytest.fixture(scope="session")
def processes(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """The three sites, a process each: what is said of isolation is tested on it."""
    with launch("kinds", tmp_path_factory.mktemp("kinds"), corpus=small_corpus, isolation="process") as running:
        yield running


@pytest.fixture(scope="session")
def finished(small_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    base = tmp_path_factory.mktemp("demo")
    said: list[StudyEvent] = []
    options = DemoOptions(notes=small_corpus, out=base / "runs", home=base / "home", rounds=2, sequential_rounds=1)
    return Finished(small_corpus, base / "home", base / "runs", run_demo(options, said.append), said)
