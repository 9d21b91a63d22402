"""Plan, answer and bars: what is said, what was kept back, and that nothing in it becomes markup."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warehouse_samples import BY_SITE, BY_YEAR, answer_of, not_there, plan_of, refused, years
from widget_samples import EVIL, everything_sent, live_html, table_rows

from fedkit.warehouse.builder import count
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import Protection
from fedkit.widgets.warehouse_answer import AnswerView, answer_html, bars_of
from fedkit.widgets.warehouse_bars import MOST_BARS, Bar, bars_svg
from fedkit.widgets.warehouse_plan import askable, plan_html, plan_text


def svg_of(html: str) -> ET.Element:
    return ET.fromstring(re.search(r"<svg.*</svg>", html, re.DOTALL)[0])


def texts(svg: ET.Element) -> list[str]:
    return [e.text or "" for e in svg.iter() if e.tag.endswith("text")]


def boxes(svg: ET.Element) -> list[dict[str, str]]:
    return [dict(e.attrib) for e in svg.iter() if e.tag.endswith("rect")]


# -- bars


def test_lengths_are_in_proportion_and_each_bar_says_its_figure() -> None:
    svg = svg_of(bars_svg([Bar("a", 30, "30"), Bar("b", 60, "60")], what="Persons"))
    first, second = (float(box["width"]) for box in boxes(svg))
    assert second == pytest.approx(2 * first, abs=0.2)
    assert texts(svg) == ["a", "30", "b", "60"]


def test_what_was_kept_back_is_drawn_dashed_and_its_length_says_nothing() -> None:
    svg = svg_of(bars_svg([Bar("a", 30, "30"), Bar("b", None, "hidden"), Bar("c", 12, "12+", partly=True)], what="Persons"))
    _, kept, drawn, more = boxes(svg)
    assert "stroke-dasharray" in kept
    assert "stroke-dasharray" not in drawn
    assert "stroke-dasharray" in more, "there is more behind a figure in which a site is missing"
    assert "1 of them kept back" in svg.attrib["aria-label"]
    same = svg_of(bars_svg([Bar("a", 3_000, "3 000"), Bar("b", None, "hidden")], what="Persons"))
    assert boxes(same)[1]["width"] == kept["width"]


def test_no_more_bars_than_can_be_read_and_the_rest_is_counted() -> None:
    html = bars_svg([Bar(str(n), n, str(n)) for n in range(MOST_BARS + 5)], what="Persons")
    assert len(boxes(svg_of(html))) == MOST_BARS
    assert "5 more rows" in html


numbers = st.one_of(st.none(), st.floats(-1e9, 1e9), st.integers(-1000, 1000), st.just(0))


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=60), numbers, st.booleans(), st.floats(0, 1e6)), max_size=12))
def test_any_bars_are_well_formed_and_stay_in_the_picture(rows: list[tuple[str, float | None, bool, float]]) -> None:
    bars = [
        Bar("".join(c for c in label if c.isprintable()), value, "x", partly=partly and value is not None, margin=margin)
        for label, value, partly, margin in rows
    ]
    svg = svg_of(bars_svg(bars, what="Persons"))
    width = float(svg.attrib["width"])
    for box in boxes(svg):
        assert float(box["width"]) >= 0
        assert 0 <= float(box["x"]) <= float(box["x"]) + float(box["width"]) <= width + 0.2


def test_a_label_is_text_and_no_markup() -> None:
    html = bars_svg([Bar(EVIL, 1, EVIL)], what=EVIL)
    assert "<img" not in html
    assert texts(svg_of(html))[0].startswith("<img")


# -- plan


def test_a_plan_says_who_would_answer_what_it_costs_and_what_is_left() -> None:
    plans = {
        "no": plan_of("no", cost_rho=0.125, left_rho=0.5),
        "sv": plan_of("sv", cost_rho=0.125, left_rho=0.5, remembered=True),
        "da": plan_of("da", cost_rho=0.125, left_rho=0.1),
        "fi": refused("fi"),
        "et": not_there("et"),
    }
    rows = {row[0]: row[1:] for row in table_rows(plan_html(plans)) if row[0] in plans}
    assert rows["no"] == ["answers", "3", "0.125", "0.5", "0.375"]
    assert rows["sv"] == ["answers from memory, at no cost", "3", "0", "0.5", "0.5"]
    assert rows["da"] == ["refuses: the budget does not cover it", "3", "0.125", "0.1", "0.1"]
    assert rows["fi"][0] == "refuses: GroupLimit"
    assert rows["et"][0] == "no answer: et did not answer"
    assert askable(plans) == ["no", "sv"]
    assert len(plan_text(plans)) == len(plans)


def test_a_rule_that_says_no_stands_once_with_its_sites_and_what_to_do() -> None:
    html = plan_html({site: refused(site) for site in ("no", "sv")})
    assert ["GroupLimit", "no, sv", "too many groups. Name fewer."] in table_rows(html)
    assert "Why not" in html
    assert "Why not" not in plan_html({"no": plan_of("no")})


def test_rules_that_pass_and_the_sql_can_be_opened() -> None:
    html = plan_html({site: plan_of(site, sql=f"SELECT 1 -- {EVIL}") for site in ("no", "sv")})
    assert "Rules that had nothing against it, 2" in html
    assert html.count("SELECT 1") == 1, "the same text stands once"
    assert "at no, sv" in html
    assert "<img" not in html
    assert "SELECT" not in plan_html({"no": plan_of("no")}, details=False)


def test_nothing_of_a_site_becomes_markup_in_a_plan() -> None:
    bad = plan_of("no", verdicts=(Verdict(EVIL, False, EVIL), Verdict(EVIL, True, EVIL)))
    assert "<img" not in plan_html({"no": bad, EVIL: not_there(EVIL)})


def test_before_anything_was_planned_there_is_nothing() -> None:
    assert plan_html({}) == ""
    assert askable({}) == []


# -- answer


def test_a_row_that_every_site_kept_back_is_shown_as_kept_back_and_not_as_nothing() -> None:
    answer = answer_of(BY_YEAR, {"no": years(y2022=30, y2023=40), "sv": years(y2022=25)})
    rows = table_rows(answer_html(answer))
    assert ["year", "mentions", "kept back at"] in rows
    assert ["2022", "110", ""] in rows
    assert ["2023", "80+", "sv"] in rows
    assert ["2024", "hidden", "no, sv"] in rows
    assert [bar.value for bar in bars_of(answer)] == [110, 80, None]
    assert [bar.partly for bar in bars_of(answer)] == [False, True, False]


def test_told_apart_by_site_each_site_has_its_colour_and_its_rows() -> None:
    answer = answer_of(BY_SITE, {"no": years(y2022=30, y2023=40), "sv": years(y2022=25)})
    bars = bars_of(answer)
    assert [bar.label for bar in bars] == ["2022 · no", "2022 · sv", "2023 · no", "2023 · sv"]
    assert [bar.series for bar in bars] == [0, 1, 0, 1]
    assert bars[3].value is None
    assert "kept back at" not in answer_html(answer), "the row itself names the site"


def test_a_site_that_gave_nothing_is_named_with_the_reason() -> None:
    answer = answer_of(BY_YEAR, {"no": years(y2022=30)}, {"et": f"et is not running {EVIL}"})
    html = answer_html(answer)
    assert "et gave nothing: et is not running" in html
    assert "<img" not in html


def test_an_answer_in_which_everything_was_kept_back_says_what_to_do() -> None:
    html = answer_html(answer_of(BY_YEAR, {"no": [], "sv": []}))
    assert "Every row was kept back" in html
    assert "no row left this site" in html


def test_one_figure_has_no_bars() -> None:
    question = count("patients").question()
    answer = answer_of(question, {"no": [{"persons": 120}], "sv": [{"persons": 80}]})
    html = answer_html(answer)
    assert ["200"] in table_rows(html)
    assert "<svg" not in html


def test_of_a_pooled_answer_no_sites_own_part_is_shown() -> None:
    question = replace(count("patients").by("sex").question(), protection=Protection("pooled", 0.1))
    answer = answer_of(question, {}, total=(120, 95, 3, 40), summed=("no", "sv"))
    html = answer_html(answer)
    assert ["female", "120", ""] in table_rows(html)
    assert ["other", "hidden", "no, sv"] in table_rows(html)
    assert "What left each site" not in html
    assert "noise added once" in html


def test_noise_is_drawn_as_a_whisker_that_grows_with_the_sites_that_added_it() -> None:
    question = count("patients").by("sex", sex=("female", "male")).noise(rho=0.1).question()
    woman, man = {"sex": "female", "persons": 60}, {"sex": "male", "persons": 50}
    answer = answer_of(question, {site: [woman, man] for site in "abcd"} | {"e": [man]})
    women, men = bars_of(answer)
    assert women.partly
    assert men.margin > 0
    assert (men.margin / women.margin) ** 2 == pytest.approx(5 / 4), "variances of four sites and of five"
    pool = replace(question, protection=Protection("pooled", 0.1))
    (one, _) = bars_of(answer_of(pool, {}, total=(120, 95), summed=("a", "b", "c", "d", "e")))
    assert one.margin == pytest.approx(men.margin / 5**0.5), "noise once for all"
    exact = replace(question, protection=Protection())
    assert {bar.margin for bar in bars_of(answer_of(exact, {"a": [woman, man]}))} == {0.0}


def test_the_view_keeps_its_table_and_bars_where_there_is_no_kernel() -> None:
    answer = answer_of(BY_YEAR, {"no": years(y2022=30, y2023=40)})
    view = AnswerView(answer)
    assert table_rows(view.static_html())[:4] == table_rows(live_html(view))[:4]
    assert "<svg" in view.static_html()
    assert "What left each site" in live_html(view)
    assert repr(view).startswith("AnswerView: Question 1 at 1 site")
    assert "0x" not in everything_sent(view).replace("0x-", "")
