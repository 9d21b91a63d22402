"""The ledger of a federation: who takes part, what was asked, decided, run, anchored and released.

    ledger = open_ledger(Path("ledger"), keys)
    ledger.register_researcher("researcher")
    ledger.register_site("norway", key_address, steward_address, commitment)
    ledger.submit(request)
    ledger.decide(decision)                      # signed by the steward; the ledger only delivers it
    for event in ledger.events(): ...

Each act returns the record that the contracts made of it. An act that a resumed study repeats returns its earlier record.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from fedkit.digests import digest
from fedkit.errors import ContractReverted, LedgerError, RequestError
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.ledger.chain import Chain, EmbeddedChain, Head, NodeChain
from fedkit.ledger.contracts import contract
from fedkit.ledger.deployment import GAS, Deployment, find_or_deploy, write_whole
from fedkit.ledger.events import (
    KINDS,
    Anchored,
    DatasetCommitted,
    Decided,
    Event,
    Executed,
    Released,
    RequestSubmitted,
    RoleGranted,
    RoleRevoked,
    RoundRecorded,
    SiteRegistered,
    read_event,
)
from fedkit.ledger.keys import Keyring
from fedkit.ledger.names import NameBook, key_role, steward_role
from fedkit.ledger.typed import LedgerDomain, anchor_message, decision_message, name_id

RESEARCHER, ADMIN, RELAY = "researcher", "admin", "relay"

_Act = tuple[str, str, tuple[Any, ...]]  # contract, function, arguments
E = TypeVar("E", bound=Event)


def open_ledger(folder: Path, keys: Keyring, *, url: str | None = None, chain: Chain | None = None) -> Ledger:
    """Open the ledger in `folder`; its contracts are deployed the first time, by the key "admin" of `keys`.

    url:   JSON-RPC of a node; by default the chain is embedded, in `folder/chain.sqlite`.   chain: one that is open already.
    Raises AlreadyRunning if another process has the embedded chain, LedgerError if the chain is another one than before or
    a node does not answer, StorageError if the disk refuses.
    """
    if chain is None:
        chain = NodeChain(url) if url else EmbeddedChain(folder / "chain.sqlite")
    try:
        return Ledger(folder, keys, chain, find_or_deploy(chain, keys, folder / "contracts.json", ADMIN))
    except BaseException:
        chain.close()
        raise


class Ledger:
    """See the module. Safe for several threads: one act at a time."""

    def __init__(self, folder: Path, keys: Keyring, chain: Chain, deployment: Deployment) -> None:
        self.folder, self.keys, self.chain, self.deployment = folder, keys, chain, deployment
        self._lock = threading.RLock()
        self._names_file = folder / "names.json"
        self.names = NameBook(json.loads(self._names_file.read_bytes()) if self._names_file.exists() else ())
        self._events: list[Event] = []
        self._read_to = 0
        keys.create(RELAY)

    def __repr__(self) -> str:
        return f"Ledger(chain {self.chain.chain_id}, {self.head().number} blocks)"

    @property
    def domain(self) -> LedgerDomain:
        """What stewards and sites sign their statements for."""
        return self.deployment.domain

    def head(self) -> Head:
        """The newest block: what an auditor should write down elsewhere."""
        return self.chain.head()

    # -- by the admin: who takes part

    def register_site(
        self, name: str, address: str, steward: str, commitment: str | None = None, *, dataset: str = "notes"
    ) -> SiteRegistered:
        """Register a site by name, the address of its signing key and of its steward; and the commitment to its data set.

        A site that is registered with these keys already is left as it is; a new commitment is recorded.
        Raises LedgerError if it is registered with other keys.
        """
        with self._lock:
            self._learn([name, dataset])
            acts: list[_Act] = []
            site = name_id(name)
            if not self._ask("Registry", "isSite", site):
                acts.append(("Registry", "registerSite", (site, address, steward)))
            elif not (self.has_role(key_role(name), address) and self.has_role(steward_role(name), steward)):
                raise LedgerError(
                    f"{name} is registered with other keys",
                    expected="its key and steward as registered",
                    got="others",
                    help="give the federation its old key folder, or grant the new keys the site's roles",
                )
            if commitment and commitment != self._commitment(name, dataset):
                acts.append(("Registry", "commitDataset", (site, name_id(dataset), bytes.fromhex(commitment))))
            made = self._act(ADMIN, acts) if acts else []
            return _first(SiteRegistered, [*made, *self._of(SiteRegistered)], lambda e: e.site == name)

    def register_researcher(self, actor: str = RESEARCHER) -> RoleGranted:
        """Let an actor of the keyring (made if missing), or an address (0x…), submit requests and record rounds."""
        account = actor if actor.startswith("0x") else self.keys.create(actor)
        return self.grant("researcher", account)

    def grant(self, role: str, account: str) -> RoleGranted:
        """Give an account a role: "researcher", "admin", "steward of SITE" or "key of SITE"."""
        with self._lock:
            if not self.has_role(self._role(role), account):
                self._act(ADMIN, [("Registry", "grantRole", (self._role(role), account))])
            granted = [e for e in self._of(RoleGranted) if e.role == role and e.account == account]
            return granted[-1]

    def revoke(self, role: str, account: str) -> RoleRevoked:
        """Take a role away; what was done with it before stays valid."""
        with self._lock:
            if self.has_role(self._role(role), account):
                self._act(ADMIN, [("Registry", "revokeRole", (self._role(role), account))])
            revoked = [e for e in self._of(RoleRevoked) if e.role == role and e.account == account]
            if not revoked:
                raise LedgerError("the account never had this role", expected=role, got=account)
            return revoked[-1]

    def has_role(self, role: bytes, account: str) -> bool:
        """Whether an account has a role now."""
        return bool(self._ask("Registry", "hasRole", role, account))

    # -- by the researcher

    def submit(self, request: CodeRequest, sites: Sequence[str] | None = None, *, actor: str = RESEARCHER) -> RequestSubmitted:
        """4 Submit a request to sites (by default all that are registered). Only digests, names' ids and counts go on chain."""
        with self._lock:
            names = list(sites) if sites is not None else [e.site for e in self._of(SiteRegistered)]
            entries = {entry.name: entry.executions for entry in request.entries}
            self._learn([*names, *entries])
            digests = (request.digest, request.code_digest, request.environment, digest(request.permit.to_json()))
            arguments = (
                *map(_bytes32, digests),
                permit_expiry(request.permit.expires),
                [(name_id(name), executions) for name, executions in entries.items()],
                [name_id(name) for name in names],
            )
            return self._once(
                actor,
                ("Requests", "submit", arguments),
                RequestSubmitted,
                lambda e: e.request == request.digest and e.sites == tuple(names),
            )

    def record_round(
        self,
        request: str,
        entry: str,
        round: int,
        kind: str,
        inputs: str,
        aggregate: str,
        receipts: Sequence[Receipt],
        *,
        actor: str = RESEARCHER,
    ) -> RoundRecorded:
        """8 Record a round with the sites' receipts, in the order in which they ran.

        kind: "AVERAGED" (all start from `inputs`), "SEQUENTIAL" (each starts from the output of the one before it, the last
            gives `aggregate`) or "EVALUATED" (all look at `inputs`, and `aggregate` is `inputs` too).
        inputs, aggregate: digests of the weights before and after (64 zeros for none).
        Training rounds count 1, 2, …; an evaluation may skip numbers. Raises ContractReverted if a receipt is not its site's,
        does not start from the right weights, or goes beyond what that site granted.
        """
        if kind not in KINDS:
            raise LedgerError("no such kind of round", expected=f"one of {', '.join(KINDS)}", got=kind)
        if strays := [r for r in receipts if (r.request, r.entry, r.round) != (request, entry, round)]:
            raise LedgerError("a receipt is of another round", expected=f"{entry}, round {round}", got=f"{len(strays)} others")
        rows = [
            (
                name_id(r.site),
                _bytes32(r.inputs),
                _bytes32(r.outputs),
                _bytes32(r.numbers_digest),
                bytes.fromhex(r.signature.removeprefix("0x")),
            )
            for r in receipts
        ]
        arguments = (
            _bytes32(request),
            name_id(entry),
            round,
            KINDS.index(kind),
            _bytes32(inputs),
            _bytes32(aggregate),
            rows,
        )
        said = {(r.site, r.inputs, r.outputs, r.numbers_digest) for r in receipts}

        def same(e: RoundRecorded) -> bool:
            if (e.request, e.entry, e.round, e.kind, e.inputs, e.aggregate) != (request, entry, round, kind, inputs, aggregate):
                return False
            of_round = [
                x for x in self._of(Executed) if x.tx == e.tx and (x.request, x.entry, x.round) == (request, entry, round)
            ]
            return {(x.site, x.inputs, x.outputs, x.numbers_digest) for x in of_round} == said

        with self._lock:
            self._learn([entry, *(r.site for r in receipts)])
            return self._once(actor, ("Rounds", "recordRound", arguments), RoundRecorded, same)

    def release(
        self, request: str, model: str, folder: str = NOTHING, metrics: str = NOTHING, *, actor: str = RESEARCHER
    ) -> Released:
        """9 Release a model (digest of its weights): only what a recorded round of this request gave. A second release of the
        same model returns the first."""
        arguments = tuple(map(_bytes32, (request, model, folder, metrics)))
        return self._once(actor, ("Rounds", "release", arguments), Released, lambda e: (e.request, e.model) == (request, model))

    # -- by a steward or a site, delivered by anybody

    def decide(self, decision: Decision) -> Decided:
        """6 Deliver a steward's signed decision. A denial is final, an approval can only be withdrawn by a denial."""
        message = decision_message(decision)
        return self._once(
            RELAY,
            ("Requests", "decideBySig", (tuple(message.values()), _signature(decision.signature))),
            Decided,
            lambda e: (
                (e.request, e.site, e.actor, e.approved, e.rounds, e.expires, e.reason_digest)
                == (
                    decision.request,
                    decision.site,
                    decision.steward,
                    decision.approved,
                    decision.rounds,
                    decision.expires,
                    decision.reason_digest,
                )
            ),
        )

    def anchor(self, anchor: Mapping[str, Any]) -> Anchored:
        """Deliver a site's signed anchor {"stream", "from", "to", "root", "signature"} of its journal; rows without a gap."""
        message = anchor_message(anchor)
        return self._once(
            RELAY,
            ("Rounds", "anchor", (*message.values(), _signature(anchor["signature"]))),
            Anchored,
            lambda e: (e.stream, e.first, e.last, e.root) == tuple(anchor[k] for k in ("stream", "from", "to", "root")),
        )

    def anchored(self, stream: str) -> int:
        """The last row of a site's journal that is anchored; 0 if none is."""
        return int(self._ask("Rounds", "lastRow", name_id(stream)))

    # -- reading

    def events(self) -> list[Event]:
        """All records, oldest first. Blocks that were read once are not read again."""
        with self._lock:
            head = self.head().number
            if head > self._read_to:
                self._events += self._decode(self.chain.logs([*self.deployment.contracts.values()], self._read_to + 1, head))
                self._read_to = head
            return list(self._events)

    def close(self) -> None:
        """Let go of the chain."""
        with self._lock:
            self.chain.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- how

    def _once(self, actor: str, act: _Act, kind: type[E], same: Callable[[E], bool]) -> E:
        """Do an act; if the contract refuses it because it is done already, return the record of the first time."""
        with self._lock:
            try:
                return _first(kind, self._act(actor, [act]))
            except ContractReverted:
                for event in self._of(kind):
                    if same(event):
                        return event
                raise

    def _act(self, actor: str, acts: Sequence[_Act]) -> list[Event]:
        """Send acts of one actor, together if the chain can; returns their records."""
        with self._lock:
            nonce = self.chain.nonce(self.keys.address(actor))
            raws = [
                self.keys.sign_transaction(
                    actor,
                    chain_id=self.chain.chain_id,
                    nonce=nonce + i,
                    to=self.deployment.contracts[name],
                    data=contract(name).call(function, *arguments),
                    gas=GAS,
                )
                for i, (name, function, arguments) in enumerate(acts)
            ]
            return self._decode([log for receipt in self.chain.send(raws) for log in receipt["logs"]])

    def _ask(self, name: str, function: str, *arguments: Any) -> Any:
        data = contract(name).call(function, *arguments)
        return contract(name).output(function, self.chain.call(self.deployment.contracts[name], data))

    def _of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events() if isinstance(event, kind)]

    def _decode(self, logs: Sequence[Mapping[str, Any]]) -> list[Event]:
        by_address = {address: name for name, address in self.deployment.contracts.items()}
        times: dict[str, int] = {}
        found: list[Event] = []
        for log in logs:
            if (number := log["blockNumber"]) not in times:
                times[number] = int(self.chain.block(int(number, 16))["timestamp"], 16)
            of = contract(by_address[_checksum(log["address"])])
            try:
                kind, values = of.read_log([bytes.fromhex(t[2:]) for t in log["topics"]], bytes.fromhex(log["data"][2:]))
            except ValueError:
                continue
            where = {"block": int(number, 16), "index": int(log["logIndex"], 16), "tx": log["transactionHash"]}
            event = read_event(kind, values, self.names, **where, time=times[number], actor=self.deployment.deployer)
            if event is not None:
                found.append(event)
        return found

    def _learn(self, names: Sequence[str]) -> None:
        """Write new names down before their ids go on chain, where nobody could read them back."""
        if self.names.learn(names):
            write_whole(self._names_file, json.dumps(sorted(self.names.names)).encode())
            self._events, self._read_to = [], 0

    def _commitment(self, site: str, dataset: str) -> str | None:
        known = [e.commitment for e in self._of(DatasetCommitted) if (e.site, e.dataset) == (site, dataset)]
        return known[-1] if known else None

    def _role(self, role: str) -> bytes:
        kind, _, site = role.partition(" of ")
        if role == "admin":
            return bytes(32)
        if role == "researcher":
            return name_role()
        if kind in ("steward", "key") and site:
            return steward_role(site) if kind == "steward" else key_role(site)
        raise LedgerError("no such role", expected='"researcher", "admin", "steward of SITE" or "key of SITE"', got=role)


def permit_expiry(day: str) -> int:
    """The last second (Unix time, UTC) of a permit that counts until an ISO date, that day included."""
    try:
        return int(datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).timestamp())
    except ValueError:
        raise RequestError("the permit has no day on which it ends", expected="a date such as 2030-12-31", got=day) from None


def name_role() -> bytes:
    """The role of researchers; `Registry.RESEARCHER`."""
    return name_id("fedkit.researcher")


def _first(kind: type[E], events: Sequence[Event], fits: Callable[[E], bool] = lambda _: True) -> E:
    for event in events:
        if isinstance(event, kind) and fits(event):
            return event
    raise LedgerError("the chain has no record of the act", expected=kind.__name__, got="none")


def _bytes32(value: str) -> bytes:
    try:
        raw = bytes.fromhex(value)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 32:
        raise LedgerError("not a digest", expected="64 hex characters", got=f"{len(str(value))} characters")
    return raw


def _signature(value: str) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError:
        raise LedgerError("not a signature", expected="0x and 130 hex characters", got=f"{len(value)} characters") from None


def _checksum(address: str) -> str:
    from eth_utils import to_checksum_address

    return to_checksum_address(address)
