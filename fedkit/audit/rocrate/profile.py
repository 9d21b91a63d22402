"""What the Five Safes RO-Crate profile 0.4 requires of a crate (https://w3id.org/5s-crate/0.4), as rules that can be run.

The MUSTs of the profile's text, and those of the SHACL shapes that its authors wrote for rocrate-validator, in our own words.
What the profile only recommends is left to whoever writes a crate.

    check_crate(files)        # files of a bag: "bagit.txt", "data/ro-crate-metadata.json", … → what is wrong; empty if nothing
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fedkit.audit.rocrate import bagit

PROFILE = "https://w3id.org/5s-crate/0.4"
WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate"
METADATA = "ro-crate-metadata.json"

#: Phases of the review: terms of the Safe Haven Provenance ontology → the class of schema.org that they must have.
PHASES: Mapping[str, str] = {
    "https://w3id.org/shp#CheckValue": "AssessAction",
    "https://w3id.org/shp#ValidationCheck": "AssessAction",
    "https://w3id.org/shp#SignOff": "AssessAction",
    "https://w3id.org/shp#DisclosureCheck": "AssessAction",
    "https://w3id.org/shp#GenerateCheckValue": "UpdateAction",
}
STATUSES = frozenset(f"http://schema.org/{name}ActionStatus" for name in ("Potential", "Active", "Completed", "Failed"))

_VERSION = re.compile(r"https://w3id\.org/ro/crate/1\.(?:[2-9]|\d\d)(?:-DRAFT)?(/context)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

Entity = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """A requirement that a crate does not meet. rule: its heading in the profile; where: the entity or file."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where} {self.what}"


def check_crate(files: Mapping[str, bytes]) -> list[Problem]:
    """What keeps the files of a bag from being a Five Safes RO-Crate; empty if nothing does."""
    found = [Problem("Archive serialisation", "the bag:", what) for what in bagit.wrong_in(files)]
    payload = {name.removeprefix("data/") for name in files if name.startswith("data/")}
    try:
        document = json.loads(files[f"data/{METADATA}"])
        graph = {str(entity["@id"]): entity for entity in document["@graph"]}
        doubled = len(graph) != len(document["@graph"])
    except (KeyError, TypeError, ValueError):
        return [*found, Problem("Metadata file expectations", METADATA, "is missing, or is no flat JSON-LD with a @graph")]
    if doubled:
        found.append(Problem("Metadata file expectations", METADATA, "describes an entity twice"))
    return [*found, *_metadata(document, graph), *_paths(graph, payload), *_root(graph), *_runs(graph), *_reviews(graph)]


def _metadata(document: Entity, graph: Mapping[str, Entity]) -> Iterator[Problem]:
    rule = "Metadata file expectations"
    contexts = _many(document, "@context")
    if not any(isinstance(c, str) and (m := _VERSION.fullmatch(c)) and m[1] for c in contexts):
        yield Problem(rule, METADATA, "does not use the context of RO-Crate 1.2 or later")
    descriptor = graph.get(METADATA, {})
    if not _is_a(descriptor, "CreativeWork") or _refs(descriptor, "about") != ["./"]:
        yield Problem(rule, METADATA, "is not described as being about ./")
    if not any((m := _VERSION.fullmatch(version)) and not m[1] for version in _refs(descriptor, "conformsTo")):
        yield Problem(rule, METADATA, "does not say that it conforms to RO-Crate 1.2 or later")
    if not _is_a(graph.get("./", {}), "Dataset"):
        yield Problem(rule, "./", "is not described as a Dataset")


def _paths(graph: Mapping[str, Entity], payload: set[str]) -> Iterator[Problem]:
    """Files that are described are there, and nothing points out of the crate."""
    rule = "Security considerations"
    for name, entity in graph.items():
        local = not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|#|_:", name)
        if local and (name.startswith("/") or ".." in name.split("/")):
            yield Problem(rule, name, "points out of the crate")
        elif (local and _is_a(entity, "File") and name not in payload) or (
            local
            and name != "./"
            and _is_a(entity, "Dataset")
            and not any(p.startswith(f"{name.rstrip('/')}/") for p in payload)
        ):
            yield Problem("Inputs and outputs", name, "is described and not in the crate")


