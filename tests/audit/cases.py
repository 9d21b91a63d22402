"""What the tampering suite tries, as docs/threat-model.md lists it: each line there has a test, and each test a line.

@tries("edited row")
def test_…(bundle): assert failed(bundle) >= FOUND_BY["edited row"]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])
THREATS = Path(__file__).resolve().parents[2] / "docs" / "threat-model.md"


def tries(*cases: str) -> Callable[[Test], Test]:
    """Mark a test with the lines of the document that it holds."""

    def marked(test: Test) -> Test:
        test.__dict__.setdefault("tries", set()).update(cases)
        return test

    return marked


def table(heading: str) -> dict[str, list[str]]:
    """First cell → other cells, of the table under a heading of the threat model."""
    section = THREATS.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows[2:]}


#: Case → the checks that find it, as the document says; at least these do.
FOUND_BY: Mapping[str, set[int]] = {
    case: {int(number) for number in re.findall(r"\d+", cells[-1])} for case, cells in table("What an audit finds").items()
}
#: Cases that no check finds.
UNSEEN = set(table("What an audit cannot see"))
