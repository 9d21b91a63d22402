"""Counter-signed heads: a site signs only what goes on from the head it signed last, so nobody can show it two chains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rlp
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from fedkit.errors import LedgerError
from fedkit.ledger import heads, typed
from fedkit.ledger.heads import SignedHead
from fedkit.ledger.typed import LedgerDomain

KEY = bytes.fromhex("4c" * 32)
DOMAIN = LedgerDomain(7, "0x" + "11" * 20)

signed_heads = st.builds(
    SignedHead,
    st.text(min_size=1, max_size=20),
    st.integers(0, 2**53),
    st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex()),
    st.integers(0, 2**53),
)


def chain(length: int, *, first: int = 0, parent: bytes = bytes(32), salt: bytes = b"") -> list[bytes]:
    """Headers that follow each other; another salt gives another chain."""
    headers = []
    for number in range(first, first + length):
        numbers = [n.to_bytes(8).lstrip(b"\0") for n in (number, 1000 + number)]
        fields = [parent, *[b""] * 7, numbers[0], b"", b"", numbers[1], salt, *[b""] * 2]
        headers.append(rlp.encode(fields))
        parent = keccak(headers[-1])
    return headers


def head_of(raw: bytes) -> SignedHead:
    header = heads.newest([raw], None)
    return SignedHead("norway", header.number, header.hash, header.time)


@given(signed_heads, st.sampled_from(["site", "number", "hash", "time"]))
def test_a_signature_is_for_this_head_of_this_deployment_only(head: SignedHead, name: str) -> None:
    signed = heads.sign_head(head, KEY, DOMAIN)
    me = typed.address_of(KEY)
    assert heads.recover_head(signed, DOMAIN) == me
    assert heads.recover_head(signed, LedgerDomain(8, DOMAIN.contract)) != me
    other = {"site": head.site + "x", "number": head.number + 1, "hash": "0x" + "ab" * 32, "time": head.time + 1}[name]
    if other != getattr(head, name):
        assert heads.recover_head(replace(signed, **{name: other}), DOMAIN) != me


@given(signed_heads)
def test_a_head_comes_back_from_json(head: SignedHead) -> None:
    assert SignedHead.from_json(head.to_json()) == head


def test_what_follows_the_last_head_is_accepted() -> None:
    headers = chain(6)
    last = head_of(headers[2])
    for piece in (headers[2:], headers[3:], headers[2:3]):
        assert heads.newest(piece, last).hash == "0x" + keccak(piece[-1]).hex()


def test_a_chain_that_was_set_back_or_replaced_is_refused() -> None:
    headers = chain(6)
    last = head_of(headers[4])
    other = chain(8, salt=b"another")
    branch = headers[:3] + chain(4, first=3, parent=keccak(headers[2]), salt=b"branch")
    gap = headers[:5] + chain(1, first=7, parent=keccak(headers[4]))
    for shown in (headers[:4], headers[2:4], other, other[5:], branch[3:], branch[5:], gap[5:]):
        with pytest.raises(LedgerError, match="does not go on") as refused:
            heads.newest(shown, last)
        assert "auditor" in refused.value.help


@pytest.mark.parametrize("at", [1, 2, 3])
def test_headers_with_a_gap_are_no_chain(at: int) -> None:
    headers = chain(5)
    with pytest.raises(LedgerError, match="not the headers of one chain"):
        heads.newest([*headers[:at], *headers[at + 1 :]], None)


@pytest.mark.parametrize("raw", [[], [b""], [b"not a header"], [rlp.encode([b""] * 3)]])
def test_what_is_no_header_is_named(raw: list[bytes]) -> None:
    with pytest.raises(LedgerError, match="no head to sign"):
        heads.newest(raw, None)


def test_a_hash_that_is_none_cannot_be_signed() -> None:
    with pytest.raises(LedgerError, match="not the hash of a block"):
        heads.sign_head(SignedHead("norway", 1, "0xzz", 1), KEY, DOMAIN)
