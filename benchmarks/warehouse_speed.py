"""A grouped count over five sites of a million notes each, by the whole way of a call; and raw DuckDB on the same five files.

    python benchmarks/warehouse_speed.py --notes 1000000

Five site processes over HTTP: plan, PySyft's call, rules, charge, journal, receipt, and the answer combined and recorded. The
peer runs the very statements that the sites run, on the same files, five connections at once in one process. The floor is the
same call where the tables are nearly empty: what a PySyft call costs that computes nothing. Every question is about other rows,
since answers are remembered, and sites refuse what would tell of few persons by subtraction. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import duckdb

import fedkit
from fedkit.notes.corpus import build_corpus, read_corpus
from fedkit.notes.corpus_writer import write_corpus
from fedkit.sites.launch import default_corpus, launch
from fedkit.sites.warehouse.database import VIEWS_FILE, DuckDBTables
from fedkit.sites.warehouse.site_tables import FOLDER
from fedkit.sites.warehouse.synthetic import CODES, fill
from fedkit.study.warehouse import Warehouse


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--notes", type=int, default=1_000_000, help="at each site")
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fedkit-warehouse-") as folder:
        print(json.dumps(measure(Path(folder), options.notes, options.repeats)))


def measure(folder: Path, notes: int, repeats: int) -> dict[str, Any]:
    """Seconds of one question: `fedkit`, `duckdb` (raw), `floor` (fedkit on a hundred notes a site); medians."""
    samples = read_corpus(default_corpus())
    few = [replace(s, train=s.train[:20], dev=s.dev[:4], test=s.test[:4]) for s in samples.sites.values()]
    write_corpus(build_corpus(few), folder / "corpus")
    home = folder / "federation"
    policy = {"preset": "teaching", "threshold": 10, "rounding": 5}
    with launch("warehouse", home, corpus=folder / "corpus", isolation="process", policy=policy) as federation:
        tables = {site: home / "sites" / site / FOLDER for site in federation.sites}
        warehouse = fedkit.Warehouse(federation, folder / "request")
        warehouse.open(title="Counts", purpose="Measure how long a count takes", questions=1000)
        warehouse.approve()
        codes = [code for _, _, codes in CODES for code in codes]
        kinds = iter(product(("no", "yes"), ("no", "yes"), codes))

        def ask() -> tuple[float, list[str]]:
            asked = question(warehouse, *next(kinds))
            started = time.perf_counter()
            plan = asked.plan()
            answer = asked.run()
            seconds = time.perf_counter() - started
            if len(answer.sites) != len(tables):
                raise RuntimeError("a site did not answer")
            return seconds, [plan.reports[site].sql for site in tables]

        def seconds_of(count: int) -> float:
            _fill(tables, count)
            ask()  # each site takes up its new tables
            return statistics.median(ask()[0] for _ in range(repeats))

        floor = seconds_of(100)
        ours = seconds_of(notes)
        statements = ask()[1]
        theirs = statistics.median(_timed(lambda: raw(tables, statements)) for _ in range(repeats))
        rows = sum(
            raw(tables, [f"SELECT COUNT(*) FROM views.{view}" for _ in tables])[0][0][0] for view in ("notes", "mentions")
        )
    return {"fedkit": ours, "duckdb": theirs, "floor": floor, "ratio": ours / (theirs + floor), "rows": rows, "notes": notes}


def question(warehouse: Warehouse, negated: str, historical: str, code: str) -> Any:
    """Persons by site and year of whom a note mentions this code, negated or not, of the past or not."""
    asked = warehouse.count("mentions").where(concept=code, negated=negated, historical=historical, year=(2015, 2024))
    return asked.by("site", "year")


def raw(tables: dict[str, Path], statements: list[str]) -> list[list[tuple[Any, ...]]]:
    """The rows of each site's statement, all at once, each from a fresh connection with DuckDB's own settings."""

    def one(given: tuple[Path, str]) -> list[tuple[Any, ...]]:
        path, statement = given
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{path / VIEWS_FILE}' AS views (READ_ONLY)")
            return connection.execute(statement).fetchall()

    with ThreadPoolExecutor(len(tables)) as pool:
        return list(pool.map(one, zip(tables.values(), statements, strict=True)))


def _fill(tables: dict[str, Path], notes: int) -> None:
    for number, (site, folder) in enumerate(tables.items()):
        with DuckDBTables.open(folder) as open_tables:
            fill(open_tables, site, notes, seed=number)


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
