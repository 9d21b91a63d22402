"""The list of attempts, docs/attacks.md, and that it is complete."""

from __future__ import annotations

from attempts import PAGE, page


def test_the_page_lists_what_is_tried_and_nothing_else() -> None:
    assert PAGE.read_text("utf-8") == page(), "python tests/attacks/attempts.py"
