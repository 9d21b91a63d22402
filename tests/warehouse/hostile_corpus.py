"""The hostile statements: those of the file beside, and those that are too large to stand in one."""

from __future__ import annotations

import re
from pathlib import Path

FILE = Path(__file__).with_name("hostile_statements.sql")


def hostile() -> list[tuple[str, str]]:
    """(family, statement) of everything that may not become a question."""
    family, found = "", []
    for line in FILE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif line:
            found.append((family, re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), line)))
    return [*found, *(("large", text) for text in large())]


def large() -> list[str]:
    start = "SELECT COUNT(*) FROM patients WHERE "
    return [
        start + "(" * 50_000 + "sex = 'male'" + ")" * 50_000,
        start + "(" * 500 + "sex = 'male'" + ")" * 500,
        start + "(" * 900,
        start + "NOT " * 5_000 + "sex = 'male'",
        start + "NOT " * 900 + "sex = 'male'",
        start + "NOT (" * 39 + "sex = 'male'" + ")" * 39,
        start + "birth_year = " + "-" * 901 + "1",
        start + "birth_year = " + "- " * 901 + "1",
        start + " AND ".join(["sex = 'male'"] * 100),
        start + " OR ".join(f"birth_year = {year}" for year in range(10_000)),
        start + f"birth_year IN ({', '.join(map(str, range(1_000_000)))})",
        start + f"birth_year IN ({', '.join(map(str, range(1900, 2101)))})",
        start + "sex = '" + "m" * 1_000_000 + "'",
        start + "sex = '" + "m" * 65 + "'",
        start + "department = 'a" + "'" * 9_001,
        start + "person_id IN (SELECT person_id FROM notes WHERE " * 20 + "sex = 'male'" + ")" * 20,
        start + "CASE WHEN " * 300 + "TRUE" + " THEN TRUE END" * 300,
        "SELECT " + ", ".join(["COUNT(*)"] * 600) + " FROM patients",
        "SELECT " + "COUNT(" * 300 + "*" + ")" * 300 + " FROM patients",
        "SELECT COUNT(*) FROM " + "(SELECT * FROM " * 200 + "patients" + ")" * 200,
        "SELECT COUNT(*) FROM patients" + ", patients" * 40,
        "SELECT COUNT(*) FROM patients" + " UNION SELECT 1" * 300,
        "WITH " + ", ".join(f"c{i} AS (SELECT 1)" for i in range(200)) + " SELECT COUNT(*) FROM patients",
        "SELECT COUNT(*) FROM " + "a." * 500 + "patients",
        "SELECT COUNT(*) FROM patients" + ";" * 1_000 + "SELECT 1",
        " " * 100_000 + "SELECT COUNT(*) FROM patients",
        start + "sex = 'male'" + "::VARCHAR" * 600,
        start + "birth_year = 1" + " + 1" * 900,
        start + "[" * 100 + "]" * 100,
        start + "{" * 100,
    ]
