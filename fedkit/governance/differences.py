"""What changed between two requests, by meaning: what a steward who approved the first one has to read of the second.

    changes(approved, this)     # [Change("constant", "train", "in train, 0.1 became 0.2", (12, 12), (12, 12))]
    summary(changes(a, a))      # 'nothing that matters changed'

Layout, comments, docstrings, the order of definitions and imports, the spelling of imports and the names of local variables are
no changes. Parameters keep their names: they can be given by name. `difference` is the plain text difference beside it.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fedkit.governance.meaning import Program, Unit, shown
from fedkit.governance.places import Place, places
from fedkit.governance.request import CodeRequest

NOTHING_CHANGED = "nothing that matters changed"

#: Above this no comparison is made: nobody could read it either.
LONGEST = 200_000

Lines = tuple[int, int]


@dataclass(frozen=True)
class Change:
    """One place where two requests differ.

    kind:      of the source: "function", "class", "constant", "import", "call", "operator", "expression", "statement", "code",
               "order", "source"; of what stands beside it: "entry", "contract", "setting", "request".
    where:     the function, constant, import, or path of the setting.
    sentence:  what changed, in plain words; code in backticks.
    old_lines, new_lines: first and last line on either side, 1-based; None where there is nothing, or no source.
    """

    kind: str
    where: str
    sentence: str
    old_lines: Lines | None = None
    new_lines: Lines | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"old_lines": _pair(self.old_lines), "new_lines": _pair(self.new_lines)}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Change:
        def lines(pair: Sequence[int] | None) -> Lines | None:
            return (int(pair[0]), int(pair[1])) if pair else None

        return Change(row["kind"], row["where"], row["sentence"], lines(row["old_lines"]), lines(row["new_lines"]))


def changes(old: CodeRequest | str, new: CodeRequest | str) -> list[Change]:
    """Every difference that may matter, those of the source first and in its order. Two sources, or two requests. Never raises.

    No change is given only where both do the same; a change may still turn out to do the same (`a + b`, `b + a`).
    """
    found = list(_of_source(_source(old), _source(new)))
    if isinstance(old, CodeRequest) and isinstance(new, CodeRequest):
        found += _of_request(old, new)
    return found


def version_before(request: CodeRequest, approved: Iterable[CodeRequest]) -> CodeRequest | None:
    """The approved request that a request is most likely a new version of; of several that are as close the first one.

    Closest is the same source, then the same title by the same researcher, then the same entries; else the first of them all.
    """

    def distance(other: CodeRequest) -> int:
        entries = {e.name for e in other.entries} == {e.name for e in request.entries}
        theirs = (other.title, other.researcher) == (request.title, request.researcher)
        return 0 if other.source == request.source else 1 if theirs else 2 if entries else 3

    return min((other for other in approved if other.digest != request.digest), key=distance, default=None)


def summary(found: Sequence[Change]) -> str:
    """One line: how many changes of which kind, or that nothing that matters changed."""
    counts: dict[str, int] = {}
    for change in found:
        counts[change.kind] = counts.get(change.kind, 0) + 1
    told = ", ".join(f"{n} {kind}" for kind, n in counts.items())
    return f"{_many(len(found), 'change')}: {told}" if found else NOTHING_CHANGED


def difference(old_source: str, new_source: str, old_name: str = "approved", new_name: str = "this request") -> str:
    """A unified diff of two sources, "" if they are the same."""
    lines = difflib.unified_diff(old_source.splitlines(), new_source.splitlines(), old_name, new_name, lineterm="")
    return "\n".join(lines)


# -- the source
def _of_source(old: str, new: str) -> Iterator[Change]:
    if old == new:
        return
    if max(len(old), len(new)) > LONGEST:
        yield Change("source", "source", f"the source changed, and is longer than {LONGEST:,} characters: compare it as text")
        return
    try:
        yield from _of_programs(Program(old), Program(new))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield Change("source", "source", "the source changed, and one side cannot be read as Python: compare it as text")


def _of_programs(old: Program, new: Program) -> list[Change]:
    found = [
        *(Change("import", n, f"`{n}` is imported no more", (at, at)) for n, at in _strange(old.imports, new.imports)),
        *(Change("import", n, f"`{n}` is imported", None, (at, at)) for n, at in _strange(new.imports, old.imports)),
    ]
    gone = {name: unit for name, unit in old.units.items() if name not in new.units}
    come = {name: unit for name, unit in new.units.items() if name not in old.units}
    for name, unit in new.units.items():
        before = old.units.get(name)
        if before is None:
            twin = next((u for u in gone.values() if _renamed(u, unit)), None)
            if twin is not None:
                del gone[twin.name], come[name]
                found.append(
                    Change(unit.kind, name, f"the {unit.kind} `{twin.name}` is called `{name}` now", twin.lines, unit.lines)
                )
        elif before.meaning != unit.meaning:
            found += [_of_place(place, before, unit) for place in places(before, unit)]
    found += [Change(u.kind, n, f"{_what(u)} is gone{_calls(u, 'called')}", u.lines) for n, u in gone.items()]
    found += [Change(u.kind, n, f"{_what(u)} is new{_calls(u, 'calls')}", None, u.lines) for n, u in come.items()]
    found += _of_order(old, new)
    return sorted(found, key=lambda c: (c.new_lines or c.old_lines or (0, 0), c.kind, c.where))


def _strange(these: Mapping[str, int], those: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Imports that have no counterpart: `torch` and `torch.nn` are one another's, since any use of them shows by itself."""
    for name, line in these.items():
        if not any(name == o or name.startswith(f"{o}.") or o.startswith(f"{name}.") for o in those):
            yield name, line


