"""What a site selects for a statistic: the same figures from DuckDB and from Postgres, and as worked out row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import duckdb
import numpy as np
import pytest
from postgres_server import postgres
from question_tables import meets, statements, tables

from fedkit.sites.warehouse.connection import _filled
from fedkit.sites.warehouse.framing import frame_sql
from fedkit.warehouse.predicates import All, Compare, Has, Not
from fedkit.warehouse.question import ANSWER, Protection
from fedkit.warehouse.render.literals import Dialect
from fedkit.warehouse.statistics import Amount, Event, Flag, Group, Statistic
from fedkit.warehouse.statistics.contingency import Contingency
from fedkit.warehouse.statistics.frames import PERSON, Frame
from fedkit.warehouse.statistics.glm import GLMStep
from fedkit.warehouse.statistics.limits import NONE
from fedkit.warehouse.statistics.moments import MomentsQuestion
from fedkit.warehouse.statistics.quantiles import Quantiles
from fedkit.warehouse.statistics.survival import Survival

DRAWN = tables(persons=60, rows=400)
Fetch = Callable[[Frame], dict[str, np.ndarray]]

SEX = Group("sex", ("female", "male"))
QUOTED = Group("department", ("O'Brien", "C:\\temp", "Ortopedi"))
IMPLANT = Flag("implant", Has("mentions", Compare("label", "in", ("IMPLANT", "DRUG"))))
OLD = Flag("old", Not(Compare("birth_year", ">=", (1910,))))  # true where the year is missing, as a predicate has it
RECENT = All((Compare("date", ">=", ("2020-06-01",)), Compare("department", "in", ("O'Brien", "C:\\temp", "Ortopedi"))))

EVERY_KIND: tuple[Statistic, ...] = (
    MomentsQuestion("notes", Amount("age", 0, 90), QUOTED, RECENT),
    Contingency("notes", QUOTED, IMPLANT),
    Contingency("patients", SEX, OLD),
    Quantiles("notes", Amount("age", 0, 90), RECENT, Protection("noise", 1.0)),
    GLMStep("notes", "gaussian", Amount("age", 0, 90), (QUOTED, IMPLANT, Amount("month", 1, 12)), (1.0, 0.5, -0.25, 2.0, 0.0)),
    Survival(Event("visits"), Event("mentions", Compare("negated", "in", ("no",))), (0, 90, 400), OLD),
)


@pytest.fixture(scope="module")
def fetches() -> Iterator[dict[str, Fetch]]:
    import psycopg

    with duckdb.connect() as duck, postgres() as address, psycopg.connect(address, autocommit=True) as elephant:
        for statement in statements(DRAWN):
            duck.execute(statement)
            elephant.execute(statement)

        def one(frame: Frame) -> dict[str, np.ndarray]:
            return {name: _filled(v) for name, v in duck.execute(frame_sql(frame, "duckdb", "")).fetchnumpy().items()}

        def other(frame: Frame) -> dict[str, np.ndarray]:
            dialect: Dialect = "postgres"
            cursor = elephant.execute(frame_sql(frame, dialect, "").encode())
            names = [column.name for column in cursor.description or ()]
            rows = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(names)
            return {name: _filled(np.array(values, dtype=object)) for name, values in zip(names, rows, strict=True)}

        yield {"duckdb": one, "postgres": other}


@pytest.mark.parametrize("question", EVERY_KIND, ids=lambda q: q.kind)
def test_both_databases_give_the_same_figures(fetches: dict[str, Fetch], question: Statistic) -> None:
    question.check()
    found = []
    for fetch in fetches.values():
        frames = {name: fetch(frame) for name, frame in question.frames().items()}
        if question.protection.mode == "rules":
            rows = question.answer(frames, NONE).tables[ANSWER]
            found.append({tuple(row[a] for a in question.axes()): row.get("value", row["persons"]) for row in rows})
        else:
            found.append(dict(enumerate(question.sums(frames))))
    assert found[0].keys() == found[1].keys()
    assert list(found[0].values()) == pytest.approx(list(found[1].values()), rel=1e-12, abs=1e-9)
    assert any(found[0].values())


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_a_mean_is_that_of_the_rows_that_meet_the_condition(fetches: dict[str, Fetch], dialect: str) -> None:
    question = EVERY_KIND[0]
    assert isinstance(question, MomentsQuestion)
    frames = {name: fetches[dialect](frame) for name, frame in question.frames().items()}
    found = question.of_sums(question.read(question.answer(frames, NONE)))
    for word in ("O'Brien", "C:\\temp", "Ortopedi"):
        ages = [
            row["age"]
            for row in DRAWN["notes"]
            if row["department"] == word and row["age"] is not None and meets(RECENT, row, DRAWN)
        ]
        assert found[word].n == len(ages) > 0
        assert found[word].mean == pytest.approx(np.mean(ages))


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_times_are_days_between_the_rows(fetches: dict[str, Fetch], dialect: str) -> None:
    question = EVERY_KIND[5]
    assert isinstance(question, Survival)
    frames = {name: fetches[dialect](frame) for name, frame in question.frames().items()}

    def of(view: str, person: int, only: Compare | None = None) -> list[date]:
        rows = (row for row in DRAWN[view] if row[PERSON] == person and row["date"] is not None)
        return [date.fromisoformat(row["date"]) for row in rows if only is None or meets(only, row, DRAWN)]

    expected = []
    for person in sorted(row[PERSON] for row in DRAWN["patients"]):
        if not (visits := of("visits", person)):
            continue
        start = min(visits)
        events = [day for day in of("mentions", person, question.event.where) if day >= start]  # type: ignore[arg-type]
        seen = [day for day in of("notes", person) if day >= start]
        if events or seen:
            expected.append(((min(events) if events else max(seen)) - start).days)
    days, _, _ = question.times(frames)
    assert days.tolist() == expected
