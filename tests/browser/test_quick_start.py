"""The quick start by clicking: a person plays researcher, steward and auditor in JupyterLab."""

from __future__ import annotations

import re
import shutil
from typing import Any

from browser_lab import PICTURES, ROOT, Lab

from fedkit.audit.verify import TITLES

NOTEBOOK = ROOT / "notebooks" / "01-quick-start.ipynb"

READY = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady"
KERNEL_ANSWERS = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info.then(() => true)"
SOURCES = "() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.sharedModel.source)"
RUN_CELL = """(index) => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = index
    return window.jupyterapp.commands.execute('notebook:run-cell')
}"""

#: Controls in fedkit's widgets that a screen reader could not name.
WITHOUT_A_NAME = """() => [...document.querySelectorAll('.fk input, .fk select, .fk textarea, .fk button')]
    .filter((e) => ![...(e.labels ?? [])].some((l) => l.textContent.trim()) && !e.ariaLabel && !e.textContent.trim())
    .map((e) => e.outerHTML)"""


class Cells:
    """The cells of the open notebook, run one after the other as Shift + Enter does."""

    def __init__(self, page: Any) -> None:
        self.page, self.sources, self.done = page, page.evaluate(SOURCES), 0

    def run_through(self, start_of_source: str) -> None:
        """Run cell after cell until the one that starts like this has run."""
        last = next(i for i, source in enumerate(self.sources) if source.startswith(start_of_source))
        for index in range(self.done, last + 1):
            self.page.evaluate(RUN_CELL, index)
        self.done = last + 1


def widget(page: Any, heading: str) -> Any:
    """The live widget with this heading."""
    return page.locator(".fk", has=page.get_by_role("heading", name=heading)).last


def picture(target: Any, name: str) -> None:
    target.screenshot(path=PICTURES / f"{name}.png")


def test_a_person_can_click_through_the_ten_steps(lab: Lab, page: Any) -> None:
    shutil.copy(NOTEBOOK, lab.folder)
    page.goto(lab.address(NOTEBOOK.name))
    page.wait_for_function(READY)
    page.evaluate(KERNEL_ANSWERS)

    cells = Cells(page)

    # Before anything has run, the static tables stand where the widgets will be.
    page.get_by_text("Decisions so far").first.wait_for()
    assert page.get_by_text("Error displaying widget").count() == 0
    picture(page, "0-not-run")

    # 1 to 4: the form says what is missing, then submits.
    cells.run_through("form = RequestForm")
    form = widget(page, "Code request")
    form.get_by_label("Title").fill("abc")
    form.get_by_text("at least five characters").wait_for()
    assert form.get_by_role("button", name="Rehearse and submit").is_disabled()
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
    assert desk.get_by_role("button", name="Deny").is_disabled()
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
    monitor = widget(page, "Training")
    monitor.get_by_role("button", name="Start training").click()
    monitor.get_by_role("button", name="Stop").click()
    monitor.get_by_text("stopped; it can go on").wait_for()
    picture(monitor, "5-stopped")
    monitor.get_by_role("button", name="Resume").click()
    monitor.get_by_text(re.compile("done: round 4 of 4")).wait_for()
    monitor.locator("svg").wait_for()
    assert monitor.get_by_role("row").count() == len(sites), "a head and every site but the one that denied"
    picture(monitor, "6-trained")

    # 9 and 10: release and audit.
    cells.run_through("study.verify()")
    audit = widget(page, "Audit")
    audit.get_by_text(f"clean: {len(TITLES)} of {len(TITLES)} checks passed").wait_for()
    audit.get_by_label("Site", exact=True).select_option(sites[-1])
    audit.get_by_label("Act", exact=True).select_option("decision.recorded")
    audit.get_by_text(re.compile("status denied")).wait_for()
    picture(audit, "7-audit")
    cells.run_through('print("hospitals that')
    page.get_by_text("hospitals that took part: 4 of 5").wait_for()
    picture(page, "8-end")
    assert page.evaluate(WITHOUT_A_NAME) == []
    assert (
        page.locator(
            "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"
        ).count()
        == 0
    )