def _renamed(old: Unit, new: Unit) -> bool:
    """Whether two definitions differ in their name alone."""
    if old.kind != new.kind or old.kind not in ("function", "constant"):
        return False
    last = repr(old.name.rpartition(".")[2]), repr(new.name.rpartition(".")[2])
    return old.meaning.replace(last[0], last[1], 1) == new.meaning and not old.program.called(old.name)


def _of_place(place: Place, old: Unit, new: Unit) -> Change:
    where = f"in `{new.name}`" if new.kind in ("function", "class") else "at top level"
    if new.kind == "constant":
        where = f"in the constant `{new.name}`"
    return Change(place.kind, new.name, f"{where}, {place.says}", place.old_lines or None, place.new_lines or None)


def _of_order(old: Program, new: Program) -> Iterator[Change]:
    """Statements at top level run in their order; definitions may stand anywhere unless one uses another while it is loaded."""
    both = [n for n in old.loaded() if n in new.units], [n for n in new.loaded() if n in old.units]
    if both[0] != both[1] and set(both[0]) == set(both[1]):
        first = next(b for a, b in zip(*both, strict=True) if a != b)
        unit = new.units[first]
        yield Change(
            "order", first, f"`{first}` is made at another place among what runs at loading", old.units[first].lines, unit.lines
        )


def _what(unit: Unit) -> str:
    if unit.kind == "code":
        return f"code that runs when the source is loaded, `{shown(unit.node)}`,"
    if unit.kind == "constant":
        return f"the constant `{shown(unit.node)}`"
    return f"the {unit.kind} `{unit.name}`"


def _calls(unit: Unit, word: str) -> str:
    names = unit.calls
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"; it {word} {', '.join(f'`{n}`' for n in names[:8])}{more}" if names else ""


# -- what stands beside the source
def _of_request(old: CodeRequest, new: CodeRequest) -> Iterator[Change]:
    a, b = old.to_json(), new.to_json()
    entries = {row["name"]: row for row in a.pop("entries")}, {row["name"]: row for row in b.pop("entries")}
    settings = a.pop("settings"), b.pop("settings")
    for name in entries[0].keys() - entries[1].keys():
        yield Change("entry", name, f"the entry `{name}` may be called no more")
    for name, row in entries[1].items():
        before = entries[0].get(name)
        if before is None:
            may = f"{_many(row['executions'], 'execution')}, {_many(_room(row['contract']), 'number')} may leave by each"
            yield Change("entry", name, f"the entry `{name}` is new: {may}")
            continue
        if before["executions"] != row["executions"]:
            yield Change("entry", name, f"`{name}` may run {_many(row['executions'], 'time')}, before {before['executions']}")
        yield from _of_values("contract", name, before["contract"], row["contract"])
        yield from _of_values("contract", f"{name}.privacy", before.get("privacy"), row.get("privacy"))
        yield from _of_values("contract", f"{name}.noise", before.get("noise"), row.get("noise"))
    yield from _of_values("setting", "settings", *settings)
    del a["source"], b["source"]
    yield from _of_values("request", "", a, b)


def _of_values(kind: str, name: str, old: object, new: object) -> Iterator[Change]:
    """Differences of two JSON values by their paths; beyond eight of a kind they are counted."""
    before, after = (_flat(side) if side else {} for side in (old, new))
    paths = [p for p in [*before, *(p for p in after if p not in before)] if before.get(p, _ABSENT) != after.get(p, _ABSENT)]
    for path in paths[:8]:
        full = ".".join(part for part in (name, path) if part)
        if path not in before:
            said = f"is new: {_json(after[path])}"
        elif path not in after:
            said = f"is gone; it was {_json(before[path])}"
        else:
            said = f"was {_json(before[path])}, is {_json(after[path])}"
        yield Change(kind, full, f"{_KINDS[kind]}`{full}` {said}")
    if len(paths) > 8:
        yield Change(kind, name, f"{len(paths) - 8} more differences in `{name or 'the request'}`")


_ABSENT = object()
_KINDS = {"contract": "what may leave: ", "setting": "the setting ", "request": "the request's "}


def _flat(value: object, path: str = "") -> dict[str, object]:
    """Path → value; lists and empty objects are values."""
    if isinstance(value, Mapping) and value:
        found: dict[str, object] = {}
        for key, child in value.items():
            found |= _flat(child, f"{path}.{key}" if path else str(key))
        return found
    return {path: json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)}


def _json(text: object) -> str:
    said = str(text)
    return said if len(said) <= 60 else said[:59] + "…"


def _room(contract: Mapping[str, Any]) -> int:
    return len(contract["numbers"]) + sum(math.prod(shape) for shape in contract["tensors"].values())


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _source(side: CodeRequest | str) -> str:
    return side.source if isinstance(side, CodeRequest) else side


def _pair(lines: Lines | None) -> list[int] | None:
    return list(lines) if lines else None
