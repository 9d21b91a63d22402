"""Hostile questions: plain JSON that is nearly a question of the schema, and may not be planned at any site."""

from __future__ import annotations

from typing import Any

#: A question that fits, into which the hostile parts are put.
PLAIN: dict[str, Any] = {
    "kind": "table",
    "view": "patients",
    "measures": [{"kind": "persons", "column": "", "low": None, "high": None}],
    "where": {"column": "sex", "op": "in", "values": ["female"]},
    "by": [{"column": "age_band", "values": ["0-9", "90+"], "edges": []}],
    "protection": {"mode": "rules", "rho": 0, "groups_per_person": 1, "rows_per_person": 1},
}


def put(text: str, number: int) -> Any:
    """A statement in one of the places of a question where no word of one's own can stand; the place goes round."""
    places: tuple[Any, ...] = (
        text,
        {"kind": text},
        {**PLAIN, "sql": text},
        {**PLAIN, "view": text},
        {**PLAIN, "where": text},
        {**PLAIN, "where": {"column": text, "op": "in", "values": ["female"]}},
        {**PLAIN, "where": {"column": "sex", "op": text, "values": ["female"]}},
        {**PLAIN, "where": {"column": "sex", "op": "in", "values": [text]}},
        {**PLAIN, "where": {"has": text, "where": None}},
        {**PLAIN, "by": [{"column": text, "values": [], "edges": []}]},
        {**PLAIN, "by": [{"column": "sex", "values": [text], "edges": []}]},
        {**PLAIN, "measures": [{"kind": text, "column": "", "low": None, "high": None}]},
        {**PLAIN, "measures": [{"kind": "sum", "column": text, "low": 0, "high": 1}]},
        {**PLAIN, "measures": [{"kind": "sum", "column": "birth_year", "low": text, "high": 1}]},
        {**PLAIN, "protection": {**PLAIN["protection"], "mode": text}},
        {**PLAIN, "protection": text},
    )
    return places[number % len(places)]


def deep(levels: int) -> dict[str, Any]:
    where: dict[str, Any] = {"column": "sex", "op": "in", "values": ["female"]}
    for _ in range(levels):
        where = {"not": where}
    return {**PLAIN, "where": where}


COLUMN = {"column": "sex", "op": "in", "values": ["female"]}

