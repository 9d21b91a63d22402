"""Noise: the sampler is the discrete Gaussian, the cost is the declared one, and nothing leaves without it."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import OutputRefused, RequestError
from fedkit.governance.differences import changes
from fedkit.governance.noise import STEPS, complete, epsilon, gaussian, laplace, noisy, variance
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.table_contract import Category, Count, Number, TableContract

TABLE = TableContract({"label": Category(("DRUG", "ADE")), "persons": Count()}, max_rows=2)
CONTRACT = OutputContract(numbers={"mean": (0.0, 10.0)}, tables={"labels": TABLE})
PRIVACY = Privacy(0.5, {"mean": 0.1, "labels.persons": 1.0})


def exact(count: int, sample: Any) -> dict[int, float]:
    below = random.Random(7).randrange
    found: dict[int, float] = {}
    for _ in range(count):
        x = sample(below)
        found[x] = found.get(x, 0) + 1 / count
    return found


def test_the_sampler_draws_the_discrete_gaussian() -> None:
    sigma2 = Fraction(7, 2)
    found = exact(20_000, lambda below: gaussian(sigma2, below))
    total = sum(math.exp(-(x**2) / 7) for x in range(-60, 61))
    for x in range(-5, 6):
        assert found.get(x, 0) == pytest.approx(math.exp(-(x**2) / 7) / total, abs=0.012)


def test_the_sampler_draws_the_discrete_laplace() -> None:
    found = exact(20_000, lambda below: laplace(2, below))
    total = sum(math.exp(-abs(x) / 2) for x in range(-80, 81))
    for x in range(-5, 6):
        assert found.get(x, 0) == pytest.approx(math.exp(-abs(x) / 2) / total, abs=0.012)


@pytest.mark.parametrize(("sensitivity", "rho"), [(1, 0.5), (3, 0.05), (STEPS + 1, 0.01)])
def test_the_noise_is_as_large_as_its_price_says(sensitivity: int, rho: float) -> None:
    """rho = sensitivity² / (2 sigma²): Bun and Steinke 2016, proposition 1.6."""
    sigma2 = variance(Fraction(sensitivity), Fraction(rho))
    assert float(Fraction(sensitivity) ** 2 / (2 * sigma2)) == pytest.approx(rho)
    below = random.Random(3).randrange
    drawn = [gaussian(sigma2, below) for _ in range(3_000)]
    assert sum(x * x for x in drawn) / len(drawn) == pytest.approx(float(sigma2), rel=0.12)
    assert abs(sum(drawn) / len(drawn)) < 4 * math.sqrt(float(sigma2) / len(drawn))


def test_the_price_is_shared_by_all_that_leaves() -> None:
    """Two values at rho .5: each has noise as for .25, which is sigma² 2 for a count that one person changes by 1."""
    below = random.Random(5).randrange
    rows = [{"label": "DRUG", "persons": 1000}, {"label": "ADE", "persons": 1000}]
    drawn = [noisy(CONTRACT, PRIVACY, {"mean": 5.0}, {"labels": rows}, below=below) for _ in range(1_500)]
    counts = [row["persons"] - 1000 for _, tables in drawn for row in tables["labels"]]
    assert sum(x * x for x in counts) / len(counts) == pytest.approx(2.0, rel=0.12)
    means = [numbers["mean"] - 5.0 for numbers, _ in drawn]
    assert sum(x * x for x in means) / len(means) == pytest.approx(2.0 * 0.1**2, rel=0.15)


def test_numbers_leave_on_a_grid_that_does_not_depend_on_them() -> None:
    step = 0.1 / STEPS
    for value in (0.1234567, 5 + 1e-13, 9.999):
        numbers, _ = noisy(CONTRACT, PRIVACY, {"mean": value}, {})
        assert numbers["mean"] in (0.0, 10.0) or numbers["mean"] == round(numbers["mean"] / step) * step


def test_a_table_has_a_row_for_every_combination_before_the_noise() -> None:
    assert complete(TABLE, [{"label": "ADE", "persons": 3}]) == [
        {"label": "DRUG", "persons": 0},
        {"label": "ADE", "persons": 3},
    ]
    _, tables = noisy(CONTRACT, PRIVACY, {"mean": 5.0}, {})
    assert [row["label"] for row in tables["labels"]] == ["DRUG", "ADE"]


@given(st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(0, 10**6), min_size=2, max_size=2))
def test_whatever_is_in_it_what_leaves_is_within_the_contract(mean: float, counts: list[int]) -> None:
    rows = [{"label": label, "persons": n} for label, n in zip(("DRUG", "ADE"), counts, strict=True)]
    numbers, tables = noisy(CONTRACT, PRIVACY, {"mean": mean}, {"labels": rows})
    CONTRACT.check({}, numbers, tables)


@pytest.mark.parametrize(
    ("numbers", "tables"),
    [
        ({}, {}),
        ({"mean": 1.0, "Kari": 2.0}, {}),
        ({"mean": 1.0}, {"Kari": []}),
        ({"mean": 1.0}, {"labels": [{"label": "Kari", "persons": 1}]}),
    ],
)
def test_what_was_not_declared_stays(numbers: Any, tables: Any) -> None:
    with pytest.raises(OutputRefused) as refused:
        noisy(CONTRACT, PRIVACY, numbers, tables)
    assert "Kari" not in refused.value.diagnostics()


def test_rho_is_told_as_epsilon() -> None:
    assert epsilon(0) == 0
    assert epsilon(0.5, 1e-6) == pytest.approx(0.5 + 2 * math.sqrt(0.5 * math.log(1e6)))


# -- what may be declared
@pytest.mark.parametrize(
    ("contract", "privacy"),
    [
        (OutputContract({"w": (2,)}), lambda: Privacy(0.1)),
        (OutputContract(numbers={"a": (0, 1), "b": (0, 1)}), lambda: Privacy(0.1, {"a": 1.0})),
        (OutputContract(numbers={"a": (0, 1)}), lambda: Privacy(0.1, {"a": 1.0, "b": 1.0})),
        (OutputContract(numbers={"a": (0, 1)}), lambda: Privacy(0.0, {"a": 1.0})),
        (OutputContract(numbers={"a": (0, 1)}), lambda: Privacy(0.1, {"a": 0.0})),
        (OutputContract(numbers={"a": (0, 1)}), lambda: Privacy(math.inf, {"a": 1.0})),
        (OutputContract(numbers={"a": (0, 1.1e9)}), lambda: Privacy(0.1, {"a": 1.0})),
        (OutputContract(numbers={"a": (-1e300, 0)}), lambda: Privacy(0.1, {"a": 1e-300})),
        (OutputContract(tables={"t": TABLE}), lambda: Privacy(0.1, {"t": 1.0})),
        (
            OutputContract(tables={"t": TableContract({"n": Count(), "mean": Number(0, 1, "n")})}),
            lambda: Privacy(0.1, {"t.n": 1.0}),
        ),
        (
            OutputContract(tables={"t": TableContract({"a": Category(("x", "y")), "n": Count()}, max_rows=1)}),
            lambda: Privacy(0.1, {"t.n": 1.0}),
        ),
    ],
)
def test_an_entry_with_a_cost_lets_nothing_out_without_noise(contract: OutputContract, privacy: Any) -> None:
    with pytest.raises(RequestError):
        Entry("count", 1, contract, privacy())


def test_a_cost_is_part_of_what_is_signed_and_an_entry_without_one_is_as_before() -> None:
    entry = Entry("count", 1, CONTRACT, PRIVACY)
    assert Entry.from_json(entry.to_json()) == entry
    assert set(Entry("count", 1, CONTRACT).to_json()) == {"name", "executions", "contract"}


def test_another_price_is_a_change_that_a_steward_sees() -> None:
    def request(privacy: Privacy | None) -> CodeRequest:
        return CodeRequest(
            title="Count",
            purpose="to test",
            researcher="0x" + "a" * 40,
            permit=DataPermit("permit-1", "to test", ("notes",), "2099-01-01"),
            dataset="notes",
            source="def count(notes, weights, settings):\n    return {}\n",
            environment="e" * 64,
            entries=(Entry("count", 1, CONTRACT, privacy),),
            kind="analysis",
        )

    (change,) = changes(request(PRIVACY), request(Privacy(0.6, PRIVACY.sensitivity)))
    assert "count.privacy.rho" in change.sentence
    assert "0.5" in change.sentence
    assert {c.kind for c in changes(request(None), request(PRIVACY))} == {"contract"}
    assert changes(request(PRIVACY), request(PRIVACY)) == []
