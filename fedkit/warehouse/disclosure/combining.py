"""The check of what all sites gave together, before it is published: each site looked at its own rows and at no other's.

    for verdict in combined(question, {"no": rows, "sv": rows, "et": ()}, PRESETS["acro"]):
        print(verdict.rule, verdict.passed, verdict.why)

No site sees another's answer, so this is for who puts them together and for the output checker. It takes nothing out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from fedkit.warehouse.disclosure.cells import Row
from fedkit.warehouse.disclosure.presets import Preset
from fedkit.warehouse.plan_report import Verdict
from fedkit.warehouse.question import Question

#: How many groups a verdict names before it only counts the rest.
NAMED = 3


def combined(question: Question, parts: Mapping[str, Sequence[Row]], preset: Preset) -> tuple[Verdict, ...]:
    """A verdict for each rule about the sum over sites. parts: site → the rows that left it."""
    given = {site: {_key(question, row): int(row["persons"]) for row in rows} for site, rows in parts.items()}
    few, alone, thin = [], [], []
    for key in product(*(group.labels(column) for group, column in question.columns())):
        there = {site: rows[key] for site, rows in given.items() if key in rows}
        if not there:
            continue
        total, without = sum(there.values()), [site for site in given if site not in there]
        if total < preset.threshold:
            few.append(_named(key))
        if len(without) == 1:
            alone.append(f"{_named(key)} ({without[0]})")
        if any(0 < total - count < preset.threshold for count in there.values()):
            thin.append(_named(key))
    return (
        _verdict(
            "threshold of all",
            few,
            f"every sum over sites rests on {preset.threshold} persons or more",
            "too few persons at all sites together: leave the row out",
        ),
        _verdict(
            "one site left out",
            alone,
            "no row lacks one site alone",
            "one site alone kept the row back: whoever knows the total of all sites has that site's figure; publish no such "
            "total beside it",
        ),
        _verdict(
            "one site's own",
            thin,
            "no site that takes its own part from a sum is left with few persons of the others",
            "a site that takes its own part away is left with few persons of the others: publish the sites' rows, not the sum",
        ),
    )


def _key(question: Question, row: Row) -> tuple[str, ...]:
    return tuple(str(row[group.column]) for group in question.groups)


def _named(key: tuple[str, ...]) -> str:
    return ", ".join(key) or "all"


def _verdict(rule: str, failing: Sequence[str], passed: str, failed: str) -> Verdict:
    if not failing:
        return Verdict(rule, True, passed)
    more = f" and {len(failing) - NAMED} more" if len(failing) > NAMED else ""
    return Verdict(rule, False, f"{'; '.join(failing[:NAMED])}{more}: {failed}")
