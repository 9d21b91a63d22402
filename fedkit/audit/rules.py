"""The rules of the contracts once more, in Python, over signed acts (checks 5 to 8, parts of 10 and 13).

An honest chain cannot break them: the contracts refuse. A forged one can, so an auditor takes none of it from the chain's word.
`Replay.apply` takes the acts in their order; what breaks a rule becomes a finding under the number of its check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import OPERATOR, Act, Found
from fedkit.audit.report import Finding
from fedkit.errors import LedgerError
from fedkit.ledger.events import KINDS
from fedkit.ledger.names import ADMIN_ROLE, RESEARCHER_ROLE, NameBook, key_role, steward_role
from fedkit.ledger.typed import LedgerDomain, recover_hash, signing_hash


@dataclass(frozen=True)
class Asked:
    """A submitted request. entries: id → executions asked for; sites: ids."""

    researcher: str
    digests: Mapping[str, bytes]
    permit_expires: int
    entries: Mapping[bytes, int]
    sites: frozenset[bytes]


@dataclass(frozen=True)
class Ran:
    """An execution that a site signed for. where: the act that put it on the ledger; "" in a journal."""

    request: str
    site: bytes
    entry: bytes
    round: int
    inputs: str
    outputs: str
    numbers: str
    where: str = ""

    def bare(self) -> Ran:
        """Without its place: what journal and ledger must agree on."""
        return replace(self, where="")


@dataclass(frozen=True)
class Round:
    """A recorded round."""

    request: str
    entry: bytes
    number: int
    kind: str
    inputs: str
    aggregate: str
    where: str


@dataclass
class Replay:
    """What stands after the acts so far."""

    names: NameBook
    domain: LedgerDomain
    found: Found
    roles: set[tuple[bytes, str]] = field(default_factory=set)
    asked: dict[bytes, Asked] = field(default_factory=dict)
    decisions: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    standing: dict[tuple[bytes, bytes], Mapping[str, Any]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    last: dict[tuple[str, bytes], int] = field(default_factory=dict)
    executions: list[Ran] = field(default_factory=list)
    anchors: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)
    releases: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)

    def apply(self, act: Act) -> None:
        """One act more."""
        name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", act.function)
        handler: Callable[[Act], None] | None = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(act)

    def _find(self, check: int, act: Act, what: str, who: str = OPERATOR) -> None:
        self.found[check].append(Finding(act.where, what, who))

    # -- check 5: everybody had the role

    def _may(self, act: Act, role: bytes, account: str) -> None:
        if (role, account) not in self.roles:
            self._find(5, act, f"{act.function} by {account}, who was not {self.names(role)} then", f"{account}, or {OPERATOR}")

    def _on_register_site(self, act: Act) -> None:
        self._may(act, ADMIN_ROLE, act.sender)
        site, key, steward = (act.arguments[k] for k in ("site", "key", "steward"))
        self.roles |= {(key_role(site), to_checksum_address(key)), (steward_role(site), to_checksum_address(steward))}

    def _on_commit_dataset(self, act: Act) -> None:
        self._may(act, ADMIN_ROLE, act.sender)

    def _on_grant_role(self, act: Act) -> None:
        self._may(act, ADMIN_ROLE, act.sender)
        self.roles.add((act.arguments["role"], to_checksum_address(act.arguments["account"])))

    def _on_revoke_role(self, act: Act) -> None:
        self._may(act, ADMIN_ROLE, act.sender)
        self.roles.discard((act.arguments["role"], to_checksum_address(act.arguments["account"])))

    def _on_renounce_role(self, act: Act) -> None:
        self.roles.discard((act.arguments["role"], act.sender))

    def _on_submit(self, act: Act) -> None:
        self._may(act, RESEARCHER_ROLE, act.sender)
        given = act.arguments
        if given["request"] in self.asked:
            self._find(5, act, "submits a request a second time")
        if given["permitExpires"] < act.time:
            self._find(5, act, "was submitted under a permit that had run out")
        digests = {name: given[name] for name in ("codeDigest", "environmentDigest", "permitDigest")}
        self.asked[given["request"]] = Asked(
            act.sender, digests, given["permitExpires"], dict(given["entries"]), frozenset(given["sites"])
        )

    # -- check 6: decisions

    def _on_decide_by_sig(self, act: Act) -> None:
        decision = act.arguments["decision"]
        request, site, steward = decision["request"], decision["site"], to_checksum_address(decision["steward"])
        asked, name = self.asked.get(request), self.names(site)
        before = self.standing.get((request, site))
        self.decisions.append((decision, act.where))
        self.standing[request, site] = decision
        if asked is None or site not in asked.sites:
            self._find(6, act, f"decides for {name} what {name} was not asked")
        elif asked.researcher == steward:
            self._find(6, act, f"the researcher decided for {name}", f"{steward}, or {OPERATOR}")
        if (signer := self._signer("Decision", decision, act.arguments["signature"])) != steward:
            self._find(6, act, f"the decision for {name} is not signed by its steward but by {signer}")
        elif (steward_role(site), steward) not in self.roles:
            self._find(6, act, f"{steward} decided, who was not steward of {name} then", f"{steward}, or {OPERATOR}")
        if decision["approved"] and decision["expires"] < act.time:
            self._find(6, act, f"the approval of {name} had run out when it came")
        if before is not None and (decision["approved"] or not before["approved"]):
            self._find(6, act, f"{name} had decided already")

    # -- check 7: executions; check 8: rounds

    def _on_record_round(self, act: Act) -> None:
        given = act.arguments
        request, entry, number, kind = given["request"], given["entry"], given["round"], KINDS[given["kind"]]
        asked = self.asked.get(request)
        self._may(act, RESEARCHER_ROLE, act.sender)
        if asked is None or asked.researcher != act.sender:
            self._find(5, act, "records a round of a request that another researcher made", f"{act.sender}, or {OPERATOR}")
        last = self.last.get((request.hex(), entry), 0)
        if number <= last or (kind != "EVALUATED" and number != last + 1):
            self._find(8, act, f"records round {number} of {self.names(entry)} after round {last}")
        expected = given["inputs"]
        for receipt in given["receipts"]:
            self._receipt(act, receipt, asked)
            if receipt["inputs"] != expected:
                self._find(8, act, f"{self.names(receipt['site'])} did not start from the weights of this round")
            if kind == "SEQUENTIAL":
                expected = receipt["outputs"]
        if not given["receipts"] or len({r["site"] for r in given["receipts"]}) != len(given["receipts"]):
            self._find(8, act, "has no receipts, or two of one site")
        if kind != "AVERAGED" and given["aggregate"] != expected:
            self._find(8, act, f"names other weights as its result than a round {kind} gives", "the researcher")
        self.last[request.hex(), entry] = max(last, number)
        if kind != "EVALUATED":
            self.models[request.hex()] = given["aggregate"].hex()
        self.rounds.append(
            Round(request.hex(), entry, number, kind, given["inputs"].hex(), given["aggregate"].hex(), act.where)
        )

    def _receipt(self, act: Act, receipt: Mapping[str, Any], asked: Asked | None) -> None:
        given, site = act.arguments, receipt["site"]
        request, entry, name = given["request"], given["entry"], self.names(site)
        message = {k: given[k] for k in ("request", "entry", "round")} | {k: v for k, v in receipt.items() if k != "signature"}
        signer = self._signer("Receipt", message, receipt["signature"])
        if (key_role(site), signer) not in self.roles:
            self._find(7, act, f"the receipt of {name} is signed by {signer}, which is no key of {name}")
        decision = self.standing.get((request, site))
        if decision is None or not decision["approved"]:
            self._find(7, act, f"{name} ran {self.names(entry)} without an approval", f"{name} together with {OPERATOR}")
        elif decision["expires"] < act.time or (asked is not None and asked.permit_expires < act.time):
            self._find(7, act, f"{name} ran after the approval or the permit had run out", f"{name} together with {OPERATOR}")
        else:
            granted = min(decision["rounds"], asked.entries.get(entry, 0) if asked else 0)
            if given["round"] > granted:
                self._find(8, act, f"{name} granted {granted} rounds of {self.names(entry)}, this is round {given['round']}")
        inputs, outputs, numbers = (receipt[k].hex() for k in ("inputs", "outputs", "numbersDigest"))
        self.executions.append(Ran(request.hex(), site, entry, given["round"], inputs, outputs, numbers, act.where))

    # -- checks 10 and 13

    def _on_anchor(self, act: Act) -> None:
        given = {k: act.arguments[k] for k in ("stream", "first", "last", "root")}
        signer = self._signer("Anchor", given, act.arguments["signature"])
        if (key_role(given["stream"]), signer) not in self.roles:
            name = self.names(given["stream"])
            self._find(10, act, f"the anchor of {name} is signed by {signer}, which is no key of {name}")
        self.anchors.append((given, act.where))

    def _on_release(self, act: Act) -> None:
        self._may(act, RESEARCHER_ROLE, act.sender)
        asked = self.asked.get(act.arguments["request"])
        if asked is None or asked.researcher != act.sender:
            self._find(5, act, "releases a model of another researcher's request", f"{act.sender}, or {OPERATOR}")
        model = act.arguments["model"].hex()
        if model != self.models.get(act.arguments["request"].hex()):
            self._find(13, act, f"model {model[:12]} is not what the last recorded round gave", "the researcher")
        self.releases.append((act.arguments, act.where))

    def _signer(self, kind: str, message: Mapping[str, Any], signature: bytes) -> str:
        try:
            return recover_hash(signing_hash(kind, message, self.domain), "0x" + signature.hex())
        except LedgerError:
            return "nobody"
