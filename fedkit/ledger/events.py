"""What the contracts recorded, as typed data.

Every record says where it stands (`block`, `index` of the log in it, `tx`), when (`time`, Unix seconds of the block) and who
did it (`actor`, the address whose signature counts: of the transaction's sender or of the statement's signer). Digests are 64
hex characters; sites, entries and data sets are names where the reader knows them and 0x… ids where not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from eth_utils import to_checksum_address

from fedkit.governance.request import PURPOSES


@dataclass(frozen=True, kw_only=True)
class Event:
    """One record of the ledger."""

    block: int
    index: int
    tx: str
    time: int
    actor: str
    name: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        return {"event": type(self).__name__, **asdict(self)}

    def same_act(self, other: Event) -> bool:
        """Whether both say the same, wherever they stand."""
        where = {f.name for f in fields(Event)}
        return type(self) is type(other) and all(
            getattr(self, f.name) == getattr(other, f.name) for f in fields(self) if f.name not in where
        )


@dataclass(frozen=True, kw_only=True)
class SiteRegistered(Event):
    """key signs the site's receipts and anchors, steward its decisions."""

    site: str
    key: str
    steward: str


@dataclass(frozen=True, kw_only=True)
class DatasetCommitted(Event):
    site: str
    dataset: str
    commitment: str


@dataclass(frozen=True, kw_only=True)
class RoleGranted(Event):
    """role: "admin", "researcher", "auditor", "authority", "steward of SITE", "key of SITE", or the 0x… id of one the reader
    cannot name."""

    role: str
    account: str


@dataclass(frozen=True, kw_only=True)
class RoleRevoked(Event):
    role: str
    account: str


@dataclass(frozen=True, kw_only=True)
class LevelChanged(Event):
    """account is of this level now: one of `LEVELS`; "guest" is who has no role (any more)."""

    account: str
    level: str


@dataclass(frozen=True, kw_only=True)
class PermitIssued(Event):
    """permit: digest of its text; purpose: one of `governance.request.PURPOSES`; expires: Unix seconds; users: addresses."""

    permit: str
    purpose: str
    expires: int
    datasets: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PermitRevoked(Event):
    permit: str


@dataclass(frozen=True, kw_only=True)
class Superseded(Event):
    """The deployment whose Registry is `old` takes nothing after block `last_block`; the one at `next` goes on."""

    old: str
    last_block: int
    next: str


@dataclass(frozen=True, kw_only=True)
class RequestSubmitted(Event):
    """permit: digest of the data permit. entries: name → executions asked for at each site."""

    request: str
    permit: str
    dataset: str
    code: str
    environment: str
    entries: Mapping[str, int]
    sites: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Decided(Event):
    request: str
    site: str
    approved: bool
    rounds: int
    expires: int
    reason_digest: str


@dataclass(frozen=True, kw_only=True)
class Executed(Event):
    """actor: the site's key that signed the receipt."""

    request: str
    site: str
    entry: str
    round: int
    inputs: str
    outputs: str
    numbers_digest: str


@dataclass(frozen=True, kw_only=True)
class RoundRecorded(Event):
    """kind: "AVERAGED", "SEQUENTIAL" or "EVALUATED"."""

    request: str
    entry: str
    round: int
    kind: str
    inputs: str
    aggregate: str


@dataclass(frozen=True, kw_only=True)
class Released(Event):
    """model: digest of the weights; folder and metrics: of what was released with it (64 zeros if not given)."""

    request: str
    model: str
    folder: str
    metrics: str


@dataclass(frozen=True, kw_only=True)
class Anchored(Event):
    """Rows `first` to `last` of a site's journal have this Merkle root."""

    stream: str
    first: int
    last: int
    root: str


@dataclass(frozen=True, kw_only=True)
class StudyAnchored(Event):
    """Rows `first` to `last` of the journal of the actor's study have this Merkle root. study: 64 hex characters."""

    study: str
    first: int
    last: int
    root: str


@dataclass(frozen=True, kw_only=True)
class BudgetSet(Event):
    """actor: the steward. cap: what may be spent in all, in millionths of epsilon."""

    site: str
    dataset: str
    cap: int
    version: int


@dataclass(frozen=True, kw_only=True)
class BudgetSpent(Event):
    """actor: the site's key. amount and total (spent so far, this included): millionths of epsilon."""

    request: str
    site: str
    dataset: str
    entry: str
    round: int
    amount: int
    total: int


#: The levels of accounts, by number on chain; see contracts/src/Levels.sol.
LEVELS = ("guest", "researcher", "auditor", "steward", "admin", "site", "authority")

#: How the receipts of a round hang together, by number on chain; see contracts/src/Rounds.sol.
KINDS = ("AVERAGED", "SEQUENTIAL", "EVALUATED")

