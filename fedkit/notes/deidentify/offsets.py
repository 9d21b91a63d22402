"""From offsets in a changed text back to the original, and forth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from fedkit.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Replacement:
    """`old[start:end]` became `new[new_start:new_end]`. Places, class and rule; no text."""

    start: int
    end: int
    new_start: int
    new_end: int
    label: str
    rule: str

    def to_json(self) -> list[int | str]:
        return [self.start, self.end, self.new_start, self.new_end, self.label, self.rule]


class OffsetMap:
    """Leads stretches of the changed text to the original and back. What lies in a replacement stands for all of it."""

    def __init__(self, replacements: Iterable[Replacement]) -> None:
        self.replacements = tuple(replacements)
        self._old = [r.start for r in self.replacements]
        self._new = [r.new_start for r in self.replacements]
        if self._old != sorted(self._old) or self._new != sorted(self._new):
            raise CorpusError("an offset map is out of order", expected="replacements in order", got="others")

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Where `new[start:end]` stood in the original: all of every identifier that it touches."""
        first, last = self._at(self._new, start), self._at(self._new, max(start, end - 1))
        return (
            self._back(first, start, inner_end=False),
            max(self._back(last, end, inner_end=True), self._back(first, start, inner_end=False)),
        )

    def to_changed(self, start: int, end: int) -> tuple[int, int]:
        """Where `old[start:end]` stands in the changed text: all of every surrogate that it touches."""
        first, last = self._at(self._old, start), self._at(self._old, max(start, end - 1))
        return (
            self._forth(first, start, inner_end=False),
            max(self._forth(last, end, inner_end=True), self._forth(first, start, inner_end=False)),
        )

    @staticmethod
    def _at(starts: list[int], offset: int) -> int:
        return bisect_right(starts, offset) - 1

    def _back(self, number: int, offset: int, *, inner_end: bool) -> int:
        if number < 0:
            return offset
        r = self.replacements[number]
        if offset < r.new_end or (inner_end and offset == r.new_end):
            return r.end if inner_end else r.start
        return offset - r.new_end + r.end

    def _forth(self, number: int, offset: int, *, inner_end: bool) -> int:
        if number < 0:
            return offset
        r = self.replacements[number]
        if offset < r.end or (inner_end and offset == r.end):
            return r.new_end if inner_end else r.new_start
        return offset - r.end + r.new_end
