"""Real dataclasses to show, and one look at everything a widget would send to a browser."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import ipywidgets

from fedkit.errors import FedkitError
from fedkit.governance.review import RequestState
from fedkit.ledger.rows import GENESIS, row_hash

SOURCE = '''def train_round(notes, weights, settings):
    """One local epoch."""
    return {"tensors": {}, "numbers": {"notes": len(notes)}}


def evaluate(notes, weights, settings):
    return {"tensors": {}, "numbers": {"f1": 0.5}}
'''

#: Looks like markup and like a patient; must reach no browser unescaped, or, where it is private, not at all.
EVIL = "<img src=x onerror=alert(1)>'\"&"
CANARY = "KARI-NORDMANN-0101"


def everything_sent(widget: ipywidgets.Widget) -> str:
    """The state of a widget and of all below it as JSON, with its static fallback: all that can leave the kernel."""
    seen: dict[str, Any] = {}

    def walk(one: ipywidgets.Widget) -> None:
        if one.model_id in seen:
            return
        seen[one.model_id] = {k: str(v) for k, v in one.get_state().items()}
        for child in getattr(one, "children", ()):
            walk(child)

    walk(widget)
    return json.dumps([list(seen.values()), widget._repr_mimebundle_(), repr(widget)], ensure_ascii=False)


def live_html(widget: ipywidgets.Widget) -> str:
    """All HTML that the live widget shows now."""
    own = widget.value if isinstance(widget, ipywidgets.HTML) else ""
    return own + "".join(live_html(child) for child in getattr(widget, "children", ()))


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def table_rows(html: str) -> list[list[str]]:
    """All rows of all tables as a reader sees them."""
    parser = _Cells()
    parser.feed(html)
    return parser.rows


def click(button: ipywidgets.Button) -> None:
    """A click as the browser sends it: a disabled button sends none."""
    assert not button.disabled, f"{button.description} is disabled"
    button.click()


class Steward:
    """Decides as a site would, and remembers what it was asked."""

    def __init__(self, state: RequestState) -> None:
        self.state, self.asked = state, []  # type: RequestState, list[Mapping[str, Any]]
        self.error: Exception | None = None

    def __call__(self, *, approved: bool, reason: str, rounds: int | None, days: int) -> RequestState:
        self.asked.append({"approved": approved, "reason": reason, "rounds": rounds, "days": days})
        if self.error is not None:
            raise self.error
        self.state = replace(
            self.state,
            status="approved" if approved else "denied",
            reason=reason,
            granted={"train_round": min(rounds or 0, 4), "evaluate": 1} if approved else {},
        )
        return self.state


def journal(site: str, acts: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """A real hash chain over (actor, act, fields)."""
    rows: list[dict[str, Any]] = []
    for seq, (actor, act, fields) in enumerate(acts, 1):
        row: dict[str, Any] = {
            "seq": seq,
            "time": f"2026-11-24T08:00:{seq:02d}.000Z",
            "actor": actor,
            "act": act,
            "fields": fields,
            "previous": rows[-1]["hash"] if rows else GENESIS,
        }
        rows.append({**row, "hash": row_hash(row)})
    return rows


def private_failure() -> Exception:
    """What a library may raise: words of a note in a foreign exception."""
    return ValueError(f"could not read {CANARY}")


def our_failure() -> FedkitError:
    return FedkitError("the site did not answer", expected="an answer", got=EVIL, help="try again")
