"""The Site seam: what a logged-in user can ask of a site, the same in process and over HTTP.

Every implementation passes `tests/contracts/site_suite.py`. Each call raises a `FedkitError`; nothing else crosses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import MockResult, RequestState, Review
from fedkit.ledger.heads import SignedHead

#: What a user may be at a site, least first.
LEVELS = ("guest", "researcher", "auditor", "steward", "admin")


@dataclass(frozen=True)
class SiteInfo:
    """What anybody may know of a site.

    isolation: "in-process" (no boundary; lessons only) or "process" (own process, reached over HTTP).
    key:       address (0x…) of the site's signing key, as registered on the ledger.
    confinement: what holds approved code at this site, strongest first, e.g. ("landlock", "seccomp", "rlimits").
    """

    name: str
    title: str
    language: str
    isolation: str
    key: str
    confinement: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True)
class DatasetCard:
    """A data set in the catalogue: counts and labels, no text. notes: split → number of notes (the mock twin is "mock")."""

    name: str
    language: str
    labels: tuple[str, ...]
    notes: Mapping[str, int]
    commitment: str


class Site(ABC):
    """One logged-in user's session at one site."""

    info: SiteInfo
    user: str
    level: str

    # -- anyone who is logged in
    @abstractmethod
    def catalogue(self) -> list[DatasetCard]: ...

    # -- researcher
    @abstractmethod
    def mock_notes(self, dataset: str, limit: int = 10) -> list[dict[str, Any]]:
        """Rows of the mock twin (synthetic; may be shown)."""

    @abstractmethod
    def rehearse(self, request: CodeRequest, entry: str, inputs: str | None = None) -> MockResult:
        """Run one entry on the mock twin, confined as the real run. An error *of the code* is in the result, not raised."""

    @abstractmethod
    def submit(self, request: CodeRequest, rehearsals: Sequence[MockResult] = ()) -> RequestState:
        """Hand the request to the site's domain. Submitting the same digest again returns its state. The site rehearses anew
        if it holds no rehearsal of its own for this digest and refuses what fails on the mock twin."""

    @abstractmethod
    def state(self, digest: str) -> RequestState: ...

    @abstractmethod
    def put(self, data: bytes) -> str:
        """Store bytes (weights) in the site's content-addressed channel; returns their digest."""

    @abstractmethod
    def get(self, digest: str) -> bytes:
        """Bytes by digest: only what this user put, or what left by a receipt of this user's request."""

    @abstractmethod
    def execute(self, digest: str, entry: str, round: int, inputs: str | None = None) -> Receipt:
        """Run one entry of an approved request on the private notes; blocks until done.

        The code gets `{**request.settings, "round": round, "site": name}` as settings: nothing free that no steward saw.
        The same (digest, entry, round, inputs) again returns the same receipt and charges nothing.
        Raises NotApproved, DigestMismatch, LimitReached, OutputRefused, ExecutionFailed; each is in the journal.
        """

    # -- steward
    @abstractmethod
    def requests(self) -> list[RequestState]:
        """All requests for a steward or auditor, one's own for a researcher; newest first."""

    @abstractmethod
    def review(self, digest: str) -> Review: ...

    @abstractmethod
    def reason_digest(self, reason: str) -> str:
        """HMAC of a reason under the site's salt, to go into a Decision before it is signed."""

    @abstractmethod
    def decide(self, decision: Decision) -> RequestState:
        """Record a signed decision. Refused if the signature is not this steward's, or the steward is the researcher."""

    # -- auditor (and steward)
    @abstractmethod
    def journal(self, start: int = 1) -> list[dict[str, Any]]:
        """Rows of the site's journal from sequence number `start` on (no private text in them by construction)."""

    @abstractmethod
    def anchor(self, after: int | None = None) -> dict[str, Any] | None:
        """The next anchor for the ledger, signed by the site: {"stream", "from", "to", "root", "signature"}, or None if there
        is nothing new. It closes a batch over the rows since the last one.

        after: the last row that the ledger holds an anchor for. A batch that was closed and never reached the ledger (a
        crash fell between) is then offered again, so call until None.
        """

    @abstractmethod
    def head(self) -> SignedHead | None:
        """The newest head of the chain that this site has signed, or None."""

    @abstractmethod
    def sign_head(self, headers: Sequence[bytes]) -> SignedHead:
        """Let the site counter-sign the head of the chain: the last of these block headers (RLP).

        headers: from the head that it signed last, or the block after it, without a gap; at most 1,000 at a time. With none
        signed yet, the newest alone. Raises LedgerError if they do not go on from there: then the chain was set back.
        """

    @abstractmethod
    def close(self) -> None: ...
