"""Measure the gas of every act and write the table in docs/ledger.md:  python tools/measure_gas.py [--check]

Keys, chain id and times are fixed, so every byte that is sent is the same in each run and on each chain, and so is the gas.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import eth_keyfile
from eth_utils import keccak

from fedkit.digests import digest
from fedkit.governance.decision import NOTHING, Decision, Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ledger.chain import Chain, EmbeddedChain
from fedkit.ledger.contracts import NAMES, contract
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import Ledger, open_ledger
from fedkit.ledger.spending import EPSILON, Budget, Spend
from fedkit.ledger.succession import succeed

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "ledger.md"
BEGIN, END = "<!-- gas: written by tools/measure_gas.py -->\n", "<!-- end of gas -->\n"

#: One of the ids that fedkit refuses outside tests, since anybody knows the keys used here.
CHAIN_ID = 5_150_150
SITES = ("norway", "sweden", "denmark", "finland", "estonia")
SOURCE = "def train(notes, weights, settings):\n    return {}\n\n\ndef evaluate(notes, weights, settings):\n    return {}\n"
#: Unix seconds, in the year 2090.
LATE = 3_800_000_000

#: What a row says, the call it is about, and which of that call's transactions it shows (0: the first, -1: the last).
ROWS = (
    ("deploy the Registry", "Registry", 0),
    ("deploy the Requests", "Requests", 0),
    ("deploy the Rounds", "Rounds", 0),
    ("grant a role to an account that had none", "grantRole", 0),
    ("register a site with its key and its steward", "registerSite", -1),
    ("commit to a data set", "commitDataset", 0),
    ("issue a permit for one data set and one user", "issuePermit", 0),
    ("submit a request of two entries to five sites", "submit", 0),
    ("deliver an approval", "decideBySig", 0),
    ("deliver a denial that withdraws it", "decideBySig", -1),
    ("record the first round, five receipts", "recordRound", 0),
    ("record a later round, five receipts", "recordRound", 1),
    ("record a sequential round, five receipts", "recordRound", 2),
    ("record an evaluation, five receipts", "recordRound", 3),
    ("set a privacy budget for the first time", "setBudgetBySig", 0),
    ("set it again", "setBudgetBySig", 1),
    ("spend of it for the first time", "spendBySig", 0),
    ("spend of it again", "spendBySig", 1),
    ("record a round, one of five receipts under a budget", "recordRound", 4),
    ("release a model", "release", 0),
    ("release it again, with another card", "release", 1),
    ("anchor the first rows of a site's journal, however many", "anchor", 0),
    ("anchor the next rows, however many", "anchor", 1),
    ("anchor the first rows of a study's journal, however many", "anchorStudy", 0),
    ("revoke a permit", "revokePermit", 0),
    ("revoke the only role of an account", "revokeRole", 0),
    ("hand over to another deployment", "supersede", 0),
)


class KnownKeys(Keyring):
    """A keyring whose keys are the hashes of their actors' names."""

    def create(self, actor: str) -> str:
        path = self._path(actor)
        if not path.exists():
            sealed = eth_keyfile.create_keyfile_json(keccak(text=actor), self._passphrase, kdf="scrypt", iterations=2)
            path.write_text(json.dumps(sealed))
        return self.address(actor)


@dataclass(frozen=True)
class Acted:
    """A ledger on which everything was done once or twice, and the block before all of it."""

    ledger: Ledger
    since: int

    def gas(self) -> list[tuple[str, int]]:
        """What each act cost, in the order of `ROWS`."""
        chain = self.ledger.chain
        used: dict[str, list[int]] = {}
        for number in range(self.since + 1, chain.head().number + 1):
            for transaction in chain.block(number, full=True)["transactions"]:
                receipt = chain.receipt(transaction["hash"]) or {}
                used.setdefault(_name(self.ledger, transaction), []).append(int(receipt["gasUsed"], 16))
        return [(label, used[call][which]) for label, call, which in ROWS]


def act_all(folder: Path, chain: Chain) -> Acted:
    """Do all acts on a chain, which must have `CHAIN_ID` and not know the keys yet."""
    since = chain.head().number
    keys = KnownKeys(folder / "keys")
    ledger = open_ledger(folder / "ledger", keys, chain=chain)
    _act(ledger, keys)
    succeed(ledger)
    return Acted(ledger, since)


