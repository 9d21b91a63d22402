"""From one deployment of the contracts to the next (part of check 3): each is replayed by itself, and what they tell is joined.

Contracts are never changed. A new deployment names the one before it as its predecessor, and that one is told its successor,
after which it takes nothing more; so no act counts in two of them. One of other code, of another version of fedkit, cannot be
read here: what is told of its requests is counted and not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fedkit.audit.acts import HOLDER, OPERATOR, Act, Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.report import Finding
from fedkit.audit.rules import Replay
from fedkit.ledger.deployment import NOBODY, Deployment
from fedkit.ledger.names import ADMIN_ROLE


def replay_all(evidence: Evidence, acts: Sequence[Act], foreign: set[int], found: Found, notes: dict[int, str]) -> Replay:
    """3, 5 to 8, 16, signatures of 10, models of 13: all acts, each by the rules of its deployment; returns what then stands.

    foreign: places of the deployments that are of other code.
    """
    replays = [Replay(evidence.names, deployment.domain, found) for deployment in evidence.deployments]
    for deployment, replay in zip(evidence.deployments, replays, strict=True):
        replay.roles.add((ADMIN_ROLE, deployment.deployer))
    for act in acts:
        replays[act.deployment].apply(act)
    _hand_over(evidence.deployments, replays, foreign, found, notes)
    return _joined(replays, foreign)


def _hand_over(
    deployments: Sequence[Deployment], replays: Sequence[Replay], foreign: set[int], found: Found, notes: dict[int, str]
) -> None:
    who = f"the admin, or {HOLDER}"
    if deployments[0].predecessor != NOBODY:
        found[3].append(Finding(_name(deployments[0]), "took over from a deployment that is not in the bundle", who))
    for at, (before, after) in enumerate(pairwise(deployments)):
        if after.predecessor != before.contracts["Registry"]:
            found[3].append(Finding(_name(after), f"did not take over from {_name(before)}", who))
        ended = replays[at].ended
        if at not in foreign and (ended is None or ended.arguments["next"].lower() != after.contracts["Registry"].lower()):
            found[3].append(Finding(_name(before), f"never handed over to {_name(after)}", f"{who}, or {OPERATOR}"))
    if foreign:
        notes[3] = f"{len(foreign)} earlier deployments are of other code: to check them, use the fedkit that deployed them"
    if (end := replays[-1].ended) is not None:
        notes[3] = (
            f"handed over to {end.arguments['next']} in {end.where}: what came after is in the evidence of that deployment"
        )


def _joined(replays: Sequence[Replay], foreign: set[int]) -> Replay:
    """What all deployments tell. Of budgets, those of the last: caps are set anew."""
    last = replays[-1]
    whole = Replay(last.names, last.domain, last.found, budgets=last.budgets, partly_read=bool(foreign))
    for at, replay in enumerate(replays):
        whole.ever |= replay.ever
        for held, turns in replay.turnover.items():
            whole.turnover.setdefault(held, []).extend(turns)
        whole.asked |= replay.asked
        whole.models |= replay.models
        whole.paid |= replay.paid
        whole.last |= {key: max(number, whole.last.get(key, 0)) for key, number in replay.last.items()}
        whole.decisions += replay.decisions
        whole.rounds += replay.rounds
        whole.executions += replay.executions
        whole.releases += replay.releases
        whole.anchors += [(at, anchor) for _, anchor in replay.anchors]
    return whole


def _name(deployment: Deployment) -> str:
    return f"the Registry at {deployment.contracts['Registry']}"
