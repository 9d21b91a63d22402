"""What approved code printed, for the site's steward: which runs left something, and a way to read it that stays at the site.

The text may hold words of a note. So it is in no widget and in no notebook, not even for a moment: a widget's state can be
saved into a notebook, and a notebook is sent to colleagues. It is written to a file of the steward's own, which only they can
read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from fedkit.errors import RequestError, StorageError
from fedkit.storage import write_whole
from fedkit.widgets.base import FedkitWidget, button, escape, table_html

if TYPE_CHECKING:
    from fedkit.governance.running import ExecutionLog

WARNING = (
    "What code printed may hold words of private notes. It is shown nowhere here: save it to a file that only you can read, "
    "read it at the site, and delete it."
)


class LogView(FedkitWidget):
    """The logs of one request's executions.

    read: gives them, such as `functools.partial(desk.logs, digest)`; called when somebody asks, never before.

    `load()` and `save(path)` do what the buttons do; `rows` is what is shown: entry, round, outcome, what ended it, lines.
    """

    def __init__(self, read: Callable[[], Sequence[ExecutionLog]]) -> None:
        super().__init__()
        self._read = read
        self.rows: list[tuple[str, int, str, str, int]] = []
        self._table = ipywidgets.HTML()
        self._load = button("Which runs printed something?", lambda: self._attempt(self._look, again=False))
        self._path = ipywidgets.Text(
            description="Save to", placeholder="a new file outside any shared folder", style={"description_width": "190px"},
            layout=ipywidgets.Layout(width="100%", max_width="680px"),
        )  # fmt: skip
        self._save = button("Save what they printed", lambda: self._attempt(lambda: self._write(self._path.value), again=False))
        self._path.observe(lambda _: self._refresh(), names="value")
        self._fill(
            ipywidgets.HTML(f'<h4>Logs</h4><p class="fk-soft">{escape(WARNING)}</p>'),
            ipywidgets.HBox([self._load]),
            self._table,
            self._path,
            ipywidgets.HBox([self._save]),
        )
        self._refresh()

    def load(self) -> list[tuple[str, int, str, str, int]]:
        """Ask the site which executions left a log. Raises what the site refuses."""
        self._attempt(self._look, again=True)
        return self.rows

    def save(self, path: Path | str) -> Path:
        """Write all logs to a new file (mode 0600) and return it. Raises RequestError if it is there already, StorageError."""
        return Path(self._attempt(lambda: self._write(str(path)), again=True))

    def _look(self) -> None:
        self._shown(self._read())
        if not self.rows:
            self.say("No execution of this request left a log.")

    def _shown(self, logs: Sequence[ExecutionLog]) -> None:
        with self.lock:
            self.rows = [(log.entry, log.round, log.outcome, killed_by(log), len(log.text.splitlines())) for log in logs]
        self._refresh()

    def _write(self, path: str) -> Path:
        if not path.strip():
            raise RequestError("there is no file to save to", expected="the path of a new file", got="nothing")
        place = Path(path).expanduser()
        if place.exists():
            raise RequestError("that file is there already", expected="the path of a new file", got=place.name)
        logs = self._read()
        parts = [f"== {log.entry}, round {log.round}: {log.outcome} {killed_by(log)}\n{log.text}\n" for log in logs]
        try:
            write_whole(place, "\n".join(parts).encode(), mode=0o600)
        except OSError as error:
            raise StorageError(
                "the logs cannot be saved there", expected="a folder that can be written", got=error.strerror or "an error"
            ) from None
        self._shown(logs)
        self.say(f"{len(logs)} logs are in {place.name}, which only you can read. Delete it when you have read it.", "done")
        return place

    def _refresh(self) -> None:
        with self.lock:
            columns = ("Entry", "Round", "Outcome", "Ended by", "Lines")
            self._table.value = table_html(self.rows, columns, numeric=(1, 4)) if self.rows else ""
            self._save.disabled = not self._path.value.strip()

    def static_html(self) -> str:
        return f"<h4>Logs</h4><p>{escape(WARNING)}</p>"

    def static_text(self) -> str:
        return f"Logs: {len(self.rows)} executions left one"


def killed_by(log: ExecutionLog) -> str:
    """What ended the worker, as a word of ours: letters, digits and blanks alone."""
    return re.sub(r"[^\w .,-]", "", log.killed)[:60]
