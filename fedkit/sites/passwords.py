"""Passwords at a site: made, hashed (scrypt) and compared.

A password that fedkit made has 190 random bits, which no stretching makes safer; one that a person chose is stretched with the
cost that OWASP's Password Storage Cheat Sheet gives for scrypt at 16 MiB. A wrong password costs the stretching in any case,
also where there is no such account, so that the time of an answer tells neither.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading

from fedkit.governance.passwords import normal

#: scrypt's (n, r, p) for a password that a person chose, and for one of 190 random bits.
CHOSEN, MADE = (2**14, 8, 5), (2**4, 8, 1)

#: No more than this many passwords are stretched at once: each takes a core and 16 MiB.
_stretching = threading.BoundedSemaphore(2)


def make() -> str:
    """A password of 190 random bits."""
    return secrets.token_urlsafe(24)[:32]


def hashed(password: str, cost: tuple[int, int, int] | None = None) -> str:
    """What is kept of a password: `scrypt$n$r$p$salt$hash`, hex. cost: default CHOSEN."""
    cost, salt = cost or CHOSEN, secrets.token_bytes(16)
    return "$".join(("scrypt", *map(str, cost), salt.hex(), _scrypt(password, cost, salt).hex()))


def fits(password: str, kept: str | None) -> bool:
    """Whether this is the password that was kept. kept: None where there is no such account. Where it does not fit, the work is
    that of a chosen password, whatever was kept."""
    fit, spent = False, False
    if kept is not None:
        _, n, r, p, salt, wanted = kept.split("$")
        cost = (int(n), int(r), int(p))
        spent = cost == CHOSEN
        fit = hmac.compare_digest(_scrypt(password, cost, bytes.fromhex(salt)), bytes.fromhex(wanted))
    if not fit and not spent:
        _scrypt(password, CHOSEN, bytes(16))
    return fit


def _scrypt(password: str, cost: tuple[int, int, int], salt: bytes) -> bytes:
    n, r, p = cost
    with _stretching:
        return hashlib.scrypt(normal(password), salt=salt, n=n, r=r, p=p, maxmem=2**26, dklen=32)
