"""The output contract: exactly what was declared leaves, and what was signed before keeps its digest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.digests import digest
from fedkit.errors import OutputRefused, RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.table_contract import Category, Count, TableContract

TABLE = TableContract({"label": Category(("DRUG", "ADE")), "persons": Count()})
CONTRACT = OutputContract({"w": (2, 2), "b": (2,)}, {"loss": (0, 10)}, max_norm=5, norms={"b": 1.0}, tables={"labels": TABLE})
ROWS = [{"label": "DRUG", "persons": 40}, {"label": "ADE", "persons": 22}]


def tensors(w: float = 1.0, b: float = 0.5) -> dict[str, np.ndarray]:
    return {"w": np.full((2, 2), w, np.float32), "b": np.full(2, b, np.float32)}


def test_what_was_declared_passes() -> None:
    CONTRACT.check(tensors(), {"loss": 1}, {"labels": ROWS})


def test_a_tensors_own_norm_holds_to_the_last() -> None:
    at = 1 / math.sqrt(2)
    CONTRACT.check(tensors(b=0.7071), {"loss": 1})
    with pytest.raises(OutputRefused, match="norm of tensor b"):
        CONTRACT.check(tensors(b=at * 1.001), {"loss": 1})


def test_the_norm_of_all_together_holds() -> None:
    with pytest.raises(OutputRefused, match="the tensors' norm"):
        CONTRACT.check(tensors(w=2.49), {"loss": 1})


@pytest.mark.parametrize(
    "tables", [{"labels": [{"label": "Kari Nordmann", "persons": 20}]}, {"Kari Nordmann": ROWS}, {"labels": "Kari Nordmann"}]
)
def test_text_that_was_not_declared_stays_and_is_not_repeated(tables: Any) -> None:
    for let_out in (lambda: CONTRACT.check(tensors(), {"loss": 1}, tables), lambda: CONTRACT.protect(tables)):
        with pytest.raises(OutputRefused) as refused:
            let_out()
        assert "Nordmann" not in refused.value.diagnostics()


def test_a_table_that_was_left_out_leaves_empty() -> None:
    assert CONTRACT.protect({}) == {"labels": []}


def test_the_site_protects_each_table_and_its_threshold_beats_a_lower_one() -> None:
    assert CONTRACT.protect({"labels": ROWS}) == {"labels": [{"label": "DRUG", "persons": 40}, {"label": "ADE", "persons": 20}]}
    assert CONTRACT.at_least(30).protect({"labels": ROWS}) == {"labels": []}
    assert CONTRACT.at_least(2, 40).protect({"labels": ROWS}) == {
        "labels": [{"label": n, "persons": 40} for n in ("DRUG", "ADE")]
    }


def test_no_count_leaves_as_zero() -> None:
    assert CONTRACT.at_least(2, 100).protect({"labels": ROWS}) == {"labels": []}


def test_a_norm_of_no_tensor_is_no_contract() -> None:
    for norms in ({"v": 1.0}, {"w": -1.0}, {"w": math.nan}):
        with pytest.raises(RequestError):
            OutputContract({"w": (2,)}, norms=norms)


def test_what_was_signed_before_keeps_its_digest() -> None:
    old = {"tensors": {"w": [2]}, "numbers": {"loss": [0.0, 10.0]}, "max_norm": None}
    assert OutputContract.from_json(old).to_json() == old


def test_a_contract_reads_back_as_it_was_written() -> None:
    again = OutputContract.from_json(CONTRACT.to_json())
    assert again == CONTRACT
    assert digest(again.to_json()) == digest(CONTRACT.to_json())


anything = st.one_of(
    st.none(), st.text(max_size=5), st.floats(), st.integers(), st.binary(max_size=3), st.lists(st.integers(), max_size=2)
)
names = st.sampled_from(["w", "b", "loss", "labels", "Kari"])


@given(
    st.dictionaries(names, st.one_of(anything, st.just(np.ones((2, 2), np.float32)), st.just(np.zeros(2, np.float32)))),
    st.dictionaries(names, anything),
    st.dictionaries(names, st.one_of(anything, st.just(ROWS))),
)
def test_whatever_comes_back_passes_only_if_it_is_of_the_contract(
    tensors: dict[str, Any], numbers: dict[str, Any], tables: dict[str, Any]
) -> None:
    try:
        CONTRACT.check(tensors, numbers, tables)
    except OutputRefused:
        return
    assert set(tensors) == set(CONTRACT.tensors)
    assert set(numbers) == {"loss"}
    assert 0 <= numbers["loss"] <= 10
    assert tables in ({}, {"labels": ROWS}, {"labels": []})
