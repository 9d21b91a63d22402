"""Random whole numbers that come again: a site's share of the noise in a sum, drawn from its secret for the request.

A number of a sum is masked once, so that nobody sees two vectors under one mask. A site that was killed after masking must
therefore come to the very same vector when it is asked again, noise included. So the noise is drawn from a stream of ChaCha20
(RFC 8439) under a key that follows from the site's secret (HKDF, RFC 5869): to everybody else it is as random as any.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from fedkit.federation.secure_aggregation.agreement import derive


class Draws:
    """Uniform whole numbers below a bound, one after another: a `fedkit.governance.noise.Below`.

    secret: 32 random bytes that only the site has.   about: what the draws are for; every use has its own.
    """

    def __init__(self, secret: bytes, about: str) -> None:
        self._stream = Cipher(ChaCha20(derive(secret, f"noise {about}"), bytes(16)), mode=None).encryptor()

    def __call__(self, bound: int) -> int:
        """A number from 0 to bound - 1, all as likely. Raises ValueError for a bound below 1."""
        if bound < 1:
            raise ValueError("a bound is 1 or more")
        bits = (bound - 1).bit_length()
        size = (bits + 7) // 8
        while True:  # ends soon: at least every other draw lies below
            drawn = int.from_bytes(self._stream.update(bytes(size)), "big") >> (8 * size - bits)
            if drawn < bound:
                return drawn
