"""What the groups of calls share: who calls, the parts of the site, and which requests a caller may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.request import CodeRequest
from fedkit.sites.deciding import Deciding
from fedkit.sites.execution import Execution, not_submitted
from fedkit.sites.parts import SiteParts
from fedkit.sites.witness import Witness


@dataclass(frozen=True)
class Caller:
    """Who calls: an account of this site. name is short enough for the journal; address is theirs on the ledger, or "".

    key: of the session that the call came in (64 hex).
    """

    name: str
    level: str
    address: str
    key: str = ""

    @property
    def oversees(self) -> bool:
        """Whether it is this caller's duty to know of other people's requests."""
        return self.level in ("steward", "auditor", "admin")


@dataclass(frozen=True)
class Duties:
    """What a site's calls work with, made once by its gate."""

    parts: SiteParts
    execution: Execution
    deciding: Deciding
    witness: Witness


class Calls:
    """A group of calls: every method `on_<call>(caller, **parameters)` answers one, with plain data that JSON can hold.

    Two calls move bytes: `on_put` is given them before its parameters, `on_get` returns them.
    """

    def __init__(self, duties: Duties) -> None:
        self.parts, self.execution, self.deciding = duties.parts, duties.execution, duties.deciding
        self.witness = duties.witness

    def handlers(self) -> dict[str, Callable[..., Any]]:
        """call → the method that answers it."""
        return {name.removeprefix("on_"): getattr(self, name) for name in dir(self) if name.startswith("on_")}

    def dataset(self, name: str) -> None:
        """Raises RequestError unless the site has a data set of that name."""
        if name != self.parts.config.dataset:
            raise RequestError("no such data set here", expected=self.parts.config.dataset, got="another name")

    def visible(self, caller: Caller, digest: str) -> tuple[CodeRequest, float]:
        """A request that the caller may see, and when it was submitted: their own, for who asks. Others look as if they
        were not there."""
        found = self.parts.store.request(digest)
        if found is None or (found[1] != caller.name and not caller.oversees):
            raise not_submitted()
        return found[0], found[2]
