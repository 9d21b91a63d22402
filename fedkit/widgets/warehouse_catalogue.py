"""What the sites hold, side by side, as their stewards publish it: for everybody, before any account or question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets

from fedkit.errors import FedkitError
from fedkit.warehouse.catalogue import Catalogue, Published, drift
from fedkit.warehouse.schema import SCHEMA, UNKNOWN
from fedkit.widgets.base import FedkitWidget, escape, table_html

#: What a site has published, or why it is not known; None where nothing was published,
#: or the site was not reached.
Catalogues = Mapping[str, Published | FedkitError | None]

#: Codes and values that are shown of each kind; the rest is counted.
MOST = 20

#: What is compared over sites: (heading, the field of a catalogue), each figure being distinct persons.
_COVERAGE = (
    ("Kinds of things mentioned", "labels"),
    ("Kinds of notes", "types"),
    ("Languages", "languages"),
    ("Years", "years"),
    ("Departments", "departments"),
)


class CatalogueView(FedkitWidget):
    """The published catalogues of several sites.   catalogues: site → what it published, or why that is not known."""

    def __init__(self, catalogues: Catalogues) -> None:
        super().__init__()
        self.catalogues = catalogues
        self._fill(ipywidgets.HTML(f"<h3>What the sites hold</h3>{catalogue_html(catalogues)}"))

    def static_html(self) -> str:
        return f"<h3>What the sites hold</h3>{catalogue_html(self.catalogues, details=False)}"

    def static_text(self) -> str:
        rows = [f"  {site}: {_persons(published)}" for site, published in self.catalogues.items()]
        return "\n".join([f"What {len(rows)} site{'s hold' if len(rows) != 1 else ' holds'}", *rows])


def catalogue_html(catalogues: Catalogues, *, details: bool = True) -> str:
    """Sites, then a table for each kind of coverage with a column for each site. "" for no sites.

    details: whether codes and terms of use may be opened below.
    """
    if not catalogues:
        return ""
    known = _known(catalogues)
    parts = [_sites_html(catalogues), _rules_html(known), _drift_html(known)]
    parts += [_coverage_html(heading, field, known) for heading, field in _COVERAGE]
    if details:
        parts += [_concepts_html(known), _terms_html(known)]
    return "".join(parts)


def known_words(catalogues: Catalogues) -> dict[str, tuple[str, ...]]:
    """Column → the words that the sites have there, in the order of the sites: what a form offers where the schema leaves the
    words to the sites."""
    names = dict.fromkeys(c.name for view in SCHEMA.views.values() for c in view.columns if c.kind == "category" and c.open)
    found = {name: tuple(dict.fromkeys(w for c in _known(catalogues).values() for w in c.values(name))) for name in names}
    return {name: words for name, words in found.items() if words}


def _known(catalogues: Catalogues) -> dict[str, Catalogue]:
    return {site: found.catalogue for site, found in catalogues.items() if isinstance(found, Published)}


def _persons(published: Published | FedkitError | None) -> str:
    if isinstance(published, FedkitError):
        return published.message
    return "nothing published, or not reached" if published is None else f"{published.catalogue.persons} persons"


def _sites_html(catalogues: Catalogues) -> str:
    rows: list[Sequence[object]] = []
    for site, found in catalogues.items():
        if not isinstance(found, Published):
            rows.append((site, _persons(found), "", "", "", ""))
            continue
        held = found.catalogue
        read = held.model or ("annotations and word lists" if held.pipeline else "annotations")
        rows.append((site, held.said.title, *(_number(n) for n in (held.persons, *_rows(held, "notes", "mentions"))), read))
    columns = ("Site", "What it is", "Persons", "Notes", "Mentions", "Mentions found by")
    return table_html(rows, columns, numeric=(2, 3, 4))


def _rows(held: Catalogue, *views: str) -> list[int]:
    return [held.rows.get(view, 0) for view in views]


def _rules_html(known: Mapping[str, Catalogue]) -> str:
    """How the figures were made, for each set of rules once."""
    found: dict[tuple[int, int], list[str]] = {}
    for site, held in known.items():
        found.setdefault((held.threshold, held.rounding), []).append(site)
    told = [
        f"{', '.join(sites)}: fewer than {least} persons are left out, figures are rounded to {rounding}."
        for (least, rounding), sites in found.items()
    ]
    return "".join(f'<p class="fk-soft">{escape(line)}</p>' for line in told)


def _drift_html(known: Mapping[str, Catalogue]) -> str:
    told = drift(known)
    return f'<div class="fk-box" role="status">{escape(chr(10).join(told.values()))}</div>' if told else ""


def _coverage_html(heading: str, field: str, known: Mapping[str, Catalogue]) -> str:
    """Persons with each value, a column for each site; "" where no site knows any."""
    counts: dict[str, Mapping[str, int]] = {site: getattr(held, field) for site, held in known.items()}
    words = list(dict.fromkeys(word for of_site in counts.values() for word in of_site))
    words = sorted(words) if field == "years" else words
    if not set(words) - {UNKNOWN}:  # the notes say nothing of it
        return ""
    rows = [(word, *(_number(of_site.get(word)) for of_site in counts.values())) for word in words[:MOST]]
    more = f'<p class="fk-soft">{len(words) - MOST} more.</p>' if len(words) > MOST else ""
    columns = ("Persons with", *counts)
    return f"<h4>{escape(heading)}</h4>{table_html(rows, columns, numeric=range(1, len(columns)))}{more}"


def _concepts_html(known: Mapping[str, Catalogue]) -> str:
    """The commonest codes at each site."""
    inside = ""
    for site, held in known.items():
        rows = [(coded.code, coded.system, coded.label, _number(coded.persons)) for coded in held.concepts[:MOST]]
        if rows:
            inside += table_html(rows, ("Code", "Vocabulary", "Kind", "Persons"), numeric=(3,), caption=f"Codes at {site}")
    return f"<details><summary>Commonest codes</summary>{inside}</details>" if inside else ""


def _terms_html(known: Mapping[str, Catalogue]) -> str:
    """What the stewards say: licence, terms, whom to ask, and when the tables were made."""
    rows: list[Sequence[object]] = [
        (site, held.said.licence, held.said.terms, held.said.contact, held.made[:10]) for site, held in known.items()
    ]
    table = table_html(rows, ("Site", "Licence", "Terms", "Whom to ask", "Tables made on"))
    return f"<details><summary>Terms of use</summary>{table}</details>" if rows else ""


def _number(value: int | None) -> str:
    """A figure; one that is left out is a dash, whether it is nobody or too few."""
    return f"{value:,}".replace(",", " ") if value else "–"
