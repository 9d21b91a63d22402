"""Data of a request in plain words: what may leave, when it is due, who has agreed. Plain text; views escape it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fedkit.governance.kinds import KINDS
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, Entry
from fedkit.governance.review import RequestState
from fedkit.governance.table_contract import Category, Count, TableContract

#: What people read for each category of purpose, in the order of Regulation (EU) 2025/327, article 53(1).
PURPOSE_WORDS: Mapping[str, str] = {
    "public-health": "public or occupational health",
    "policy": "policy and regulation",
    "statistics": "official statistics",
    "education": "education and teaching",
    "research": "scientific research",
    "care": "better care and treatment",
}

#: What a steward reads for each level of a finding, worst first.
LEVELS: Mapping[str, str] = {"refuse": "must be refused", "warn": "look closely", "note": "for your information"}

_STATUS = {
    "pending": "waiting for a decision",
    "lapsed": "lapsed: nobody decided in time",
    "withdrawn": "withdrawn by who asked",
}
_DAY = 86_400


def kind_words(name: str) -> str:
    """A kind of request with what it may let out: "table: counts patients or notes by categories"."""
    kind = KINDS.get(name)
    return f"{name}: {kind.what}" if kind else name


def leaves(contract: OutputContract) -> list[str]:
    """What may leave by one entry, a sentence each; one sentence as well where nothing may."""
    told = []
    if contract.tensors:
        size = sum(math.prod(shape) for shape in contract.tensors.values())
        norm = f", together no longer than {contract.max_norm:g} (Euclidean norm)" if contract.max_norm is not None else ""
        arrays = "1 array" if len(contract.tensors) == 1 else f"{len(contract.tensors)} arrays"
        told.append(f"Weights: {arrays} with {size:,} numbers{norm}.")
    if contract.norms:
        told.append(f"Each on its own at most: {', '.join(f'{name} {norm:g}' for name, norm in contract.norms.items())}.")
    told += [f"Table {name}: {_table(table)}" for name, table in contract.tables.items()]
    if contract.numbers:
        told.append(f"Single numbers: {numbers_words(contract)}.")
    return told or ["Nothing but the fact that it ran."]


def _table(table: TableContract) -> str:
    by = [f"{name} ({_listed(column.values)})" for name, column in table.columns.items() if isinstance(column, Category)]
    counts = [name for name, column in table.columns.items() if isinstance(column, Count)]
    others = [
        f"{name} from {_plain(column.low)} to {_plain(column.high)}"
        for name, column in table.columns.items()
        if not isinstance(column, Category | Count)
    ]
    shape = f"by {' and '.join(by)}; " if by else ""
    more = f"; numbers: {', '.join(others)}" if others else ""
    nearest = f"counts are rounded to the nearest {table.rounding}" if table.rounding > 1 else "counts leave as they are"
    return (
        f"{shape}counts {' and '.join(counts)}{more}. At most {table.max_rows} rows. "
        f"A row with fewer than {table.threshold} stays at the site, {nearest}."
    )


def _listed(values: Sequence[str], most: int = 8) -> str:
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")


def numbers_words(contract: OutputContract) -> str:
    """The single numbers with their bounds; every name stands there, those that differ in their first part only together."""
    bounds: dict[tuple[float, float], list[str]] = {}
    for name, limits in sorted(contract.numbers.items()):
        bounds.setdefault(limits, []).append(name)
    return "; ".join(f"{_together(names)}: {_plain(low)} to {_plain(high)}" for (low, high), names in bounds.items()) or "none"


def _together(names: Sequence[str]) -> str:
    """`a.x, a.y, b.x, b.y, c` as "c; a, b each for x, y"."""
    alone = [name for name in names if "." not in name]
    lasts: dict[str, list[str]] = {}
    for name in names:
        first, dot, last = name.rpartition(".")
        if dot:
            lasts.setdefault(first, []).append(last)
    firsts: dict[tuple[str, ...], list[str]] = {}
    for first, several in lasts.items():
        firsts.setdefault(tuple(several), []).append(first)
    groups = [f"{', '.join(group)} each for {', '.join(several)}" for several, group in firsts.items()]
    return ", and ".join([", ".join(alone)] * bool(alone) + groups)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def granted_words(state: RequestState) -> str:
    """How many executions of each entry are granted."""
    return ", ".join(f"{entry} {n}" for entry, n in state.granted.items())


def state_words(state: RequestState) -> str:
    """Where a request stands, in a few words: with "1 of 2 approvals" where two must agree."""
    word = _STATUS.get(state.status, state.status)
    if state.status == "pending" and state.needed > 1:
        word += f", {state.approvals} of {state.needed} approvals"
    if state.automatic:
        word += ", under a standing approval"
    return word


def due_words(state: RequestState, now: float) -> str:
    """In how many days a waiting request lapses, "" where it does not. now: Unix seconds, UTC."""
    if state.status != "pending" or not state.due:
        return ""
    left = (state.due - now) / _DAY
    if left < 0:
        return "overdue"
    return "today" if left < 1 else f"in {days(math.floor(left))}"


def reminder_words(state: RequestState) -> str:
    """How often a reminder has come due for a waiting request."""
    return {0: "", 1: "reminder"}.get(state.reminder, "last reminder")


def days(number: int) -> str:
    """ "1 day", "5 days"."""
    return f"{number} day" if number == 1 else f"{number} days"


def request_facts(request: CodeRequest, who: str = "") -> list[tuple[str, object]]:
    """A request's own words, for a table of names and values. who: the researcher's name, where the address is known by one."""
    permit = request.permit
    return [
        ("Purpose", request.purpose),
        ("Purpose by law", PURPOSE_WORDS.get(permit.category, permit.category)),
        ("Kind", kind_words(request.kind)),
        ("Researcher", f"{who} ({request.researcher})" if who else request.researcher),
        ("Data permit", f"{permit.id}, for: {permit.purpose}"),
        ("Data set", request.dataset),
        ("Source lines", len(request.source.splitlines())),
    ]


def privacy_words(entry: Entry) -> str:
    """What one execution of an entry costs in privacy, and how often it is asked for."""
    if entry.privacy is None:
        return "none: the result leaves as it is"
    rho, times = entry.privacy.rho, entry.executions
    return f"{rho:g} an execution, {rho * times:g} for all {times} (rho of zero-concentrated differential privacy)"


def spent_words(spent: Mapping[str, float]) -> str:
    """What a data set's privacy budget has lost so far; how much it may lose stands among the site's rules."""
    mine, everybody = spent.get("researcher", 0.0), spent.get("all", 0.0)
    return f"{mine:g} spent by this researcher so far, {everybody:g} by all (rho); the site's rules say how much may be"
