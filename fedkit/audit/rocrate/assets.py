"""Safe settings and safe data: the code, the sites' data sets, the files of the evidence, and what was released."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from fedkit.audit.rocrate.contexts import Entity, permit, ref, refs
from fedkit.audit.rocrate.facts import Facts
from fedkit.audit.rocrate.profile import METADATA
from fedkit.digests import digest_bytes

VERSION = "https://w3id.org/ro/crate/1.2"
#: The profile of workflows builds upon an older RO-Crate than that of the Five Safes.
WORKFLOW_VERSION = "https://w3id.org/ro/crate/1.1"
WORKFLOW = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
EVIDENCE, INPUTS, CODE = "evidence/", "inputs/", "workflow/"

#: File → what it is.
FILES: Mapping[str, str] = {
    "manifest.json": "SHA-256 of every file of the evidence",
    "chain.json": "Every block of the ledger, with its transactions and receipts",
    "request.json": "The code request, with its source",
    "decisions.json": "The stewards' signed decisions",
    "rounds.json": "The rounds, with the numbers that left the sites",
    "heads.json": "Heads of the chain that the sites signed",
    "proofs.json": "Merkle proofs of the journal rows about the request",
    "study.jsonl": "The study's own journal",
    "inputs/settings.json": "Settings of the request",
    "workflow/code.py": "Source of the request",
    "README.md": "What is where in this crate",
}
TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".py": "text/x-python",
}


#: What a person who opens the crate reads first.
README = """# {title}

{purpose}

A Five Safes RO-Crate (<https://w3id.org/5s-crate/0.4>) of one study, written by fedkit {version}. It holds no notes.

- `ro-crate-metadata.json`: who asked what, who decided, what ran where, and what was released
- `workflow/`: the code that was approved
- `inputs/`: the settings that it was given
- `evidence/`: blocks, signatures and journals, from which all of this was made

`fedkit verify evidence` checks the evidence, with no network and no trust in whoever sent it.
"""


def readme(facts: Facts) -> bytes:
    """The crate's README."""
    request = facts.request
    return README.format(title=request.title, purpose=request.purpose, version=facts.version).encode()


def files(payload: Mapping[str, bytes], facts: Facts) -> list[Entity]:
    """The folders of the crate, and the files in them."""
    described = [_file(name, data) for name, data in sorted(payload.items()) if not name.endswith(METADATA)]
    names = [file["@id"] for file in described]
    parts = {folder: [n for n in names if n.startswith(folder)] for folder in (EVIDENCE, INPUTS, CODE)}
    return [
        _folder(EVIDENCE, "Evidence", "What the crate tells, for `fedkit verify` to check", parts[EVIDENCE]),
        _folder(INPUTS, "Inputs", "What the code is given at every call", parts[INPUTS]),
        {**_folder(CODE, facts.request.title, "The code that was approved", parts[CODE]), "conformsTo": ref(WORKFLOW)},
        *described,
    ]


def workflow(facts: Facts, now: str) -> bytes:
    """The metadata of the approved code as a Workflow RO-Crate of its own, nested in the crate."""
    request = facts.request
    graph: list[Entity] = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": ref("./"),
            "conformsTo": [ref(WORKFLOW_VERSION), ref(WORKFLOW)],
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": request.title,
            "description": request.purpose,
            "datePublished": now,
            "license": ref("#permit"),
            "mainEntity": ref("code.py"),
            "hasPart": [ref("code.py")],
        },
        {
            "@id": "code.py",
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": request.title,
            "description": f"Entries {', '.join(entry.name for entry in request.entries)}, which each site may call",
            "encodingFormat": "text/x-python",
            "programmingLanguage": ref("#python"),
            "sha256": request.code_digest,
        },
        {
            "@id": "#python",
            "@type": ["ComputerLanguage", "SoftwareApplication"],
            "name": "Python",
            "version": "3.11",
            "url": ref("https://www.python.org/"),
            "softwareRequirements": f"environment {request.environment}",
        },
        permit(facts),
    ]
    return metadata(WORKFLOW_VERSION, graph)


def data(facts: Facts) -> list[Entity]:
    """The sites' data sets: named, never shown."""
    sets = [
        {
            "@id": f"#data-{site}",
            "@type": "DigitalDocument",
            "name": f"{facts.request.dataset} at {site}",
            "provider": ref(f"#site-{site}"),
            "hasDigitalDocumentPermission": ref("#reading-data"),
        }
        for site in facts.sites
    ]
    return [*sets, _reading("data", "Read at the site, by the study's approved code only")]


def released(facts: Facts) -> list[Entity]:
    """What was released, by its digest: the weights themselves are the study's to give."""
    models = [
        {
            "@id": uuid5(NAMESPACE_URL, model).urn,
            "@type": "DigitalDocument",
            "name": f"Released model {model[:12]}",
            "description": "Weights after the last recorded round, named by their digest",
            "sha256": model,
            "encodingFormat": "application/vnd.safetensors",
            "hasDigitalDocumentPermission": ref("#reading-model"),
        }
        for model in facts.models
    ]
    return [*models, _reading("model", "Read by the study, until it is published")] if models else []


def _reading(what: str, words: str) -> Entity:
    return {
        "@id": f"#reading-{what}",
        "@type": "DigitalDocumentPermission",
        "name": words,
        "permissionType": "http://schema.org/ReadPermission",
        "grantee": ref("#project"),
    }


def _file(name: str, data: bytes) -> Entity:
    short = name.removeprefix(EVIDENCE)
    what = FILES.get(short) or f"Journal of {Path(name).stem}"
    kind = TYPES[Path(name).suffix]
    size = {"contentSize": str(len(data)), "sha256": digest_bytes(data)}
    return {"@id": name, "@type": "File", "name": short, "description": what, "encodingFormat": kind, **size}


def _folder(name: str, title: str, what: str, parts: list[str]) -> Entity:
    return {"@id": name, "@type": "Dataset", "name": title, "description": what, "hasPart": refs(parts)}


def metadata(version: str, graph: list[Entity]) -> bytes:
    """A metadata file, for people and machines. version: of RO-Crate."""
    document = {"@context": f"{version}/context", "@graph": graph}
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
