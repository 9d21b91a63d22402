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
    """Seconds of one question: `fedkit`, `duckdb` (raw), `floor` (fedkit on a hundred notes a site); medians.

    The three take turns, since a machine is never quite the same twice, and a data request grows with its questions.
    """
    samples = read_corpus(default_corpus())
    few = [replace(s, train=s.train[:20], dev=s.dev[:4], test=s.test[:4]) for s in samples.sites.values()]
    write_corpus(build_corpus(few), folder / "corpus")
    codes = [code for _, _, codes in CODES for code in codes]
    kinds = list(product(("no", "yes"), ("no", "yes"), codes))
    took: dict[str, list[float]] = {"fedkit": [], "duckdb": [], "floor": []}
    with Sites(folder / "full", notes) as full, Sites(folder / "floor", 100) as floor:
        for number, kind in enumerate(kinds[: repeats + 1]):
            seconds = {"floor": floor.ask(kind)[0]}
            seconds["fedkit"], statements = full.ask(kind)
            started = time.perf_counter()
            raw(full.tables, statements)
            seconds["duckdb"] = time.perf_counter() - started
            if number:  # with the first, each site takes up its tables
                for name, value in seconds.items():
                    took[name].append(value)
        rows = sum(found[0][0] for found in raw(full.tables, ["SELECT COUNT(*) FROM views.mentions"] * len(full.tables)))
    ours, theirs, least = (statistics.median(took[name]) for name in ("fedkit", "duckdb", "floor"))
    return {"fedkit": ours, "duckdb": theirs, "floor": least, "ratio": ours / (theirs + least), "rows": rows, "notes": notes}


class Sites:
    """Five site processes with invented tables, and a data request that was approved. tables: site → folder of its files."""

    def __init__(self, folder: Path, notes: int) -> None:
        policy = {"preset": "teaching", "threshold": 10, "rounding": 5}
        corpus = folder.parent / "corpus"
        self._federation = launch("warehouse", folder / "home", corpus=corpus, isolation="process", policy=policy)
        self.tables = {site: folder / "home" / "sites" / site / FOLDER for site in self._federation.sites}
        for number, (site, place) in enumerate(self.tables.items()):
            with DuckDBTables.open(place) as tables:
                fill(tables, site, notes, seed=number)
        self._warehouse = fedkit.Warehouse(self._federation, folder / "request")
        self._warehouse.open(title="Counts", purpose="Measure how long a count takes", questions=1000)
        self._warehouse.approve()

    def ask(self, kind: tuple[str, str, str]) -> tuple[float, list[str]]:
        """Seconds from the question to the answer that was recorded, and what each site ran."""
        asked = question(self._warehouse, *kind)
        started = time.perf_counter()
        answer = asked.run()
        seconds = time.perf_counter() - started
        if len(answer.sites) != len(self.tables):
            raise RuntimeError("a site did not answer")
        plan = asked.plan()
        return seconds, [plan.reports[site].sql for site in self.tables]

    def __enter__(self) -> Sites:
        return self

    def __exit__(self, *_: object) -> None:
        self._federation.close()


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


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
