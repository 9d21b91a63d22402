"""Storage: paths, names, quotas, and what lies where on the machine."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import psutil
import pytest
from attackers import Town, call, envelope, send
from attempts import Attempt, Trial, tries
from site_suite import CANARY

from fedkit.digests import digest_bytes

BLOB = ("researcher", "refused.access", "blob.refused refused.access")
NOT_HERE = ("researcher", "refused.digest", "access.refused refused.digest")


@tries(
    Attempt(
        "fetches a file by a path for a digest", *BLOB, given=["../../accounts.json", "/etc/passwd", "..", "", "aa/../../x"]
    ),
    Attempt(
        "fetches a file by a digest with a path in it",
        *BLOB,
        given=["a" * 62 + "/.", "a" * 64 + "/../../../journal.db", "a" * 63 + "\n"],
    ),
    Attempt("fetches by a digest that is not one word", *BLOB, given=["A" * 64, "а" * 64, "a" * 63 + "\0", "a" * 100_000]),
    Attempt("puts SQL into a digest", *BLOB, given=["' OR 1=1 --", "x'; DROP TABLE blobs; --", "a" * 64 + "' OR '1'='1"]),
)
def test_a_digest_is_no_path(trial: Trial, world: Town) -> None:
    with trial() as said:
        for digest in trial.given:
            said(call(world, "researcher", "get", digest=digest))


@tries(
    Attempt("puts SQL into the name of a request", *NOT_HERE, given=["' OR 1=1 --", "x'; DROP TABLE requests; --"]),
    Attempt("asks for a request by a path, a wildcard, a zero", *NOT_HERE, given=["../gate.db", "%", "_" * 64, "\0", ""]),
)
def test_a_request_is_named_by_its_digest(trial: Trial, world: Town) -> None:
    with trial(method="state") as said:
        for digest in trial.given:
            said(call(world, "researcher", "state", digest=digest))
    assert world.researcher.requests() is not None


@tries(
    Attempt(
        "asks for a data set by SQL, a path and another site's name",
        "researcher",
        "request",
        "access.refused request",
        given=["notes' UNION SELECT text FROM notes --", "../notes.duckdb", "east", "private", "train", ""],
    ),
)
def test_there_is_one_data_set(trial: Trial, world: Town) -> None:
    with trial(method="mock_notes") as said:
        for name in trial.given:
            said(call(world, "researcher", "mock_notes", dataset=name, limit=10))


@tries(
    Attempt("names an entry with a path", "researcher", "request", "request.refused request", given="../../run"),
    Attempt(
        "names an entry with SQL", "researcher", "request", "request.refused request", given="count'; DROP TABLE charges; --"
    ),
    Attempt("names an entry so that it looks like another", "researcher", "request", "request.refused request", given="соunt"),
)
def test_an_entry_is_a_name(trial: Trial, world: Town) -> None:
    row = json.loads(json.dumps(world.request().to_json()))
    row["entries"][0] = {key: trial.given if value == "count" else value for key, value in row["entries"][0].items()}
    with trial() as said:
        said(call(world, "researcher", "submit", request=row))


@tries(
    Attempt(
        "reads the journal from a row that is none", "auditor", "site", "access.refused no-call", given=["x", None, {}, [1]]
    ),
    Attempt("closes batches with a row that is SQL", "auditor", "site", "access.refused no-call", given=[]),
)
def test_a_row_is_a_number(trial: Trial, world: Town) -> None:
    with trial() as said:
        for start in trial.given:
            said(call(world, "auditor", "journal", start=start))
        if not trial.given:
            said(send(world, envelope(world, "auditor", "anchor", {"before": "1; DROP TABLE batches"})))


def site_folder(world: Town) -> Path:
    return Path(world.federation.folder) / "sites" / "north"


def test_what_lies_on_the_disk_is_its_owners(world: Town) -> None:
    """Keys, passwords, notes, journals and PySyft's database: nobody else's to read, whatever the umask."""
    for path in [world.federation.folder / "accounts.json", *site_folder(world).rglob("*")]:
        if path.is_file() and path.suffix not in (".lock",):
            assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), path.relative_to(world.federation.folder)
    assert not site_folder(world).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_no_secret_is_on_a_command_line_or_in_an_environment(world: Town) -> None:
    accounts: dict[str, dict[str, Any]] = json.loads((world.federation.folder / "accounts.json").read_text())
    secrets = [s for site in accounts.values() for s in _strings(site) if len(s) > 12]
    secrets.append((world.federation.folder / "keys" / "passphrase").read_text())
    sites = [p for p in psutil.Process().children(recursive=True) if "fedkit.sites.serve" in " ".join(p.cmdline())]
    assert len(sites) >= 3  # the one that forks, and a process for each site
    for process in sites:
        seen = " ".join(process.cmdline()) + json.dumps(process.environ())
        assert not any(secret in seen for secret in secrets)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [s for part in (value.values() if isinstance(value, dict) else value or ()) for s in _strings(part)]


def test_sites_listen_on_loopback_only(world: Town) -> None:
    listening = {
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert world.researcher.catalogue()
    assert listening == {"127.0.0.1"}


def _below(folder: Path) -> list[Path]:
    """The files of a worker's folder; none if the worker has ended."""
    return [Path(where) / name for where, _, names in os.walk(folder) for name in names]


@pytest.mark.parametrize("place", ["PySyft", "temporary files"])
def test_no_word_of_a_note_lies_where_pysyft_or_a_worker_could_leave_it(world: Town, place: str) -> None:
    request = world.approved()
    world.researcher.execute(request.digest, "count", 1)
    where = site_folder(world) / "domain" if place == "PySyft" else Path(os.environ.get("TMPDIR", "/tmp"))
    found = where.glob("**/*") if place == "PySyft" else (path for folder in where.glob("fedkit-*") for path in _below(folder))
    for path in found:
        with contextlib.suppress(FileNotFoundError):  # a worker that ended took its folder away
            assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path.name


def test_a_blob_that_was_changed_on_the_disk_is_found_out(world: Town) -> None:
    digest = world.researcher.put(b"weights, as they were")
    (path,) = [p for p in site_folder(world).rglob(digest) if p.is_file()]
    path.write_bytes(b"weights, as they are not")
    reply = call(world, "researcher", "get", digest=digest)
    assert reply["error"]["code"] == "refused.digest"
    assert digest_bytes(b"weights, as they were") == digest
    assert world.rows("blob.refused", blob=digest, reason="refused.digest")
