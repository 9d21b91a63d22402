"""The contract of a site, for PySyft domains in processes of their own, over HTTP."""

from __future__ import annotations

import pytest
from site_suite import *  # noqa: F403


@pytest.fixture(scope="module")
def isolation() -> str:
    return "process"
