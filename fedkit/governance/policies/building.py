"""From a site's choice to its rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fedkit.governance.decision import Decision
from fedkit.governance.policies.approval import NeededApprovals, SignedApproval
from fedkit.governance.policies.base import AllOf, Policy
from fedkit.governance.policies.code import ExactDigest, SameEnvironment
from fedkit.governance.policies.configured import settings_of
from fedkit.governance.policies.counting import ExecutionLimit, Quota, Rate
from fedkit.governance.policies.data import MinimumPatients
from fedkit.governance.policies.identity import LevelMayRun
from fedkit.governance.policies.moment import SaneClock
from fedkit.governance.policies.output import Disclosure, FitsContract, OutputSize
from fedkit.governance.policies.permit import ValidPermit
from fedkit.governance.policies.privacy import DeclaredBudget, PrivacyBudget
from fedkit.governance.policies.settings import PolicySettings


def policies_of(
    settings: PolicySettings,
    *,
    environment: str = "",
    datasets: Iterable[str] = ("notes",),
    signer: Callable[[Decision], str] = lambda decision: "nobody",
    purposes: Iterable[str] | None = None,
) -> AllOf:
    """The rules that settings stand for, in the order in which they are asked.

    environment: the site's environment digest.   datasets: of the site.   signer: see `SignedApproval`; the default believes no
    decision, which is enough to explain the rules.   purposes: in words, None admits what a permit says.
    """
    words = None if purposes is None else frozenset(purposes)
    rules: list[Policy] = [
        SaneClock(settings.skew),
        LevelMayRun(),
        ExactDigest(),
        SameEnvironment(environment),
        SignedApproval(signer),
        *([NeededApprovals(settings.approvals, signer)] if settings.approvals > 1 else []),
        ValidPermit(tuple(datasets), words, settings.purposes),
        *([MinimumPatients(settings.patients)] if settings.patients else []),
        *([] if settings.window.always else [settings.window]),
        ExecutionLimit(),
        *([Rate(settings.per_hour)] if settings.per_hour else []),
        *([Quota(settings.quota, settings.quota_days)] if settings.quota else []),
        OutputSize(settings.numbers, settings.rows),
        FitsContract(),
        Disclosure(settings.threshold, settings.rounding),
    ]
    if settings.noise or settings.rho_project or settings.rho_user or settings.rho_in_all:
        rules.append(PrivacyBudget(settings.rho_user, settings.rho_in_all, settings.noise, settings.rho_project))
    rules.append(DeclaredBudget())
    return AllOf(tuple(rules))


def default_policies(
    *,
    environment: str,
    datasets: Iterable[str],
    signer: Callable[[Decision], str],
    purposes: Iterable[str] | None = None,
    policy: Mapping[str, object] | str | None = None,
) -> AllOf:
    """What a site asks whose federation.toml has this `[policy]`; without one, what the preset "teaching" asks.

    Everything else: see `policies_of`. Raises ConfigurationError for a policy that is none.
    """
    settings = settings_of(policy)
    return policies_of(settings, environment=environment, datasets=datasets, signer=signer, purposes=purposes)
