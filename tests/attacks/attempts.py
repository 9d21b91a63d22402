"""What is tried against a site. Each attempt has a line in docs/attacks.md, and each line there is an attempt that ran.

    @tries(Attempt("a signed call sent twice", by="researcher", refused="refused.access", recorded="access.refused replayed"))
    def test_…(trial, world):
        with trial() as said:
            said(send(world, envelope))

`with trial()` is the test: what was said must be that refusal and nothing else, without a word of a note or a traceback, and
the site's journal must have the row since. A test that declares an attempt and does not try it fails.

`python tools/make_attacks_page.py` writes the document anew.
"""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from site_suite import CANARY, World

from fedkit.errors import FedkitError

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "attacks.md"
Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Attempt:
    """Somebody tries something.

    name:     what is tried, in plain words; unique.   by: who tries it.
    refused:  the code of a fedkit error, "HTTP 413", "closed" (PySyft's call is not taken), or in plain words what holds.
    recorded: act of the journal and, after a space, its reason: "access.refused replayed". What never reaches the site's own
              code, or does no more than the caller may, has no row: then "no row: …" says why.
    stock:    whether PySyft 0.9.5 by itself accepts it, as tried against a running server.
    given:    what the test needs to try it.
    """

    name: str
    by: str
    refused: str
    recorded: str
    stock: bool = False
    given: Any = field(default=None, compare=False, repr=False)


#: Module of tests → its attempts, in the order of the file.
FAMILIES: dict[str, list[Attempt]] = {}


def tries(*attempts: Attempt) -> Callable[[Test], Test]:
    """Run a test for each of these attempts; the fixture `trial` is about one of them."""

    def marked(test: Test) -> Test:
        FAMILIES.setdefault(test.__module__, []).extend(attempts)
        ids = [attempt.name.replace(" ", "-") for attempt in attempts]
        return pytest.mark.parametrize("trial", attempts, indirect=True, ids=ids)(test)

    return marked


class Trial:
    """One attempt under way at one site."""

    def __init__(self, attempt: Attempt, world: World) -> None:
        self.attempt, self.given, self.world, self.made = attempt, attempt.given, world, 0

    @contextmanager
    def __call__(self, **fields: Any) -> Iterator[Callable[[Any], None]]:
        """Around the attempt; a fedkit error inside is what was said. fields: more of what the row must hold."""
        said: list[Any] = []
        start = last_row(self.world) + 1
        try:
            yield said.append
        except FedkitError as error:
            said.append(error)
        assert said, "nothing was tried, or it went through without a word"
        for reply in said:
            text = told(reply)
            assert CANARY not in text
            assert "Traceback" not in text
            assert word(reply) == self.attempt.refused, text[:500]
        self.made += 1
        if not self.attempt.recorded.startswith("no row: "):
            act, _, reason = self.attempt.recorded.partition(" ")
            wanted = {**fields, **({"reason": reason} if reason else {})}
            rows = self.world.auditor.journal(start)
            found = [r for r in rows if r["act"] == act and all(r["fields"].get(k) == v for k, v in wanted.items())]
            assert found, [(r["act"], r["fields"]) for r in rows]


def last_row(world: World) -> int:
    """The number of the journal's newest row (which is that of reading it)."""
    known = world.__dict__.setdefault("_read_to", 1)
    rows = world.auditor.journal(known)
    world.__dict__["_read_to"] = newest = int(rows[-1]["seq"]) if rows else known
    return newest


def word(reply: Any) -> str:
    """What a reply says, in one word: of a fedkit error, of a row with one, of an HTTP response, or of PySyft's."""
    if isinstance(reply, str):
        return reply
    if isinstance(reply, FedkitError):
        return reply.code
    if isinstance(reply, Mapping):
        return str(reply["error"]["code"]) if "error" in reply else "went through"
    if hasattr(reply, "status") and hasattr(reply, "data"):
        if reply.status != 200:
            return f"HTTP {reply.status}"
        head = reply.data.partition(b"\n")[0]
        return word(json.loads(head)) if head.startswith(b"{") else "went through"
    kind = type(reply).__name__
    return "closed" if kind in ("SyftError", "SyftException") else f"went through: {kind}"


def told(reply: Any) -> str:
    """All that somebody who tries can read in a reply."""
    if isinstance(reply, FedkitError):
        return json.dumps(reply.to_json())
    if hasattr(reply, "data") and isinstance(reply.data, bytes):
        return reply.data.decode("utf-8", "replace") + str(dict(reply.headers))
    return str(reply)


def page() -> str:
    """docs/attacks.md."""
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    count = sum(len(attempts) for attempts in FAMILIES.values())
    people = sorted({attempt.by for attempts in FAMILIES.values() for attempt in attempts})
    about = (
        f"{count} attempts, by {', '.join(people[:-1])} and {people[-1]}, against sites that run in processes of their own."
        " Each must fail as it says here, must show no word of a note and no traceback, and must have left the row of the"
        " site's journal that stands in the last column. Attempts that stock PySyft 0.9.5 accepts are marked with ●. What holds"
        " against what is in the [threat model](threat-model.md), with what does not."
    )
    text = [
        "# What was tried against a site\n",
        "Made by `tools/make_attacks_page.py` from the tests in `tests/attacks/`; a test compares the two, both ways.\n",
        textwrap.fill(about, 128) + "\n",
    ]
    for module, attempts in sorted(FAMILIES.items()):
        title = (sys.modules[module].__doc__ or module).strip().splitlines()[0].rstrip(".")
        text += [f"## {title}\n", "| what is tried | by | refused as | recorded as |", "|---|---|---|---|"]
        for attempt in attempts:
            act, _, reason = attempt.recorded.partition(" ")
            recorded = attempt.recorded[8:] if attempt.recorded.startswith("no row: ") else f"`{act}` {reason}".strip()
            cells = (f"{'● ' if attempt.stock else ''}{attempt.name}", attempt.by, attempt.refused, recorded)
            text.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        text.append("")
    return "\n".join(text).rstrip() + "\n"
