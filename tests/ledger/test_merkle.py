"""The Merkle tree: RFC 6962's own vectors, and that proofs hold for the right leaf at the right place only."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fedkit.ledger import merkle

#: Test vectors of certificate-transparency (merkletree/merkle_tree_test.cc): leaves, and roots of the first n of them.
LEAVES = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

leaves = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_the_rfc(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == ROOTS[size]


def test_no_leaves_give_the_hash_of_nothing() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").hexdigest()


@given(leaves, st.data())
def test_a_proof_holds_for_its_leaf(several: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(several) - 1))
    path = merkle.proof(several, at)
    assert merkle.verify(several[at], at, len(several), path, merkle.root(several))
    assert len(path) <= (len(several) - 1).bit_length()


@given(leaves, st.binary(max_size=40), st.data())
def test_a_proof_holds_for_no_other_leaf(several: list[bytes], other: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(several) - 1))
    assume(other != several[at])
    assert not merkle.verify(other, at, len(several), merkle.proof(several, at), merkle.root(several))


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=40, unique=True), st.data())
def test_a_proof_holds_at_no_other_place(several: list[bytes], data: st.DataObject) -> None:
    at, elsewhere = data.draw(st.lists(st.integers(0, len(several) - 1), min_size=2, max_size=2, unique=True))
    assert not merkle.verify(several[at], elsewhere, len(several), merkle.proof(several, at), merkle.root(several))


@given(leaves, st.data())
def test_a_proof_with_a_bit_flipped_or_a_hash_more_or_less_fails(several: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(several) - 1))
    path, root = merkle.proof(several, at), merkle.root(several)
    assert not merkle.verify(several[at], at, len(several), [*path, "00" * 32], root)
    if path:
        assert not merkle.verify(several[at], at, len(several), path[:-1], root)
        which = data.draw(st.integers(0, len(path) - 1))
        broken = path[which][:-1] + ("0" if path[which][-1] != "0" else "1")
        assert not merkle.verify(several[at], at, len(several), [*path[:which], broken, *path[which + 1 :]], root)


@given(leaves, leaves)
def test_two_lists_share_a_root_only_if_they_are_the_same(one: list[bytes], two: list[bytes]) -> None:
    assert (merkle.root(one) == merkle.root(two)) == (one == two)


def test_an_inner_node_is_no_leaf() -> None:
    """Without domain separation, the concatenation of two hashes would verify as a leaf of a smaller tree."""
    node = merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b")
    assert merkle.root([node]) != merkle.root([b"a", b"b"])


@pytest.mark.parametrize("path", [["zz"], ["00"], [""], [None], [7]])
def test_a_malformed_proof_is_false_and_no_error(path: list) -> None:
    assert merkle.verify(b"a", 0, 2, path, merkle.root([b"a", b"b"])) is False


@pytest.mark.parametrize("at", [-1, 3])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(at: int) -> None:
    with pytest.raises(IndexError):
        merkle.proof([b"a", b"b", b"c"], at)
    assert not merkle.verify(b"a", at, 3, [], merkle.root([b"a", b"b", b"c"]))