#: Records that do not name who did it: the sender of their transaction did.
BY_SENDER = frozenset({"SiteRegistered", "DatasetCommitted", "LevelChanged", "Superseded"})

Naming = Callable[[bytes], str]


def read_event(kind: str, values: Mapping[str, Any], named: Naming, **where: Any) -> Event | None:
    """The record of a decoded log, or None for a kind that is no record. named: id → name.

    where: block, index, tx, time, and for the kinds in `BY_SENDER` the actor.
    """
    v = values
    if kind == "SiteRegistered":
        return SiteRegistered(**where, site=named(v["site"]), key=_address(v["key"]), steward=_address(v["steward"]))
    if kind == "DatasetCommitted":
        return DatasetCommitted(**where, site=named(v["site"]), dataset=named(v["dataset"]), commitment=v["commitment"].hex())
    if kind in ("RoleGranted", "RoleRevoked"):
        made = RoleGranted if kind == "RoleGranted" else RoleRevoked
        return made(**{**where, "actor": _address(v["sender"])}, role=named(v["role"]), account=_address(v["account"]))
    if kind == "LevelChanged":
        return LevelChanged(**where, account=_address(v["account"]), level=LEVELS[v["level"]])
    if kind == "PermitIssued":
        return PermitIssued(
            **{**where, "actor": _address(v["authority"])},
            permit=v["permit"].hex(),
            purpose=PURPOSES[v["purpose"]],
            expires=v["expires"],
            datasets=tuple(named(dataset) for dataset in v["datasets"]),
            users=tuple(_address(user) for user in v["users"]),
        )
    if kind == "PermitRevoked":
        return PermitRevoked(**{**where, "actor": _address(v["authority"])}, permit=v["permit"].hex())
    if kind == "Superseded":
        return Superseded(**where, old=_address(v["old"]), last_block=v["lastBlock"], next=_address(v["next"]))
    if kind == "RequestSubmitted":
        return RequestSubmitted(
            **{**where, "actor": _address(v["researcher"])},
            request=v["request"].hex(),
            permit=v["permit"].hex(),
            dataset=named(v["dataset"]),
            code=v["codeDigest"].hex(),
            environment=v["environmentDigest"].hex(),
            entries={named(entry): executions for entry, executions in v["entries"]},
            sites=tuple(named(site) for site in v["sites"]),
        )
    if kind == "Decided":
        return Decided(
            **{**where, "actor": _address(v["steward"])},
            request=v["request"].hex(),
            site=named(v["site"]),
            approved=v["approved"],
            rounds=v["rounds"],
            expires=v["expires"],
            reason_digest=v["reasonDigest"].hex(),
        )
    if kind == "Executed":
        return Executed(
            **{**where, "actor": _address(v["key"])},
            request=v["request"].hex(),
            site=named(v["site"]),
            entry=named(v["entry"]),
            round=v["round"],
            inputs=v["inputs"].hex(),
            outputs=v["outputs"].hex(),
            numbers_digest=v["numbersDigest"].hex(),
        )
    if kind == "RoundRecorded":
        return RoundRecorded(
            **{**where, "actor": _address(v["researcher"])},
            request=v["request"].hex(),
            entry=named(v["entry"]),
            round=v["round"],
            kind=KINDS[v["kind"]],
            inputs=v["inputs"].hex(),
            aggregate=v["aggregate"].hex(),
        )
    if kind == "Released":
        return Released(
            **{**where, "actor": _address(v["researcher"])},
            request=v["request"].hex(),
            model=v["model"].hex(),
            folder=v["folder"].hex(),
            metrics=v["metrics"].hex(),
        )
    if kind == "Anchored":
        return Anchored(
            **{**where, "actor": _address(v["key"])},
            stream=named(v["stream"]),
            first=v["first"],
            last=v["last"],
            root=v["root"].hex(),
        )
    if kind == "StudyAnchored":
        return StudyAnchored(
            **{**where, "actor": _address(v["researcher"])},
            study=v["study"].hex(),
            first=v["first"],
            last=v["last"],
            root=v["root"].hex(),
        )
    if kind == "BudgetSet":
        return BudgetSet(
            **{**where, "actor": _address(v["steward"])},
            site=named(v["site"]),
            dataset=named(v["dataset"]),
            cap=v["cap"],
            version=v["version"],
        )
    if kind == "BudgetSpent":
        return BudgetSpent(
            **{**where, "actor": _address(v["key"])},
            request=v["request"].hex(),
            site=named(v["site"]),
            dataset=named(v["dataset"]),
            entry=named(v["entry"]),
            round=v["round"],
            amount=v["amount"],
            total=v["total"],
        )
    return None


def _address(value: str) -> str:
    return to_checksum_address(value)
