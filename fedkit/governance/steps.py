"""The ten steps of a study, under the numbers that docs, code, progress display, notebooks and reports share."""

from __future__ import annotations

from collections.abc import Mapping

STEPS: Mapping[int, str] = {
    1: "Describe",
    2: "Request",
    3: "Rehearse",
    4: "Submit",
    5: "Review",
    6: "Decide",
    7: "Run",
    8: "Aggregate",
    9: "Release",
    10: "Verify",
}
