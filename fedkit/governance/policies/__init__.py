"""The rules of a run as objects: what a site asks before it runs a request, and what it asks of the result before that leaves.

    rules = default_policies(environment=environment_digest(), datasets=("notes",), signer=recover)
    rules.admits(context)                          # raises the first refusal, with its reason and the way on
    contract = rules.tightens(context, contract)   # the output contract as this site holds it
    rules.releases(context, tensors, numbers, tables)
    rules.explain()                                # the same in plain words, for a steward

A rule a module, by what it is about: `identity` (who), `code`, `permit`, `approval`, `moment` (when), `counting` (how often),
`data`, `output` (what leaves), `privacy`. A site's choice of them: `settings` holds it as data, `presets` are those that come
with fedkit, `configured` reads one from federation.toml, `building` makes rules of it, `explaining` tells it in plain words.

Pure: time, counts and who signed come in as data. Rules compose: `AllOf((a, b))` or `a & b`, `AnyOf((a, b))` or `a | b`.
"""

from fedkit.governance.policies.approval import NeededApprovals, SignedApproval
from fedkit.governance.policies.base import AllOf, AnyOf, Clause, Clock, Context, Policy
from fedkit.governance.policies.building import default_policies, policies_of
from fedkit.governance.policies.code import ExactDigest, SameEnvironment
from fedkit.governance.policies.configured import settings_of
from fedkit.governance.policies.counting import ExecutionLimit, Quota, Rate, execution_limit
from fedkit.governance.policies.data import MinimumPatients
from fedkit.governance.policies.identity import LevelMayRun
from fedkit.governance.policies.moment import SaneClock, TimeWindow
from fedkit.governance.policies.output import Disclosure, FitsContract, OutputSize
from fedkit.governance.policies.permit import ValidPermit
from fedkit.governance.policies.presets import PRESETS
from fedkit.governance.policies.privacy import DeclaredBudget, PrivacyBudget
from fedkit.governance.policies.settings import PolicySettings

__all__ = [
    "PRESETS",
    "AllOf",
    "AnyOf",
    "Clause",
    "Clock",
    "Context",
    "DeclaredBudget",
    "Disclosure",
    "ExactDigest",
    "ExecutionLimit",
    "FitsContract",
    "LevelMayRun",
    "MinimumPatients",
    "NeededApprovals",
    "OutputSize",
    "Policy",
    "PolicySettings",
    "PrivacyBudget",
    "Quota",
    "Rate",
    "SameEnvironment",
    "SaneClock",
    "SignedApproval",
    "TimeWindow",
    "ValidPermit",
    "default_policies",
    "execution_limit",
    "policies_of",
    "settings_of",
]
