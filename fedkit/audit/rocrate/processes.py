"""What happened, as actions: the run, each steward's sign-off, the disclosure check at each site, the checks of the crate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fedkit.audit.report import Report
from fedkit.audit.rocrate.assets import CODE, EVIDENCE, INPUTS
from fedkit.audit.rocrate.contexts import Entity, ref
from fedkit.audit.rocrate.facts import Facts
from fedkit.audit.rocrate.profile import PROFILE

#: The checksum of the bag's manifests.
SHA512 = "https://www.iana.org/assignments/named-information#sha-512"
SHP = "https://w3id.org/shp#"


def runs(facts: Facts, agent: str, results: Sequence[str]) -> list[Entity]:
    """The study as one action, and each site's part in it. agent: @id of the researcher; results: @ids of what was released."""
    inputs = [ref(f"{INPUTS}settings.json")]
    common = {"@type": "CreateAction", "instrument": ref(CODE), "agent": ref(agent)}
    times = {}
    if facts.runs:
        times = {"startTime": min(r.started for r in facts.runs), "endTime": max(r.finished for r in facts.runs)}
    whole: Entity = {
        "@id": f"#run-{uuid5(NAMESPACE_URL, facts.request.digest)}",
        **common,
        "name": f"Federated run of {facts.request.title}",
        "actionStatus": f"http://schema.org/{facts.status}ActionStatus",
        "object": [*inputs, *(ref(f"#data-{site}") for site in facts.sites)],
        **times,
    }
    if facts.status == "Completed":
        whole["result"] = [*map(ref, results), ref(f"{EVIDENCE}rounds.json")]
    parts = [
        {
            "@id": f"#run-{uuid5(NAMESPACE_URL, facts.request.digest + ran.site)}",
            **common,
            "name": f"Executions at {ran.site}: {ran.count}",
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "object": [*inputs, ref(f"#data-{ran.site}")],
            "provider": ref(f"#site-{ran.site}"),
            "startTime": ran.started,
            "endTime": ran.finished,
        }
        for ran in facts.runs
    ]
    return [whole, *parts]


def reviews(facts: Facts, report: Report, now: str) -> list[Entity]:
    """The phases of the review: checks of the evidence, sign-off by each steward, disclosure check at each site."""
    done: dict[str, Any] = {
        "object": ref("./"),
        "agent": ref("#fedkit"),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    signed = [
        {
            "@id": f"#signoff-{number}-{decided.site}",
            "@type": "AssessAction",
            "additionalType": ref(f"{SHP}SignOff"),
            "name": f"Sign-off at {decided.site}: {decided.words}",
            "object": [ref("./"), ref(CODE), ref("#project")],
            "instrument": ref("#permit"),
            "agent": ref(f"#steward-{decided.steward}"),
            "actionStatus": f"http://schema.org/{'Completed' if decided.approved else 'Failed'}ActionStatus",
            **({"endTime": decided.time} if decided.time else {}),
        }
        for number, decided in enumerate(facts.decisions, 1)
    ]
    disclosed = [
        {
            "@id": f"#disclosure-{ran.site}",
            "@type": "AssessAction",
            "additionalType": ref(f"{SHP}DisclosureCheck"),
            "name": f"Disclosure check at {ran.site} against the output contract: passed, results: {ran.count}",
            **{**done, "object": [ref("./"), ref(CODE)]},
            "endTime": ran.finished,
        }
        for ran in facts.runs
    ]
    checked = {
        "@id": "#check-evidence",
        "@type": "AssessAction",
        "additionalType": ref(f"{SHP}CheckValue"),
        "name": f"Evidence verified, {report.verdict}; head of the chain {report.head}",
        **{**done, "object": [ref("./"), ref(EVIDENCE)]},
        "endTime": now,
    }
    validated = {
        "@id": "#validate-profile",
        "@type": "AssessAction",
        "additionalType": ref(f"{SHP}ValidationCheck"),
        "name": "Validation against the Five Safes RO-Crate profile: approved",
        "instrument": ref(PROFILE),
        **done,
        "endTime": now,
    }
    bagged = {
        "@id": "#bagit",
        "@type": "UpdateAction",
        "additionalType": ref(f"{SHP}GenerateCheckValue"),
        "name": "BagIt manifests of the crate written",
        "instrument": ref(SHA512),
        **done,
        "startTime": now,
    }
    return [*signed, *disclosed, checked, validated, bagged]
