"""Learning curves as pictures, from the history of a run: F1 on each site's development notes, round by round.

What a site counts in a round are the weights as they arrived there, so a curve begins with the untrained model. The weights
after the last round are counted by the final evaluation: give it as `final` to end the curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fedkit.federation.checkpoint import RoundRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Okabe & Ito (2008), told apart by the colour-blind; with a marker each, also in print without colour.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def curve_points(
    history: Sequence[RoundRecord], final: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, list[tuple[int, float]]]:
    """Site → [(complete rounds, F1 on its development notes in 0 … 1), …], micro over labels.

    In a sequential round a site is counted after some of the round's sites have trained; its point stands at the round's start.
    final: site → the numbers of `evaluate`.
    """
    points: dict[str, list[tuple[int, float]]] = {}
    for record in history:
        for site, numbers in record.sites.items():
            points.setdefault(site, []).append((record.round - 1, f1_of(numbers)))
    if final is not None and history:
        for site, numbers in final.items():
            points.setdefault(site, []).append((history[-1].round, f1_of(numbers)))
    return points


def f1_of(numbers: Mapping[str, float], split: str = "dev") -> float:
    """Micro F1 from the counts `dev.tp.LABEL`, `dev.fp.LABEL`, `dev.fn.LABEL`; 0 if nothing was to be found."""
    tp, fp, fn = (sum(v for k, v in numbers.items() if k.startswith(f"{split}.{kind}.")) for kind in ("tp", "fp", "fn"))
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0


def learning_curves(history: Sequence[RoundRecord], final: Mapping[str, Mapping[str, float]] | None = None) -> Figure:
    """A line a site and their mean; sequential rounds are shaded. The figure has no window and no pyplot behind it."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    points = curve_points(history, final)
    for i, (site, line) in enumerate(points.items()):
        axes.plot(
            *zip(*line, strict=True),
            label=site,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            markersize=4,
            linewidth=1.2,
        )
    if points:
        shared = sorted(set.intersection(*({x for x, _ in line} for line in points.values())))
        means = [sum(dict(line)[x] for line in points.values()) / len(points) for x in shared]
        axes.plot(shared, means, label="mean of sites", color="black", linewidth=2.4)
    if in_turn := [record.round for record in history if record.sequential]:
        axes.axvspan(min(in_turn) - 1, max(in_turn), color="0.92", zorder=0, label="from site to site")
    axes.set(xlabel="complete rounds", ylabel="F1 on development notes", ylim=(0, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="0.85", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if points:
        axes.legend(frameon=False, fontsize=8, loc="lower right", ncols=2)
    return figure
