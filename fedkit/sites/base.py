"""The Site seam: what a logged-in user can ask of a site, the same in process and over HTTP.

Every implementation passes `tests/contracts/site_suite.py`. Each call raises a `FedkitError`; nothing else crosses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fedkit.governance.accounts import AccountCard
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.delegation import Delegation
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Alike, MockResult, RequestState, Review
from fedkit.governance.running import ExecutionLog, RunningCall
from fedkit.governance.standing import StandingApproval
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.spending import Spend

if TYPE_CHECKING:
    from fedkit.warehouse.catalogue import Catalogue, Published, Terms
    from fedkit.warehouse.plan_report import PlanReport
    from fedkit.warehouse.question import Asked


@dataclass(frozen=True)
class SiteInfo:
    """What anybody may know of a site.

    isolation: "in-process" (no boundary; lessons only) or "process" (own process, reached over HTTP).
    key:       address (0x…) of the site's signing key, as registered on the ledger.
    desk:      address (0x…) of the key that signs automatic decisions under standing approvals, a steward's on the ledger.
    confinement: what holds approved code at this site, strongest first, e.g. ("landlock", "seccomp", "namespaces",
                 "rlimits").
    """

    name: str
    title: str
    language: str
    isolation: str
    key: str
    confinement: tuple[str, ...] = ()
    url: str | None = None
    desk: str = ""


@dataclass(frozen=True)
class DatasetCard:
    """A data set in the catalogue: counts and labels, no text. notes: split → number of notes (the mock twin is "mock")."""

    name: str
    language: str
    labels: tuple[str, ...]
    notes: Mapping[str, int]
    commitment: str


@dataclass(frozen=True)
class AccountChange:
    """An account after a change. approvals: digests of requests that are approved by the ledger address that it had before.

    They go on counting, as on the ledger: a lost key signed them by right. A steward withdraws what a stolen one signed.
    """

    account: AccountCard
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True)
class StandingState:
    """A standing approval as it stands at a site. used: requests decided under it so far; today: since midnight UTC.

    status: "counts", "used up", "expired", "withdrawn", or "unsigned" if who signed it is no steward of the site any more.
    reason: of the withdrawal.
    """

    approval: StandingApproval
    status: str
    used: int = 0
    today: int = 0
    reason: str = ""


class Site(ABC):
    """One logged-in user's session at one site."""

    info: SiteInfo
    user: str
    level: str

    # -- anyone who is logged in
    @abstractmethod
    def catalogue(self) -> list[DatasetCard]: ...

    @abstractmethod
    def published_catalogue(self) -> Published | None:
        """What the site's warehouse holds, as its steward has published it; None if nothing was. It needs no account: see
        `fedkit.sites.public`."""

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
    def decision(self, digest: str) -> Decision | None:
        """The last signed decision about a request (one's own, for who asks), to be brought to the ledger; None if there is
        none yet. Under a standing approval it is there as soon as the request was submitted."""

    @abstractmethod
    def withdraw(self, digest: str) -> RequestState:
        """Take back one's own request that waits. Refused once it was decided on: then there is nothing to take back."""

    @abstractmethod
    def put(self, data: bytes) -> str:
        """Store bytes (weights) in the site's content-addressed channel; returns their digest."""

    @abstractmethod
    def get(self, digest: str) -> bytes:
        """Bytes by digest: only what this user put, or what left by a receipt of this user's request."""

    @abstractmethod
    def plan(self, digest: str, question: Asked) -> PlanReport:
        """What a question to the data warehouse, under one's own request of kind "query", would cost and which rule would
        refuse it. Nothing runs and nothing is charged; the site keeps the question under its digest.

        Asked by `execute(digest, "query", n, question.digest)`, n = 1, 2, … being its number among those of the request.
        Raises RequestError for a question that the site's schema does not have, with the near name, and DigestMismatch for a
        request that is not one's own.
        """

    @abstractmethod
    def execute(self, digest: str, entry: str, round: int, inputs: str | None = None) -> Receipt:
        """Run one entry of an approved request on the private notes; blocks until done.

        The code gets `{**request.settings, "round": round, "site": name}` as settings: nothing free that no steward saw.
        The same (digest, entry, round, inputs) again returns the same receipt and charges nothing. Of a request of kind "query"
        inputs is the digest of a question that was planned here, and round its number.
        Raises NotApproved, DigestMismatch, LimitReached, OutputRefused, ExecutionFailed; each is in the journal.
        """

    # -- while it runs
    @abstractmethod
    def progress(self, digest: str) -> list[RunningCall]:
        """The calls of a request that wait or run at the site now; of one's own request, for who asks."""

    @abstractmethod
    def cancel(self, digest: str) -> int:
        """End the calls of a request that wait or run: one's own, or any as a steward. Returns how many there were.

        Whoever waits for one of them gets ExecutionCancelled. Its charge stays, and the same call again goes on with it.
        """

    @abstractmethod
    def logs(self, digest: str) -> list[ExecutionLog]:
        """What approved code printed in the runs of a request, oldest first, for a steward of the site and nobody else."""

    # -- researcher: sums under masks
    @abstractmethod
    def sum_keys(self, digest: str) -> dict[str, Any]:
        """The site's masking keys for an approved request with a secure sum, signed: `{"keys", "signature"}`."""

    @abstractmethod
    def sum_shares(self, digest: str, published: Mapping[str, Any]) -> dict[str, str]:
        """Give the site everybody's keys (site → `sum_keys` of there); returns what it sealed: site → hex.

        Raises AccessRefused for keys that their site did not sign, Refused for others than it was given before.
        """

    @abstractmethod
    def sum_take(self, digest: str, sealed: Mapping[str, str]) -> None:
        """Give the site what every site sealed for it: site → hex. Raises TrainingError if it was changed on its way."""

    @abstractmethod
    def sum_open(self, digest: str, round: int, survivors: Sequence[str]) -> dict[str, dict[str, str]]:
        """The site's shares for a round whose sum is over these sites: `{"own": …, "pairwise": …}`, site → hex.

        Raises TrainingError for too few sites, or for others than the round was opened for before.
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
        """Record a signed decision. Refused if the signature is not this steward's, or the steward is the researcher.

        Where the site wants several approvals, the state stays pending, with their number, until the last of them; that one
        goes to the ledger. A denial by anybody ends it.
        """

    @abstractmethod
    def offer_standing(self, standing: StandingApproval) -> StandingApproval:
        """Let a signed standing approval count from now on: what it covers is decided when it is submitted. Offered again, it
        is the same. Refused unless this steward has signed it, for this site and its environment."""

    @abstractmethod
    def standings(self) -> list[StandingState]:
        """All standing approvals that were offered here, newest first, with what is used of each. For who audits, too."""

    @abstractmethod
    def withdraw_standing(self, digest: str, reason: str) -> StandingState:
        """From now on it covers nothing; what was decided under it stays decided. Any steward of the site may."""

    @abstractmethod
    def assign(self, digest: str, steward: str) -> RequestState:
        """Hand a waiting request to a steward (name of the account) who may decide on it."""

    @abstractmethod
    def reminders(self) -> list[RequestState]:
        """Waiting requests for which a reminder is due, the longest first; each new reminder is in the journal."""

    @abstractmethod
    def delegate(self, delegation: Delegation) -> Delegation:
        """Let another steward of the site act for oneself for a time: what is assigned to the one goes to the other."""

    @abstractmethod
    def draft_catalogue(self, said: Terms) -> Catalogue:
        """What the catalogue of the warehouse would say now, with these words of its steward."""

    @abstractmethod
    def publish_catalogue(self, published: Published) -> Published:
        """Show this catalogue to everybody from now on. Its figures must be those that the site drafts itself."""

    @abstractmethod
    def alike(self) -> list[Alike]:
        """Waiting requests in groups of the same code, data, kind and contracts, the largest first: each needs one look."""

    @abstractmethod
    def review_batch(self, digests: Sequence[str]) -> list[Review]:
        """The reviews of several requests at once, each in the journal. Every one of them still gets its own decision."""

    # -- admin
    @abstractmethod
    def accounts(self) -> list[AccountCard]:
        """All accounts of the site, in the order in which they were added. For who audits, too."""

    @abstractmethod
    def add_account(self, user: str, level: str, *, name: str = "", address: str = "", expires: int = 0) -> str:
        """An account for one person; returns its one-time password, which opens one thing: `change_password`.

        See `AccountCard`. address: of the person's own ledger key, needed for levels whose acts stand there; a steward's has to
        be registered on the ledger as well (`Federation.add_user` does both). Raises RequestError, AccessRefused.
        """

    @abstractmethod
    def change_account(
        self,
        user: str,
        *,
        level: str | None = None,
        name: str | None = None,
        address: str | None = None,
        expires: int | None = None,
    ) -> AccountChange:
        """Change what is given; it holds from the next call on. A new level or address ends the account's sessions.

        address: also how a steward whose key is lost gets a successor. Nobody changes their own level, and the last admin stays
        one. Raises RequestError, AccessRefused.
        """

    @abstractmethod
    def revoke_account(self, user: str) -> AccountChange:
        """End an account, for good and from the next call on; its sessions end. The last admin stays. Raises AccessRefused."""

    @abstractmethod
    def reset_password(self, user: str) -> str:
        """A one-time password for who forgot theirs, or waits after too many wrong ones; the account's sessions end."""

    # -- everybody
    @abstractmethod
    def change_password(self, old: str, new: str) -> None:
        """A password of one's own; other sessions of the account end. Raises AccessRefused, RequestError for a poor one."""

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
    def spends(self, digest: str, entry: str, round: int, after: int) -> list[Spend]:
        """What must be on the ledger before this execution can be, where a steward set a budget: the site's signed statements
        of what executions cost, in their order, this one's among them, also if it cost nothing.

        after: what the ledger has as spent (millionths of epsilon). Raises DigestMismatch for what did not run here.
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
