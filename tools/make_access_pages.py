"""Write docs/levels.md and docs/exposure.md from the tables that a site works by: tools/make_access_pages.py [--check]"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from fedkit.governance.levels import ABOUT, CALLS, LEVELS, REASONS_AGAINST
from fedkit.sites.exposure import LARGEST, LARGEST_OTHER, OPEN, REFUSAL, ROLES
from fedkit.sites.routes import ROUTES, Route

DOCS = Path(__file__).resolve().parents[1] / "docs"

LEVELS_PAGE = """\
# Levels and calls

Who may make which call at a site. Made by `tools/make_access_pages.py` from `fedkit/governance/levels.py`, which is what the
gate asks; a test compares both. Levels are no ladder: who asks does not decide, who decides does not run, who audits does
neither, and who keeps the accounts has no say in requests. One person has one level at a site ([accounts](accounts.md)).

{about}

Who has no account is *public*: of a site they may see its name, its published catalogue and nothing else (the routes are in
[exposure](exposure.md)). In the words of the EHDS (Regulation (EU) 2025/327), an analyst asks under a *data request*, a
researcher under a *data permit*.

A call that a level does not have is refused with the reason and stands in the journal. `execute` is what a session does;
`admit` and `outcome` are its two halves at the site, before and after PySyft.

{calls}

## Why not

{against}
"""

EXPOSURE_PAGE = """\
# What a site exposes

Made by `tools/make_access_pages.py` from `fedkit/sites/routes.py` and `fedkit/sites/exposure.py`, which is what a site works
by; a test compares both, and others walk every route and every service path that PySyft registers, for every level, for a
revoked and an expired account, for a key without a session and for none.

## HTTP routes

Method and path have to be these to the byte. Everything else, whatever the method, is answered with 404 and an empty body. A
body that does not say its length gets 411, one that is longer than the route takes 413, one that does not come in time 408.

{routes}

## PySyft's service paths

PySyft 0.9.5 registers more than two hundred service paths. These are open, to the levels named; every other, and every call of
anybody else, is answered "{refusal}", whether there is such a path or not.

{paths}

In PySyft itself the levels are {roles}. Nobody is PySyft's DATA_OWNER or ADMIN: those approve code and make users.
"""


def levels_page() -> str:
    """docs/levels.md."""
    names = sorted({call for calls in CALLS.values() for call in calls})
    rows = []
    for name in names:
        why = {level: CALLS[level][name] for level in LEVELS if name in CALLS[level]}
        texts = list(dict.fromkeys(why.values()))
        said = texts[0] if len(texts) == 1 else "; ".join(f"{_several(why, text)}: {text}" for text in texts)
        rows.append([f"`{name}`", *("✓" if level in why else "" for level in LEVELS), said])
    against = [
        [level, f"`{call}`", why] for (level, call), why in sorted(REASONS_AGAINST.items(), key=lambda item: item[0][::-1])
    ]
    return LEVELS_PAGE.format(
        about=_table(["level", "what it is for"], ([level, what] for level, what in ABOUT.items())),
        calls=_table(["call", *LEVELS, "for what"], rows),
        against=_table(["level", "call", "why it is refused"], against),
    )


def exposure_page() -> str:
    """docs/exposure.md."""
    paths = sorted({path for several in OPEN.values() for path in several})
    rows = [
        [
            f"`{path}`",
            ", ".join(level for level in LEVELS if path in OPEN.get(level, {})),
            f"{LARGEST.get(path, LARGEST_OTHER):,}",
            next(several[path] for several in OPEN.values() if path in several),
        ]
        for path in paths
    ]
    roles = ", ".join(f"{level} {role}" for level, role in ROLES.items())
    return EXPOSURE_PAGE.format(
        routes=_table(["route", "for whom", "largest body (bytes)", "for what"], (_route(*item) for item in ROUTES.items())),
        refusal=REFUSAL,
        paths=_table(["path", "levels", "largest message (bytes)", "for what"], rows),
        roles=roles,
    )


def _route(key: tuple[str, str], route: Route) -> list[str]:
    most = f"{route.largest:,}" if route.largest else "none"
    if route.first:
        most += f"; {route.first:,} with weights, from who may send them"
    return [f"`{' '.join(key)}`", route.who, most, route.why]


def _several(why: Mapping[str, str], text: str) -> str:
    return ", ".join(level for level, said in why.items() if said == text)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def main() -> int:
    wrong = 0
    for name, text in (("levels.md", levels_page()), ("exposure.md", exposure_page())):
        if "--check" not in sys.argv:
            (DOCS / name).write_text(text, "utf-8")
        elif (DOCS / name).read_text("utf-8") != text:
            print(f"docs/{name} is not what the code says: python tools/make_access_pages.py")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
