"""The figures of a site's catalogue, out of its views: persons for each value, small ones left out, all of them rounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.governance.suppression import to_hide
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.connection import Connection
from fedkit.sites.warehouse.site_tables import About
from fedkit.warehouse.catalogue import Catalogue, Coded
from fedkit.warehouse.schema import SCHEMA, Schema

#: A catalogue is for everybody: at least so many persons behind a figure, and rounded to that, whatever the site's rules.
THRESHOLD, ROUNDING = 10, 10

#: The most values of one column, and the most codes, the commonest first.
MOST_VALUES, MOST_CODES = 200, 500

#: Field of a catalogue → (view, column).
_COUNTED = {
    "languages": ("notes", "language"),
    "years": ("notes", "year"),
    "types": ("notes", "type"),
    "departments": ("notes", "department"),
    "labels": ("mentions", "label"),
    "models": ("mentions", "source_model"),
}


def draft(
    connection: Connection,
    about: About,
    site: str,
    dataset: str,
    *,
    threshold: int = THRESHOLD,
    rounding: int = ROUNDING,
    schema: Schema = SCHEMA,
) -> Catalogue:
    """The catalogue of the tables as they are. The same tables give the same one. Raises SiteError, ExecutionFailed.

    threshold, rounding: of the site's rules; never below those of this module.
    """
    threshold, rounding = max(threshold, THRESHOLD), max(rounding, ROUNDING)
    prefix, call = connection.prefix, Call()

    def rounded(count: int) -> int:
        return (count + rounding // 2) // rounding * rounding

    def persons(view: str, column: str) -> dict[str, int]:
        sql = (
            f'SELECT CAST("{column}" AS VARCHAR), COUNT(DISTINCT person_id) FROM {prefix}.{view}'
            f' WHERE "{column}" IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_VALUES}'
        )
        counts = {str(value): int(count) for value, count in connection.rows(sql, call)}
        return {value: rounded(count) for value, count in sorted(_kept(counts, threshold).items())}

    totals = {
        name: connection.rows(f"SELECT COUNT(*), COUNT(DISTINCT person_id) FROM {prefix}.{name}", call)[0]
        for name in schema.views
    }
    sql = (
        f"SELECT label, concept_system, concept, COUNT(DISTINCT person_id) FROM {prefix}.mentions WHERE concept <> 'unknown'"
        f" GROUP BY 1, 2, 3 HAVING COUNT(DISTINCT person_id) >= {threshold} ORDER BY 4 DESC, 1, 2, 3 LIMIT {MOST_CODES}"
    )
    codes = [Coded(str(a), str(b), str(c), rounded(int(n))) for a, b, c, n in connection.rows(sql, call)]
    counted: dict[str, Any] = {field: persons(view, column) for field, (view, column) in _COUNTED.items()}
    everybody = int(totals["patients"][1])
    return Catalogue(
        site=site,
        dataset=dataset,
        made=about.finished.date().isoformat(),
        pipeline=about.pipeline,
        model=about.model,
        model_digest=about.model_digest,
        layout=about.layout,
        columns={name: tuple(column.name for column in view.columns) for name, view in schema.views.items()},
        threshold=threshold,
        rounding=rounding,
        persons=rounded(everybody) if everybody >= threshold else 0,
        rows={name: rounded(int(rows)) if int(people) >= threshold else 0 for name, (rows, people) in totals.items()},
        **counted,
        concepts=tuple(codes),
    )


def _kept(counts: Mapping[str, int], threshold: int) -> dict[str, int]:
    """Values with enough persons, without those that would give a small one away beside the total."""
    names = list(counts)
    hidden = to_hide([(i,) for i in range(len(names))], [(counts[n],) for n in names], totals=[None], threshold=threshold)
    return {name: counts[name] for i, name in enumerate(names) if i not in hidden}
