"""From one deployment of the contracts to the next, on the same chain: no proxies, no change of what was deployed.

The new Registry names the old one as its predecessor; the old one is told its successor, says so in `Superseded`, and takes
nothing more. So an auditor follows the chain of deployments from either end, and no act counts in two of them.

What the new one holds it is told anew: sites, roles, permits (a federation that starts does so). Requests stay where they were
submitted. The notes of earlier deployments stay beside `contracts.json`, as `contracts.1.json`, `contracts.2.json`, …
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from fedkit.ledger.deployment import Deployment, can_go_on, find_or_deploy, read_deployment
from fedkit.ledger.ledger import Ledger
from fedkit.ledger.registry import ADMIN
from fedkit.storage import write_whole

CURRENT, NEXT = "contracts.json", "contracts.next.json"


def succeed(ledger: Ledger) -> Ledger:
    """Deploy the contracts that come with this fedkit, hand over to them, and open them; the old ledger is closed to acts.

    After a crash or a refusal, call it again: it goes on where it stopped. Needs the key of the admin. The chain stays open.
    Raises ContractReverted if the ledger was superseded by another deployment.
    """
    file, before = ledger.folder / NEXT, ledger.deployment.contracts["Registry"]
    planned = read_deployment(file)
    if planned is not None and (planned.predecessor != before or not can_go_on(ledger.chain, planned)):
        # Left over from the last hand-over; or the admin's key was used since, so the planned addresses cannot be reached.
        file.unlink()
    following = find_or_deploy(ledger.chain, ledger.keys, file, ADMIN, predecessor=before)
    ledger.supersede(following.contracts["Registry"])
    if ledger.deployment not in (noted := earlier(ledger.folder)):
        write_whole(ledger.folder / f"contracts.{len(noted) + 1}.json", _note(ledger.deployment))
    write_whole(ledger.folder / CURRENT, _note(following))
    file.unlink(missing_ok=True)
    return Ledger(ledger.folder, ledger.keys, ledger.chain, following)


def earlier(folder: Path) -> list[Deployment]:
    """The deployments before the one of `contracts.json`, oldest first."""
    found: list[Deployment] = []
    while (before := read_deployment(folder / f"contracts.{len(found) + 1}.json")) is not None:
        found.append(before)
    return found


def _note(deployment: Deployment) -> bytes:
    return json.dumps(asdict(deployment), indent=1).encode()
