"""A question about rows as one about persons, so that questions about different views can be compared.

To count the persons with a mention that meets a condition is to count the patients who have such a mention. What the condition
says of the person stays a condition of the patient; what it says of the row goes into `Has`, groups by columns of the row too.
"""

from __future__ import annotations

from dataclasses import replace

from fedkit.warehouse.memory.normal import normal
from fedkit.warehouse.predicates import All, Compare, Has, Predicate, walk
from fedkit.warehouse.question import Group, Question
from fedkit.warehouse.schema import SCHEMA, View

#: The view with a row for each person.
PATIENTS = "patients"


def of_persons(question: Question) -> Question:
    """The question about patients that counts the same persons as this one, all its groups of rows together."""
    if question.view == PATIENTS:
        return question
    view = SCHEMA.view(question.view)
    parts = [] if question.where is None else _parts(normal(question.where, view))
    person = [part for part in parts if _is_personal(part, view)]
    row = [part for part in parts if not _is_personal(part, view)]
    groups = [group for group in question.groups if _personal(group.column, view)]
    row += [_within(group, view) for group in question.groups if group not in groups]
    has = Has(view.name, _joined(row))
    return replace(question, view=PATIENTS, where=_joined([*person, has]), by=tuple(groups))


def _parts(predicate: Predicate) -> list[Predicate]:
    return list(predicate.parts) if isinstance(predicate, All) else [predicate]


def _joined(parts: list[Predicate]) -> Predicate | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _is_personal(part: Predicate, view: View) -> bool:
    """Whether a condition is one on the person, wherever it stands; what another view has of a person is that as well."""
    inside = {id(inner) for has, _ in walk(part) if isinstance(has, Has) for inner, _ in walk(has.where)}
    own = [found for found, _ in walk(part) if isinstance(found, Compare) and id(found) not in inside]
    return all(_personal(compare.column, view) for compare in own)


def _personal(name: str, view: View) -> bool:
    """Whether a column is the same thing in this view and among patients; the language of a note is not that of a person."""
    patients = SCHEMA.view(PATIENTS)
    return view.column(name).of_person and name in patients and patients.column(name) == view.column(name)


def _within(group: Group, view: View) -> Predicate:
    """That a row is in one of the groups."""
    column = view.column(group.column)
    if column.kind == "category":
        return Compare(column.name, "in", group.labels(column))
    return All((Compare(column.name, ">=", (group.edges[0],)), Compare(column.name, "<", (group.edges[-1],))))
