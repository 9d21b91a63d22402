"""The presets against what DataSHIELD, OpenSAFELY and ACRO publish: their defaults, and cases of their own documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import OutputRefused
from fedkit.warehouse.disclosure import PRESETS, STRICTEST, protect
from fedkit.warehouse.disclosure.on_cells import Dominance
from fedkit.warehouse.question import Group, Measure, Question

#: As their sources have them: DataSHIELD's list of disclosure checks, OpenSAFELY's guidance, ACRO's default.yaml.
PUBLISHED: dict[str, dict[str, float]] = {
    "datashield": {"tab": 3, "glm": 0.33, "levels_max": 40},
    "opensafely": {"suppress_at_most": 7, "then_round_to": 5},
    "acro": {"threshold": 10, "degrees_of_freedom": 10, "top2_share_below": 0.9, "p_ratio": 0.1},
}

SEX = Group("sex", values=("female", "male"))
PERSONS = Question("patients", (Measure("persons"),), None, (SEX,))


def leaving(preset: str, *counts: int) -> list[int]:
    rows = [{"sex": sex, "persons": count} for sex, count in zip(SEX.values, counts, strict=True)]
    return [row["persons"] for row in protect(PERSONS, rows, PRESETS[preset]).rows]


def test_the_presets_are_what_their_sources_publish() -> None:
    datashield, opensafely, acro = (PRESETS[name] for name in ("datashield", "opensafely", "acro"))
    published = PUBLISHED["datashield"]
    assert (datashield.threshold, datashield.parameters, datashield.groups) == tuple(published.values())
    assert (opensafely.threshold - 1, opensafely.rounding) == tuple(PUBLISHED["opensafely"].values())
    assert (acro.threshold, acro.degrees_of_freedom, acro.top_two, acro.p_ratio) == tuple(PUBLISHED["acro"].values())


def test_the_goldens_say_the_same(root: Path) -> None:
    """Numbers that were gathered once from what others publish, where they lie beside the repository."""
    file = root.parent / "shared" / "goldens" / "federated_statistics.json"
    if not file.exists():
        pytest.skip("no ../shared/goldens beside the repository")
    gathered = json.loads(file.read_text("utf-8"))["disclosure_defaults"]
    for source in ("DataSHIELD", "OpenSAFELY", "ACRO"):
        ours = PUBLISHED[source.lower()]
        assert ours == {name: gathered[source][name] for name in ours}


def test_the_strictest_is_no_weaker_than_any() -> None:
    for preset in PRESETS.values():
        assert STRICTEST.threshold >= preset.threshold
        assert STRICTEST.rounding >= preset.rounding
        assert preset.top_two is None or (STRICTEST.top_two or 1) <= preset.top_two
        assert not preset.groups or 0 < STRICTEST.groups <= preset.groups


# -- DataSHIELD: "the minimum non-zero cell count allowed in any cell", default 3; zero is allowed
@pytest.mark.parametrize(("counts", "leaves"), [((3, 3), [3, 3]), ((2, 2), []), ((2, 30), []), ((0, 30), [30])])
def test_datashield_tables(counts: tuple[int, ...], leaves: list[int]) -> None:
    assert leaving("datashield", *counts) == leaves


def test_datashield_models() -> None:
    """ "If a study has 1000 units and nfilter.glm is set to 0.33, the maximum allowable number of parameters will be 330.\""""
    limits = PRESETS["datashield"].limits()
    limits.model(1000, 330)
    with pytest.raises(OutputRefused, match="too many parameters"):
        limits.model(1000, 331)


# -- OpenSAFELY: counts of 7 or fewer are redacted, then all are rounded to 5
@pytest.mark.parametrize(("count", "leaves"), [(7, []), (8, [10, 10]), (12, [10, 10]), (13, [15, 15]), (22, [20, 20])])
def test_opensafely_counts(count: int, leaves: list[int]) -> None:
    assert leaving("opensafely", count, count) == leaves


def test_opensafely_totals_do_not_give_a_redacted_count_away() -> None:
    """ "Row and column totals should be recalculated, so that redacted values can not be inferred from the totals.\""""
    assert leaving("opensafely", 5, 100) == []


# -- ACRO: threshold 10, the (2, 90 %) rule and the p-ratio, worked out over single values as ACRO does
def row_of(values: list[float]) -> dict[str, Any]:
    """What an engine keeps of a sum: its total, and the two largest shares."""
    largest = [*sorted(values, reverse=True), 0.0, 0.0]
    return {"sum_notes": sum(values), "first_notes": largest[0], "second_notes": largest[1]}


def nk_fails(values: list[float]) -> bool:
    return sum(sorted(values)[-2:]) >= 0.9 * sum(values)


def p_ratio_fails(values: list[float]) -> bool:
    ordered = sorted(values, reverse=True)
    return (sum(values) - ordered[0] - ordered[1]) / ordered[0] < 0.1


@pytest.mark.parametrize(
    ("values", "fails"),
    [([100.0, 1.0, 1.0, 1.0], True), ([10.0] * 5, False)],  # the cases of ACRO's own tests of its p % rule
)
def test_acro_dominance_as_in_its_own_tests(values: list[float], fails: bool) -> None:
    assert p_ratio_fails(values) is fails
    assert Dominance.dominated(row_of(values), "notes", PRESETS["acro"]) is fails


@given(st.lists(st.integers(1, 1_000).map(float), min_size=2, max_size=30))
def test_acro_dominance_is_that_of_single_values(values: list[float]) -> None:
    assert Dominance.dominated(row_of(values), "notes", PRESETS["acro"]) is (nk_fails(values) or p_ratio_fails(values))


@pytest.mark.parametrize(("counts", "leaves"), [((10, 10), [10, 10]), ((9, 9), []), ((9, 90), []), ((0, 90), [])])
def test_acro_tables(counts: tuple[int, ...], leaves: list[int]) -> None:
    """Below 10 a cell fails; and zeros disclose: who is in the line is in the other cell."""
    assert leaving("acro", *counts) == leaves


def test_acro_models() -> None:
    limits = PRESETS["acro"].limits()
    limits.model(15, 5)
    with pytest.raises(OutputRefused, match="degrees of freedom"):
        limits.model(14, 5)
