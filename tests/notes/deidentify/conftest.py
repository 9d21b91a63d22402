"""A key, so that surrogates are the same in every run, and the vectors of national numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fedkit.notes.deidentify import Deidentifier, ProjectKey


@pytest.fixture(scope="session")
def key() -> ProjectKey:
    return ProjectKey(bytes(range(32)))


@pytest.fixture(scope="session")
def worker(key: ProjectKey) -> Deidentifier:
    return Deidentifier(key)


@pytest.fixture(scope="session")
def vectors(corpora: Path) -> list[tuple[str, str]]:
    """(country, number): 577 national numbers, right and wrong ones, of nobody."""
    with (corpora / "ids" / "vectors.tsv").open(encoding="utf-8", newline="") as file:
        return [(row["country"], row["value"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
