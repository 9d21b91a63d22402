"""The contracts against a model of them in a page of Python: in any order of acts, both take the same and refuse the same.

And against the auditor's own rules: of what the contracts took, none may be a finding.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from ledger_world import World

from fedkit.audit.acts import Found, read_acts
from fedkit.audit.deployments import replay_all
from fedkit.audit.evidence import read
from fedkit.audit.verify import TITLES
from fedkit.digests import digest
from fedkit.errors import ContractReverted
from fedkit.governance.decision import NOTHING
from fedkit.ledger.spending import Budget, Spend

START = digest("start")
SITES = ("norway", "sweden")
sites, rounds, amounts = st.sampled_from(SITES), st.integers(1, 4), st.integers(0, 3)


class Ledgers(RuleBasedStateMachine):
    """One request at two sites, and everything that can happen to it."""

    founded: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(self.founded, self.folder, dirs_exist_ok=True)
        self.world = World(self.folder)
        self.request = self.world.request(train=3)
        self.status = dict.fromkeys(SITES, "not asked")
        self.granted = dict.fromkeys(SITES, 0)
        self.decisions = 0
        self.permitted, self.revoked, self.researcher = False, False, True
        self.last, self.models, self.released = 0, set[str](), False
        self.cap: dict[str, int | None] = dict.fromkeys(SITES)
        self.version = dict.fromkeys(SITES, 0)
        self.paid: dict[tuple[str, int], int] = {}

    def teardown(self) -> None:
        try:
            self.audit()
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def audit(self) -> None:
        """The rules that are applied once more to a bundle find nothing in what the contracts let through."""
        evidence = read(self.world.export(self.folder / "evidence", self.request))
        found: Found = {number: [] for number in TITLES}
        acts, _ = read_acts(evidence, found)
        assert acts
        replay_all(evidence, acts, set(), found, {})
        del found[13]  # an auditor asks for the last model; the contracts take any that was recorded
        assert {number: findings for number, findings in found.items() if findings} == {}

    @property
    def leave(self) -> bool:
        return self.permitted and not self.revoked

    def spent(self, site: str) -> int:
        return sum(amount for (at, _), amount in self.paid.items() if at == site)

    def runs(self, site: str, round: int) -> bool:
        """Whether this round is granted at a site now."""
        return self.leave and self.status[site] in ("approved", "executed") and round <= min(self.granted[site], 3)

    def compare(self, expected: bool, act: Callable[[], Any]) -> bool:
        """Both take it, or both refuse; what was refused leaves no block."""
        head = self.world.ledger.head()
        if expected:
            act()
            return True
        with pytest.raises(ContractReverted):
            act()
        assert self.world.ledger.head() == head
        return False

    @initialize(far=st.sampled_from([0, 2, 3, 4, 4, 4]))
    def begin(self, far: int) -> None:
        """Acts that most others need, so that they are reached."""
        if far > 0:
            self.permit()
            self.submit()
        for site in SITES[: far - 1]:
            self.decide(site, True, 3)
        if far > 3:
            self.set_budget("norway", 5, False)
            self.spend("norway", 1, 2, False)

    @rule()
    def permit(self) -> None:
        if not self.permitted:
            self.world.permitted()
            self.permitted = True

    @rule(seldom=st.integers(0, 5))
    def revoke_permit(self, seldom: int) -> None:
        if self.permitted and not self.revoked and seldom == 5:
            self.world.ledger.revoke_permit(self.request.permit.digest)
            self.revoked = True

    @rule(back=st.booleans())
    def researcher_comes_and_goes(self, back: bool) -> None:
        ledger = self.world.ledger
        ledger.grant("researcher", self.world.researcher) if back else ledger.revoke("researcher", self.world.researcher)
        self.researcher = back

    @rule()
    def submit(self) -> None:
        new = self.status["norway"] == "not asked"
        if new and self.compare(self.leave and self.researcher, lambda: self.world.ledger.submit(self.request, SITES)):
            self.status = dict.fromkeys(SITES, "submitted")

    @rule(site=sites, approved=st.booleans(), granted=rounds)
    def decide(self, site: str, approved: bool, granted: int) -> None:
        before = self.status[site]
        takes = before == "submitted" and self.leave if approved else before in ("submitted", "approved", "executed")
        self.decisions += 1  # none is the same as one before: to repeat an act is no act
        days = 30 + self.decisions
        decision = self.world.decision(self.request, site, approved=approved, rounds=granted, days=days)
        if self.compare(takes, lambda: self.world.ledger.decide(decision)):
            self.status[site], self.granted[site] = ("approved", granted) if approved else ("denied", 0)

    @rule(
        names=st.sets(sites, min_size=1), skip=st.sampled_from([0, 0, 0, 1]), off=st.sampled_from([False, False, False, True])
    )
    def train(self, names: set[str], skip: int, off: bool) -> None:
        round, start = self.last + 1 + skip, digest("elsewhere") if off else START
        receipts = [self.world.receipt(self.request.digest, s, "train", round, START, digest([s, round])) for s in names]
        takes = (
            self.researcher
            and not skip
            and not off
            and all(self.runs(s, round) and (self.cap[s] is None or (s, round) in self.paid) for s in names)
        )
        model = digest(["mean", *sorted(names), round])
        if self.compare(
            takes,
            lambda: self.world.ledger.record_round(self.request.digest, "train", round, "AVERAGED", start, model, receipts),
        ):
            self.last, self.models = round, self.models | {model}
            self.status |= dict.fromkeys(names, "executed")

    @rule(known=st.booleans())
    def release(self, known: bool) -> None:
        model = sorted(self.models)[0] if known and self.models else digest("a model from nowhere")
        if self.released and known:
            return
        takes = self.researcher and self.leave and model in self.models
        if self.compare(takes, lambda: self.world.ledger.release(self.request.digest, model, NOTHING, NOTHING)):
            self.released = True

    @rule(site=sites, cap=st.integers(0, 6), skip=st.sampled_from([False, False, True]))
    def set_budget(self, site: str, cap: int, skip: bool) -> None:
        keys, version = self.world.keys, self.version[site] + (2 if skip else 1)
        budget = Budget(site, "notes", cap, version, keys.address(f"steward-{site}"))
        signed = keys.sign_budget(f"steward-{site}", budget, self.world.ledger.domain)
        if self.compare(not skip, lambda: self.world.ledger.set_budget(signed)):
            self.cap[site], self.version[site] = cap, version

    @rule(site=sites, round=rounds, amount=amounts, stale=st.sampled_from([False, False, True]))
    def spend(self, site: str, round: int, amount: int, stale: bool) -> None:
        before = self.spent(site) + stale
        spend = Spend(self.request.digest, site, "train", round, amount, before)
        signed = self.world.keys.sign_spend(f"site-{site}", spend, self.world.ledger.domain)
        if (site, round) in self.paid:
            return
        takes = self.runs(site, round) and not stale and self.spent(site) + amount <= (self.cap[site] or 0)
        if self.compare(takes, lambda: self.world.ledger.spend(signed)):
            self.paid[site, round] = amount

    @invariant()
    def both_stand_alike(self) -> None:
        for site in SITES:
            told = self.world.ledger.status(self.request.digest, site)
            expected = self.status[site]
            assert told == ("released" if self.released and expected == "executed" else expected)
            standing = self.world.ledger.budget(site)
            assert (standing.cap, standing.spent, standing.version) == (
                self.cap[site] or 0,
                self.spent(site),
                self.version[site],
            )


def test_the_contracts_do_what_their_model_does(founded: Path) -> None:
    Ledgers.founded = founded
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Ledgers,
        settings=settings(
            max_examples=16, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
