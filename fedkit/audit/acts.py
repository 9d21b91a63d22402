"""From blocks to acts: each signed call to fedkit's contracts, with what it recorded (checks 2, 3 and 4).

An act is taken from the *call*, whose transaction is signed, not from an event, which whoever runs a chain could write. The
events are compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fedkit.audit.evidence import Evidence
from fedkit.audit.report import Finding
from fedkit.governance.request import PURPOSES
from fedkit.ledger.blocks import Header, RawBlock, parse_header
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.deployment import Deployment, arguments
from fedkit.ledger.events import KINDS
from fedkit.ledger.transactions import Log, Transaction, parse_receipt, parse_transaction, trie_root
from fedkit.ledger.typed import TYPES

OPERATOR = "whoever runs the chain"
HOLDER = "whoever held the bundle"

#: The record that a call leaves; a call that is not here leaves none that counts.
RECORD = {
    "registerSite": "SiteRegistered",
    "commitDataset": "DatasetCommitted",
    "grantRole": "RoleGranted",
    "revokeRole": "RoleRevoked",
    "renounceRole": "RoleRevoked",
    "issuePermit": "PermitIssued",
    "revokePermit": "PermitRevoked",
    "supersede": "Superseded",
    "submit": "RequestSubmitted",
    "decideBySig": "Decided",
    "recordRound": "RoundRecorded",
    "release": "Released",
    "anchor": "Anchored",
    "anchorStudy": "StudyAnchored",
    "setBudgetBySig": "BudgetSet",
    "spendBySig": "BudgetSpent",
}


@dataclass(frozen=True)
class Act:
    """One call that went through. sender: who signed the transaction; arguments: as the contract got them, structs as dicts.

    deployment: whose contracts took it, by its place in `Evidence.deployments`.
    """

    block: int
    time: int
    tx: str
    sender: str
    function: str
    arguments: Mapping[str, Any]
    deployment: int = 0

    @property
    def where(self) -> str:
        return f"block {self.block}, transaction {self.tx[:12]}"


Found = dict[int, list[Finding]]


def read_acts(
    evidence: Evidence, found: Found, pin: str | None = None, foreign: set[int] | None = None
) -> tuple[list[Act], list[Header]]:
    """The acts in the bundle's blocks, and their headers. What is wrong with them goes into `found` under its check.

    foreign: gets the places of earlier deployments that are of other code; their acts cannot be read.
    """
    headers: list[Header] = []
    acts: list[Act] = []
    deployed: dict[str, Transaction] = {}
    foreign = set() if foreign is None else foreign
    foreign |= _foreign(evidence)
    known = [(at, deployment) for at, deployment in enumerate(evidence.deployments) if at not in foreign]
    ours = {address: (at, name) for at, deployment in known for name, address in deployment.contracts.items()}
    for position, block in enumerate(evidence.blocks):
        header = _header(block, position, headers, found)
        if header is None:
            break
        headers.append(header)
        for raw, receipt in zip(block.transactions, block.receipts, strict=False):
            try:
                transaction, (through, logs) = parse_transaction(raw), parse_receipt(receipt)
            except ValueError as error:
                found[2].append(Finding(f"block {header.number}", f"holds something unreadable: {error}", HOLDER))
                continue
            if through and transaction.to is None:
                deployed[transaction.contract] = transaction
            if through and (act := _act(evidence, ours, header, transaction, logs, found)) is not None:
                acts.append(act)
    _pinned(headers, pin, found)
    if headers and headers[0].hash != evidence.deployment.genesis:
        found[3].append(Finding("block 0", "is not the genesis block that the bundle names", f"{OPERATOR}, or {HOLDER}"))
    for _, deployment in known:
        _deployment(deployment, deployed, found)
    return acts, headers


def _header(block: RawBlock, position: int, before: Sequence[Header], found: Found) -> Header | None:
    try:
        header = parse_header(block.header)
    except ValueError:
        found[2].append(Finding(f"block {position}", "has no readable header, so nothing after it counts", HOLDER))
        return None
    where = f"block {position}"
    if header.number != position:
        found[2].append(Finding(where, f"calls itself block {header.number}", f"{OPERATOR}, or {HOLDER}"))
    if before and (header.parent != before[-1].hash or header.time < before[-1].time):
        found[2].append(Finding(where, "does not follow the block before it", f"{OPERATOR}, or {HOLDER}"))
    for name, items, root in (
        ("transactions", block.transactions, header.transactions_root),
        ("receipts", block.receipts, header.receipts_root),
    ):
        if trie_root(items) != root:
            found[2].append(Finding(where, f"its {name} are not those that its hash was made of", HOLDER))
    return header


def _pinned(headers: Sequence[Header], pin: str | None, found: Found) -> None:
    """The chain must contain the head that somebody wrote down: else it was set back, or written anew."""
    if not headers:
        found[2].append(Finding("chain.json", "holds no block", HOLDER))
    if pin is not None and not any(pin in (h.hash, f"{h.number}:{h.hash}") for h in headers):
        found[2].append(Finding("the pinned head", f"{pin[:80]} is not on this chain", f"{OPERATOR}: set back or rewritten"))


def _foreign(evidence: Evidence) -> set[int]:
    """Places of earlier deployments whose contracts were created from other code than that of this fedkit."""
    created = {t.contract: t.data for t in _creations(evidence)}
    return {
        at
        for at, deployment in enumerate(evidence.earlier)
        if any(not created.get(deployment.contracts[name], b"").startswith(contract(name).bytecode) for name in NAMES)
    }


def _creations(evidence: Evidence) -> Iterator[Transaction]:
    for block in evidence.blocks if evidence.earlier else ():
        for raw in block.transactions:
            with suppress(ValueError):
                if (transaction := parse_transaction(raw)).to is None:
                    yield transaction


def _deployment(said: Deployment, deployed: Mapping[str, Transaction], found: Found) -> None:
    for name in NAMES:
        address = said.contracts.get(name, "nowhere")
        transaction = deployed.get(address)
        if transaction is None:
            found[3].append(Finding(f"{name} at {address}", "was not created on this chain", f"{OPERATOR}, or {HOLDER}"))
        elif transaction.data != contract(name).creation(*arguments(name, said)):
            what = "is not the contract that comes with this fedkit, or has another admin or predecessor"
            found[3].append(Finding(f"{name} at {address}", what, f"who deployed it, {transaction.sender}"))


def _act(
    evidence: Evidence,
    ours: Mapping[str, tuple[int, str]],
    header: Header,
    call: Transaction,
    logs: Sequence[Log],
    found: Found,
) -> Act | None:
    """The act in a transaction that went through, if it calls one of the contracts; its records must say the same.

    ours: address → place of the deployment, name of the contract.
    """
    where = f"block {header.number}, transaction {call.hash[:12]}"
    try:
        records = [contract(ours[log.address][1]).read_log(log.topics, log.data) for log in logs if log.address in ours]
        if call.to not in ours:
            if call.to is not None and records:
                found[4].append(Finding(where, "records of the contracts without a signed call to them", OPERATOR))
            return None
        deployment, name = ours[str(call.to)]
        function, given = contract(name).read_call(call.data)
        _check_choices(function, given)
    except ValueError as error:
        found[4].append(Finding(where, f"is no call that the contracts take: {error}", OPERATOR))
        return None
    given = unpack(function, given)
    if call.chain_id != evidence.deployment.chain_id:
        found[4].append(Finding(where, f"is signed for another chain, {call.chain_id}", OPERATOR))
    if function in RECORD and not _recorded(function, given, records):
        found[4].append(Finding(where, f"its record is not what the signed call {function} says", OPERATOR))
    return Act(header.number, header.time, call.hash, call.sender, function, given, deployment)


#: (function, argument) → how many values there are to choose from (an enum of Solidity, a bare number in the call's bytes).
CHOICES = {("recordRound", "kind"): len(KINDS), ("issuePermit", "purpose"): len(PURPOSES)}


def _check_choices(function: str, given: Mapping[str, Any]) -> None:
    """Raises ValueError for a number that stands for nothing, as a contract refuses it."""
    for (name, argument), count in CHOICES.items():
        if name == function and given[argument] >= count:
            raise ValueError(f"{argument} {given[argument]} of {count}")


def _recorded(function: str, given: Mapping[str, Any], records: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Whether the records of a transaction say what its call said, in every field that both have."""
    said = next((given[name] for name in ("decision", "budget", "spend") if name in given), given)
    mine = [values for name, values in records if name == RECORD[function]]
    if not mine and function.endswith("Role"):
        return True  # giving a role that is held, or taking one that is not, records nothing
    executed = [values for name, values in records if name == "Executed"]
    receipts = given.get("receipts", [])
    return (
        len(mine) == 1
        and all(values[k] == said[k] for values in mine for k in values.keys() & said.keys())
        and len(executed) == len(receipts)
        and all(e[k] == r[k] for e, r in zip(executed, receipts, strict=True) for k in e.keys() & r.keys())
    )


def unpack(function: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with their structs as dicts."""
    values = dict(given)
    if function == "decideBySig":
        names = ("request", "site", "approved", "rounds", "expires", "reasonDigest", "steward")
        values["decision"] = dict(zip(names, values["decision"], strict=True))
    elif function in ("setBudgetBySig", "spendBySig"):
        kind, name = ("Budget", "budget") if function == "setBudgetBySig" else ("Spend", "spend")
        values[name] = dict(zip([field for field, _ in TYPES[kind]], values[name], strict=True))
    elif function == "recordRound":
        fields = ("site", "inputs", "outputs", "numbersDigest", "signature")
        values["receipts"] = [dict(zip(fields, row, strict=True)) for row in values["receipts"]]
    return values
