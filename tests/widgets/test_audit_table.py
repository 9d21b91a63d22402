from __future__ import annotations

import copy
from typing import Any

import pytest
from widget_samples import CANARY, EVIL, everything_sent, journal, live_html, table_rows

from fedkit.audit.report import Check, Finding, Report
from fedkit.errors import FedkitError
from fedkit.widgets import AuditTable
from fedkit.widgets.audit_table import ANCHORED, BROKEN, MOST_ROWS, WAITING, acts_of

Journals = dict[str, list[dict[str, Any]]]


def report(*checks: Check) -> Report:
    return Report("evidence", "a" * 64, "7:0x" + "b" * 64, checks)


CLEAN = report(Check(1, "Journals", note="2 journals"), Check(2, "Signatures"))
FORGED = report(Check(1, "Journals", (Finding("oslo, row 2", EVIL, "the site"),)), Check(2, "Signatures"))


def test_acts_say_who_what_when_and_the_state_of_the_proof(journals: Journals) -> None:
    acts = acts_of("oslo", journals["oslo"], anchored=3)
    assert [a.proof for a in acts] == [ANCHORED, ANCHORED, ANCHORED, WAITING, WAITING]
    assert (acts[1].who, acts[1].what, acts[1].when, acts[1].about) == (
        "anna",
        "access.granted",
        "2026-11-24 08:00:02",
        "level researcher",
    )
    assert acts[2].about == f"request {'a' * 12}, code {'b' * 12}, environment {'c' * 12}"


def test_an_edited_row_is_broken(journals: Journals) -> None:
    rows = copy.deepcopy(journals["oslo"])
    rows[1]["fields"]["level"] = "admin"
    assert [a.proof for a in acts_of("oslo", rows)].count(BROKEN) == 1
    assert acts_of("oslo", rows)[1].proof == BROKEN


@pytest.mark.parametrize(
    "forged",
    [
        {"act": CANARY},
        {"actor": f"{CANARY} with spaces"},
        {"fields": {"level": CANARY}},
        {"fields": {"note": CANARY}},
        {"time": CANARY * 3},
        {"seq": CANARY},
        {"fields": None},
    ],
)
def test_what_a_forger_wrote_into_a_row_reaches_no_page(journals: Journals, forged: dict[str, Any]) -> None:
    rows = copy.deepcopy(journals["oslo"])
    rows[1].update(forged)
    table = AuditTable({"oslo": rows, "tartu": journals["tartu"]}, CLEAN)
    assert CANARY not in everything_sent(table)
    assert BROKEN in live_html(table)


def test_a_row_that_is_no_row_is_broken_and_the_rest_is_shown(journals: Journals) -> None:
    acts = acts_of("oslo", [*journals["oslo"], {"note": CANARY}])
    assert acts[-1].proof == BROKEN
    assert acts[-1].what == "not a row of a journal"
    assert len(acts) == 6


def test_the_dropdowns_narrow_the_table(journals: Journals) -> None:
    table = AuditTable(journals, CLEAN)
    assert len(table.shown) == 10
    table._sites.value = "oslo"
    assert {a.site for a in table.shown} == {"oslo"}
    assert "acts shown: 5" in live_html(table)
    assert [a.site for a in table.choose(act="access.granted")] == ["oslo", "tartu"]
    assert len(table.choose(site="tartu", act="batch.closed")) == 1
    with pytest.raises(FedkitError, match="nothing of that name"):
        table.choose(site="bergen")
    assert all(d.description for d in (table._sites, table._acts)), "names for screen readers"


def test_the_checks_stand_there_with_their_numbers(journals: Journals) -> None:
    page = live_html(AuditTable(journals, CLEAN))
    assert ["1", "Journals", "passed", "2 journals"] in table_rows(page)
    assert "clean: 2 of 2 checks passed" in page
    forged = live_html(AuditTable(journals, FORGED))
    assert "FAILED" in forged
    assert "could be: the site" in forged
    assert "oslo, row 2" in forged
    assert "fk-bad" in forged
    assert "<img" not in forged


def test_nothing_to_show_is_said() -> None:
    table = AuditTable({})
    page = live_html(table)
    assert "Not verified yet" in page
    assert "no act fits the choice" in page
    assert "no journal" in table.static_html()
    assert table.static_text() == "Audit: not verified yet"


def test_loading_again_keeps_the_choice_where_it_can(journals: Journals) -> None:
    table = AuditTable(journals)
    table.choose(site="oslo", act="access.granted")
    table.load({"oslo": journals["oslo"][:1]}, CLEAN)
    assert table._sites.value == "oslo"
    assert table._acts.value == "all"
    assert table.report is CLEAN


def test_a_long_journal_shows_its_first_rows_and_says_so() -> None:
    rows = journal("oslo", [("site", "journal.read", {"start": n}) for n in range(MOST_ROWS + 5)])
    for row in rows:
        row["time"] = "2026-11-24T08:00:00.000Z"
    page = live_html(AuditTable({"oslo": rows}))
    assert page.count("journal.read") <= MOST_ROWS + 1
    assert f"acts shown: {MOST_ROWS + 5}, of which the first {MOST_ROWS} stand here" in page


def test_the_fallback_holds_no_times_and_no_digests(journals: Journals) -> None:
    table = AuditTable(journals, CLEAN)
    assert "08:00" not in table.static_html() + table.static_text()
    assert "a" * 12 not in table.static_html() + table.static_text()
    assert table.static_text().splitlines() == [
        "Audit: clean: 2 of 2 checks passed",
        "  1. Journals: passed",
        "  2. Signatures: passed",
    ]
