"""Real dataclasses to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from widget_samples import SOURCE, journal

from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.review import Finding, MockResult, RequestState, Review


@pytest.fixture
def request_() -> CodeRequest:
    return CodeRequest(
        title="Implants in five languages",
        purpose="Find implants before an MRI",
        researcher="researcher",
        permit=DataPermit("permit-7", "Implant safety", ("notes",), "2030-01-31"),
        dataset="notes",
        source=SOURCE,
        environment="0" * 64,
        entries=(
            Entry("train_round", 4, OutputContract({"w": (2, 3)}, {"notes": (0, 1e6)})),
            Entry("evaluate", 1, OutputContract({}, {"f1": (0, 1)})),
        ),
        settings={"rounds": 4},
    )


@pytest.fixture
def review_at(request_: CodeRequest) -> Callable[..., Review]:
    def make(site: str = "oslo", **changes: Any) -> Review:
        review = Review(
            site=site,
            request=request_,
            state=RequestState(request_.digest, site, request_.title, request_.researcher, "pending"),
            findings=[Finding("note", 2, "docstring", "a sentence"), Finding("warn", 3, "returns-count", "returns a count")],
            diff="--- before\n+++ now\n-    old line\n+    new line\n",
            rehearsals=[MockResult(site, "train_round", 1.25, 2048, {"notes": 4.0}), MockResult(site, "evaluate", 0.5, 0)],
        )
        return replace(review, **changes)

    return make


@pytest.fixture
def journals() -> dict[str, list[dict[str, Any]]]:
    return {
        site: journal(
            site,
            [
                ("site", "site.opened", {"isolation": "in-process"}),
                ("anna", "access.granted", {"level": "researcher"}),
                ("anna", "request.submitted", {"request": "a" * 64, "code": "b" * 64, "environment": "c" * 64}),
                ("site", "batch.closed", {"first": 1, "last": 3, "root": "d" * 64}),
                ("berit", "request.reviewed", {"request": "a" * 64}),
            ],
        )
        for site in ("oslo", "tartu")
    }