def _root(graph: Mapping[str, Entity]) -> Iterator[Problem]:
    root = graph.get("./", {})
    main = _refs(root, "mainEntity")
    if len(main) != 1 or not _is_a(graph.get(main[0], {}), "Dataset"):
        yield Problem("Referencing a Workflow Crate", "./", "has not exactly one Dataset as its mainEntity")
    elif not any(profile.startswith(WORKFLOW_PROFILE) for profile in _refs(graph[main[0]], "conformsTo")):
        yield Problem("Referencing a Workflow Crate", main[0], "does not conform to the Workflow RO-Crate profile")
    projects = _refs(root, "sourceOrganization")
    if not projects or not all(_is_a(graph.get(name, {}), "Project") for name in projects):
        yield Problem("Responsible Project", "./", "has no Project as its sourceOrganization")
    for name in projects:
        if not all(_is_a(graph.get(grant, {}), "Grant") for grant in _refs(graph.get(name, {}), "funding")):
            yield Problem("Responsible Project", name, "is funded by what is no Grant")
    mentioned = set(_refs(root, "mentions"))
    if not any(_is_a(graph.get(name, {}), "CreateAction") for name in mentioned):
        yield Problem("Requested Workflow Run", "./", "mentions no CreateAction")
    for name, entity in graph.items():
        if _is_a(entity, "AssessAction") and name not in mentioned:
            yield Problem("Publishing phase", name, "is not mentioned by ./")
    parts = _reachable(graph)
    for action in _of(graph, "CreateAction"):
        for result in _refs(action, "result"):
            if result not in parts:
                yield Problem("Publishing phase", result, "is a result and no part of ./")


def _runs(graph: Mapping[str, Entity]) -> Iterator[Problem]:
    main = _refs(graph.get("./", {}), "mainEntity")
    for action in _of(graph, "CreateAction"):
        where = str(action["@id"])
        if not set(main) & set(_refs(action, "instrument")):
            yield Problem("Requested Workflow Run", where, "does not have the workflow as its instrument")
        people = _refs(action, "agent")
        if not people or not all(_is_a(graph.get(name, {}), "Person") for name in people):
            yield Problem("Requesting Agent", where, "has no Person as its agent")
        for name in people:
            if not all(_is_a(graph.get(o, {}), "Organization") for o in _refs(graph.get(name, {}), "affiliation")):
                yield Problem("Requesting Agent", name, "is affiliated to what is no Organization")
        for side in ("object", "result"):
            for name in _refs(action, side):
                if "@type" not in graph.get(name, {}):
                    yield Problem("Inputs and outputs", name, f"is named as {side} and not described")
        if action.get("actionStatus") not in STATUSES:
            yield Problem("Workflow execution phase", where, "has none of the four states")
        yield from _named(action, "Workflow execution phase", 10)


def _reviews(graph: Mapping[str, Entity]) -> Iterator[Problem]:
    for action in graph.values():
        phases = [phase for phase in _refs(action, "additionalType") if phase in PHASES]
        if not phases and not _is_a(action, "AssessAction"):
            continue
        where = str(action["@id"])
        if not all(_is_a(action, PHASES[phase]) for phase in phases):
            yield Problem("Review process", where, f"is no {PHASES[phases[0]]}")
        if "actionStatus" in action and action["actionStatus"] not in STATUSES:
            yield Problem("Review process", where, "has none of the four states")
        yield from _named(action, "Review process", 10)
        for name in _refs(action, "agent"):
            agent = graph.get(name, {})
            if not agent.get("name"):
                yield Problem("Review process", name, "is an agent without a name")
            providers = _refs(agent, "provider")
            if _is_a(agent, "SoftwareApplication") and not any(_is_a(graph.get(p, {}), "Organization") for p in providers):
                yield Problem("Review process", name, "is software that no Organization provides")


def _named(action: Entity, rule: str, least: int) -> Iterator[Problem]:
    """An action has a name for people, and its times are those of RFC 3339."""
    if not isinstance(action.get("name"), str) or len(action["name"]) < least:
        yield Problem(rule, str(action["@id"]), f"has no name of {least} characters or more")
    for key in ("startTime", "endTime"):
        if key in action and not _TIME.fullmatch(str(action[key])):
            yield Problem(rule, str(action["@id"]), f"has a {key} that is no time of RFC 3339")


def _reachable(graph: Mapping[str, Entity]) -> set[str]:
    """Everything that is part of the root, directly or in a folder of it."""
    seen, waiting = set[str](), ["./"]
    while waiting:
        for part in _refs(graph.get(waiting.pop(), {}), "hasPart"):
            if part not in seen:
                seen.add(part)
                waiting.append(part)
    return seen


def _of(graph: Mapping[str, Entity], kind: str) -> list[Entity]:
    return [entity for entity in graph.values() if _is_a(entity, kind)]


def _is_a(entity: Entity, kind: str) -> bool:
    return kind in _many(entity, "@type")


def _refs(entity: Entity, key: str) -> list[str]:
    return [str(item["@id"]) for item in _many(entity, key) if isinstance(item, Mapping) and "@id" in item]


def _many(entity: Entity, key: str) -> list[Any]:
    value = entity.get(key, [])
    return value if isinstance(value, list) else [value]
