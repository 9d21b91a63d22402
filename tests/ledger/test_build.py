"""The committed contracts are what their source compiles to."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fedkit.ledger.contracts import NAMES, contract

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"


def test_the_build_is_reproducible() -> None:
    if shutil.which("node") is None or not (CONTRACTS / "node_modules" / "solc").is_dir():
        pytest.skip("no compiler: run `npm ci` in contracts/")
    script = CONTRACTS.parent / "tools" / "build_contracts.mjs"
    done = subprocess.run(["node", str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_function_event_and_error_is_explained() -> None:
    for name in NAMES:
        text = (CONTRACTS / "src" / f"{name}.sol").read_text()
        for match in re.finditer(r"^    (function|event|error|struct|enum|constructor|mapping)\b.*$", text, re.MULTILINE):
            before = text[: match.start()].rstrip().rpartition("\n")[2].strip()
            own = match.group(0).strip()
            assert before.startswith("///"), f"{name}: {own}"


def test_the_contracts_fit_where_they_are_to_run() -> None:
    for name in NAMES:
        assert 0 < len(contract(name).bytecode) < 24_576  # EIP-170


def test_the_gas_table_is_what_is_measured() -> None:
    script = CONTRACTS.parent / "tools" / "measure_gas.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
