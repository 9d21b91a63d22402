"""The real benchmark corpus, read once for all tests of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedkit.notes.corpus import Corpus, read_corpus


@pytest.fixture(scope="session")
def names5(corpora: Path) -> Corpus:
    return read_corpus(corpora / "names5")
