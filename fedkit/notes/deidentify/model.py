"""What de-identification finds: classes of identifiers, and one identifier in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The classes, in the order in which they win where rules overlap: what is surest about its shape comes first.
CLASSES = ("EMAIL", "URL", "ID", "PHONE", "DATE", "ADDRESS", "CARE_UNIT", "NAME", "PLACE", "DATE_PART", "AGE")

#: An identifier that was masked by its class: "[NAME]".
TAG = re.compile(r"\[(?:" + "|".join(CLASSES) + r")\]")

_RANK = {label: number for number, label in enumerate(CLASSES)}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier: `text[start:end]` in code points, its class (see `CLASSES`), and the rule that found it.

    It holds places and no text, so that it may be counted, shown and logged.
    """

    start: int
    end: int
    label: str
    rule: str


def union(found: list[Identifier]) -> list[Identifier]:
    """Identifiers in order that do not overlap and cover all that `found` covers.

    What overlaps becomes one: nothing found is ever dropped. Class and rule are those of the member that comes first in
    `CLASSES`, the longest of them.
    """
    merged: list[Identifier] = []
    for one in sorted(found, key=lambda i: (i.start, -i.end)):
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            lead = min(last, one, key=lambda i: (_RANK[i.label], i.start - i.end))
            merged[-1] = Identifier(last.start, max(last.end, one.end), lead.label, lead.rule)
        else:
            merged.append(one)
    return merged