HOSTILE: list[Any] = [
    None,
    True,
    0,
    1.5,
    "",
    "table",
    [],
    [PLAIN],
    [[[]]],
    {},
    {"kind": None},
    {"kind": "table"},
    {"kind": "sql"},
    {"kind": ["table"]},
    {"kind": "question:Question"},
    {"kind": "statistics.base:Statistic"},
    {**PLAIN, "kind": "quantiles"},
    {**PLAIN, "kind": "glm_step"},
    {**PLAIN, "kind": "survival"},
    {**PLAIN, "extra": 1},
    {**PLAIN, "__class__": "x"},
    {k: v for k, v in PLAIN.items() if k != "protection"},
    {**PLAIN, "view": "note"},
    {**PLAIN, "view": "person"},
    {**PLAIN, "view": "main.patients"},
    {**PLAIN, "view": "PATIENTS"},
    {**PLAIN, "view": "p\u0430tients"},
    {**PLAIN, "view": ["patients"]},
    {**PLAIN, "view": {"name": "patients"}},
    {**PLAIN, "view": None},
    {**PLAIN, "measures": []},
    {**PLAIN, "measures": {}},
    {**PLAIN, "measures": "persons"},
    {**PLAIN, "measures": [None]},
    {**PLAIN, "measures": PLAIN["measures"] * 7},
    {**PLAIN, "measures": PLAIN["measures"] * 2},
    *(
        {**PLAIN, "measures": [{"kind": kind, "column": "birth_year", "low": 1900, "high": 2000}]}
        for kind in ("min", "max", "median", "list")
    ),
    *(
        {**PLAIN, "measures": [{"kind": "sum", "column": column, "low": low, "high": high}]}
        for column, low, high in (
            ("person_id", 0, 1),
            ("sex", 0, 1),
            ("birth_year", 0, 1e15),
            ("birth_year", 2000, 1900),
            ("birth_year", None, None),
            ("birth_year", 1900.5, 2000),
            ("birth_year", True, 2000),
            ("note_text", 0, 1),
            ('birth_year" , "x', 1900, 2000),
            ("", 0, 1),
        )
    ),
    *(
        {**PLAIN, "where": where}
        for where in (
            [],
            True,
            "",
            {"all": []},
            {"all": [COLUMN]},
            {"any": [COLUMN]},
            {"all": COLUMN},
            {"all": [COLUMN] * 65},
            {"not": None},
            {"not": [COLUMN]},
            {"has": "note", "where": None},
            {"has": "notes"},
            {"has": "notes", "where": {"column": "text", "op": "in", "values": ["a"]}},
            {"column": "person_id", "op": "in", "values": [1]},
            {"column": "note_id", "op": ">=", "values": [1]},
            {"column": "sex", "op": "LIKE", "values": ["f%"]},
            {"column": "sex", "op": "=", "values": ["female"]},
            {"column": "sex", "op": "in", "values": []},
            {"column": "sex", "op": "in", "values": ["female", "female"]},
            {"column": "sex", "op": "in", "values": [["female"]]},
            {"column": "sex", "op": "in", "values": "female"},
            {"column": "sex", "op": "in", "values": [None]},
            {"column": "sex", "op": "in", "values": ["female\x00"]},
            {"column": "birth_year", "op": "in", "values": list(range(201))},
            {"column": "birth_year", "op": ">=", "values": ["1900"]},
            {"column": "birth_year", "op": ">=", "values": [1900, 1901]},
            {"column": "birth_year", "op": ">=", "values": [True]},
            {"column": "birth_year", "op": "starts", "values": ["19"]},
            {**COLUMN, "sql": "1 = 1"},
            {**COLUMN, "all": [COLUMN, COLUMN]},
            {"raw": "1 = 1"},
            {"column": {"column": "sex"}, "op": "in", "values": ["a"]},
        )
    ),
    deep(12),
    deep(60),
    {**PLAIN, "where": {"any": [{"all": [COLUMN] * 64}] * 64}},
    *(
        {**PLAIN, "by": by}
        for by in (
            {},
            "sex",
            ["sex"],
            [None],
            PLAIN["by"] * 2,
            PLAIN["by"] * 5,
            [{"column": "person_id", "values": [], "edges": []}],
            [{"column": "birth_year", "values": [], "edges": []}],
            [{"column": "birth_year", "values": ["1950"], "edges": []}],
            [{"column": "birth_year", "values": [], "edges": [1950, 1900]}],
            [{"column": "birth_year", "values": [], "edges": [0, 99999]}],
            [{"column": "birth_year", "values": [], "edges": [1900.5, 1950]}],
            [{"column": "sex", "values": ["female", "female"], "edges": []}],
            [{"column": "sex", "values": ["female"], "edges": [1, 2]}],
            [{"column": "site", "values": ["north"], "edges": []}],
            [{"column": "sex", "values": [], "edges": [], "sql": "1"}],
            [{"column": "sex"}],
            [
                {"column": "birth_year", "values": [], "edges": list(range(1880, 2031))},
                {"column": "age_band", "values": [], "edges": []},
            ],
        )
    ),
    *(
        {**PLAIN, "protection": {**PLAIN["protection"], **change}}
        for change in (
            {"mode": "none"},
            {"mode": None},
            {"rho": 0.1},
            {"rho": -1},
            {"mode": "noise"},
            {"mode": "noise", "rho": 1e9},
            {"rho": True},
            {"rho": "0"},
            {"groups_per_person": 0},
            {"groups_per_person": 1000},
            {"mode": "noise", "rho": 0.1, "groups_per_person": 10**9},
            {"mode": "noise", "rho": 0.1, "groups_per_person": 1.5},
            {"mode": "noise", "rho": 0.1, "rows_per_person": -1},
            {"threshold": 0},
        )
    ),
]
