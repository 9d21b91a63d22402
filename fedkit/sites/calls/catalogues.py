"""The catalogue of the data warehouse: read by everybody, drafted and published by stewards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.sites.calls.base import Caller, Calls, Duties
from fedkit.sites.warehouse.publishing import Publishing, public
from fedkit.warehouse.catalogue import Published, Terms


class CatalogueCalls(Calls):
    """published_catalogue, draft_catalogue, publish_catalogue."""

    def __init__(self, duties: Duties) -> None:
        super().__init__(duties)
        settings = duties.execution.settings
        self.publishing = Publishing(self.parts, settings.threshold, settings.rounding)

    def on_published_catalogue(self, caller: Caller) -> dict[str, Any] | None:
        return public(self.parts.config.folder)

    def on_draft_catalogue(self, caller: Caller, said: Mapping[str, Any]) -> dict[str, Any]:
        return self.publishing.draft(Terms.from_json(said)).to_json()

    def on_publish_catalogue(self, caller: Caller, published: Mapping[str, Any]) -> dict[str, Any]:
        return self.publishing.publish(Published.from_json(published), caller.name, caller.address).to_json()
