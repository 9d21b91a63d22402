"""What runs: the code that was named, with the libraries that it was reviewed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fedkit.digests import short
from fedkit.errors import DigestMismatch
from fedkit.governance.policies.base import Context, Policy


@dataclass(frozen=True)
class ExactDigest(Policy):
    """What would run is what was named, to the character."""

    aspect: ClassVar[str] = "what"

    def admits(self, context: Context) -> None:
        if context.request.digest != context.digest:
            raise DigestMismatch(
                "this is not the code that was named",
                expected=short(context.digest),
                got=short(context.request.digest),
                help="submit the changed request; it needs its own decision",
            )
        context.request.entry(context.entry)

    def explain(self) -> str:
        return "The code, its settings and its output contract are exactly those under the digest, and the entry is one of it."


@dataclass(frozen=True)
class SameEnvironment(Policy):
    """The code meets the libraries it was reviewed with. environment: this site's digest."""

    aspect: ClassVar[str] = "what"

    environment: str

    def submits(self, context: Context) -> None:
        self.admits(context)

    def admits(self, context: Context) -> None:
        if context.request.environment != self.environment:
            raise DigestMismatch(
                "the request names another environment",
                expected=self.environment,
                got=context.request.environment,
                help="install the versions that the site has (`fedkit doctor` shows yours), or ask the site to update; "
                "then make the request anew: it needs its own decision",
            )

    def explain(self) -> str:
        where = f" ({short(self.environment)})" if self.environment else ""
        return f"fedkit and its libraries at the site are those that the request names{where}."
