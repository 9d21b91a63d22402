"""Trying patterns only where they can begin: most of a note is no number, so most places need no look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_NUMBER = re.compile(r"(?<!\d)\d")


@lru_cache(maxsize=16)
def numbers(text: str) -> tuple[int, ...]:
    """Where runs of digits begin."""
    return tuple(match.start() for match in _NUMBER.finditer(text))


def at_numbers(pattern: re.Pattern[str], text: str, places: tuple[int, ...], *, before: str = "") -> Iterator[re.Match[str]]:
    """As `finditer`, for a pattern that begins with the digit at one of `places`, or a sign of `before` in front."""
    done = 0
    for place in places:
        start = place - 1 if place and text[place - 1] in before else place
        if place < done:
            continue
        match = pattern.match(text, max(start, done)) or (pattern.match(text, place) if start != place else None)
        if match is not None:
            yield match
            done = match.end()
