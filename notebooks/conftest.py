"""Once a cell of a notebook fails, the cells after it are skipped: they would only fail for the same reason."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_failed: dict[Path, str] = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    report = (yield).get_result()
    if report.failed and item.path.suffix == ".ipynb":
        _failed.setdefault(item.path, item.name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if first := _failed.get(item.path):
        pytest.skip(f"{first} failed before")
