"""How many hostile statements run: typed at fedkit, and given as they stand to a hardened DuckDB with the same tables.

    python benchmarks/hostile_sql.py

Typed at fedkit, a statement that became a question would be rendered and run on a site's own tables and counts as one that ran;
so does hostile JSON in the place of a question that a site would take. The peer is what the site's tables are behind anyway: no
files, no network, no extensions, settings locked, read-only. What it runs there is inside the walls and still what no analyst
may have: single rows, extremes, the database's own tables. Good statements are counted too, since refusing everything is easy.
Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import duckdb
from measured import ROOT

from fedkit.errors import FedkitError
from fedkit.sites.turns import Call
from fedkit.sites.warehouse.database import VIEWS_FILE, DuckDBTables
from fedkit.sites.warehouse.site_tables import FOLDER, SiteTables
from fedkit.sites.warehouse.synthetic import fill
from fedkit.warehouse import sql
from fedkit.warehouse.question import Asked, Question, from_json

sys.path.insert(0, str(ROOT / "tests" / "warehouse"))  # the corpus is the tests' own
from hostile_corpus import hostile
from hostile_questions import HOSTILE

GOOD = ROOT / "tests" / "warehouse" / "good_statements.sql"

#: Seconds after which a statement is ended; one that worked until then did run.
PATIENCE = 1.0

#: Longer statements are not given to DuckDB, which plans some of them for a minute and cannot be interrupted while it does.
LONGEST = 20_000

_WALLS = {"enable_external_access": "false", "autoinstall_known_extensions": "false", "memory_limit": "512MB", "threads": "1"}


def runs_at_fedkit(question: Any, engine: SiteTables) -> bool:
    """Whether a typed statement, or JSON, gets as far as the tables."""
    try:
        asked: Asked = sql.parse(question) if isinstance(question, str) else from_json(question)
        asked.check()
    except FedkitError:
        return False
    if isinstance(asked, Question):
        engine.rows(asked, Call())
    return True


def runs_in_duckdb(statement: str, database: duckdb.DuckDBPyConnection) -> bool:
    """Whether DuckDB runs a statement as it stands, or is still at it when patience ends."""
    timer = threading.Timer(PATIENCE, database.interrupt)
    timer.start()
    try:
        database.execute(statement).fetchall()
    except duckdb.InterruptException:
        return True
    except (duckdb.Error, RuntimeError, ValueError):
        return False
    else:
        return True
    finally:
        timer.cancel()


def measure(folder: Path) -> dict[str, Any]:
    with DuckDBTables.open(folder / FOLDER) as tables:
        fill(tables, "no", 1_000, seed=1)
    statements, good = [text for _, text in hostile()], GOOD.read_text("utf-8").splitlines()
    engine = SiteTables("no", folder, None)  # type: ignore[arg-type]  # tables are there: no store is read
    typed = sum(runs_at_fedkit(text, engine) for text in statements)
    sent = sum(runs_at_fedkit(question, engine) for question in HOSTILE if not isinstance(question, str))
    accepted = sum(runs_at_fedkit(text, engine) for text in good)
    engine.close()
    with duckdb.connect(str(folder / FOLDER / VIEWS_FILE), read_only=True, config=_WALLS) as database:
        database.execute("SET lock_configuration = true")
        peer = sum(runs_in_duckdb(text, database.cursor()) for text in statements if len(text) <= LONGEST)
    return {
        "ran": typed + sent,
        "statements": len(statements),
        "questions": len(HOSTILE),
        "good": len(good),
        "accepted": accepted,
        "duckdb": peer,
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fedkit-hostile-") as folder:
        print(json.dumps(measure(Path(folder))))


if __name__ == "__main__":
    main()
