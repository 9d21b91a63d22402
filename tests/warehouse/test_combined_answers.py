"""The global check: what the sites' answers, each within its site's rules, tell when they are added up."""

from __future__ import annotations

from fedkit.warehouse.disclosure import PRESETS, combined
from fedkit.warehouse.question import Group, Measure, Question

SEX = Question("patients", (Measure("persons"),), None, (Group("sex"),))
PRESET = PRESETS["acro"]


def rows(**persons: int) -> list[dict[str, object]]:
    return [{"sex": sex, "persons": count} for sex, count in persons.items()]


def failing(**parts: list[dict[str, object]]) -> dict[str, str]:
    return {verdict.rule: verdict.why for verdict in combined(SEX, parts, PRESET) if not verdict.passed}


def test_rows_that_all_sites_gave_pass() -> None:
    assert failing(no=rows(female=50, male=40), sv=rows(female=30, male=20)) == {}


def test_a_row_that_one_site_alone_kept_back_follows_from_the_total_of_all() -> None:
    found = failing(no=rows(female=50, male=40), sv=rows(female=30), et=rows(female=30, male=20))
    assert set(found) == {"one site left out"}
    assert found["one site left out"].startswith("male (sv): ")


def test_a_row_that_two_sites_kept_back_hides_the_one_behind_the_other() -> None:
    assert failing(no=rows(female=50, male=40), sv=rows(female=30), et=rows(female=30)) == {}


def test_a_row_that_nobody_gave_is_not_looked_at() -> None:
    assert failing(no=rows(female=50), sv=rows(female=30)) == {}


def test_sites_with_looser_rules_may_be_too_few_together() -> None:
    found = failing(no=rows(female=4), sv=rows(female=5))
    assert set(found) == {"threshold of all", "one site's own"}


def test_a_site_that_takes_its_own_part_away_may_be_left_with_few() -> None:
    assert set(failing(no=rows(female=4), sv=rows(female=50))) == {"one site's own"}
    assert failing(no=rows(female=10), sv=rows(female=50)) == {}


def test_a_verdict_names_three_groups_and_counts_the_others() -> None:
    years = Question("notes", (Measure("persons"),), None, (Group("year", edges=tuple(range(2000, 2008))),))
    given = [{"year": str(year), "persons": 20} for year in range(2000, 2007)]
    (found,) = [v for v in combined(years, {"no": given, "sv": []}, PRESET) if not v.passed]
    assert found.why.startswith("2000 (sv); 2001 (sv); 2002 (sv) and 4 more: ")
