"""The folder of one study: small JSON files, each written whole or not at all, and a log of events.

`runs/<id>/` holds nothing private: requests, decisions, digests, scores and released weights.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fedkit.errors import ConfigurationError
from fedkit.storage import write_whole

#: The folder in a study's folder that holds the checkpoint of its rounds.
TRAINING = "training"


@dataclass(frozen=True)
class StudyEvent:
    """Something that happened in a study: step number and name, a line for people, the site if one, numbers as data."""

    step: int
    name: str
    message: str
    site: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)


class RunFolder:
    """JSON documents by name in one folder, and `events.jsonl`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"cannot use {path} as a study folder",
                expected="a folder that can be written",
                got=error.strerror or "an error",
            ) from None

    def read(self, name: str) -> Any:
        """The document, or None if it was never written."""
        file = self.path / f"{name}.json"
        try:
            return json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, UnicodeDecodeError):
            raise ConfigurationError(
                f"{file.name} in the study folder is damaged",
                expected="the JSON that fedkit wrote",
                got="something else",
                help="move the folder away and start a new run, or restore the file from a backup",
            ) from None

    def write(self, name: str, value: Any) -> None:
        """Replace a document: whole or not at all, also when the power goes."""
        write_whole(self.path / f"{name}.json", json.dumps(value, indent=1, ensure_ascii=False).encode(), mode=0o666)

    def add(self, name: str, row: Any) -> None:
        """Append a row to a document that is a list."""
        with self._lock:
            self.write(name, [*(self.read(name) or []), row])

    def log(self, event: StudyEvent) -> None:
        """Append an event to `events.jsonl`."""
        line = json.dumps({**asdict(event), "data": dict(event.data)}, ensure_ascii=False, default=str)
        with self._lock, (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def new_run_id() -> str:
    """A folder name that sorts by time: `20261124-081500-3fa2`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
