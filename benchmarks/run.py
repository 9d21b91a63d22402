"""Measures fedkit beside its peers and writes benchmarks/results.json.

    make bench                                            all of it
    python benchmarks/run.py --only import_seconds        one group; results of the others stay as they are
    python benchmarks/run.py --list

Each entry: value, unit, peer (the same measured on another system in the same run, or a limit that was set), ratio
(value / peer), the command that makes it again, the commit (+ if files differed from it), the day, and the cores. Absolute
times drift with the machine; ratios hold better.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import groups
import site_groups
import warehouse_groups
from measured import ROOT, Measured, commit

RESULTS = ROOT / "benchmarks" / "results.json"

GROUPS: dict[str, Callable[[], list[Measured]]] = {
    "import_seconds": groups.import_seconds,
    "round_overhead": groups.round_overhead,
    "secure_sums": groups.secure_sums,
    "demo": groups.demo,
    "private_training": groups.private_training,
    "names5": groups.names5,
    "small_updates": groups.small_updates,
    "verify_rows": groups.verify_rows,
    "ledger_acts": groups.ledger_acts,
    "concepts": groups.concepts,
    "text": groups.text,
    "text_speed": groups.text_speed,
    "note_imports": groups.note_imports,
    "request_path": site_groups.request_path,
    "site_runs": site_groups.site_runs,
    "policy": site_groups.policy,
    "findings": site_groups.findings,
    "approvals": site_groups.approvals,
    "warehouse_vs_duckdb": warehouse_groups.warehouse_vs_duckdb,
    "hostile_sql_run": warehouse_groups.hostile_sql_run,
    "differencing_accuracy": warehouse_groups.differencing_accuracy,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this group; may be given several times")
    parser.add_argument("--list", action="store_true", help="say which groups there are and what they measure")
    options = parser.parse_args()
    if options.list:
        for name, measure in GROUPS.items():
            print(f"{name:<16} {(measure.__doc__ or '').strip().splitlines()[0]}")
        return 0
    failed = 0
    for name in options.only or GROUPS:
        began = time.monotonic()
        try:
            found = GROUPS[name]()
        except Exception as error:
            failed += 1
            print(f"{name}: failed: {error}", file=sys.stderr)
            continue
        save(found)
        for row in found:
            against = f"{row.peer_name} {row.peer:.3g}, ratio {row.ratio:.2f}" if row.ratio is not None else "no peer"
            print(f"{row.name:<26} {row.value:8.3f} {row.unit:<3} ({against})", flush=True)
        print(f"  {name} took {time.monotonic() - began:.0f} s", flush=True)
    return 1 if failed else 0


def save(found: list[Measured]) -> None:
    """Replace these entries in results.json and keep the others."""
    rows: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    made = {"commit": commit(), "day": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count()}
    rows.update({row.name: row.to_json() | made for row in found})
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(dict(sorted(rows.items())), indent=1, ensure_ascii=False) + "\n", "utf-8")
    part.replace(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
