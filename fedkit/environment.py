"""What approved code meets when it runs: fedkit's own source and the versions of the libraries below it, as one digest.

A code request names this digest, and a site refuses to run it under another: the same source under another library is
another computation.
"""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fedkit.digests import digest, digest_folder

#: Libraries whose version changes what approved code computes.
LIBRARIES = ("torch", "numpy", "transformers", "tokenizers", "safetensors", "seqeval", "evaluate", "duckdb")

#: Packages of fedkit that approved code may import.
SOURCES = ("notes", "ner", "federation")


@cache
def environment() -> dict[str, object]:
    """The environment as data: Python, library versions, and a digest of each fedkit package that code may import."""
    here = Path(__file__).parent
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "fedkit": {name: digest_folder(here / name, "**/*.py") for name in SOURCES},
    }


@cache
def environment_digest() -> str:
    """The digest that a `CodeRequest` names and a site compares before it runs anything."""
    return digest(environment())


def _version(name: str) -> str:
    try:
        return version(name).split("+")[0]  # 2.13.0+cpu and 2.13.0 are one release
    except PackageNotFoundError:
        return "absent"