def _act(ledger: Ledger, keys: KnownKeys) -> None:
    """Everything that can be done on a ledger, once or twice."""
    researcher = ledger.register_researcher().account
    ledger.register_authority()
    for site in SITES:
        ledger.register_site(site, keys.create(f"site-{site}"), keys.create(f"steward-{site}"), digest(["notes", site]))
    permit = DataPermit("permit", "purpose", ("notes",), "2090-01-01")
    ledger.issue_permit(permit, [researcher])
    entries = (Entry("train", 9, OutputContract()), Entry("evaluate", 9, OutputContract()))
    request = CodeRequest("title", "purpose", researcher, permit, "notes", SOURCE, digest("environment"), entries).digest
    ledger.submit(CodeRequest("title", "purpose", researcher, permit, "notes", SOURCE, digest("environment"), entries), SITES)
    for site in SITES:
        _decide(ledger, keys, request, site, approved=True)
    model = digest("start")
    for number, kind in enumerate(("AVERAGED", "AVERAGED", "SEQUENTIAL"), 1):
        model = _round(ledger, keys, request, number, kind, model)
    _round(ledger, keys, request, 1, "EVALUATED", model)
    steward = keys.address("steward-norway")
    for version, cap in ((1, EPSILON), (2, 2 * EPSILON)):
        budget = Budget("norway", "notes", cap, version, steward)
        ledger.set_budget(keys.sign_budget("steward-norway", budget, ledger.domain))
    for number, before in ((4, 0), (5, EPSILON // 2)):
        spend = Spend(request, "norway", "train", number, EPSILON // 2, before)
        ledger.spend(keys.sign_spend("site-norway", spend, ledger.domain))
    model = _round(ledger, keys, request, 4, "AVERAGED", model)
    for card in ("card", "another card"):
        ledger.release(request, model, digest(card), digest("metrics"))
    for first, last in ((1, 100), (101, 10_000)):
        anchor = {"stream": "norway", "from": first, "to": last, "root": digest(last)}
        ledger.anchor(keys.sign_anchor("site-norway", anchor, ledger.domain))
    ledger.anchor_study(digest("study"), 1, 100, digest(100))
    _decide(ledger, keys, request, "norway", approved=False)
    ledger.revoke_permit(permit.digest)
    ledger.revoke("researcher", researcher)


def _decide(ledger: Ledger, keys: KnownKeys, request: str, site: str, *, approved: bool) -> None:
    steward = keys.address(f"steward-{site}")
    decision = Decision(request, site, approved, 9 if approved else 0, LATE, "", digest("reason"), steward)
    ledger.decide(keys.sign_decision(f"steward-{site}", decision, ledger.domain))


def _round(ledger: Ledger, keys: KnownKeys, request: str, number: int, kind: str, start: str) -> str:
    receipts, current, entry = [], start, "evaluate" if kind == "EVALUATED" else "train"
    for site in SITES:
        outputs = NOTHING if kind == "EVALUATED" else digest([site, number])
        receipt = Receipt(request, site, entry, number, current, outputs, {}, digest({}))
        receipts.append(keys.sign_receipt(f"site-{site}", receipt, ledger.domain))
        current = outputs if kind == "SEQUENTIAL" else start
    aggregate = digest(["average", number]) if kind == "AVERAGED" else current
    ledger.record_round(request, entry, number, kind, start, aggregate, receipts)
    return aggregate


def _name(ledger: Ledger, transaction: dict[str, str]) -> str:
    data = bytes.fromhex(transaction["input"][2:])
    if transaction["to"] is None:
        return next(name for name in NAMES if data.startswith(contract(name).bytecode))
    of = {address.lower(): name for name, address in ledger.deployment.contracts.items()}
    return contract(of[transaction["to"].lower()]).read_call(data)[0]


def table(rows: list[tuple[str, int]]) -> str:
    """The rows as they stand in the document."""
    return "| act | gas |\n|---|--:|\n" + "".join(f"| {act} | {gas:,} |\n" for act, gas in rows)


def stated() -> str:
    """The table that is in the document."""
    return DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        chain = EmbeddedChain(Path(name) / "chain.sqlite", chain_id=CHAIN_ID, for_tests=True)
        measured = table(act_all(Path(name), chain).gas())
        chain.close()
    if "--check" in sys.argv:
        print("docs/ledger.md is what is measured" if measured == stated() else f"docs/ledger.md differs from\n{measured}")
        return int(measured != stated())
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + measured + END + rest.partition(END)[2], "utf-8")
    print(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
