"""The notebook of the warehouse by clicking and by keyboard: what there is, a question, its plan, its answer, and SQL."""

from __future__ import annotations

import re
from typing import Any

from browser_lab import Lab
from notebook_page import NotebookPage, both_themes, picture
from playwright.sync_api import expect

from fedkit.warehouse.schema import VIEWS

AGE = VIEWS["mentions"].column("age")
TITLE = "Data warehouse: Implants and how they are written about"


def test_an_analyst_looks_chooses_plans_asks_and_reads(lab: Lab, page: Any) -> None:
    cells = NotebookPage(lab, page, "06-warehouse.ipynb")
    page.get_by_role("columnheader", name="Persons with").first.wait_for()  # not run: the static tables stand there
    expect(page.get_by_text("Error displaying widget")).to_have_count(0)

    cells.run_through("for site in federation.sites")
    catalogue = cells.widget("What the sites hold")
    catalogue.get_by_role("heading", name="Kinds of things mentioned").wait_for()
    catalogue.get_by_text("Commonest codes").click()
    catalogue.get_by_text("Codes at no").wait_for()
    both_themes(cells, catalogue, "30-catalogue")

    cells.run_through("question = {")
    desk = cells.widget(TITLE)
    desk.get_by_role("heading", name="This is what the sites are asked").wait_for()
    ask, plan = desk.get_by_role("button", name="Ask", exact=True), desk.get_by_role("button", name="Plan: what would it cost?")
    expect(ask).to_be_disabled()

    # Each line says what it lacks, and nothing can be planned while one does.
    desk.get_by_label("and", exact=True).first.select_option(f"age: {AGE.what}")
    desk.get_by_text("Age needs a beginning and an end").wait_for()
    expect(plan).to_be_disabled()
    picture(desk, "31-desk-wrong")
    desk.get_by_label("age, values").fill("40 to 80")
    desk.get_by_text(re.compile("age from 40 and age up to 80")).first.wait_for()
    expect(plan).to_be_enabled()
    desk.get_by_label("and", exact=True).first.select_option("–")
    expect(desk.get_by_label("age, values")).to_have_count(0)

    # By keyboard: from the last field to the plan, and Enter.
    cells.tab_from(desk.get_by_label("Protection"), plan)
    page.keyboard.press("Enter")
    desk.get_by_role("heading", name="What the sites would do").wait_for()
    expect(ask).to_be_enabled()
    desk.get_by_text(re.compile("Rules that had nothing against it")).click()
    desk.get_by_role("cell", name="complement", exact=True).wait_for()
    both_themes(cells, desk, "32-desk-planned")

    # A changed question has to be planned again.
    desk.get_by_label("Tell the sites apart").check()
    desk.get_by_text("The question has changed: plan it again.").wait_for()
    expect(ask).to_be_disabled()
    desk.get_by_label("Tell the sites apart").uncheck()
    expect(ask).to_be_enabled()
    ask.click()
    desk.get_by_text("Answered by 5 of 5 sites.").wait_for()
    desk.get_by_role("heading", name="Question 1 at 5 sites").wait_for()
    desk.get_by_role("row", name=re.compile("^medication-change hidden")).wait_for()
    desk.get_by_role("img", name=re.compile("persons: 5 rows, 2 of them kept back")).wait_for()
    both_themes(cells, desk, "33-desk-answered")

    # The same by typing: what was chosen stands there as SQL, and what does not fit says so.
    desk.get_by_label("Ask by").select_option("typing SQL")
    typed = desk.get_by_label("SQL", exact=True)
    expect(typed).to_have_value(re.compile("^SELECT .* FROM mentions WHERE label = .IMPLANT."))
    typed.fill("SELECT lable, COUNT(*) FROM mentions GROUP BY lable")
    desk.get_by_text("did you mean label?", exact=False).first.wait_for()
    expect(plan).to_be_disabled()
    typed.fill("SELECT language, COUNT(DISTINCT person_id) FROM patients GROUP BY language")
    desk.get_by_text(re.compile("number of persons, by language")).first.wait_for()
    desk.get_by_label("Protection").select_option("with noise, added at each site")
    desk.get_by_label("Privacy cost (rho)").fill("0.9")
    expect(plan).to_be_enabled()
    plan.click()
    desk.get_by_role("heading", name="Why not").wait_for()
    expect(ask).to_be_disabled()
    picture(desk, "34-desk-refused")
    assert cells.serious() == []
    assert cells.unnamed() == []

    # The rest of the notebook goes on from what was clicked.
    cells.run_through("uncertain = ")
    view = page.locator(".fk", has=page.get_by_text("uncertain yes")).last
    view.get_by_text("What left each site").click()
    view.get_by_text("What left no", exact=True).wait_for()
    picture(view, "35-answer")
    assert cells.failures() == []
