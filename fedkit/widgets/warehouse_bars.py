"""A bar for each row of an answer, as an SVG that takes the colours of the page: what stayed at a site is drawn, not left out.

Plain text makes it, no drawing library: the same answer gives the same picture, byte for byte, in any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fedkit.widgets.base import escape
from fedkit.widgets.theme import OKABE_ITO

#: Bars that are drawn; a picture of more is read by nobody, and the table holds them all.
MOST_BARS = 40

_WIDE, _HIGH, _GAP = 720, 20, 6
_CHARACTER = 7.2  # of 13 px text, on average
_LONGEST = 34  # characters of a label; the table has it whole
_STUB = 46  # of what was kept back: a length that says nothing
_MORE = 14  # of what lies behind a bar, at the sites that kept their part back
_DASHED = 'fill="none" stroke="currentColor" stroke-dasharray="4 3"'


@dataclass(frozen=True)
class Bar:
    """One row of an answer as a bar.

    label:  what the row is of: "no · 2024".
    value:  its figure; None where it was kept back.   shown: the figure as text: "120", "120+", "kept back".
    partly: some site kept its part back, so that there is more than is drawn.
    margin: half the width of a 95 % interval, of noise; 0 where there is none.
    series: number of the colour, from 0, such as one for each site.
    """

    label: str
    value: float | None
    shown: str
    partly: bool = False
    margin: float = 0.0
    series: int = 0


def bars_svg(bars: Sequence[Bar], *, what: str) -> str:
    """The bars below each other, each with its label and its figure, so that nobody needs the colour or the length.

    A bar of what was kept back is a dashed box of a fixed length; a bar with more behind it ends dashed; noise is a whisker.
    what: the name of the figure, for the axis and for screen readers. No more than `MOST_BARS` are drawn; the rest is counted.
    """
    drawn = bars[:MOST_BARS]
    left = 12 + _CHARACTER * max((len(_cut(bar.label)) for bar in drawn), default=0)
    right = 16 + _CHARACTER * max((len(bar.shown) for bar in drawn), default=0)
    edges = [
        0.0,
        *(edge for bar in drawn if bar.value is not None for edge in (bar.value - bar.margin, bar.value + bar.margin)),
    ]
    low, high = min(edges), max(edges)
    behind = _STUB if low < 0 and any(bar.value is None for bar in drawn) else _MORE if any(bar.partly for bar in drawn) else 0
    room = _WIDE - left - right - behind

    def place(value: float) -> float:
        return left + (room * (value - low) / (high - low) if high > low else 0.0)

    parts = [part for number, bar in enumerate(drawn) for part in _bar(bar, 4 + number * (_HIGH + _GAP), left, place)]
    tall = 8 + len(drawn) * (_HIGH + _GAP)
    zero = place(0.0)
    axis = f'<line x1="{zero:.1f}" y1="0" x2="{zero:.1f}" y2="{tall}" stroke="currentColor" stroke-opacity=".6"/>'
    kept = sum(bar.value is None for bar in bars)
    told = f"{what}: {len(bars)} rows" + (f", {kept} of them kept back" if kept else "")
    more = f'<p class="fk-soft">{len(bars) - len(drawn)} more rows stand in the table.</p>' if len(bars) > len(drawn) else ""
    return (
        f'<p class="fk-soft">{escape(what)}</p>'
        f'<svg role="img" aria-label="{escape(told)}" viewBox="0 0 {_WIDE} {tall}" width="{_WIDE}" height="{tall}" '
        f'font-size="13" fill="currentColor" xmlns="http://www.w3.org/2000/svg">{axis}{"".join(parts)}</svg>{more}'
    )


def _bar(bar: Bar, top: float, left: float, place: Callable[[float], float]) -> Iterator[str]:
    """Label, box and figure of one bar whose upper edge lies at `top`."""
    middle, zero = top + _HIGH / 2, place(0.0)
    line = middle + 4.5  # where 13 px text stands upright in the middle
    yield f'<text x="{left - 8:.1f}" y="{line:.1f}" text-anchor="end">{escape(_cut(bar.label))}</text>'
    if bar.value is None:
        yield _box(zero, top, _STUB, _DASHED)
        yield f'<text x="{zero + _STUB + 6:.1f}" y="{line:.1f}" font-style="italic">{escape(bar.shown)}</text>'
        return
    start, end = sorted((zero, place(bar.value)))
    paint = f'fill="{OKABE_ITO[bar.series % len(OKABE_ITO)]}" stroke="currentColor" stroke-width=".8"'
    yield _box(start, top, end - start, paint)
    if bar.partly:
        yield _box(end, top, _MORE, _DASHED)
    if bar.margin:
        ends = [place(bar.value - bar.margin), place(bar.value + bar.margin)]
        path = f"M{ends[0]:.1f} {middle}H{ends[1]:.1f}" + "".join(f"M{x:.1f} {middle - 4}v8" for x in ends)
        yield f'<path d="{path}" stroke="currentColor" stroke-width="1.6" fill="none"/>'
        end = max(end, ends[1])
    yield f'<text x="{end + (_MORE if bar.partly else 0) + 6:.1f}" y="{line:.1f}">{escape(bar.shown)}</text>'


def _box(x: float, y: float, width: float, paint: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_HIGH}" {paint}/>'


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
