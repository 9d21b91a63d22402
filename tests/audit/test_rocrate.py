"""The crate of a study: what the profile requires is there, what is taken away is missed; none is made of what is unclean."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from audit.conftest import Told
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fedkit.audit.evidence import read
from fedkit.audit.forge import forge
from fedkit.audit.rocrate import Requester, check_crate, crate, write_crate
from fedkit.audit.rocrate.bagit import bag, wrong_in
from fedkit.audit.verify import verify
from fedkit.cli.evidence import evidence as command
from fedkit.errors import EvidenceError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ADA = Requester("Ada Example", "https://orcid.org/0000-0002-1825-0097", "A Hospital", "https://ror.org/027m9bs27")
METADATA = "data/ro-crate-metadata.json"


@pytest.fixture(scope="module")
def files(told: Told) -> dict[str, bytes]:
    return crate(read(told.bundle), verify(told.bundle), ADA, now=NOW)


@pytest.fixture(scope="module")
def graph(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in json.loads(files[METADATA])["@graph"]}


def test_the_crate_meets_its_profile(files: dict[str, bytes]) -> None:
    assert check_crate(files) == []


def test_the_same_evidence_gives_the_same_crate(files: dict[str, bytes], told: Told) -> None:
    assert crate(read(told.bundle), verify(told.bundle), ADA, now=NOW) == files


def test_the_evidence_in_the_crate_still_verifies(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in files.items():
        if name.startswith("data/evidence/"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    assert verify(tmp_path / "data" / "evidence").ok


def test_the_five_safes_are_told_as_the_evidence_tells_them(graph: dict[str, dict[str, Any]], told: Told) -> None:
    evidence = read(told.bundle)
    request = evidence.request
    run = next(e for e in graph.values() if e["@type"] == "CreateAction" and e["name"].endswith(request.title))
    assert graph[run["agent"]["@id"]]["affiliation"] == {"@id": "https://ror.org/027m9bs27"}  # safe people
    assert graph["./"]["sourceOrganization"] == {"@id": "#project"}  # safe projects
    assert graph["#permit"]["identifier"] == request.permit.digest
    signed = [e for e in graph.values() if e.get("additionalType") == {"@id": "https://w3id.org/shp#SignOff"}]
    assert {e["agent"]["@id"] for e in signed} == {
        f"#steward-{d.steward}" for d in evidence.decisions if d.request == request.digest
    }
    assert all(e["endTime"].endswith("Z") for e in signed)
    assert graph["workflow/code.py"]["sha256"] == request.code_digest  # safe settings
    assert "#data-norway" in [e["@id"] for e in run["object"]]  # safe data
    disclosed = [e for e in graph.values() if e.get("additionalType") == {"@id": "https://w3id.org/shp#DisclosureCheck"}]
    assert len(disclosed) == len(told.world.sites)  # safe outputs
    model = next(e for e in graph.values() if e.get("name", "").startswith("Released model"))
    assert {"@id": model["@id"]} in run["result"]
    assert run["actionStatus"] == "http://schema.org/CompletedActionStatus"


def test_a_request_that_is_under_way_has_no_result(told: Told, tmp_path: Path) -> None:
    """The same request, as far as its decisions: what was not run is not told of."""
    denied = told.world.request("A request that is denied")
    bundle = told.world.export(tmp_path / "evidence", denied)
    made = crate(read(bundle), verify(bundle), now=NOW)
    actions = [e for e in json.loads(made[METADATA])["@graph"] if e["@type"] == "CreateAction"]
    assert [("result" in a, a["actionStatus"]) for a in actions] == [(False, "http://schema.org/PotentialActionStatus")]
    signed = next(e for e in json.loads(made[METADATA])["@graph"] if e["@id"].startswith("#signoff"))
    assert signed["actionStatus"] == "http://schema.org/FailedActionStatus"


# -- each requirement is missed where it is not met

Graph = dict[str, dict[str, Any]]


def without(entity: str, key: str) -> Callable[[Graph], None]:
    return lambda graph: graph[entity].pop(key)


def put(entity: str, key: str, value: Any) -> Callable[[Graph], None]:
    return lambda graph: graph[entity].update({key: value})


def run_of(graph: Graph) -> dict[str, Any]:
    return next(e for e in graph.values() if e["@type"] == "CreateAction")


BROKEN: dict[str, tuple[Callable[[Graph], Any], str]] = {
    "no workflow": (without("./", "mainEntity"), "Referencing a Workflow Crate"),
    "a workflow of no profile": (without("workflow/", "conformsTo"), "Referencing a Workflow Crate"),
    "no project": (without("./", "sourceOrganization"), "Responsible Project"),
    "a project that is none": (put("#project", "@type", "Organization"), "Responsible Project"),
    "funded by a person": (put("#project", "funding", {"@id": ADA.iri}), "Responsible Project"),
    "nothing that happened": (put("./", "mentions", []), "Requested Workflow Run"),
    "no agent": (lambda g: run_of(g).pop("agent"), "Requesting Agent"),
    "an agent that is no person": (put(ADA.iri, "@type", "Organization"), "Requesting Agent"),
    "an employer that is none": (put(ADA.organization_iri, "@type", "Person"), "Requesting Agent"),
    "no instrument": (lambda g: run_of(g).pop("instrument"), "Requested Workflow Run"),
    "an input that is nowhere": (lambda g: run_of(g).update(object={"@id": "#nothing"}), "Inputs and outputs"),
    "a result that is no part": (lambda g: run_of(g).update(result={"@id": "#project"}), "Publishing phase"),
    "a state of its own": (lambda g: run_of(g).update(actionStatus="done"), "Workflow execution phase"),
    "a time without a zone": (lambda g: run_of(g).update(endTime="2026-11-24T12:00:00"), "Workflow execution phase"),
    "a short name": (lambda g: run_of(g).update(name="run"), "Workflow execution phase"),
    "a sign-off that assesses nothing": (put("#check-evidence", "@type", "Action"), "Review process"),
    "a check without a name": (without("#check-evidence", "name"), "Review process"),
    "software of nobody": (without("#fedkit", "provider"), "Review process"),
    "a file that is not there": (put("#permit", "@type", "File"), "no problem: it is no path"),
    "a file outside": (lambda g: g.update({"../x": {"@id": "../x", "@type": "File"}}), "Security considerations"),
    "another file": (lambda g: g.update({"x.txt": {"@id": "x.txt", "@type": "File"}}), "Inputs and outputs"),
    "an old RO-Crate": (
        put("ro-crate-metadata.json", "conformsTo", {"@id": "https://w3id.org/ro/crate/1.1"}),
        "Metadata file expectations",
    ),
    "about something else": (put("ro-crate-metadata.json", "about", {"@id": "#x"}), "Metadata file expectations"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_the_profile_requires_is_missed(kind: str, files: dict[str, bytes], graph: Graph) -> None:
    breaks, rule = BROKEN[kind]
    copy: Graph = json.loads(json.dumps(graph))
    breaks(copy)
    document = {**json.loads(files[METADATA]), "@graph": list(copy.values())}
    payload = {name.removeprefix("data/"): data for name, data in files.items() if name.startswith("data/")}
    broken = bag({**payload, "ro-crate-metadata.json": json.dumps(document).encode()}, "urn:uuid:1", NOW.date())
    found = {problem.rule for problem in check_crate(broken)}
    assert (rule in found) if not rule.startswith("no problem") else not found


@pytest.mark.parametrize("content", [b"", b"[]", b'{"@graph": 1}', b'{"@graph": [{}]}', b"\xff"])
def test_metadata_that_cannot_be_read_is_named(content: bytes, files: dict[str, bytes]) -> None:
    assert "Metadata file expectations" in {p.rule for p in check_crate({**files, METADATA: content})}


def test_an_older_context_is_missed(files: dict[str, bytes]) -> None:
    older = files[METADATA].replace(b"crate/1.2/context", b"crate/1.1/context")
    assert any("context" in problem.what for problem in check_crate({**files, METADATA: older}))


# -- bags

names = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12)


@given(st.dictionaries(names, st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_a_bag_is_whole_and_what_is_changed_in_it_shows(payload: dict[str, bytes], data: st.DataObject) -> None:
    made = bag(payload, "urn:uuid:1", NOW.date())
    assert wrong_in(made) == []
    victim = data.draw(st.sampled_from(sorted(made)))
    assert wrong_in({**made, victim: made[victim] + b"x"}) or victim == "tagmanifest-sha512.txt"
    if victim != "tagmanifest-sha512.txt":  # a bag may do without it
        assert wrong_in({name: content for name, content in made.items() if name != victim})
    assert wrong_in({**made, "data/\x01more": b""})


def test_checksums_are_those_of_the_standard() -> None:
    made = bag({"a b.txt": b"hello"}, "urn:uuid:1", NOW.date())
    assert made["manifest-sha512.txt"] == f"{hashlib.sha512(b'hello').hexdigest()}  data/a b.txt\n".encode()
    assert made["bagit.txt"].startswith(b"BagIt-Version: 1.0\n")
    assert b"External-Identifier: urn:uuid:1\n" in made["bag-info.txt"]


# -- the file and the command


def test_the_zip_file_has_one_folder_and_its_bag_is_whole(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "study.crate.zip"
    digest = write_crate(told.bundle, file, now=NOW)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert {name.partition("/")[0] for name in held} == {"study"}
    assert check_crate({name.partition("/")[2]: data for name, data in held.items()}) == []
    assert [path.name for path in tmp_path.iterdir()] == ["study.crate.zip"]


def test_no_crate_is_made_of_evidence_that_is_not_clean(bundle: Path, tmp_path: Path) -> None:
    forge(bundle, "journal-row")
    with pytest.raises(EvidenceError, match="not clean") as caught:
        write_crate(bundle, tmp_path / "x.zip")
    assert "fedkit verify" in caught.value.help
    assert not (tmp_path / "x.zip").exists()


def test_no_crate_holds_weights_of_sites(told: Told, tmp_path: Path) -> None:
    data = b"weights"
    name = hashlib.sha256(data).hexdigest()
    bundle = told.world.export(tmp_path / "evidence", told.request, weights={name: data})
    with pytest.raises(EvidenceError, match="holds weights of sites"):
        write_crate(bundle, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_the_command_writes_one_and_names_what_is_missing(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    done = CliRunner().invoke(command, ["crate", str(told.bundle), "--to", str(file), "--name", "Ada", "--orcid", ADA.iri])
    assert done.exit_code == 0, done.output
    assert file.exists()
    for wrong in (["--ror", "https://ror.org/027m9bs27"], ["--orcid", "0000-0002-1825-0097"]):
        assert CliRunner().invoke(command, ["crate", str(told.bundle), "--to", str(file), *wrong]).exit_code == 2
