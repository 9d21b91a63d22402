"""The rules of the contracts once more, in Python, over signed acts (checks 5 to 8, parts of 10 and 13, 16).

An honest chain cannot break them: the contracts refuse. A forged one can, so an auditor takes none of it from the chain's word.
`Replay.apply` takes the acts in their order; what breaks a rule becomes a finding under the number of its check. People and
permits are in `roles`, spending in `budgets`; what is asked, decided, run, anchored and released is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from eth_utils import to_checksum_address

from fedkit.audit.acts import OPERATOR, Act
from fedkit.audit.budgets import Budgets, Execution
from fedkit.ledger.events import KINDS
from fedkit.ledger.names import RESEARCHER_ROLE, key_role, steward_role
from fedkit.ledger.typed import name_id


@dataclass(frozen=True)
class Asked:
    """A submitted request. entries: id → executions asked for; sites: ids; permit_expires: 0 if it was never issued."""

    researcher: str
    digests: Mapping[str, bytes]
    dataset: bytes
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


#: What an anchor closes: ("", id of a site), or (a researcher's address, id of a study).
Stream = tuple[str, bytes]


@dataclass(frozen=True)
class Anchor:
    """Rows `first` to `last` of a stream have this Merkle root. time, block: of the act. name: for people."""

    stream: Stream
    name: str
    first: int
    last: int
    root: bytes
    time: int
    block: int
    where: str


def site_stream(site: str | bytes) -> Stream:
    """The stream of a site (name or id)."""
    return ("", name_id(site) if isinstance(site, str) else site)


@dataclass
class Replay(Budgets):
    """What stands after the acts so far.

    anchors: place of the deployment, and the anchor.
    partly_read: an earlier deployment is of other code, so requests that are not here may have been there.
    """

    asked: dict[bytes, Asked] = field(default_factory=dict)
    decisions: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    standing: dict[tuple[bytes, bytes], Mapping[str, Any]] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    last: dict[tuple[str, bytes], int] = field(default_factory=dict)
    executions: list[Ran] = field(default_factory=list)
    anchors: list[tuple[int, Anchor]] = field(default_factory=list)
    models: dict[str, str] = field(default_factory=dict)
    releases: list[tuple[Mapping[str, Any], str]] = field(default_factory=list)
    partly_read: bool = False

    def dataset_of(self, request: bytes) -> bytes:
        """The data set that a request is about; none for one that was never submitted."""
        asked = self.asked.get(request)
        return asked.dataset if asked else b""

    # -- check 5: requests, by whom, under which permit

    def _on_submit(self, act: Act) -> None:
        given = act.arguments
        self.may(act, RESEARCHER_ROLE, act.sender)
        if given["request"] in self.asked:
            self.find(5, act, "submits a request a second time")
        if why := self.why_not(given["permit"], given["dataset"], act.sender, act.time):
            self.find(5, act, f"was submitted under {why}")
        for site in given["sites"]:
            if (site, given["dataset"]) not in self.committed:
                self.find(5, act, f"asks {self.names(site)} for data that it never committed to")
        digests = {name: given[name] for name in ("codeDigest", "environmentDigest", "permit")}
        expires = self.permits.get(given["permit"], {}).get("expires", 0)
        entries, sites = dict(given["entries"]), frozenset(given["sites"])
        self.asked[given["request"]] = Asked(act.sender, digests, given["dataset"], expires, entries, sites)

    def _requester(self, act: Act) -> Asked | None:
        """Who acts on a request must have submitted it, be a researcher still, under a permit that still counts."""
        asked = self.asked.get(act.arguments["request"])
        self.may(act, RESEARCHER_ROLE, act.sender)
        if asked is None or asked.researcher != act.sender:
            self.find(5, act, f"{act.function} of a request that another researcher made", f"{act.sender}, or {OPERATOR}")
        elif why := self.why_not(asked.digests["permit"], asked.dataset, act.sender, act.time):
            self.find(5, act, f"{act.function} under {why}", f"{act.sender}, or {OPERATOR}")
        return asked

    # -- check 6: decisions

    def _on_decide_by_sig(self, act: Act) -> None:
        decision = act.arguments["decision"]
        request, site, steward = decision["request"], decision["site"], to_checksum_address(decision["steward"])
        asked, name = self.asked.get(request), self.names(site)
        before = self.standing.get((request, site))
        self.decisions.append((decision, act.where))
        self.standing[request, site] = decision
        if asked is None or site not in asked.sites:
            self.find(6, act, f"decides for {name} what {name} was not asked")
        elif asked.researcher == steward:
            self.find(6, act, f"the researcher decided for {name}", f"{steward}, or {OPERATOR}")
        elif decision["approved"] and (why := self.why_not(asked.digests["permit"], asked.dataset, asked.researcher, act.time)):
            self.find(6, act, f"{name} approved under {why}")
        if (signer := self.signer("Decision", decision, act.arguments["signature"])) != steward:
            self.find(6, act, f"the decision for {name} is not signed by its steward but by {signer}")
        elif (steward_role(site), steward) not in self.roles:
            self.find(6, act, f"{steward} decided, who was not steward of {name} then", f"{steward}, or {OPERATOR}")
        if decision["approved"] and decision["expires"] < act.time:
            self.find(6, act, f"the approval of {name} had run out when it came")
        if before is not None and (decision["approved"] or not before["approved"]):
            self.find(6, act, f"{name} had decided already")

    # -- check 7: executions; check 8: rounds

    def _on_record_round(self, act: Act) -> None:
        given = act.arguments
        request, entry, number, kind = given["request"], given["entry"], given["round"], KINDS[given["kind"]]
        self._requester(act)
        last = self.last.get((request.hex(), entry), 0)
        if number <= last or (kind != "EVALUATED" and number != last + 1):
            self.find(8, act, f"records round {number} of {self.names(entry)} after round {last}")
        expected = given["inputs"]
        for receipt in given["receipts"]:
            self._receipt(act, receipt)
            if receipt["inputs"] != expected:
                self.find(8, act, f"{self.names(receipt['site'])} did not start from the weights of this round")
            if kind == "SEQUENTIAL":
                expected = receipt["outputs"]
        if not given["receipts"] or len({r["site"] for r in given["receipts"]}) != len(given["receipts"]):
            self.find(8, act, "has no receipts, or two of one site")
        if kind != "AVERAGED" and given["aggregate"] != expected:
            self.find(8, act, f"names other weights as its result than a round {kind} gives", "the researcher")
        self.last[request.hex(), entry] = max(last, number)
        if kind != "EVALUATED":
            self.models[request.hex()] = given["aggregate"].hex()
        self.rounds.append(
            Round(request.hex(), entry, number, kind, given["inputs"].hex(), given["aggregate"].hex(), act.where)
        )

    def _receipt(self, act: Act, receipt: Mapping[str, Any]) -> None:
        given, site = act.arguments, receipt["site"]
        request, entry, name = given["request"], given["entry"], self.names(site)
        message = {k: given[k] for k in ("request", "entry", "round")} | {k: v for k, v in receipt.items() if k != "signature"}
        signer = self.signer("Receipt", message, receipt["signature"])
        if (key_role(site), signer) not in self.roles:
            self.find(7, act, f"the receipt of {name} is signed by {signer}, which is no key of {name}")
        execution: Execution = (request, site, entry, given["round"])
        self.check_granted(act, 7, execution)
        self.check_paid(act, execution, self.dataset_of(request))
        inputs, outputs, numbers = (receipt[k].hex() for k in ("inputs", "outputs", "numbersDigest"))
        self.executions.append(Ran(request.hex(), site, entry, given["round"], inputs, outputs, numbers, act.where))

    def check_granted(self, act: Act, check: int, execution: Execution) -> None:
        """Approval and permit must count at the time of the act (under `check`), and the round be granted (under 8)."""
        request, site, entry, number = execution
        name, decision, asked = self.names(site), self.standing.get((request, site)), self.asked.get(request)
        both = f"{name} together with {OPERATOR}"
        if decision is None or not decision["approved"]:
            self.find(check, act, f"{name} ran {self.names(entry)} without an approval", both)
            return
        if decision["expires"] < act.time:
            self.find(check, act, f"{name} ran after the approval had run out", both)
        if asked and (why := self.why_not(asked.digests["permit"], asked.dataset, asked.researcher, act.time)):
            self.find(check, act, f"{name} ran under {why}", both)
        granted = min(decision["rounds"], asked.entries.get(entry, 0) if asked else 0)
        if number > granted:
            self.find(8, act, f"{name} granted {granted} rounds of {self.names(entry)}, this is round {number}")

    # -- checks 10 and 13

    def _on_anchor(self, act: Act) -> None:
        given = {k: act.arguments[k] for k in ("stream", "first", "last", "root")}
        name = self.names(given["stream"])
        signer = self.signer("Anchor", given, act.arguments["signature"])
        if (key_role(given["stream"]), signer) not in self.roles:
            self.find(10, act, f"the anchor of {name} is signed by {signer}, which is no key of {name}")
        self._anchored(act, site_stream(given["stream"]), name)

    def _on_anchor_study(self, act: Act) -> None:
        self.may(act, RESEARCHER_ROLE, act.sender)
        self._anchored(act, (act.sender, act.arguments["study"]), f"the study of {act.sender}")

    def _anchored(self, act: Act, stream: Stream, name: str) -> None:
        first, last, root = (act.arguments[k] for k in ("first", "last", "root"))
        self.anchors.append((act.deployment, Anchor(stream, name, first, last, root, act.time, act.block, act.where)))

    def _on_release(self, act: Act) -> None:
        self._requester(act)
        model = act.arguments["model"].hex()
        if model != self.models.get(act.arguments["request"].hex()):
            self.find(13, act, f"model {model[:12]} is not what the last recorded round gave", "the researcher")
        self.releases.append((act.arguments, act.where))
