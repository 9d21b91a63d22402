"""Safe people and safe projects: who took part in a study, and under which permit (contextual entities)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fedkit.audit.rocrate.facts import Facts

Entity = dict[str, Any]


@dataclass(frozen=True)
class Requester:
    """Who asked, as the world knows them. The evidence knows an address only.

    iri: an ORCID iD, for example.   organization: name of the employer; its iri (ROR) if known.
    """

    name: str = ""
    iri: str = "#researcher"
    organization: str = ""
    organization_iri: str = "#employer"


def people(facts: Facts, requester: Requester) -> list[Entity]:
    """Who took part: researcher, project, stewards, sites, and the software that checked."""
    researcher = facts.request.researcher
    person: Entity = {
        "@id": requester.iri,
        "@type": "Person",
        "name": requester.name or f"researcher {researcher}",
        "identifier": researcher,
        "memberOf": ref("#project"),
    }
    employer = []
    if requester.organization:
        person["affiliation"] = ref(requester.organization_iri)
        employer = [{"@id": requester.organization_iri, "@type": "Organization", "name": requester.organization}]
    sites = [{"@id": f"#site-{site}", "@type": "Organization", "name": site} for site in facts.sites]
    project = {
        "@id": "#project",
        "@type": "Project",
        "name": facts.request.permit.purpose,
        "identifier": ref("#permit-number"),
        "member": refs(org["@id"] for org in (*employer, *sites)),
    }
    number = {"@id": "#permit-number", "@type": "PropertyValue", "name": "data permit", "value": facts.request.permit.id}
    stewards = {
        decided.steward: {
            "@id": f"#steward-{decided.steward}",
            "@type": "Person",
            "name": f"steward of {decided.site}",
            "identifier": decided.steward,
            "affiliation": ref(f"#site-{decided.site}"),
        }
        for decided in facts.decisions
    }
    federation = {
        "@id": "#federation",
        "@type": "Organization",
        "name": f"Federation of {', '.join(facts.sites)}",
        "subOrganization": refs(site["@id"] for site in sites),
    }
    software = {
        "@id": "#fedkit",
        "@type": "SoftwareApplication",
        "name": "fedkit",
        "version": facts.version,
        "url": ref("README.md"),
        "provider": ref("#federation"),
    }
    request = {
        "@id": "#request-digest",
        "@type": "PropertyValue",
        "name": "SHA-256 of the request",
        "value": facts.request.digest,
    }
    return [person, *employer, project, number, request, *stewards.values(), *sites, federation, software]


def permit(facts: Facts) -> Entity:
    """The data permit: the agreement that stewards sign off under, and the conditions under which anything is used."""
    given = facts.request.permit
    return {
        "@id": "#permit",
        "@type": "CreativeWork",
        "name": f"Data permit {given.id}",
        "description": f"{given.purpose} ({given.category})",
        "identifier": given.digest,
        "expires": given.expires,
    }


def ref(name: str) -> dict[str, str]:
    """A reference to another entity."""
    return {"@id": name}


def refs(names: Iterable[str]) -> Any:
    """References to entities: a list, or one alone, as RO-Crate 1.2 wants a list of one to be written."""
    found = [ref(name) for name in names]
    return found[0] if len(found) == 1 else found
