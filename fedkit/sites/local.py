"""A site in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fedkit.sites.gate import Gate
from fedkit.sites.parts import SiteConfig, open_parts
from fedkit.sites.session import InProcess
from fedkit.sites.worker import WorkerPool

if TYPE_CHECKING:
    from fedkit.notes.corpus import SiteNotes


class LocalSite:
    """An open site in this process, with its gate. Nothing listens on a socket."""

    def __init__(self, config: SiteConfig, pool: WorkerPool, first_notes: SiteNotes | None = None) -> None:
        self.gate = Gate(open_parts(config, pool, first_notes))
        self.info = self.gate.parts.info
        self.commitment = self.gate.parts.notes.commitment()

    def transport(self) -> InProcess:
        return InProcess(self.gate)

    def close(self) -> None:
        self.gate.close()
