"""A rehearsal at a site: one entry on the mock twin, confined as the real run, in a worker that never has the private notes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from fedkit.errors import ExecutionFailed, OutputRefused
from fedkit.federation.parameters import encode
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import MockResult
from fedkit.sites.parts import SiteParts


def rehearse(parts: SiteParts, request: CodeRequest, entry: str, weights: Mapping[str, Any] | None) -> MockResult:
    """Run one entry on the mock twin. What the code does wrong is in the result, an exception with its whole traceback."""
    asked = request.entry(entry)
    started = time.monotonic()
    numbers: dict[str, float] = {}
    tables: dict[str, list[dict[str, Any]]] = {}
    size, error, traceback = 0, None, ""
    try:
        result = parts.pool.run(
            source=request.source,
            entry=entry,
            store=parts.notes.path,
            view="mock",
            weights=weights,
            settings={**request.settings, "round": 1, "site": parts.config.name},
            key=key_of(request),
        )
        tables = asked.contract.protect(result.tables)
        asked.contract.check(result.tensors, result.numbers, tables)
        numbers = {name: float(value) for name, value in result.numbers.items()}
        size = len(encode(result.tensors, tables)) if result.tensors or tables else 0
    except (ExecutionFailed, OutputRefused) as wrong:
        error, traceback = wrong.message, getattr(wrong, "traceback", "")
    return MockResult(parts.config.name, entry, time.monotonic() - started, size, numbers, error, traceback, tables)


def key_of(request: CodeRequest) -> str:
    """Under which the pool keeps the workers of a request's rehearsals."""
    return f"mock-{request.digest}"
