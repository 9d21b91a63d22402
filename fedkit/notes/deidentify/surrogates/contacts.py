"""Telephone numbers and addresses on the net that reach nobody.

Telephones: 070-174 06 05 to 99, which the Swedish Post and Telecom Authority keeps for books and films. None of the other four
countries has such a range that we know of, so their notes get the Swedish numbers with the country code. Mail: example.org,
which belongs to nobody (RFC 2606).
"""

from __future__ import annotations

import re

from fedkit.notes.deidentify.keys import ProjectKey

_FIRST, _LAST = 1_740_605, 1_740_699


def surrogate_phone(text: str, language: str, key: ProjectKey) -> str:
    """A number of the reserved range, always the same for the same digits (a country code or trunk zero apart)."""
    digits = re.sub(r"\D", "", text)
    number = str(_FIRST + key.number("phone", digits[-8:], _LAST - _FIRST + 1))
    local = f"{number[:3]} {number[3:5]} {number[5:]}"
    return f"070-{local}" if language == "sv" and "+" not in text else f"+46 70 {local}"


def surrogate_email(text: str, key: ProjectKey) -> str:
    """An address at example.org, always the same for the same address."""
    return f"person{key.number('email', text.lower(), 1_000_000):06d}@example.org"
