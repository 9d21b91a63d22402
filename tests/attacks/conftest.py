"""A small federation for the tests of the sites: two hospitals whose notes hold words that stand nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
sys.path.insert(0, str(CONTRACTS))
pytest.register_assert_rewrite("site_suite")
