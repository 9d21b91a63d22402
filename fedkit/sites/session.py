"""One logged-in user's session at a site: the `Site` seam over a transport, the same in process and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from nacl.signing import SigningKey

from fedkit.digests import digest_bytes
from fedkit.errors import FedkitError, SiteError
from fedkit.governance.accounts import AccountCard
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.delegation import Delegation
from fedkit.governance.differences import Change
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Alike, Finding, MockResult, Nearly, RequestState, Review
from fedkit.governance.running import ExecutionLog, RunningCall
from fedkit.governance.standing import StandingApproval
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.spending import Spend
from fedkit.sites.base import AccountChange, DatasetCard, Site, SiteInfo, StandingState
from fedkit.sites.envelope import seal

if TYPE_CHECKING:
    from fedkit.sites.gate import Gate
    from fedkit.warehouse.catalogue import Catalogue, Published, Terms
    from fedkit.warehouse.plan_report import PlanReport
    from fedkit.warehouse.question import Asked


def login_envelope(key: SigningKey, site: str, user: str, password: str) -> dict[str, str]:
    """The envelope of a login: signed by the key that is to be the session's."""
    return seal(key, site, "login", {"user": user, "password": password})


class Transport(Protocol):
    """How envelopes get to a site."""

    site: str

    def catalogue(self) -> dict[str, Any]:
        """The reply `{"ok": …}` or `{"error": …}` to whoever asks what the site has published; no login is needed."""

    def login(self, user: str, password: str) -> bytes:
        """The seed of a fresh key, which the site takes for the user's until the session ends. Raises AccessRefused."""

    def send(self, envelope: Mapping[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """The reply `{"ok": …}` or `{"error": …}`, and bytes. Raises SiteError if the site cannot be reached."""

    def pysyft(self) -> Any:
        """A PySyft connection to the site's domain."""

    def close(self) -> None: ...


class InProcess:
    """A site in this process. There is no boundary to it: for lessons."""

    def __init__(self, gate: Gate) -> None:
        self._gate, self.site = gate, gate.parts.config.name

    def catalogue(self) -> dict[str, Any]:
        return self._gate.catalogue()

    def login(self, user: str, password: str) -> bytes:
        key = SigningKey.generate()
        _result(self._gate.login(login_envelope(key, self.site, user, password)))
        return bytes(key)

    def send(self, envelope: Mapping[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        reply, blob = self._gate.answer(json.loads(json.dumps(envelope)), data)
        return json.loads(json.dumps(reply)), blob

    def pysyft(self) -> Any:
        from syft.client.client import PythonConnection

        return PythonConnection(server=self._gate.parts.domain.server)

    def close(self) -> None:
        pass


class SiteSession(Site):
    """A session. Safe for one thread at a time; open one for each thread or site."""

    def __init__(self, transport: Transport, user: str, password: str) -> None:
        self._transport = transport
        self._key = SigningKey(transport.login(user, password))
        about = self._call("info")
        self.user, self.level = about.pop("user"), about.pop("level")
        self.info = SiteInfo(**{**about, "confinement": tuple(about["confinement"])})
        self._client: Any = None

    def __repr__(self) -> str:
        return f"SiteSession({self.user!r} at {self.info.name!r}, {self.info.isolation})"

    # -- anyone who is logged in
    def catalogue(self) -> list[DatasetCard]:
        return [DatasetCard(**{**row, "labels": tuple(row["labels"])}) for row in self._call("catalogue")]

    # -- researcher
    def mock_notes(self, dataset: str, limit: int = 10) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._call("mock_notes", dataset=dataset, limit=limit)
        return rows

    def rehearse(self, request: CodeRequest, entry: str, inputs: str | None = None) -> MockResult:
        return MockResult(**self._call("rehearse", request=request.to_json(), entry=entry, inputs=inputs))

    def submit(self, request: CodeRequest, rehearsals: Sequence[MockResult] = ()) -> RequestState:
        reply = self._call("submit", request=request.to_json())
        if not reply["in_domain"]:
            self._pysyft().submit(request)
            reply = self._call("submit", request=request.to_json())
        return RequestState(**reply["state"])

    def state(self, digest: str) -> RequestState:
        return RequestState(**self._call("state", digest=digest))

    def decision(self, digest: str) -> Decision | None:
        row = self._call("decision", digest=digest)
        return Decision.from_json(row) if row else None

    def withdraw(self, digest: str) -> RequestState:
        return RequestState(**self._call("withdraw", digest=digest))

    def put(self, data: bytes) -> str:
        digest = digest_bytes(data)
        self._call("put", data, digest=digest)
        return digest

    def get(self, digest: str) -> bytes:
        envelope = seal(self._key, self._transport.site, "get", {"digest": digest})
        reply, data = self._transport.send(envelope)
        _result(reply)
        if digest_bytes(data) != digest:
            raise SiteError(f"{self._transport.site} sent other bytes", expected=digest, got=digest_bytes(data))
        return data

    def plan(self, digest: str, question: Asked) -> PlanReport:
        from fedkit.warehouse.plan_report import PlanReport

        return PlanReport.from_json(self._call("plan", digest=digest, question=question.to_json()))

    def execute(self, digest: str, entry: str, round: int, inputs: str | None = None) -> Receipt:
        call: dict[str, Any] = {"digest": digest, "entry": entry, "round": round, "inputs": inputs or NOTHING}
        reply = self._call("admit", **call)
        if reply["receipt"] is not None:
            return Receipt.from_json(reply["receipt"])
        with suppress(SiteError):  # whatever became of PySyft's reply, the gate knows what became of the call
            self._pysyft().execute(digest, entry, round, inputs or NOTHING)
        return Receipt.from_json(self._call("outcome", **call))

    # -- while it runs
    def progress(self, digest: str) -> list[RunningCall]:
        return [RunningCall(**row) for row in self._call("progress", digest=digest)]

    def cancel(self, digest: str) -> int:
        return int(self._call("cancel", digest=digest))

    def logs(self, digest: str) -> list[ExecutionLog]:
        return [ExecutionLog(**row) for row in self._call("logs", digest=digest)]

    # -- researcher: sums under masks
    def sum_keys(self, digest: str) -> dict[str, Any]:
        keys: dict[str, Any] = self._call("sum_keys", digest=digest)
        return keys

    def sum_shares(self, digest: str, published: Mapping[str, Any]) -> dict[str, str]:
        sealed: dict[str, str] = self._call("sum_shares", digest=digest, published=dict(published))
        return sealed

    def sum_take(self, digest: str, sealed: Mapping[str, str]) -> None:
        self._call("sum_take", digest=digest, sealed=dict(sealed))

    def sum_open(self, digest: str, round: int, survivors: Sequence[str]) -> dict[str, dict[str, str]]:
        shares: dict[str, dict[str, str]] = self._call("sum_open", digest=digest, round=round, survivors=list(survivors))
        return shares

    # -- steward
    def requests(self) -> list[RequestState]:
        return [RequestState(**row) for row in self._call("requests")]

    def review(self, digest: str) -> Review:
        return _review(self.info.name, self._call("review", digest=digest))

    def reason_digest(self, reason: str) -> str:
        return str(self._call("reason_digest", reason=reason))

    def decide(self, decision: Decision) -> RequestState:
        return RequestState(**self._call("decide", decision=decision.to_json()))

    def offer_standing(self, standing: StandingApproval) -> StandingApproval:
        return StandingApproval.from_json(self._call("offer_standing", standing=standing.to_json()))

    def standings(self) -> list[StandingState]:
        return [_standing(row) for row in self._call("standings")]

    def withdraw_standing(self, digest: str, reason: str) -> StandingState:
        return _standing(self._call("withdraw_standing", digest=digest, reason=reason))

    def assign(self, digest: str, steward: str) -> RequestState:
        return RequestState(**self._call("assign", digest=digest, steward=steward))

    def reminders(self) -> list[RequestState]:
        return [RequestState(**row) for row in self._call("reminders")]

    def delegate(self, delegation: Delegation) -> Delegation:
        return Delegation.from_json(self._call("delegate", delegation=delegation.to_json()))

    def published_catalogue(self) -> Published | None:
        from fedkit.warehouse.catalogue import Published

        row = self._call("published_catalogue")
        return Published.from_json(row) if row else None

    def draft_catalogue(self, said: Terms) -> Catalogue:
        from fedkit.warehouse.catalogue import Catalogue

        return Catalogue.from_json(self._call("draft_catalogue", said=said.to_json()))

    def publish_catalogue(self, published: Published) -> Published:
        from fedkit.warehouse.catalogue import Published

        return Published.from_json(self._call("publish_catalogue", published=published.to_json()))

    def alike(self) -> list[Alike]:
        return [Alike(**row) for row in self._call("alike")]

    def review_batch(self, digests: Sequence[str]) -> list[Review]:
        return [_review(self.info.name, row) for row in self._call("review_batch", digests=list(digests))]

    # -- admin
    def accounts(self) -> list[AccountCard]:
        return [AccountCard.from_json(row) for row in self._call("accounts")]

    def add_account(self, user: str, level: str, *, name: str = "", address: str = "", expires: int = 0) -> str:
        return str(self._call("add_account", user=user, level=level, name=name, address=address, expires=expires))

    def change_account(
        self,
        user: str,
        *,
        level: str | None = None,
        name: str | None = None,
        address: str | None = None,
        expires: int | None = None,
    ) -> AccountChange:
        return _change(self._call("change_account", user=user, level=level, name=name, address=address, expires=expires))

    def revoke_account(self, user: str) -> AccountChange:
        return _change(self._call("revoke_account", user=user))

    def reset_password(self, user: str) -> str:
        return str(self._call("reset_password", user=user))

    # -- everybody
    def change_password(self, old: str, new: str) -> None:
        self._call("change_password", old=old, new=new)

    # -- auditor (and steward)
    def journal(self, start: int = 1) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._call("journal", start=start)
        return rows

    def anchor(self, after: int | None = None) -> dict[str, Any] | None:
        anchor: dict[str, Any] | None = self._call("anchor", after=after)
        return anchor

    def spends(self, digest: str, entry: str, round: int, after: int) -> list[Spend]:
        rows = self._call("spends", digest=digest, entry=entry, round=round, after=after)
        return [Spend.from_json(row) for row in rows]

    def head(self) -> SignedHead | None:
        row = self._call("head")
        return SignedHead.from_json(row) if row else None

    def sign_head(self, headers: Sequence[bytes]) -> SignedHead:
        return SignedHead.from_json(self._call("sign_head", headers=[raw.hex() for raw in headers]))

    def close(self) -> None:
        self._transport.close()

    def _call(self, method: str, data: bytes = b"", **params: Any) -> Any:
        envelope = seal(self._key, self._transport.site, method, params)
        return _result(self._transport.send(envelope, data)[0])

    def _pysyft(self) -> Any:
        """The user's PySyft client, made when first needed: it costs the import and a fetch of the API."""
        if self._client is None:
            from fedkit.sites.syft_client import PySyftClient

            self._client = PySyftClient(self._transport.pysyft(), bytes(self._key), self._transport.site)
        return self._client


def _review(site: str, row: Mapping[str, Any]) -> Review:
    return Review(
        site=site,
        request=CodeRequest.from_json(row["request"]),
        state=RequestState(**row["state"]),
        findings=[Finding(**f) for f in row["findings"]],
        diff=row["diff"],
        rehearsals=[MockResult(**r) for r in row["rehearsals"]],
        changes=[Change.from_json(c) for c in row["changes"]],
        rules=row["rules"],
        standing=[Nearly(**n) for n in row["standing"]],
        approvals=row["approvals"],
        spent=row["spent"],
    )


def _change(row: Mapping[str, Any]) -> AccountChange:
    return AccountChange(AccountCard.from_json(row["account"]), tuple(row["approvals"]))


def _standing(row: Mapping[str, Any]) -> StandingState:
    return StandingState(**{**row, "approval": StandingApproval.from_json(row["approval"])})


def _result(reply: Mapping[str, Any]) -> Any:
    if "error" in reply:
        raise FedkitError.from_json(reply["error"]) from None
    return reply["ok"]
