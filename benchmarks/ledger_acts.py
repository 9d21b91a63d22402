"""What acts on the embedded chain cost, in CPU seconds of this process; the disk's own time is not in them, flushing to it is.

    python benchmarks/ledger_acts.py batched --acts 1000 --batch 100     anchors of journals, signed by a site, many to a block
    python benchmarks/ledger_acts.py against --acts 300                  roles granted, a block each and all in blocks of 100
    python benchmarks/ledger_acts.py long --acts 10000                   a block each, and the chain opened again

Everything is as in earnest: real contracts, signatures checked on chain, each block flushed to the disk before it is
acknowledged, receipts looked at. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from measured import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from ledger_world import World  # the small federation of the ledger's tests: real keys, a real chain, no PySyft

from fedkit.digests import digest
from fedkit.ledger.contracts import contract
from fedkit.ledger.ledger import Ledger
from fedkit.ledger.names import RESEARCHER_ROLE
from fedkit.ledger.recorder import RELAY
from fedkit.ledger.registry import ADMIN
from fedkit.ledger.typed import anchor_message

#: Opens a ledger in a new process, after the imports: what a user waits for. Then one act, and all records read.
OPEN = """
import json, resource, sys, time
from pathlib import Path
import fedkit.ledger.evm, fedkit.ledger.provider
from fedkit.ledger.keys import Keyring
from fedkit.ledger.ledger import open_ledger
keys = Keyring(Path(sys.argv[1], "keys"))
began = time.perf_counter()
ledger = open_ledger(Path(sys.argv[1], "ledger"), keys)
head = ledger.head().number
opened = time.perf_counter()
ledger.grant("researcher", "0x" + "ff" * 20) if len(sys.argv) > 2 else None
events = len(ledger.events())
read = time.perf_counter()
mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"open": opened - began, "blocks": head, "read": read - opened, "events": events, "mb": mb}))
"""

Call = tuple[str, str, tuple[Any, ...]]


def send(ledger: Ledger, actor: str, calls: Sequence[Call], batch: int) -> None:
    """Send calls of one actor, `batch` to a block, and look at each receipt."""
    nonce = ledger.chain.nonce(ledger.keys.address(actor))
    for first in range(0, len(calls), batch):
        raws = [
            ledger.keys.sign_transaction(
                actor,
                chain_id=ledger.chain.chain_id,
                nonce=nonce + first + i,
                to=ledger.deployment.contracts[name],
                data=contract(name).call(function, *arguments),
                gas=1_000_000,
            )
            for i, (name, function, arguments) in enumerate(calls[first : first + batch])
        ]
        if any(int(receipt["status"], 16) != 1 for receipt in ledger.chain.send(raws)):
            raise RuntimeError("an act was refused")


def grants(first: int, last: int) -> list[Call]:
    """Roles for the accounts 0x…first to 0x…last."""
    return [("Registry", "grantRole", (RESEARCHER_ROLE, f"0x{i:040x}")) for i in range(first, last + 1)]


def anchors(world: World, site: str, count: int) -> list[Call]:
    """Anchors of rows 1 to 100, 101 to 200, … of a site, each signed by its key."""
    found: list[Call] = []
    for i in range(count):
        anchor = {"stream": site, "from": 100 * i + 1, "to": 100 * i + 100, "root": digest([site, i])}
        signed = world.keys.sign_anchor(f"site-{site}", anchor, world.ledger.domain)
        arguments = (*anchor_message(signed).values(), bytes.fromhex(signed["signature"][2:]))
        found.append((home_of("anchor"), "anchor", arguments))
    return found


def home_of(function: str) -> str:
    """The contract that has a function."""
    return next(name for name in ("Rounds", "Requests", "Registry") if function in contract(name).functions)


def batched(world: World, acts: int, batch: int) -> dict[str, Any]:
    began = time.process_time()
    send(world.ledger, RELAY, anchors(world, world.sites[0], acts), batch)
    acted = time.process_time()
    read = len(world.ledger.events())
    return {"ms": (acted - began) / acts * 1000, "read_ms": (time.process_time() - acted) / read * 1000}


def against(world: World, acts: int) -> dict[str, Any]:
    found = {}
    for name, first, batch in (("single", 1, 1), ("batched", acts + 1, 100)):
        before = world.ledger.head().number
        began = time.process_time()
        send(world.ledger, ADMIN, grants(first, first + acts - 1), batch)
        acted = time.process_time()
        logs = world.ledger.chain.logs([world.ledger.deployment.contracts["Registry"]], before + 1, world.ledger.head().number)
        registry = contract("Registry")
        told = [registry.read_log([bytes.fromhex(t[2:]) for t in r["topics"]], bytes.fromhex(r["data"][2:]))[0] for r in logs]
        if told.count("RoleGranted") != acts:
            raise RuntimeError("a log is missing")
        found[name] = time.process_time() - began
        found[f"{name}_acts"] = acted - began
    return found


def long(world: World, acts: int, folder: Path) -> dict[str, Any]:
    part, times = acts // 10, []
    for first in range(1, acts + 1, part):
        began = time.process_time()
        send(world.ledger, ADMIN, grants(first, first + part - 1), 1)
        times.append((time.process_time() - began) / part * 1000)
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    world.close()
    size = sum(file.stat().st_size for file in (folder / "ledger").iterdir()) / 1e6
    opened = json.loads(
        subprocess.run([sys.executable, "-c", OPEN, str(folder)], capture_output=True, text=True, check=True).stdout
    )
    first, all_of_them = times[0], sum(times) / len(times)
    return {"first_ms": first, "ms": all_of_them, "last_ms": times[-1], "mb": mb, "disk_mb": size, "opened": opened}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("batched", "against", "long"))
    parser.add_argument("--acts", type=int, default=300)
    parser.add_argument("--batch", type=int, default=100, help="acts in a block, for `batched`")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedkit-bench-") as folder:
        world = World(Path(folder))
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "batched": lambda: batched(world, options.acts, options.batch),
            "against": lambda: against(world, options.acts),
            "long": lambda: long(world, options.acts, Path(folder)),
        }
        print(json.dumps({**measures[options.what](), "acts": options.acts}))
        if options.what != "long":
            world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
