"""The way of a request as an auditor follows it: in order, from permit to release; and as a picture no stranger can use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from audit.conftest import Told
from audit.hands import rewritten

from fedkit.audit.evidence import read
from fedkit.audit.page import MOST, page, picture
from fedkit.audit.timeline import STEPS, Moment, lanes, tell
from fedkit.audit.verify import verify


@pytest.fixture(scope="module")
def moments(told: Told) -> tuple[Moment, ...]:
    return tell(read(told.bundle))


def test_every_moment_is_of_a_step(moments: tuple[Moment, ...]) -> None:
    assert {moment.step for moment in moments} <= set(STEPS)
    assert {1, 4, 6, 7, 8, 9} <= {moment.step for moment in moments}


def test_it_tells_the_way_in_order(moments: tuple[Moment, ...]) -> None:
    assert list(moments) == sorted(moments, key=lambda moment: moment.time)
    ledger = [(m.step, m.lane) for m in moments if m.ledger and 0 < m.step < 10]
    assert ledger[:4] == [(1, "authority"), (4, "researcher"), (6, "norway"), (6, "sweden")]
    assert ledger[-1] == (9, "researcher")
    assert sum(m.step == 8 for m in moments) == 4
    assert sum(m.step == 7 for m in moments) == 4 * 2
    assert lanes(moments) == ("authority", "researcher", "norway", "sweden")


def test_it_tells_nothing_of_other_requests(moments: tuple[Moment, ...]) -> None:
    """One was denied in the same world."""
    assert not [moment for moment in moments if "denied" in moment.what]


def test_each_moment_says_where_it_stands(moments: tuple[Moment, ...]) -> None:
    assert all(m.where.startswith("block ") if m.ledger else ", row " in m.where for m in moments)


def test_what_cannot_be_read_is_left_out(bundle: Path) -> None:
    rewritten(bundle, "journals/norway.jsonl", lambda rows: [{**row, "time": 7, "fields": None} for row in rows])
    told = tell(read(bundle))
    assert told
    assert not [moment for moment in told if moment.where.startswith("norway")]


def test_the_picture_has_a_mark_for_each_moment(moments: tuple[Moment, ...]) -> None:
    drawn = picture(moments)
    assert drawn.count("<rect") == sum(moment.ledger for moment in moments)
    assert drawn.count("<circle") == sum(not moment.ledger for moment in moments)
    assert drawn.count("<title>") == len(moments)
    assert 'role="img"' in drawn
    assert "aria-label" in drawn


def test_a_page_shows_foreign_words_as_words(told: Told, moments: tuple[Moment, ...]) -> None:
    """Names, titles and purposes in a bundle come from strangers."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    evidence = read(told.bundle)
    request = replace(evidence.request, title=evil, purpose=evil, permit=replace(evidence.request.permit, id=evil))
    shown = page(
        replace(verify(told.bundle), bundle=evil),
        replace(evidence, request=request),
        [replace(moment, lane=evil, what=evil, where=evil) for moment in moments],
    )
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("&lt;script") > len(moments)


def test_a_page_loads_nothing(told: Told) -> None:
    shown = verify(told.bundle).to_page(read(told.bundle))
    assert "<svg" in shown
    assert not [word for word in ("http", "<script", "src=", "url(", "@import", "<link") if word in shown]


def test_nothing_that_happened_has_an_empty_picture() -> None:
    assert "<svg" in picture(())


def test_a_page_says_what_it_leaves_out(told: Told, moments: tuple[Moment, ...]) -> None:
    many = moments * (MOST // len(moments) + 1)
    shown = page(verify(told.bundle), None, many)
    assert shown.count("<title>") == MOST + 1  # with the page's own
    assert f"{len(many) - MOST} later ones are not shown" in shown
    assert "are not shown" not in page(verify(told.bundle), None, moments)
