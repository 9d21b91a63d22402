"""The quick start by clicking: a person plays researcher, steward and auditor in JupyterLab."""

from __future__ import annotations

import re
from typing import Any

from browser_lab import Lab
from notebook_page import NotebookPage, picture
from playwright.sync_api import expect

from fedkit.audit.verify import TITLES


def test_a_person_can_click_through_the_ten_steps(lab: Lab, page: Any) -> None:
    cells = NotebookPage(lab, page, "01-quick-start.ipynb")

    # Before anything has run, the static tables stand where the widgets will be.
    page.get_by_text("Decisions so far").first.wait_for()
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)
    picture(page, "0-not-run")

    # 1 to 4: the form says what is missing, then submits.
    cells.run_through("form = RequestForm")
    form = cells.widget("Code request")
    form.get_by_label("Title").fill("abc")
    form.get_by_text("at least five characters").wait_for()
    expect(form.get_by_role("button", name="Rehearse and submit")).to_be_disabled()
    picture(form, "1-form-incomplete")
    form.get_by_label("Title").fill("A title typed by a person")
    form.get_by_role("button", name="Rehearse and submit").click()
    form.get_by_text("submitted to 5 sites").wait_for()
    picture(form, "2-form-submitted")

    # 5 and 6: one steward denies, one approves, the next cell does the rest.
    cells.run_through("desk = ReviewDesk")
    desk = page.locator(".fk", has=page.get_by_label("Steward of")).first
    desk.get_by_text("A title typed by a person").first.wait_for()
    picture(desk, "3-review")
    sites = desk.get_by_label("Steward of").locator("option").all_text_contents()
    desk.get_by_label("Steward of").select_option(sites[-1])
    desk.get_by_role("heading", name=f"Review at {sites[-1]}").wait_for()
    expect(desk.get_by_role("button", name="Deny")).to_be_disabled()
    desk.get_by_label("Reason").fill("Our ethics board has not answered yet")
    desk.get_by_role("button", name="Deny").click()
    desk.get_by_text("denied", exact=True).first.wait_for()
    desk.get_by_label("Steward of").select_option(sites[0])
    desk.get_by_role("heading", name=f"Review at {sites[0]}").wait_for()
    desk.get_by_text("Source, ").click()
    desk.get_by_label("Executions granted").fill("9")
    desk.get_by_text("from 1 to 4").wait_for()
    desk.get_by_label("Executions granted").fill("4")
    desk.get_by_role("button", name="Approve and sign").click()
    desk.get_by_text("approved", exact=True).first.wait_for()
    picture(desk, "4-decided")
    cells.run_through("decided = desk")

    # 7 and 8: start, stop between rounds, go on.
    cells.run_through("monitor = TrainingMonitor")
    monitor = cells.widget("Training")
    monitor.get_by_role("button", name="Start training").click()
    monitor.get_by_role("button", name="Stop").click()
    monitor.get_by_text("stopped; it can go on").wait_for()
    picture(monitor, "5-stopped")
    monitor.get_by_role("button", name="Resume").click()
    monitor.get_by_text(re.compile("done: round 4 of 4")).wait_for()
    monitor.locator("svg").wait_for()
    expect(monitor.get_by_role("row")).to_have_count(len(sites))  # a head and every site but the one that denied
    picture(monitor, "6-trained")

    # 9 and 10: release and audit.
    cells.run_through("study.verify()")
    audit = cells.widget("Audit")
    audit.get_by_text(f"clean: {len(TITLES)} of {len(TITLES)} checks passed").wait_for()
    audit.get_by_label("Site", exact=True).select_option(sites[-1])
    audit.get_by_label("Act", exact=True).select_option("decision.recorded")
    audit.get_by_text(re.compile("status denied")).wait_for()
    picture(audit, "7-audit")
    cells.run_through('print("hospitals that')
    page.get_by_text("hospitals that took part: 4 of 5").wait_for()
    picture(page, "8-end")
    assert cells.unnamed() == []
    assert cells.failures() == []
