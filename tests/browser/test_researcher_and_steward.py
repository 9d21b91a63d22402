"""The notebooks of the researcher and of the steward by clicking and by keyboard, in light and dark, narrow and wide."""

from __future__ import annotations

import re
from typing import Any

from browser_lab import Lab
from notebook_page import NotebookPage, both_themes, picture
from playwright.sync_api import expect


def test_a_researcher_fills_in_rehearses_and_submits(lab: Lab, page: Any) -> None:
    cells = NotebookPage(lab, page, "04-researcher.ipynb")
    cells.run_through("PURPOSE = ")
    form = cells.widget("Code request")
    form.get_by_role("heading", name="This is what the sites are asked").wait_for()

    # Each field says at once what is wrong, and nothing can be sent while one is.
    digest = form.get_by_role("row", name=re.compile("Digest, its name everywhere")).get_by_role("cell").text_content()
    form.get_by_label("Threshold").fill("1")
    form.get_by_text("a whole number from 2 to 1000").wait_for()
    expect(form.get_by_role("button", name="Rehearse", exact=True)).to_be_disabled()
    expect(form.get_by_role("button", name="Rehearse and submit")).to_be_disabled()
    picture(form, "10-form-wrong")
    form.get_by_label("Threshold").fill("10")
    form.get_by_text(re.compile("A row with fewer than 10 stays at the site")).wait_for()
    changed = form.get_by_role("row", name=re.compile("Digest, its name everywhere")).get_by_role("cell")
    expect(changed).not_to_have_text(digest)  # another setting is another request
    both_themes(cells, form, "11-form")

    # Another template, another set of fields; and back.
    form.get_by_label("What you ask for").select_option(label="Own analysis, with figures")
    form.get_by_label("Your code").fill("import os\n\n\ndef analyse(notes, weights, settings):\n    return {}\n")
    form.get_by_text("must be refused").first.wait_for()
    picture(form, "12-form-own-code")
    assert cells.serious() == []
    form.get_by_label("What you ask for").select_option(label="Cross table of patients and notes")
    form.get_by_label("By", exact=True).select_option(["language", "label"])
    form.get_by_label("Words").fill("MR*")

    # By keyboard: from the last field to the buttons, and Enter.
    cells.tab_from(form.get_by_label("Rho"), form.get_by_role("button", name="Rehearse", exact=True))
    page.keyboard.press("Enter")
    form.get_by_text("Nobody was asked yet").wait_for()
    form.get_by_role("button", name="Rehearse and submit").click()
    form.get_by_text("submitted to 5 sites").wait_for()
    form.get_by_role("heading", name="Where it stands").wait_for()
    picture(form, "13-form-submitted")
    expect(form.get_by_role("button", name="Rehearse and submit")).to_be_disabled()
    assert cells.unnamed() == []
    assert cells.failures() == []


def test_a_steward_reads_decides_and_decides_once_for_many(lab: Lab, page: Any) -> None:
    cells = NotebookPage(lab, page, "05-steward.ipynb")
    cells.run_through("desk = StewardDesk")
    desk = cells.page.locator(".fk", has=page.get_by_role("heading", name="Desk of steward at no")).first
    desk.get_by_text("What waits, soonest to lapse first").wait_for()
    picture(desk, "20-desk")

    desk.get_by_label("Request", exact=True).select_option(index=2)
    desk.get_by_role("button", name="Open").click()
    desk.get_by_role("heading", name="Review at no: How long notes are").wait_for()
    both_themes(cells, desk, "21-desk-open")

    # A finding leads to its line in the source.
    desk.get_by_text("Source, ").click()
    link = desk.get_by_role("row", name=re.compile("reads the text of notes")).get_by_role("link").first
    line = link.get_attribute("href")
    link.click()
    page.wait_for_function(
        "(id) => document.getElementById(id).getBoundingClientRect().top < innerHeight", arg=line.lstrip("#")
    )
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path") == "05-steward.ipynb"

    # Deny waits for a reason, and then takes the request off the list.
    expect(desk.get_by_role("button", name="Deny", exact=True)).to_be_disabled()
    desk.get_by_label("Reason", exact=True).fill("Ask for a count first")
    desk.get_by_role("button", name="Deny", exact=True).click()
    desk.get_by_text("Signature (EIP-712)").wait_for()
    picture(desk, "22-denied")

    # From now on: what may vary, how often; a wrong range says so.
    desk.get_by_label("Request", exact=True).select_option(index=0)
    desk.get_by_role("button", name="Open").click()
    desk.get_by_role("heading", name="Review at no: Notes that speak of MR").wait_for()
    desk.get_by_text("Approve from now on", exact=True).first.click()
    stand = desk.get_by_role("button", name="Approve this, and such requests from now on")
    desk.get_by_label("rounding", exact=True).select_option("any number from … to …")
    desk.get_by_label("rounding within").fill("five or ten")
    desk.get_by_text("two numbers, such as 1 to 24").wait_for()
    expect(stand).to_be_disabled()
    desk.get_by_label("rounding", exact=True).select_option("as it is")
    desk.get_by_label("study", exact=True).select_option("any short name")
    picture(desk, "23-standing-form")
    assert cells.serious() == []
    stand.click()
    desk.get_by_text("From now on approved when they are submitted").wait_for()
    picture(desk, "24-standing")
    desk.get_by_text("Standing approvals", exact=True).click()
    desk.get_by_role("cell", name="counts", exact=True).wait_for()
    desk.get_by_label("Reason to withdraw").fill("Only a lesson")
    desk.get_by_role("button", name="Withdraw it").click()
    desk.get_by_text("Withdrawn: from now on it covers nothing").wait_for()
    picture(desk, "25-withdrawn")
    assert cells.serious() == []
    assert cells.unnamed() == []
    assert cells.failures() == []
