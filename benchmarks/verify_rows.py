"""A bundle of many journal rows, made and verified: seconds of CPU and peak memory of `fedkit verify`, in a process of its own.

    python benchmarks/verify_rows.py --rows 100000

Five sites with keys, stewards and journals, and a study that runs through them; beside its acts the rows that a site writes
most of the time (weights stored and read, accesses granted and refused), in batches that are anchored.
Prints one JSON object: seconds, mb, rows, anchors.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from measured import ROOT, last_json

sys.path.insert(0, str(ROOT / "tests"))

from ledger_world import World  # the small federation of the ledger's tests: real keys, a real chain, no PySyft

from fedkit.audit.evidence import export
from fedkit.digests import digest
from fedkit.governance.request import CodeRequest
from fedkit.ledger import merkle
from fedkit.ledger.rows import check_row, leaf, row_hash

SITES = ("denmark", "estonia", "finland", "norway", "sweden")

#: What a site writes most of the time.
USUAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("access.granted", {"level": "researcher"}),
    ("blob.stored", {"blob": digest("weights"), "bytes": 3_600_000}),
    ("blob.read", {"blob": digest("weights")}),
    ("access.refused", {"method": "decide", "reason": "refused.access"}),
    ("request.reviewed", {"request": digest("a request")}),
)

CHECK = """
import json, resource, sys, time
from pathlib import Path
from fedkit.audit.verify import verify
report = verify(Path(sys.argv[1]))
assert report.ok, str(report)
print(json.dumps({"seconds": time.process_time(), "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of all sites' journals together")
    parser.add_argument("--batch", type=int, default=1_000, help="rows of a site between two anchors")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedkit-bench-") as folder:
        world = World(Path(folder, "world"), SITES)
        rows, anchors = make(world, Path(folder, "evidence"), options.rows, options.batch)
        world.close()
        found = last_json([sys.executable, "-c", CHECK, Path(folder, "evidence")], OMP_NUM_THREADS="1")
    print(json.dumps({**found, "rows": rows, "anchors": anchors}))
    return 0


def make(world: World, folder: Path, rows: int, batch: int) -> tuple[int, int]:
    """Write the bundle; returns how many rows of sites and how many anchors are in it."""
    request: CodeRequest = world.study()
    journals, anchors = {site: journal.rows() for site, journal in world.journals.items()}, 0
    for site, told in journals.items():
        usual = cycle(USUAL)
        while len(told) < rows // len(SITES):
            first = len(told) + 1
            for act, fields in islice(usual, min(batch, rows // len(SITES) - len(told))):
                told.append(following(told, act, fields))
            root = merkle.root([leaf(row) for row in told[first - 1 :]])
            anchor = {"stream": site, "from": first, "to": len(told), "root": root}
            world.ledger.anchor(world.keys.sign_anchor(f"site-{site}", anchor, world.ledger.domain))
            anchors += 1
    world.witness()
    export(
        folder,
        ledger=world.ledger,
        journals=journals,
        study=world.study_journal.rows(),
        request=request,
        decisions=world.decisions,
        heads=world.heads,
    )
    return sum(map(len, journals.values())), anchors


def following(rows: list[dict[str, Any]], act: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The next row of a journal. `Journal.append` does the same and flushes each row to the disk, which would take an hour."""
    check_row(act, "researcher", fields)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = {"seq": len(rows) + 1, "time": now, "actor": "researcher", "act": act, "fields": fields}
    row["previous"] = rows[-1]["hash"]
    return {**row, "hash": row_hash(row)}


if __name__ == "__main__":
    sys.exit(main())
