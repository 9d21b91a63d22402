"""What the rules of the strict preset cost for one call: when it is handed in, before it runs and before its result leaves.

    python benchmarks/policy_rules.py

Signatures are real (EIP-712, two stewards), the user's quota is nearly used up, the result is as large as the preset lets out.
Protecting a table is measured by itself: it is work on a result, not a rule. CPU time of this process. Prints one JSON object.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from dataclasses import replace

from fedkit.environment import environment_digest
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.policies import Clock, Context, policies_of, settings_of
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.table_contract import Category, Count, TableContract
from fedkit.ledger import typed

REPEATS = 2_000
NOW = 1_795_000_000.0
LEDGER = typed.LedgerDomain(1, "0x" + "1" * 40)
RESEARCHER = "0x" + "a" * 40


def main() -> None:
    settings = replace(settings_of("strict"), days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), hours="00:00-23:59")
    environment = environment_digest()
    rules = policies_of(settings, environment=environment, signer=lambda decision: typed.recover_decision(decision, LEDGER))
    numbers = {f"number_{n}": (0.0, 1.0) for n in range(settings.numbers)}
    request = CodeRequest(
        title="Scores",
        purpose="research",
        researcher=RESEARCHER,
        permit=DataPermit("permit-1", "research", ("notes",), "2099-01-01"),
        dataset="notes",
        source="def score(notes, weights, settings):\n    return {}\n",
        environment=environment,
        entries=(Entry("score", 500, OutputContract(numbers=numbers)),),
        kind="evaluation",
    )
    keys = [bytes([n]) * 32 for n in (1, 2)]
    approvals = tuple(
        typed.sign_decision(
            Decision(request.digest, "fi", True, 500, int(NOW) + 3600, "", "0" * 64, typed.address_of(key)), key, LEDGER
        )
        for key in keys
    )
    context = Context(
        request=request,
        digest=request.digest,
        entry="score",
        round=1,
        site="fi",
        researcher=RESEARCHER,
        decision=approvals[-1],
        approvals=approvals,
        now=NOW,
        recent=tuple(NOW - 86_400 - n for n in range(settings.quota - 1, 0, -1)),
        patients=500,
        clock=Clock(NOW, NOW),
    )
    result = dict.fromkeys(numbers, 0.5)
    took = []
    for _ in range(REPEATS):
        began = time.process_time()
        rules.submits(context)
        rules.admits(context)
        rules.tightens(context, request.entries[0].contract)
        rules.releases(context, {}, result, {})
        took.append((time.process_time() - began) * 1e3)
    table, rows = a_table(settings.rows, settings.threshold, settings.rounding)
    protecting = []
    for _ in range(20):
        began = time.process_time()
        table.protect(rows)
        protecting.append((time.process_time() - began) * 1e3)
    found = {
        "ms": statistics.median(took),
        "p95": sorted(took)[int(len(took) * 0.95)],
        "repeats": REPEATS,
        "rules": len(rules.rules),
        "recent": len(context.recent),
        "numbers": len(numbers),
        "rows": len(rows),
        "protect_ms": statistics.median(protecting),
    }
    print(json.dumps(found))


def a_table(rows: int, threshold: int, rounding: int) -> tuple[TableContract, list[dict[str, str | int]]]:
    """A table of two categories, as long as may be, a quarter of its counts small."""
    draw = random.Random(1)
    side = int(rows**0.5)
    words = tuple(f"value {n}" for n in range(side))
    table = TableContract({"row": Category(words), "column": Category(words), "persons": Count()}, rows, threshold, rounding)
    counts = [draw.randrange(1, threshold) if draw.random() < 0.25 else draw.randrange(threshold, 400) for _ in range(side**2)]
    return table, [{"row": words[n // side], "column": words[n % side], "persons": count} for n, count in enumerate(counts)]


if __name__ == "__main__":
    main()
