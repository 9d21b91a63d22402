"""A notebook open in JupyterLab, as a person has it in front of them: running cells, finding widgets, looking at them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from browser_lab import PICTURES, ROOT, Lab
from playwright.sync_api import expect

#: On a busy machine the kernel may take its time. What is looked at without waiting has often not come yet.
expect.set_options(timeout=60_000)

READY = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady"
KERNEL_ANSWERS = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info.then(() => true)"
SOURCES = "() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.sharedModel.source)"
RUN_CELL = """(index) => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = index
    return window.jupyterapp.commands.execute('notebook:run-cell')
}"""
THEME = "(name) => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"

#: Controls in fedkit's widgets that a screen reader could not name.
WITHOUT_A_NAME = """() => [...document.querySelectorAll('.fk input, .fk select, .fk textarea, .fk button')]
    .filter((e) => ![...(e.labels ?? [])].some((l) => l.textContent.trim()) && !e.ariaLabel && !e.textContent.trim())
    .map((e) => e.outerHTML)"""

ERRORS = "[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type='application/vnd.jupyter.error']"

#: What axe-core finds in fedkit's own widgets, from serious on; JupyterLab around them is not ours to mend.
AXE = """async () => (await axe.run({ include: [['.fk']] }, { resultTypes: ['violations'] })).violations
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary.slice(0, 240)}`))"""


class NotebookPage:
    """One of the committed notebooks, copied into the lab's folder and opened; its cells run one after the other."""

    def __init__(self, lab: Lab, page: Any, notebook: str) -> None:
        self.page, self.done = page, 0
        shutil.copy(ROOT / "notebooks" / notebook, lab.folder)
        if not (lab.folder.parent / "data_samples").exists():
            shutil.copytree(ROOT / "data_samples", lab.folder.parent / "data_samples")
        page.goto(lab.address(notebook))
        page.wait_for_function(READY)
        page.evaluate(KERNEL_ANSWERS)
        self.sources: list[str] = page.evaluate(SOURCES)

    def run_through(self, start_of_source: str) -> None:
        """Run cell after cell until the one that starts like this has run."""
        last = next(i for i, source in enumerate(self.sources) if source.startswith(start_of_source))
        for index in range(self.done, last + 1):
            self.page.evaluate(RUN_CELL, index)
        self.done = last + 1

    def widget(self, heading: str) -> Any:
        """The live widget with this heading."""
        return self.page.locator(".fk", has=self.page.get_by_role("heading", name=heading)).last

    def tab_from(self, field: Any, to: Any) -> None:
        """Tab from a field to what must come next. A button is passed by until the kernel has answered and opened it."""
        for _ in range(60):
            field.focus()
            self.page.keyboard.press("Tab")
            if to.evaluate("(control) => control === document.activeElement"):
                return
            self.page.wait_for_timeout(500)
        pytest.fail(f"Tab reached {self.page.evaluate('() => document.activeElement.outerHTML')[:300]}")

    def theme(self, name: str) -> None:
        """Change JupyterLab's theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate(THEME, name)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")

    def unnamed(self) -> list[str]:
        """Controls that a screen reader could not name."""
        found: list[str] = self.page.evaluate(WITHOUT_A_NAME)
        return found

    def failures(self) -> list[str]:
        """What the outputs say that are errors, or were written to stderr."""
        found: list[str] = self.page.locator(ERRORS).all_text_contents()
        return found

    def serious(self) -> list[str]:
        """What axe-core finds in fedkit's widgets from serious on. Skips the test where it is not installed."""
        script = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
        if not script.is_file():
            pytest.skip("no axe-core on this machine: cd tests/browser && npm install")
        self.page.evaluate(script.read_text("utf-8"))
        for _ in range(10):  # a theme or a width that has just changed is drawn in steps
            found: list[str] = self.page.evaluate(AXE)
            if not found:
                break
            self.page.wait_for_timeout(500)
        return found


def picture(target: Any, name: str) -> None:
    """Leave a picture to be looked at; never committed."""
    target.screenshot(path=PICTURES / f"{name}.png")


def both_themes(cells: NotebookPage, target: Any, name: str) -> None:
    """Pictures of a widget wide and light, wide and dark, and narrow; what axe-core finds in either theme is a failure."""
    assert cells.serious() == []
    picture(target, f"{name}-light")
    cells.theme("JupyterLab Dark")
    assert cells.serious() == []
    picture(target, f"{name}-dark")
    cells.theme("JupyterLab Light")
    cells.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    cells.page.set_viewport_size({"width": 620, "height": 1600})
    picture(target, f"{name}-narrow")
    fits = "(box) => box.scrollWidth <= box.clientWidth + 1"
    cells.page.wait_for_function(fits, arg=target.element_handle())
    cells.page.set_viewport_size({"width": 1280, "height": 2200})
