"""The checkpoint of a run of rounds: `rounds.json` (history), `failures.jsonl`, `weights/<digest>.safetensors` (aggregates).

Each file is written whole or not at all (temporary file, fsync, rename, fsync of the folder), weights before the row that names
them, so that a kill at any moment leaves the last complete round. The history is data; curves and tables are views of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fedkit.digests import digest_bytes
from fedkit.errors import StorageError, TrainingError
from fedkit.federation.parameters import Parameters, encode
from fedkit.storage import write_whole

HISTORY = "rounds.json"
FAILURES = "failures.jsonl"


@dataclass(frozen=True)
class RoundRecord:
    """One complete round.

    sequential: whether weights passed from site to site.   before, aggregate: digests of the shared weights around it.
    state: digest of what the server's optimiser remembers, kept beside the weights; "" if nothing.
    sites: name → the numbers that site sent.   order: in which the sites were aggregated.   receipts: in that order.
    bytes: name → bytes in which that site's update came; empty for records of before they were counted.
    """

    round: int
    sequential: bool
    before: str
    aggregate: str
    sites: Mapping[str, Mapping[str, float]]
    order: tuple[str, ...]
    receipts: tuple[Any, ...]
    seconds: float
    state: str = ""
    bytes: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in ("state", "bytes") or value}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> RoundRecord:
        return RoundRecord(**{**row, "order": tuple(row["order"]), "receipts": tuple(row["receipts"])})


class RoundsFolder:
    """folder: made if missing.   plan: plain JSON that says which run this is; raises TrainingError if another run is in it."""

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self.folder, self.plan = folder, dict(plan)
        if (stored := _read(folder)) is not None and stored["plan"] != json.loads(json.dumps(self.plan)):
            differs = sorted(k for k in self.plan if stored["plan"].get(k) != self.plan[k])
            raise TrainingError(
                f"{folder.name} holds the rounds of another run",
                expected="the same plan, sites, strategy and first weights",
                got=f"a difference in {', '.join(differs) or 'the form'}",
                help="choose another folder for this run",
            )
        self._rounds = [RoundRecord.from_json(row) for row in stored["rounds"]] if stored else []
        try:
            (folder / "weights").mkdir(parents=True, exist_ok=True)
            for leftover in (*folder.glob("*.part"), *folder.glob("weights/*.part")):
                leftover.unlink()
        except OSError as error:
            raise _storage(folder, error) from None

    def history(self) -> list[RoundRecord]:
        """The complete rounds, first to last."""
        return list(self._rounds)

    def weights(self, digest: str) -> bytes:
        """See `read_weights`."""
        return self.read_weights(self.folder, digest)

    def keep(self, parameters: Parameters) -> str:
        """Write weights under their digest, and return it."""
        data = encode(parameters)
        name = digest_bytes(data)
        path = _weights_path(self.folder, name)
        if not path.exists():
            write_whole(path, data)
        return name

    def add(self, record: RoundRecord) -> None:
        """Append a complete round."""
        rows = [*self._rounds, record]
        text = json.dumps({"plan": self.plan, "rounds": [r.to_json() for r in rows]}, indent=1, ensure_ascii=False)
        write_whole(self.folder / HISTORY, text.encode())
        self._rounds = rows

    def add_failure(self, round: int, site: str, code: str, message: str) -> None:
        """Write down that a site failed in a round: a line of JSON, appended from the thread of the site."""
        row = {"round": round, "site": site, "code": code, "message": message, "time": time.time()}
        with suppress(OSError), (self.folder / FAILURES).open("a", encoding="utf-8") as file:  # the failure itself is raised
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    @staticmethod
    def read(folder: Path) -> list[RoundRecord]:
        """The complete rounds in a folder, without changing anything."""
        stored = _read(folder)
        return [RoundRecord.from_json(row) for row in stored["rounds"]] if stored else []

    @staticmethod
    def read_weights(folder: Path, digest: str) -> bytes:
        """Weights by digest, checked. Raises TrainingError if they are missing or were changed."""
        try:
            data = _weights_path(folder, digest).read_bytes()
        except OSError:
            raise TrainingError(
                f"the weights {digest[:12]} are missing", expected=f"a file in {folder.name}/weights", got="none"
            ) from None
        if digest_bytes(data) != digest:
            raise TrainingError(
                f"the weights {digest[:12]} were changed on disk",
                expected="bytes with that digest",
                got="others",
                help="delete the folder of this run and train again",
            )
        return data


def _weights_path(folder: Path, digest: str) -> Path:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise TrainingError("not a digest", expected="64 lower-case hexadecimal digits", got=f"{len(digest)} characters")
    return folder / "weights" / f"{digest}.safetensors"


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        stored: dict[str, Any] = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{folder.name}/{HISTORY} cannot be read",
            expected="the history of this run",
            got=type(error).__name__,
            help="it was not written by fedkit; choose another folder",
        ) from None
    return stored


def _storage(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write {path.name}", expected="room on a writable disk", got=error.strerror or "an error", help="free space"
    )
