"""What a site holds, in numbers that everybody may see: the catalogue of its warehouse, as its steward publishes it.

    published = Published.from_json(row)             # as it stands at a site's public address
    published.catalogue.years["2023"]                # 1240 persons with a note of that year, rounded

Every figure counts distinct persons (or rows, in `rows`), is rounded, and is left out where it stands for few persons, or where
it would give a small one away (`fedkit.governance.suppression`). So a catalogue needs no login, and costs no budget.

Pure: a site makes one of its tables (`fedkit.sites.warehouse.catalogue`), a steward signs its digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from fedkit.digests import digest
from fedkit.errors import RequestError
from fedkit.warehouse import strict
from fedkit.warehouse.schema import SCHEMA

#: The longest text of a steward in a catalogue.
LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Terms:
    """What a steward says beside the figures, in plain text: a title, the licence, terms of use, and whom to ask."""

    title: str = ""
    licence: str = ""
    terms: str = ""
    contact: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            printable = isinstance(text, str) and all(sign.isprintable() or sign == "\n" for sign in text)
            if not printable or len(text) > LONGEST_TEXT:
                raise RequestError(f"{name} is no text", expected=f"up to {LONGEST_TEXT:,} printable characters", got="another")

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    @staticmethod
    def from_json(row: object) -> Terms:
        """Raises RequestError for anything else."""
        return Terms(**strict.fields(row, "the terms of a catalogue", "title", "licence", "terms", "contact"))


@dataclass(frozen=True)
class Coded:
    """A code that notes mention. persons: distinct, rounded."""

    label: str
    system: str
    code: str
    persons: int


@dataclass(frozen=True)
class Catalogue:
    """What one site holds.

    site, dataset: names.   said: by its steward.
    made:      day of the build, ISO 8601.   pipeline, model, model_digest: what read the notes; "" without a model.
    layout:    digest of the schema of its views.   columns: view → its columns, so that drift can be named.
    threshold, rounding: persons below which a figure is left out, and what every figure is rounded to.
    persons:   in all; 0 if they are fewer than the threshold.   rows: view → its rows, rounded.
    languages, years, types, departments, labels, models: value → distinct persons. concepts: the commonest codes, up to 500.
    """

    site: str
    dataset: str
    made: str
    pipeline: str
    model: str
    model_digest: str
    layout: str
    columns: Mapping[str, Sequence[str]]
    threshold: int
    rounding: int
    persons: int
    rows: Mapping[str, int]
    languages: Mapping[str, int]
    years: Mapping[str, int]
    types: Mapping[str, int]
    departments: Mapping[str, int]
    labels: Mapping[str, int]
    models: Mapping[str, int]
    concepts: tuple[Coded, ...] = ()
    said: Terms = field(default_factory=Terms)

    @property
    def digest(self) -> str:
        """What a steward signs."""
        return digest(self.to_json())

    def with_terms(self, said: Terms) -> Catalogue:
        """The same figures with other words."""
        return replace(self, said=said)

    def values(self, column: str) -> tuple[str, ...]:
        """The words that a column of this site has, as far as they may be shown: of the site's departments, kinds of note, …"""
        if column == "concept":
            return tuple(dict.fromkeys(coded.code for coded in self.concepts))
        if column == "concept_system":
            return tuple(dict.fromkeys(coded.system for coded in self.concepts))
        kept = {
            "language": self.languages,
            "year": self.years,
            "type": self.types,
            "department": self.departments,
            "label": self.labels,
            "source_model": self.models,
        }
        return tuple(kept.get(column, {}))

    def to_json(self) -> dict[str, Any]:
        row = {name.name: getattr(self, name.name) for name in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in row.items()}
        return {
            **plain,
            "columns": {view: list(names) for view, names in self.columns.items()},
            "concepts": [asdict(coded) for coded in self.concepts],
            "said": self.said.to_json(),
        }

    @staticmethod
    def from_json(row: object) -> Catalogue:
        """Raises RequestError for anything else."""
        row = strict.fields(row, "a catalogue", *(f.name for f in fields(Catalogue)))
        try:
            texts: dict[str, Any] = {
                name: str(row[name]) for name in ("site", "dataset", "made", "pipeline", "model", "model_digest", "layout")
            }
            whole: dict[str, Any] = {name: int(row[name]) for name in ("threshold", "rounding", "persons")}
            counts: dict[str, Any] = {name: {str(k): int(v) for k, v in row[name].items()} for name in _COUNTS}
            columns = {str(view): tuple(map(str, names)) for view, names in row["columns"].items()}
            concepts = tuple(
                Coded(str(c["label"]), str(c["system"]), str(c["code"]), int(c["persons"])) for c in row["concepts"]
            )
        except (TypeError, ValueError, KeyError, AttributeError):
            raise RequestError("a catalogue is malformed", expected="what this version of fedkit writes") from None
        said = Terms.from_json(row["said"])
        return Catalogue(**texts, **whole, **counts, columns=columns, concepts=concepts, said=said)


_COUNTS = ("rows", "languages", "years", "types", "departments", "labels", "models")


@dataclass(frozen=True)
class Published:
    """A catalogue with its steward's signature (EIP-712 `Catalogue`, `fedkit.ledger.catalogues`).

    published: Unix seconds.   steward: address (0x…) of who signed.
    """

    catalogue: Catalogue
    published: int
    steward: str
    signature: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "catalogue": self.catalogue.to_json(),
            "published": self.published,
            "steward": self.steward,
            "signature": self.signature,
        }

    @staticmethod
    def from_json(row: object) -> Published:
        """Raises RequestError for anything else. Who signed is another question: `fedkit.sites.public.signed_by`."""
        row = strict.fields(row, "a published catalogue", "catalogue", "published", "steward", "signature")
        published = strict.whole(row["published"], "when a catalogue was published", 0, strict.LARGEST)
        if not isinstance(row["steward"], str) or not isinstance(row["signature"], str):
            raise RequestError("a published catalogue is malformed", expected="steward and signature as text")
        return Published(Catalogue.from_json(row["catalogue"]), published, row["steward"], row["signature"])


def drift(catalogues: Mapping[str, Catalogue]) -> dict[str, str]:
    """Site → how the schema of its views differs from that of this version of fedkit, in a sentence; only sites that differ.

    A question may still be asked of it: the site refuses what it does not have, by name.
    """
    found = {}
    ours = {name: [column.name for column in view.columns] for name, view in SCHEMA.views.items()}
    for site, catalogue in catalogues.items():
        if catalogue.layout == SCHEMA.digest:
            continue
        theirs = {view: list(names) for view, names in catalogue.columns.items()}
        missing = [f"{view}.{name}" for view, names in ours.items() for name in names if name not in theirs.get(view, ())]
        more = [f"{view}.{name}" for view, names in theirs.items() for name in names if name not in ours.get(view, ())]
        said = [f"it has no {', '.join(missing[:5])}"] if missing else []
        said += [f"it has {', '.join(more[:5])} beyond ours"] if more else []
        said = said or ["its columns have other values or bounds than ours"]
        found[site] = f"{site} has another version of the schema: {'; '.join(said)}"
    return found
