"""Benchmarks of the data warehouse; see `groups`."""

from __future__ import annotations

import sys

from measured import Measured, last_json


def warehouse_vs_duckdb() -> list[Measured]:
    """A grouped count over five sites of a million notes each, beside raw DuckDB on the same files and a call's floor."""
    found = last_json([sys.executable, "benchmarks/warehouse_speed.py"], OMP_NUM_THREADS="1")
    return [
        Measured(
            "warehouse_vs_duckdb",
            found["fedkit"],
            "s",
            "python benchmarks/run.py --only warehouse_vs_duckdb",
            found["duckdb"] + found["floor"],
            "raw DuckDB on the same five files, and the floor of the call",
            f"persons by site and year, {found['notes']:,} notes at each of five sites, {found['rows']:,} mentions in all; "
            f"DuckDB {found['duckdb']:.3f} s, the same call on nearly empty tables {found['floor']:.3f} s; medians of one run, "
            "five site processes over HTTP; the limit is 1.2",
        )
    ]


def hostile_sql_run() -> list[Measured]:
    """Hostile statements and questions that get as far as a site's tables, beside a hardened DuckDB that is given them."""
    found = last_json([sys.executable, "benchmarks/hostile_sql.py"], OMP_NUM_THREADS="1")
    return [
        Measured(
            "hostile_sql_run",
            found["ran"],
            "run",
            "python benchmarks/run.py --only hostile_sql_run",
            found["duckdb"],
            "hardened DuckDB: no files, no network, locked, read-only",
            f"of {found['statements']} statements typed and {found['questions']} questions as JSON; {found['accepted']} of "
            f"{found['good']} good statements are answered; the limit is 0",
        )
    ]


def differencing_accuracy() -> list[Measured]:
    """How often an attacker is right about one person after 30 pairs of counts, under a budget of epsilon 1 in all."""
    found = last_json([sys.executable, "benchmarks/differencing.py"], OMP_NUM_THREADS="1")
    others = "; ".join(
        f"{what} {found[way][0]:.2f} / {found[way][1]:.2f}"
        for way, what in (
            ("threshold", "threshold 10"),
            ("rounding", "rounded to 5 as well"),
            ("memory", "release memory as well"),
        )
    )
    return [
        Measured(
            "differencing_accuracy",
            found["budget"][1],
            "right",
            "python benchmarks/run.py --only differencing_accuracy",
            0.57,
            "limit",
            f"0.50 is guessing; after 1 pair {found['budget'][0]:.2f}; without noise, after 1 / 30 pairs: {others}; "
            f"{found['targets']} persons, noise drawn {found['draws']} times for each",
        )
    ]
