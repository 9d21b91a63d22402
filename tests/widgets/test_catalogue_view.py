"""The catalogues of several sites side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from warehouse_samples import not_there
from widget_samples import EVIL, live_html, table_rows

from fedkit.warehouse.catalogue import Catalogue, Coded, Published, Terms
from fedkit.warehouse.schema import SCHEMA
from fedkit.widgets.warehouse_catalogue import MOST, CatalogueView, catalogue_html, known_words

COLUMNS = {name: [column.name for column in view.columns] for name, view in SCHEMA.views.items()}


def published(site: str, **changes: Any) -> Published:
    held = Catalogue(
        site=site,
        dataset="notes",
        made="2026-11-24",
        pipeline="a" * 64,
        model="",
        model_digest="",
        layout=SCHEMA.digest,
        columns=COLUMNS,
        threshold=10,
        rounding=5,
        persons=1_390,
        rows={"patients": 1_390, "notes": 2_780, "mentions": 9_000},
        languages={"nb": 700, "nn": 690},
        years={"2024": 300, "2023": 250},
        types={"admission": 150},
        departments={"Ortopedi": 120},
        labels={"DRUG": 1_200, "IMPLANT": 300},
        models={},
        concepts=(Coded("DRUG", "ATC", "N02BE01", 400),),
        said=Terms("Fjordvik", "none", "research only", "berit"),
    )
    return Published(replace(held, **changes), 1_760_000_000, "0x" + "1" * 40, "")


def test_sites_stand_side_by_side_and_a_figure_that_is_left_out_is_a_dash() -> None:
    rows = table_rows(
        catalogue_html({"no": published("no"), "et": published("et", labels={"DRUG": 60}, said=Terms(), persons=0)})
    )
    assert ["no", "Fjordvik", "1 390", "2 780", "9 000", "annotations and word lists"] in rows
    assert ["et", "", "–", "2 780", "9 000", "annotations and word lists"] in rows
    assert ["Persons with", "no", "et"] in rows
    assert ["IMPLANT", "300", "–"] in rows
    assert rows.index(["2023", "250", "250"]) < rows.index(["2024", "300", "300"])


def test_a_site_that_is_not_reached_and_one_that_published_nothing_say_so() -> None:
    rows = table_rows(catalogue_html({"no": published("no"), "fi": not_there("fi"), "et": None}))
    assert ["fi", "fi did not answer", "", "", "", ""] in rows
    assert ["et", "nothing published, or not reached", "", "", "", ""] in rows


def test_another_version_of_the_schema_is_named() -> None:
    old = {**COLUMNS, "notes": [name for name in COLUMNS["notes"] if name != "characters"]}
    html = catalogue_html({"no": published("no"), "et": published("et", layout="0" * 64, columns=old)})
    assert "et has another version of the schema: it has no notes.characters" in html
    assert "another version" not in catalogue_html({"no": published("no")})


def test_rules_stand_once_for_the_sites_that_share_them() -> None:
    html = catalogue_html({"no": published("no"), "sv": published("sv"), "et": published("et", threshold=3, rounding=1)})
    assert "no, sv: fewer than 10 persons are left out, figures are rounded to 5." in html
    assert "et: fewer than 3 persons" in html


def test_long_lists_are_cut_and_counted() -> None:
    html = catalogue_html({"no": published("no", departments={f"D{n}": 20 for n in range(MOST + 3)})})
    assert "3 more." in html
    assert f"D{MOST}" not in html


def test_what_the_notes_say_nothing_of_has_no_table() -> None:
    assert "Departments" in catalogue_html({"no": published("no")})
    assert "Departments" not in catalogue_html({"no": published("no", departments={"unknown": 390})})


def test_words_of_a_site_are_offered_and_never_become_markup() -> None:
    site = published("no", departments={EVIL: 20}, said=Terms(EVIL, EVIL, EVIL, EVIL), concepts=(Coded(EVIL, EVIL, EVIL, 9),))
    view = CatalogueView({"no": site, "sv": published("sv")})
    assert "<img" not in live_html(view)
    assert "<img" not in view.static_html()
    words = known_words(view.catalogues)
    assert words["department"] == (EVIL, "Ortopedi")
    assert words["concept"] == (EVIL, "N02BE01")
    assert "sex" not in words, "the schema has its words"
    assert "site" not in words


def test_nothing_published_anywhere_is_no_words_and_no_page() -> None:
    assert catalogue_html({}) == ""
    assert known_words({"no": None}) == {}
    assert repr(CatalogueView({"no": None})) == "CatalogueView: What 1 site holds"
