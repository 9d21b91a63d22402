"""The catalogue of a site: rounded, small figures left out, and shown only as a steward of the site has signed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3
from site_suite import World
from warehouse_notes import CANARY, ListSource, note

from fedkit.errors import AccessRefused, DigestMismatch, RequestError
from fedkit.ledger.keys import Keyring
from fedkit.notes.note import Note
from fedkit.sites.launch import Federation, launch
from fedkit.sites.public import read_catalogue, signed_by
from fedkit.sites.store import DuckDBNoteStore
from fedkit.sites.warehouse.catalogue import draft
from fedkit.sites.warehouse.site_tables import SiteTables
from fedkit.stewardship import Stewardship
from fedkit.warehouse.catalogue import Catalogue, Published, Terms, drift

SAID = Terms("Notes of the north", "CC BY 4.0", "Research only.\nNo attempt at identification.", "data@example.org")


def of_persons(first: int, count: int, **more: object) -> list[Note]:
    return [note(number, person=f"p{number}", meta={"sex": "female"}, **more) for number in range(first, first + count)]


def drafted(folder: Path, notes: list[Note], **rules: int) -> Catalogue:
    tables = SiteTables("no", folder, DuckDBNoteStore(folder / "notes.duckdb"))
    tables.build(ListSource(notes), workers=1)
    try:
        return draft(tables.connection(), tables.about(), "no", "notes", **rules)
    finally:
        tables.close()


def test_figures_are_persons_rounded_and_small_ones_are_left_out(tmp_path: Path) -> None:
    notes = [
        *of_persons(0, 34, department="Medisin", date="2021-01-01"),
        *of_persons(100, 16, department="Ortopedi", date="2022-01-01"),
        *of_persons(200, 6, department="Hud", date="2023-01-01"),
        *of_persons(300, 4, department="Kirurgi", date="2024-01-01"),
    ]
    found = drafted(tmp_path, notes)
    assert (found.threshold, found.rounding, found.persons) == (10, 10, 60)
    # 6 and 4 are hidden, and are ten together: nobody has either by subtraction.
    assert found.departments == {"Medisin": 30, "Ortopedi": 20}
    assert found.years == {"2021": 30, "2022": 20}
    assert found.rows == {"patients": 60, "visits": 60, "notes": 60, "mentions": 60}
    assert [(c.label, c.system, c.code, c.persons) for c in found.concepts if c.label == "DRUG"] == [
        ("DRUG", "ATC", "B01AA03", 60)
    ]
    assert found.values("department") == ("Medisin", "Ortopedi")


def test_one_small_figure_takes_another_with_it(tmp_path: Path) -> None:
    notes = [*of_persons(0, 30, department="A"), *of_persons(100, 20, department="B"), *of_persons(200, 3, department="C")]
    assert drafted(tmp_path, notes).departments == {"A": 30}


def test_a_site_of_few_persons_shows_nothing_of_them(tmp_path: Path) -> None:
    found = drafted(tmp_path, of_persons(0, 9))
    assert (found.persons, set(found.rows.values()), found.concepts) == (0, {0}, ())
    assert not any((found.languages, found.years, found.types, found.departments, found.labels, found.models))


def test_a_site_may_be_stricter_and_never_less(tmp_path: Path) -> None:
    notes = [*of_persons(0, 30, department="A"), *of_persons(100, 15, department="B"), *of_persons(200, 15, department="C")]
    strict = drafted(tmp_path, notes, threshold=20, rounding=25)
    assert (strict.threshold, strict.rounding, strict.departments) == (20, 25, {"A": 25})
    lax = drafted(tmp_path, notes, threshold=1, rounding=1)
    assert (lax.threshold, lax.rounding) == (10, 10)


def test_a_catalogue_survives_json_and_takes_nothing_else(tmp_path: Path) -> None:
    found = drafted(tmp_path, of_persons(0, 20)).with_terms(SAID)
    row = json.loads(json.dumps(found.to_json()))
    assert Catalogue.from_json(row).digest == found.digest
    for broken in (
        {**row, "more": 1},
        {**row, "rows": 3},
        {**row, "said": {}},
        {k: v for k, v in row.items() if k != "site"},
        [],
    ):
        with pytest.raises(RequestError):
            Catalogue.from_json(broken)
    for text in ("\x1b[31m", "a" * 2001, 7):
        with pytest.raises(RequestError):
            Terms(title=text)  # type: ignore[arg-type]


def test_drift_between_sites_is_named(tmp_path: Path) -> None:
    found = drafted(tmp_path, of_persons(0, 20))
    columns = {**found.columns, "notes": [c for c in found.columns["notes"] if c != "department"]}
    older = replace(found, layout="0" * 64, columns=columns)
    newer = replace(found, layout="1" * 64, columns={**found.columns, "notes": [*found.columns["notes"], "ward"]})
    said = drift({"no": found, "old": older, "new": newer, "other": replace(found, layout="2" * 64)})
    assert set(said) == {"old", "new", "other"}
    assert "no notes.department" in said["old"]
    assert "notes.ward beyond" in said["new"]
    assert "other values" in said["other"]


# -- published, at sites of their own, over HTTP


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    corpus = tmp_path_factory.mktemp("catalogue") / "corpus"
    for site in ("north", "south"):
        (corpus / site).mkdir(parents=True)
        for split, first, count in (("train", 0, 24), ("dev", 100, 8), ("test", 200, 8)):
            rows = [json.dumps(n.to_row()) for n in of_persons(first, count)]
            (corpus / site / f"{split}.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    with launch("catalogues", tmp_path_factory.mktemp("home"), corpus=corpus, isolation="process") as running:
        yield running


@pytest.fixture
def steward(federation: Federation) -> Stewardship:
    return Stewardship.of(federation, "north")


def url(federation: Federation, site: str = "north") -> str:
    return str(federation.running(site).info.url)


def signed(federation: Federation, catalogue: Catalogue, at: int, by: str = "steward-north", site: str = "north") -> Published:
    keys: Keyring = federation.keys
    signature = keys.sign_catalogue(by, site, catalogue.digest, at, federation.ledger.domain)
    return Published(catalogue, at, keys.address(by), signature)


def test_nothing_is_shown_before_a_steward_has_signed_it(federation: Federation) -> None:
    Stewardship.of(federation, "south").draft_catalogue(SAID)
    assert read_catalogue(url(federation, "south")) is None


def test_what_a_steward_has_signed_is_read_by_everybody_without_a_login(federation: Federation, steward: Stewardship) -> None:
    drafted = steward.draft_catalogue(SAID)
    published = steward.publish_catalogue(drafted)
    reply = urllib3.PoolManager().request("GET", f"{url(federation)}/fedkit/v1/catalogue")
    assert reply.status == 200
    assert CANARY.encode() not in reply.data
    assert Published.from_json(json.loads(reply.data)["ok"]) == published == read_catalogue(url(federation))
    assert published.catalogue.persons == 40
    assert published.catalogue.said == SAID
    assert signed_by(published, federation.ledger.domain) == published.steward == federation.keys.address("steward-north")
    for level in ("researcher", "auditor", "admin"):
        assert federation.login("north", level).published_catalogue() == published
    (row,) = [r for r in federation.login("north", "auditor").journal() if r["act"] == "catalogue.published"][-1:]
    assert row["fields"]["catalogue"] == published.catalogue.digest
    assert row["fields"]["signature"] == published.signature


def test_another_catalogue_than_the_sites_own_figures_is_not_shown(federation: Federation, steward: Stewardship) -> None:
    shown = steward.publish_catalogue(steward.draft_catalogue(SAID))
    drafted, at = shown.catalogue, shown.published
    world = World(federation)
    false = (
        (signed(federation, replace(drafted, persons=4000), at), DigestMismatch),
        (signed(federation, replace(drafted, labels={**drafted.labels, CANARY: 20}), at), DigestMismatch),
        (signed(federation, replace(drafted, threshold=1), at), DigestMismatch),
        (replace(signed(federation, drafted.with_terms(Terms("other")), at), signature=shown.signature), AccessRefused),
        (signed(federation, drafted, at, by="steward-south"), AccessRefused),
        (replace(signed(federation, drafted, at, by="researcher"), steward=shown.steward), AccessRefused),
        (signed(federation, drafted, at, site="south"), AccessRefused),
        (signed(federation, drafted, at - 10_000), RequestError),
        (signed(federation, drafted, at + 10_000), RequestError),
    )
    for published, refusal in false:
        with pytest.raises(refusal):
            world.steward.publish_catalogue(published)
    assert read_catalogue(url(federation)) == shown
    refused = [r for r in federation.login("north", "auditor").journal() if r["act"] == "catalogue.refused"]
    assert len(refused) == len(false)


@pytest.mark.parametrize("level", ["researcher", "auditor", "admin"])
def test_nobody_but_a_steward_drafts_or_publishes(federation: Federation, steward: Stewardship, level: str) -> None:
    session = federation.login("north", level)
    with pytest.raises(AccessRefused):
        session.draft_catalogue(SAID)
    with pytest.raises(AccessRefused):
        session.publish_catalogue(signed(federation, steward.draft_catalogue(SAID), 1))
