"""What can be asked about: the views of the warehouse and their columns, the same at every site.

    SCHEMA.view("mentions").column("label").values       # ('DRUG', 'REACTION', 'IMPLANT', …)
    SCHEMA.view("mention")                               # RequestError: no view mention; did you mean mentions?

Each site builds these views over its own OMOP tables (CDM 5.4) and checks them against this schema, so that a question means
the same everywhere. Text stands in no view, nor does anything that came out of a text unread: mentions have labels, codes and
yes or no.

Missing: in a category it is the value "unknown" and never NULL; a number or a date may be NULL, and such a row meets no
comparison and no group. Ids count persons, notes and visits and do nothing else: none can be compared, grouped or shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from fedkit.digests import digest
from fedkit.errors import RequestError
from fedkit.notes.note import CLINICAL_LABELS, LANGUAGES
from fedkit.warehouse.suggestions import did_you_mean, shown

#: What stands in a category where the source says nothing.
UNKNOWN = "unknown"

#: The values of a category that says whether something is so.
YES_NO = ("no", "yes")

#: A person's age in tens of years; from 90 on all are one group, as de-identification has it (HIPAA, 45 CFR 164.514(b)(2)).
AGE_BANDS = (*(f"{low}-{low + 9}" for low in range(0, 90, 10)), "90+", UNKNOWN)

Kind = Literal["category", "number", "date", "id"]


@dataclass(frozen=True)
class Column:
    """One column of a view.

    kind:   "category": words; "number"; "date": ISO 8601, YYYY-MM-DD, as a DATE; "id": can only be counted.
    what:   in plain words, with the unit.
    values: of a category, in the order in which they are shown; never empty unless it is open.
    open:   whether a site may have other words there: departments, labels of its own. To group by them their names are given.
    low, high: of a number, what it can be; a view holds nothing outside (a value outside is NULL).
    whole:  whether a number has no decimals.
    of_person: whether it is the same in all rows of a person, so that a person falls into one group.
    """

    name: str
    kind: Kind
    what: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = True
    of_person: bool = False
    open: bool = False

    @property
    def optional(self) -> bool:
        """Whether it may be NULL."""
        return self.kind in ("number", "date")

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "what": self.what,
            "values": list(self.values),
            "low": self.low,
            "high": self.high,
            "whole": self.whole,
            "of_person": self.of_person,
            "open": self.open,
        }


@dataclass(frozen=True)
class View:
    """A table that can be asked about.

    columns: person_id is one of them in every view.   one_row_is: what a row stands for, in the singular.
    """

    name: str
    what: str
    columns: tuple[Column, ...]
    one_row_is: str

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def column(self, name: str) -> Column:
        """The column of this name. Raises RequestError, with the near name."""
        if not isinstance(name, str) or name not in self._by_name:
            raise RequestError(
                f"{self.name} has no column {shown(name)}",
                expected=f"one of {', '.join(self._by_name)}",
                got=shown(name),
                help=did_you_mean(name, self._by_name) if isinstance(name, str) else "",
            )
        return self._by_name[name]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "columns": [column.to_json() for column in self.columns],
            "one_row_is": self.one_row_is,
        }


@dataclass(frozen=True)
class Schema:
    """All views, by name."""

    views: Mapping[str, View]

    def view(self, name: str) -> View:
        """The view of this name. Raises RequestError, with the near name."""
        if not isinstance(name, str) or name not in self.views:
            raise RequestError(
                f"no view {shown(name)}",
                expected=f"one of {', '.join(self.views)}",
                got=shown(name),
                help=did_you_mean(name, self.views) if isinstance(name, str) else "",
            )
        return self.views[name]

    def to_json(self) -> dict[str, Any]:
        return {"views": [view.to_json() for view in self.views.values()]}

    @cached_property
    def digest(self) -> str:
        """Two sites with the same digest answer the same questions."""
        return digest(self.to_json())


def _ids(*names: str) -> tuple[Column, ...]:
    what = {"person_id": "the person", "visit_id": "the visit", "note_id": "the note"}
    return tuple(Column(name, "id", what[name], of_person=name == "person_id") for name in names)


#: A group and a condition that every view has: the site itself, by its name in the federation.
SITE = Column("site", "category", "the site that answers", of_person=True, open=True)

_PERSON = (
    Column("sex", "category", "sex as the source has it", ("female", "male", "other", UNKNOWN), of_person=True),
    Column("birth_year", "number", "year of birth", low=1880, high=2030, of_person=True),
    Column("age_band", "category", "age at the end of the data, in tens of years", AGE_BANDS, of_person=True),
)


def _when(of: str) -> tuple[Column, ...]:
    return (
        Column("date", "date", f"day of {of}"),
        Column("year", "number", f"year of {of}", low=1900, high=2100),
        Column("quarter", "number", f"quarter of the year of {of}", low=1, high=4),
        Column("month", "number", f"month of the year of {of}", low=1, high=12),
        Column("age", "number", f"age of the person at {of}, years; 90 stands for 90 and more", low=0, high=90),
    )


_NOTE = (
    Column("type", "category", "kind of note, in the site's words", open=True),
    Column("department", "category", "department that wrote it, in the site's words", open=True),
    Column("language", "category", "language of the note (ISO 639-1)", (*LANGUAGES, UNKNOWN)),
)

#: Name → view, from the one with the fewest rows to the one with the most.
VIEWS: Mapping[str, View] = MappingProxyType(
    {
        view.name: view
        for view in (
            View(
                "patients",
                "persons with at least one note",
                (
                    *_ids("person_id"),
                    SITE,
                    *_PERSON,
                    Column(
                        "language", "category", "language of most of the person's notes", (*LANGUAGES, UNKNOWN), of_person=True
                    ),
                    Column("notes", "number", "notes of the person", low=0, high=10_000, of_person=True),
                ),
                "person",
            ),
            View(
                "visits",
                "visits of these persons",
                (
                    *_ids("person_id", "visit_id"),
                    SITE,
                    *_PERSON,
                    *_when("the first day"),
                    Column("kind", "category", "kind of visit", ("inpatient", "outpatient", "emergency", "other", UNKNOWN)),
                    Column("department", "category", "department, in the site's words", open=True),
                    Column("days", "number", "days from the first to the last, 0 if they are the same", low=0, high=3650),
                ),
                "visit",
            ),
            View(
                "notes",
                "clinical notes",
                (
                    *_ids("person_id", "note_id", "visit_id"),
                    SITE,
                    *_PERSON,
                    *_when("the note"),
                    *_NOTE,
                    Column("characters", "number", "length of the note, characters", low=0, high=1_000_000),
                    Column("mentions", "number", "mentions found in the note", low=0, high=10_000),
                ),
                "note",
            ),
            View(
                "mentions",
                "what notes mention, as a released model or a person annotated it",
                (
                    *_ids("person_id", "note_id", "visit_id"),
                    SITE,
                    *_PERSON,
                    *_when("the note"),
                    *_NOTE,
                    Column("label", "category", "kind of thing mentioned", CLINICAL_LABELS, open=True),
                    Column("concept", "category", "code it was normalised to", open=True),
                    Column("concept_system", "category", "vocabulary of the code", open=True),
                    Column("negated", "category", "said to be absent", YES_NO),
                    Column("uncertain", "category", "said to be possible", YES_NO),
                    Column("historical", "category", "said of the past", YES_NO),
                    Column("family", "category", "said of a relative", YES_NO),
                    Column("source_model", "category", "model that found it; 'annotated' for a person's work", open=True),
                ),
                "mention",
            ),
        )
    }
)

#: The schema of every site.
SCHEMA = Schema(VIEWS)
