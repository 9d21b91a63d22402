"""Measure the gas of every act on the embedded chain and write docs/gas.md:  python tools/measure_gas.py [--check]"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from fedkit.digests import digest
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import Ledger, open_ledger

SITES = ("norway", "sweden", "denmark", "finland", "estonia")
SOURCE = "def train(notes, weights, settings):\n    return {}\n"


def used(ledger: Ledger) -> int:
    """Gas of the newest block, whose transactions are one act."""
    return int(ledger.chain.block(ledger.head().number)["gasUsed"], 16)


def measure(folder: Path) -> list[tuple[str, int]]:
    keys = Keyring(folder / "keys", cost=2)
    ledger = open_ledger(folder / "ledger", keys)
    rows = [("deploy the three contracts", used(ledger))]
    researcher = ledger.register_researcher().account
    rows.append(("let a researcher in", used(ledger)))
    for site in SITES:
        ledger.register_site(site, keys.create(f"site-{site}"), keys.create(f"steward-{site}"))
    rows.append(("register a site", used(ledger)))
    permit = DataPermit("permit", "purpose", ("notes",), "2090-12-31")
    entries = (Entry("train", 9, OutputContract()),)
    request = CodeRequest("title", "purpose", researcher, permit, "notes", SOURCE, digest("env"), entries)
    ledger.submit(request, SITES)
    rows.append(("submit a request to five sites", used(ledger)))
    for site in SITES:
        expires, steward = int(time.time()) + 86_400, keys.address(f"steward-{site}")
        decision = Decision(request.digest, site, True, 9, expires, "", digest("reason"), steward)
        ledger.decide(keys.sign_decision(f"steward-{site}", decision, ledger.domain))
    rows.append(("deliver a decision", used(ledger)))
    current = digest("start")
    for number, kind in enumerate(("AVERAGED", "AVERAGED", "SEQUENTIAL"), 1):
        receipts, start = [], current
        for site in SITES:
            row = Receipt(request.digest, site, "train", number, current, digest([site, number]), {}, digest({}))
            receipts.append(keys.sign_receipt(f"site-{site}", row, ledger.domain))
            current = row.outputs if kind == "SEQUENTIAL" else start
        current = receipts[-1].outputs if kind == "SEQUENTIAL" else digest(number)
        ledger.record_round(request.digest, "train", number, kind, start, current, receipts)
        label = {1: "record the first round, five receipts", 2: "record a later round, five receipts"}
        rows.append((label.get(number, "record a sequential round, five receipts"), used(ledger)))
    ledger.release(request.digest, current)
    rows.append(("release a model", used(ledger)))
    for first, last in ((1, 100), (101, 10_000)):
        anchor = {"stream": "norway", "from": first, "to": last, "root": digest(last)}
        ledger.anchor(keys.sign_anchor("site-norway", anchor, ledger.domain))
        rows.append((f"anchor {last - first + 1:,} journal rows{', the first batch' if first == 1 else ''}", used(ledger)))
    ledger.close()
    return rows


def text(rows: list[tuple[str, int]]) -> str:
    table = "\n".join(f"| {act} | {gas:,} |" for act, gas in rows)
    return (
        "# Gas of each act\n\nMeasured by `python tools/measure_gas.py`; fedkit's own chains ask nothing for it (gas price 0). "
        "A signature's zero bytes change\na figure by some dozens from run to run, so `--check` allows one percent.\n\n"
        f"| act | gas |\n|---|--:|\n{table}\n"
    )


def main() -> int:
    file = Path(__file__).resolve().parents[1] / "docs" / "gas.md"
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    if "--check" not in sys.argv:
        file.write_text(text(rows), encoding="utf-8")
        print(text(rows))
        return 0
    lines = (line.split("|") for line in file.read_text("utf-8").splitlines() if line.count("|") == 3)
    stated = {
        cells[1].strip(): int(cells[2].replace(",", "")) for cells in lines if cells[2].strip().replace(",", "").isdigit()
    }
    wrong = [act for act, gas in rows if abs(stated.get(act, 0) - gas) > gas / 100]
    print(f"differ: {wrong}" if wrong or len(stated) != len(rows) else "docs/gas.md is what is measured")
    return 1 if wrong or len(stated) != len(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
