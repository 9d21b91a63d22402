"""The word lists of this package: tab-separated files with a heading, in `data/`."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def read_table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `data/<name>` by heading; empty if there is no such file. Lines that begin with `#` say where it is from."""
    place = files("fedkit.notes").joinpath("data", *name.split("/"))
    if not place.is_file():
        return ()
    lines = (line for line in place.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#"))
    return tuple({k: v or "" for k, v in row.items()} for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
