"""From a promise to a plan of noise: it holds at every site, and the table in the docs is what the code says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedkit.errors import FedkitError, RequestError
from fedkit.federation.privacy.price import LEAST, price
from fedkit.study.private_plan import costs, with_noise
from fedkit.templates import Data, template

NOTES = {"no": 400, "sv": 900, "empty": 0}


def settings(**training: Any) -> dict[str, Any]:
    made = template("training").settings({"rounds": 5}, Data(("DRUG",), NOTES))
    return {**made, "training": {**made["training"], **training}}


def test_a_promise_holds_at_every_site_and_just_so_at_the_smallest() -> None:
    planned = with_noise(settings(), NOTES, 3.0, 1e-5, "note")
    noise = template("training").noise(planned)
    assert noise is not None
    assert noise.delta == 1e-5
    paid = costs(noise, 5, NOTES)
    assert set(paid) == {"no", "sv"}
    assert 2.9 < paid["no"] <= 3.0
    assert paid["sv"] < paid["no"]
    less = with_noise(settings(), NOTES, 1.0, 1e-5, "note")["training"]["privacy"]
    assert less["sigma"] > noise.sigma


def test_what_is_given_of_a_plan_stays() -> None:
    given = {"notes_per_step": 64, "steps_per_round": 7, "clip": 0.3}
    plan = with_noise(settings(privacy=given), NOTES, 8.0, 1e-6, "note")["training"]["privacy"]
    assert {name: plan[name] for name in given} == given
    assert plan["delta"] == 1e-6


@pytest.mark.parametrize(
    ("delta", "unit", "notes"), [(1e-5, "patient", NOTES), (0.01, "note", NOTES), (1e-5, "note", {"no": 0})]
)
def test_a_promise_that_nobody_could_keep_is_refused(delta: float, unit: str, notes: dict[str, int]) -> None:
    with pytest.raises(RequestError):
        with_noise(settings(), notes, 8.0, delta, unit)
    with pytest.raises(FedkitError):
        with_noise(settings(), NOTES, 0.0, 1e-5, "note")


@pytest.mark.parametrize(
    ("sigma", "q", "steps"), [(0.1, 1.0, 10**8), (0.1, 0.999, 10**8), (0.31, 0.5, 20_000), (1000.0, 1e-9, 1)]
)
def test_anything_that_may_be_declared_has_a_price(sigma: float, q: float, steps: int) -> None:
    assert LEAST <= price(sigma, q, steps, 1e-9) < float("inf")
    assert price(sigma, q, 0, 1e-5) == 0.0


def table() -> str:
    head = "| sigma | 1 % of the notes a step | 5 % | 10 % |\n|---:|---:|---:|---:|\n"
    rows = (
        f"| {s:g} | {' | '.join(f'{price(s, q, 200, 1e-5):.2f}' for q in (0.01, 0.05, 0.1))} |" for s in (0.8, 1.2, 2.0, 4.0)
    )
    return head + "\n".join(rows) + "\n"


def test_the_table_of_costs_is_what_the_code_says(root: Path) -> None:
    assert table() in (root / "docs" / "privacy.md").read_text("utf-8")


if __name__ == "__main__":
    print(table())
