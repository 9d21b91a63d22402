"""The primitives against the vectors of their RFCs, through the functions that the protocol uses where they fit the vector."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fedkit.errors import TrainingError
from fedkit.federation.secure_aggregation import agreement

ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
SHARED = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def test_rfc_7748_section_6_1() -> None:
    assert agreement.public_key(ALICE) == ALICE_PUBLIC
    assert agreement.public_key(BOB) == BOB_PUBLIC
    assert X25519PrivateKey.from_private_bytes(ALICE).exchange(X25519PublicKey.from_public_bytes(BOB_PUBLIC)) == SHARED
    assert agreement.agree(ALICE, BOB_PUBLIC, "x") == agreement.agree(BOB, ALICE_PUBLIC, "x") == agreement.derive(SHARED, "x")


def test_rfc_7748_section_5_2_a_thousand_times() -> None:
    scalar = point = (9).to_bytes(32, "little")
    for _ in range(1000):
        made = X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(point))
        scalar, point = made, scalar
    assert scalar.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


@pytest.mark.parametrize(
    "low", ["00" * 32, "01" + "00" * 31, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"]
)
def test_a_public_key_of_low_order_is_refused(low: str) -> None:
    with pytest.raises(TrainingError, match="no public key"):
        agreement.agree(ALICE, bytes.fromhex(low), "x")


def test_rfc_5869_appendix_a_1() -> None:
    made = HKDF(SHA256(), 42, bytes(range(13)), bytes(range(0xF0, 0xFA))).derive(b"\x0b" * 22)
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_rfc_8439_appendix_a_1_is_what_a_mask_is_made_of() -> None:
    stream = agreement.mask(bytes(32), 16).tobytes()
    assert stream.hex() == (
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    )


def test_rfc_8439_section_2_3_2() -> None:
    nonce = bytes.fromhex("01000000000000090000004a00000000")
    stream = Cipher(ChaCha20(bytes(range(32)), nonce), mode=None).encryptor().update(bytes(64))
    assert stream.hex() == (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )


def test_rfc_8439_section_2_8_2() -> None:
    text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    about, nonce = bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), bytes.fromhex("070000004041424344454647")
    sealed = ChaCha20Poly1305(bytes(range(0x80, 0xA0))).encrypt(nonce, text, about)
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"


def test_what_was_sealed_opens_for_the_same_key_and_words_only() -> None:
    sealed = agreement.seal(ALICE, b"shares", "no to se")
    assert agreement.unseal(ALICE, sealed, "no to se") == b"shares"
    for key, data, about in ((BOB, sealed, "no to se"), (ALICE, sealed[:-1] + b"\0", "no to se"), (ALICE, sealed, "no to fi")):
        with pytest.raises(TrainingError, match="changed on its way"):
            agreement.unseal(key, data, about)
