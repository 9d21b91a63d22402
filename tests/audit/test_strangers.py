"""A bundle comes from a stranger: whatever is in it, verification ends with a report or an EvidenceError."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Told, failed
from audit.hands import rewritten
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fedkit.audit.evidence import manifest
from fedkit.digests import canonical
from fedkit.errors import EvidenceError

FILES = (
    "chain.json",
    "request.json",
    "decisions.json",
    "heads.json",
    "proofs.json",
    "study.jsonl",
    "journals/norway.jsonl",
)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.sampled_from(["0x", "0x" + "00" * 20, "00" * 32, "zz", "norway"]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain data."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, item in inside for place in places(item, (*path, key))]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FILES), st.integers(0, 10**6), values)
@example("journals/norway.jsonl", 4, {})
@example("chain.json", 6, [])
def test_a_change_anywhere_is_found_and_crashes_nothing(told: Told, tmp_path: Path, name: str, at: int, value: Any) -> None:
    bundle = tmp_path / "evidence"
    shutil.rmtree(bundle, ignore_errors=True)
    shutil.copytree(told.bundle, bundle)
    lines = name.endswith(".jsonl")
    data = (bundle / name).read_bytes()
    rows = [json.loads(line) for line in data.splitlines()] if lines else json.loads(data)
    found = places(rows)
    *path, last = found[at % len(found)]
    parent = rows
    for key in path:
        parent = parent[key]
    same = parent[last] == value and type(parent[last]) is type(value)
    parent[last] = value
    (bundle / name).write_bytes(b"".join(canonical(r) + b"\n" for r in rows) if lines else canonical(rows))
    try:
        first = failed(bundle)
    except EvidenceError:
        return
    assert bool(first) != same
    files = {p.relative_to(bundle).as_posix(): p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    stated = json.loads(files.pop("manifest.json"))
    (bundle / "manifest.json").write_bytes(canonical(manifest(files, stated["request"])))
    assert failed(bundle) <= first  # and with the manifest made to fit, whatever it is, it is no crash


@pytest.mark.parametrize("part", ["header", "transactions", "receipts"])
def test_bytes_nested_too_deep_are_found_and_crash_nothing(part: str, bundle: Path) -> None:
    nested = b"\xc0"
    for _ in range(3000):
        size = len(nested)
        width = (size.bit_length() + 7) // 8
        nested = (bytes([0xC0 + size]) if size < 56 else bytes([0xF7 + width]) + size.to_bytes(width)) + nested

    def deep(chain: dict[str, Any]) -> dict[str, Any]:
        chain["blocks"][-1][part] = nested.hex() if part == "header" else [nested.hex()]
        return chain

    rewritten(bundle, "chain.json", deep)
    assert 2 in failed(bundle)


@pytest.mark.parametrize("name", ["chain.json", "request.json", "heads.json", "study.jsonl", "manifest.json"])
def test_json_nested_too_deep_is_named(name: str, bundle: Path) -> None:
    (bundle / name).write_bytes(b"[" * 200_000)
    with pytest.raises(EvidenceError, match=name.replace(".", r"\.")):
        failed(bundle)
