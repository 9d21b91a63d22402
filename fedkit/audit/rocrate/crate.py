"""The crate of a study: evidence, code and metadata in one BagIt bag, checked against the profile before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from fedkit.audit.bundle import zip_of
from fedkit.audit.evidence import Evidence, read
from fedkit.audit.report import Report
from fedkit.audit.rocrate import assets, bagit, processes
from fedkit.audit.rocrate.contexts import Entity, Requester, people, permit, ref
from fedkit.audit.rocrate.facts import Facts, facts_of
from fedkit.audit.rocrate.profile import METADATA, PROFILE, check_crate
from fedkit.audit.verify import verify
from fedkit.digests import canonical, digest_bytes
from fedkit.errors import EvidenceError
from fedkit.storage import write_whole


def write_crate(bundle: Path, file: Path, requester: Requester | None = None, *, now: datetime | None = None) -> str:
    """Write the crate of an evidence bundle as a zip file, whole or not at all; returns the file's SHA-256.

    now: when it is published (UTC); by default the time of the call.
    Raises EvidenceError if the bundle is none, is not clean, or holds sites' weights, which are not for everybody; StorageError
    if the disk refuses.
    """
    report = verify(bundle)
    evidence = read(bundle)
    if not report.ok:
        raise EvidenceError(
            f"{bundle.name} is not clean, and no crate is made of it",
            expected="every check passed",
            got=report.verdict,
            help="fedkit verify shows what was found",
        )
    if evidence.weights:
        raise EvidenceError(
            f"{bundle.name} holds weights of sites, which a crate would show to everybody",
            expected="evidence without weights",
            got=f"{len(evidence.weights)} of them",
            help="export it again without --updates",
        )
    folder = file.name.partition(".")[0] or "crate"
    made = zip_of({f"{folder}/{name}": data for name, data in crate(evidence, report, requester, now=now).items()})
    write_whole(file, made, mode=0o666)
    return digest_bytes(made)


def crate(
    evidence: Evidence, report: Report, requester: Requester | None = None, *, now: datetime | None = None
) -> dict[str, bytes]:
    """The files of the crate's bag. Raises EvidenceError if they do not meet the profile: nothing is published then."""
    time = (now or datetime.now(UTC)).replace(microsecond=0)
    written = time.isoformat().replace("+00:00", "Z")
    facts = facts_of(evidence)
    payload = {f"{assets.EVIDENCE}{name}": data for name, data in evidence.files.items()}
    payload[f"{assets.EVIDENCE}manifest.json"] = canonical(evidence.manifest)
    payload[f"{assets.INPUTS}settings.json"] = canonical(dict(evidence.request.settings))
    payload[f"{assets.CODE}code.py"] = evidence.request.source.encode()
    payload[f"{assets.CODE}{METADATA}"] = assets.workflow(facts, written)
    payload["README.md"] = assets.readme(facts)
    graph = _graph(facts, report, payload, requester or Requester(), written)
    payload[METADATA] = assets.metadata(assets.VERSION, graph)
    identifier = uuid5(NAMESPACE_URL, f"{PROFILE}#{evidence.request.digest}").urn
    files = bagit.bag(payload, identifier, time.date())
    if problems := check_crate(files):
        raise EvidenceError(
            "the crate does not meet its profile",
            expected=PROFILE,
            got="; ".join(map(str, problems[:3])),
            help="this is an error in fedkit: please tell us",
        )
    return files


def _graph(facts: Facts, report: Report, payload: Mapping[str, bytes], requester: Requester, now: str) -> list[Entity]:
    request = facts.request
    released = assets.released(facts)
    models = [entity["@id"] for entity in released if "sha256" in entity]
    actions = [*processes.runs(facts, requester.iri, models), *processes.reviews(facts, report, now)]
    descriptor = {"@id": METADATA, "@type": "CreativeWork", "about": ref("./"), "conformsTo": ref(assets.VERSION)}
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": request.title,
        "description": request.purpose,
        "identifier": ref("#request-digest"),
        "conformsTo": ref(PROFILE),
        "datePublished": now,
        "license": ref("#permit"),
        "publisher": ref("#federation"),
        "sourceOrganization": ref("#project"),
        "mainEntity": ref(assets.CODE),
        "mentions": [ref(action["@id"]) for action in actions],
        "hasPart": [ref(name) for name in (assets.EVIDENCE, assets.INPUTS, assets.CODE, "README.md", *models)],
    }
    profile: Entity = {
        "@id": PROFILE,
        "@type": ["CreativeWork", "Profile"],
        "name": "Five Safes RO-Crate profile",
        "version": "0.4",
    }
    checksum: Entity = {"@id": processes.SHA512, "@type": "DefinedTerm", "name": "sha-512 algorithm"}
    contexts = [profile, checksum, permit(facts), *people(facts, requester)]
    return [descriptor, root, *contexts, *assets.files(payload, facts), *assets.data(facts), *released, *actions]
