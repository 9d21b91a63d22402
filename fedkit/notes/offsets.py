"""Offsets between the ways programs count characters.

Python counts code points. JavaScript, Java and so UIMA, INCEpTION and Label Studio count UTF-16 units, in which a sign beyond
U+FFFF (an emoji, a mathematical letter) takes two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Utf16:
    """The two counts of one text. Where no sign needs two units, both are the same and nothing is computed."""

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._wide = [] if text.isascii() else [i for i, sign in enumerate(text) if sign > "\uffff"]

    def units(self, code_points: int) -> int:
        """The offset in UTF-16 units of an offset in code points."""
        return code_points + bisect_left(self._wide, code_points)

    def code_points(self, units: int) -> int | None:
        """The offset in code points of an offset in UTF-16 units; None if it falls inside a sign or outside the text."""
        # The k-th wide sign stands at unit wide[k] + k and ends two units on.
        low = units - bisect_right(range(len(self._wide)), units, key=lambda k: self._wide[k] + k + 1)
        if not 0 <= low <= self.length or self.units(low) != units:
            return None
        return low

    @property
    def same(self) -> bool:
        """True if both counts are the same over the whole text."""
        return not self._wide
