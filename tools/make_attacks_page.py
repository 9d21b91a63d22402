"""Write docs/attacks.md from the attempts that the tests in tests/attacks/ declare."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"

if __name__ == "__main__":
    sys.path[:0] = [str(TESTS / "attacks"), str(TESTS), str(TESTS / "contracts")]
    from attempts import PAGE, page

    PAGE.write_text(page(), "utf-8")
    print(PAGE)
