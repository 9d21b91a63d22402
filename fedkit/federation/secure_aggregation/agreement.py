"""Two sites agree on a key that nobody between them learns, and what is made of such a key: masks, and sealed messages.

X25519 (RFC 7748), HKDF with SHA-256 (RFC 5869), ChaCha20 and ChaCha20-Poly1305 (RFC 8439), all of the `cryptography` package.
"""

from __future__ import annotations

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedkit.errors import TrainingError

_SALT = b"fedkit secure aggregation 1"


def derive(secret: bytes, about: str, length: int = 32) -> bytes:
    """`length` bytes (at most 8,160) that only who has the secret can make, other ones for every `about`."""
    return HKDF(SHA256(), length, _SALT, about.encode()).derive(secret)


def public_key(private: bytes) -> bytes:
    """The X25519 public key (32 bytes) of any 32 private bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def agree(private: bytes, public: bytes, about: str) -> bytes:
    """The 32 bytes that both sides get from one's own private and the other's public key.

    Raises TrainingError for a public key of low order, which would give everybody the same.
    """
    try:
        shared = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise TrainingError("this is no public key", expected="an X25519 key that a site made", got="another") from None
    return derive(shared, about)


def mask(seed: bytes, length: int) -> np.ndarray:
    """`length` uniform uint32 from a seed of 32 bytes that is used for nothing else."""
    stream = Cipher(ChaCha20(seed, bytes(16)), mode=None).encryptor()
    return np.frombuffer(stream.update(bytes(4 * length)), dtype="<u4")


def seal(key: bytes, data: bytes, about: str) -> bytes:
    """Encrypt for who has the key. The key is used for one message only, so the nonce may be fixed."""
    return ChaCha20Poly1305(key).encrypt(bytes(12), data, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """Raises TrainingError if this is not what was sealed with this key about this."""
    try:
        return ChaCha20Poly1305(key).decrypt(bytes(12), sealed, about.encode())
    except InvalidTag:
        raise TrainingError(
            "a sealed message was changed on its way", expected="what a site sealed for another", got="other bytes"
        ) from None
