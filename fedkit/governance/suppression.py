"""Which rows of a table must stay at a site so that no small one can be had by subtraction. Pure, no names, no text.

A row is a cell, named by one number for each of its categories. Whoever knows a total and all cells of a line but one has that
one too. So beside the small cells others are hidden, the smallest first, until in every line that has a hidden cell the hidden
ones hold at least `threshold` persons together, and no small cell follows from all totals by linear algebra. Lines are what
have all categories but one in common. Totals are taken to be known even if the table has none: the catalogue shows some. What
totals give away without any cell, no hiding of cells can keep. Cells of nobody are taken to be known as well.

Source: Hundepool et al., "Statistical Disclosure Control", Wiley 2012, 4.4 (secondary cell suppression); the second condition
is what an auditing tool checks there. Minimal loss is not sought (it is NP-hard): the smallest cell that helps is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

Key = tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """Cells that add up: numbers of its rows, and the row with their total, None if that is not in the table."""

    parts: tuple[int, ...]
    total: int | None

    @property
    def cells(self) -> tuple[int, ...]:
        return self.parts if self.total is None else (*self.parts, self.total)


def to_hide(
    keys: Sequence[Key],
    counts: Sequence[tuple[int, ...]],
    *,
    totals: Sequence[int | None],
    threshold: int,
    also: Collection[int] = (),
) -> set[int]:
    """Numbers of the rows that stay.

    keys: of each row, different; rows of nobody left out.   counts: of each row, one for each count column.
    totals: for each category, the value that stands for all others together.   threshold: persons, of each count column.
    also: rows that another rule keeps back, to be kept from subtraction like the small ones.
    """
    small = {row for row, values in enumerate(counts) if min(values) < threshold} | set(also)
    hidden = set(small)
    if not small:
        return hidden
    lines = lines_of(keys, totals)

    def hide_one_of(groups: Sequence[Line]) -> bool:
        """Hide the smallest row that is still visible; parts before totals."""
        for cells in ({c for line in groups for c in line.parts}, {c for line in groups for c in line.cells}):
            if visible := sorted(cells - hidden, key=lambda row: (counts[row], row)):
                hidden.add(visible[0])
                return True
        return False

    while True:
        if any(_is_thin(line, hidden, counts, threshold) and hide_one_of([line]) for line in lines):
            continue
        found = sorted(determined(lines, hidden) & small)
        if not found:
            return hidden
        around = [line for line in lines if found[0] in line.cells]
        # Its own lines first; where all of them are hidden, it follows from lines further off.
        if not hide_one_of(around) and not hide_one_of([line for line in lines if hidden & set(line.cells)]):
            return hidden


def lines_of(keys: Sequence[Key], totals: Sequence[int | None]) -> list[Line]:
    """All lines of two cells or more."""
    found: dict[tuple[int, Key], tuple[list[int], list[int]]] = {}
    for row, key in enumerate(keys):
        for axis, value in enumerate(key):
            parts, total = found.setdefault((axis, key[:axis] + key[axis + 1 :]), ([], []))
            (total if value == totals[axis] else parts).append(row)
    lines = [Line(tuple(parts), total[0] if total else None) for parts, total in found.values()]
    return [line for line in lines if line.parts and len(line.cells) > 1]


def determined(lines: Sequence[Line], hidden: set[int]) -> set[int]:
    """The hidden cells that follow from all others and all totals: those that are the same in every solution."""
    unknown = {cell: at for at, cell in enumerate(sorted(hidden))}
    rows = []
    for line in lines:
        if hidden & set(line.cells):
            row = np.zeros(len(unknown))
            for cell in line.parts:
                if cell in unknown:
                    row[unknown[cell]] = 1
            if line.total in unknown:
                row[unknown[line.total]] = -1
            rows.append(row)
    if not rows:
        return set()
    _, sizes, basis = np.linalg.svd(np.array(rows), full_matrices=True)
    free = basis[int((sizes > 1e-9 * max(1.0, sizes[0])).sum()) :]
    return {cell for cell, at in unknown.items() if not (np.abs(free[:, at]) > 1e-9).any()}


def _is_thin(line: Line, hidden: set[int], counts: Sequence[tuple[int, ...]], threshold: int) -> bool:
    """Whether somebody who knows the line's total has too good an idea of what is hidden in it."""
    parts = [counts[cell] for cell in line.parts if cell in hidden]
    if not parts or line.total in hidden:
        return False
    return min(map(sum, zip(*parts, strict=True))) < threshold
