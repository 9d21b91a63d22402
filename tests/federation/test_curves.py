"""Learning curves: the numbers behind the picture, and a picture that can be read."""

from __future__ import annotations

import io

import pytest
from federation import toy

from fedkit.federation.curves import curve_points, f1_of, learning_curves
from fedkit.federation.rounds import RoundPlan, run_rounds


@pytest.fixture
def history(tmp_path):
    return run_rounds(RoundPlan(4), toy.START, toy.SITES, toy.train, toy.strategy(), folder=tmp_path).history


def test_f1_is_micro_over_the_labels_of_one_split():
    numbers = {"dev.tp.A": 3, "dev.fp.A": 1, "dev.fn.A": 0, "dev.tp.B": 1, "dev.fp.B": 0, "dev.fn.B": 3, "test.tp.A": 100}
    assert f1_of(numbers) == pytest.approx(8 / 12)
    assert f1_of({}) == 0.0


def test_a_point_is_the_model_after_so_many_complete_rounds(history):
    final = {site: {"dev.tp.X": 1, "dev.fp.X": 0, "dev.fn.X": 0} for site in toy.SITES}
    points = curve_points(history, final)
    assert list(points) == list(toy.SITES)
    assert [x for x, _ in points["no"]] == [0, 1, 2, 3, 4]
    assert points["no"][1][1] == pytest.approx(4 / 7)
    assert points["no"][-1][1] == 1.0


def test_the_figure_has_a_line_a_site_and_their_mean_and_shades_sequential_rounds(history):
    figure = learning_curves(history)
    (axes,) = figure.axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [*toy.SITES, "mean of sites", "from site to site"]
    assert len({line.get_color() for line in axes.get_lines()}) == len(toy.SITES) + 1
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    assert picture.getvalue().startswith(b"\x89PNG")


def test_sites_can_be_told_apart_without_colour(history):
    lines = learning_curves(history).axes[0].get_lines()[: len(toy.SITES)]
    assert len({line.get_marker() for line in lines}) == len(toy.SITES)


def test_no_history_is_an_empty_picture():
    assert len(learning_curves([]).axes[0].get_lines()) == 0
