"""The HTML report and the cards of a run: views over the JSON documents in its folder, nothing computed here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

import fedkit
from fedkit.storage import write_whole
from fedkit.study.runs import RunFolder


def write_report(run: RunFolder, *, curves: bytes | None = None) -> Path:
    """Write `report.html`, one file that loads nothing from anywhere.

    curves: a PNG of the learning curves, or None.   Returns the path of the page.
    """
    request, audit = run.read("request"), run.read("audit")
    page = (
        _templates()
        .get_template("report.html.j2")
        .render(
            run=run.path.name,
            version=fedkit.__version__,
            plan=run.read("plan"),
            audit=audit,
            forgery=run.read("forgery"),
            metrics=run.read("metrics"),
            refusals=run.read("refusals"),
            events=read_events(run),
            digests=run.read("digests"),
            source=request["source"],
            settings=json.dumps(request["settings"], indent=1, ensure_ascii=False),
            curves=base64.b64encode(curves).decode() if curves else None,
        )
    )
    path = run.path / "report.html"
    write_whole(path, page.encode(), mode=0o666)
    return path


def model_card(**values: Any) -> str:
    """The README.md of a released model folder (Hugging Face model card with its YAML header)."""
    return _templates().get_template("model_card.md.j2").render(**values)


def result_card(**values: Any) -> str:
    """The README.md of a released result folder."""
    return _templates().get_template("result_card.md.j2").render(**values)


def read_events(run: RunFolder) -> list[dict[str, Any]]:
    """The rows of `events.jsonl`; a last line cut short by a crash is left out."""
    rows = []
    try:
        lines = (run.path / "events.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def percent(value: float | None) -> str:
    """An F1 between 0 and 1 as percent with one decimal; a dash for a figure that was not measured."""
    return "–" if value is None else f"{100 * value:.1f}"


def gap(row: Mapping[str, Any]) -> str:
    """Federated minus local in points, signed; a dash where one is missing."""
    if row.get("federated") is None or row.get("local") is None:
        return "–"
    return f"{100 * (row['federated'] - row['local']):+.1f}"


def _templates() -> Environment:
    found = Environment(
        loader=PackageLoader("fedkit", "pages"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    found.filters.update(f1=percent, gap=gap, clock=lambda at: f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}")
    return found
