"""Shamir's secret sharing over a prime field: any `threshold` shares give a secret of 32 bytes back, fewer tell nothing.

A. Shamir, "How to share a secret", CACM 22(11), 1979. The coefficients are derived from a key of the sharing site, so that a
site which is killed and comes back makes the same shares.
"""

from __future__ import annotations

from collections.abc import Mapping

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation.agreement import derive

#: The smallest prime above 2²⁵⁶: every 32 bytes are a number of the field.
PRIME = 2**256 + 297

#: Bytes of a share: a number of the field.
SHARE_BYTES = 33


def split(secret: bytes, points: int, threshold: int, key: bytes, about: str) -> dict[int, bytes]:
    """point (1 … points) → share of 33 bytes.

    key, about: what the coefficients are derived from; the same give the same shares, others independent ones.
    """
    if not 1 <= threshold <= points:
        raise TrainingError("no such threshold", expected=f"from 1 to {points}", got=str(threshold))
    if len(secret) != 32:
        raise TrainingError("a secret of another length", expected="32 bytes", got=str(len(secret)))
    # 48 bytes modulo the prime: as good as uniform (bias below 2^-127).
    wide = derive(key, f"coefficients {about}", 48 * (threshold - 1)) if threshold > 1 else b""
    polynomial = [int.from_bytes(secret)]
    polynomial += [int.from_bytes(wide[48 * n : 48 * (n + 1)]) % PRIME for n in range(threshold - 1)]
    return {point: _value(polynomial, point).to_bytes(SHARE_BYTES) for point in range(1, points + 1)}


def combine(shares: Mapping[int, bytes]) -> bytes | None:
    """The secret that these shares (point → share) lie on, or None if they are none of a secret: some are wrong.

    Give exactly `threshold` of them. That the result is right, the caller checks against what the sharing site published.
    """
    value = value_at(shares, 0)
    return value.to_bytes(32) if value < 2**256 else None


def value_at(shares: Mapping[int, bytes], point: int) -> int:
    """What the polynomial of least degree through these shares has at a point (Lagrange)."""
    total = 0
    for here, share in shares.items():
        above, below = 1, 1
        for other in shares:
            if other != here:
                above = above * (point - other) % PRIME
                below = below * (here - other) % PRIME
        total = (total + int.from_bytes(share) * above * pow(below, -1, PRIME)) % PRIME
    return total


def _value(polynomial: list[int], point: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * point + coefficient) % PRIME
    return value
