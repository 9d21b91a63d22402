"""Learning curves as an SVG that takes the colours of the page, drawn without pyplot so that any thread may call it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from fedkit.widgets.base import escape
from fedkit.widgets.theme import DASHES, MARKERS, OKABE_ITO

#: Drawn in this colour, then replaced by `currentColor`: black text on a light page, white on a dark one.
_INK = "#010203"


def curves_svg(curves: Mapping[str, Sequence[tuple[int, float]]], rounds: int, *, what: str = "F1") -> str:
    """One line a site: `curves[site]` is its (rounds behind the weights, F1 from 0 to 1) points.

    Colours of Okabe and Ito, and a dash and a marker each, so that nobody needs the colour. Tables beside it hold the numbers.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for i, (site, points) in enumerate(curves.items()):
        axes.plot(
            [r for r, _ in points],
            [100 * f1 for _, f1 in points],
            label=f" {site}",  # matplotlib leaves out names that start with an underscore
            color=OKABE_ITO[i % len(OKABE_ITO)],
            linestyle=DASHES[i % len(DASHES)],
            marker=MARKERS[i % len(MARKERS)],
            markersize=5,
            linewidth=1.8,
        )
    axes.set_xlim(-0.2, max(rounds, 1) + 0.2)
    axes.set_ylim(0, 100)
    axes.set_xlabel("rounds trained", color=_INK)
    axes.set_ylabel(f"{what} in percent", color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(colors=_INK)
    axes.grid(visible=True, color="#888888", alpha=0.25)
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_INK)
    if curves:
        legend = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, labelcolor=_INK)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a dollar sign in a name is a dollar sign
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    told = f"{what} of {len(curves)} sites by round"
    return (
        svg[svg.index("<svg") :]
        .replace(_INK, "currentColor")
        .replace("<svg", f'<svg role="img" aria-label="{escape(told)}"', 1)
    )
