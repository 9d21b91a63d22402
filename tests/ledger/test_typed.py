"""Signed statements: the same bytes as eth-account and the contracts make, and no change to a statement goes unseen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import World

from fedkit.errors import LedgerError
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.delegation import Delegation
from fedkit.governance.standing import StandingApproval
from fedkit.ledger import spending, standing, typed
from fedkit.ledger.contracts import contract
from fedkit.ledger.spending import Budget, Spend
from fedkit.ledger.typed import LedgerDomain

KEY = bytes.fromhex("4c" * 32)
WHO = typed.address_of(KEY)

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
names = st.text(min_size=1, max_size=20).filter(lambda t: t.isprintable())
domains = st.builds(LedgerDomain, st.integers(1, 2**63), st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()))
decisions = st.builds(
    Decision, digests, names, st.booleans(), st.integers(0, 2**32 - 1), st.integers(0, 2**53), st.text(), digests, st.just(WHO)
)
receipts = st.builds(
    Receipt, digests, names, names, st.integers(0, 2**32 - 1), digests, digests, st.just({"loss": 0.5}), digests
)
anchors = st.fixed_dictionaries({"stream": names, "from": st.integers(1, 2**53), "to": st.integers(1, 2**53), "root": digests})


def by_eth_account(kind: str, message: dict[str, Any], domain: LedgerDomain, signature: str) -> str:
    about = {"name": "fedkit", "version": "1", "chainId": domain.chain_id, "verifyingContract": domain.contract}
    types = {kind: [{"name": name, "type": solidity} for name, solidity in typed.TYPES[kind]]}
    return str(Account.recover_message(encode_typed_data(about, types, message), signature=signature))


@given(decisions, domains)
def test_decisions_are_signed_as_the_standard_says(decision: Decision, domain: LedgerDomain) -> None:
    signed = typed.sign_decision(decision, KEY, domain)
    assert by_eth_account("Decision", typed.decision_message(signed), domain, signed.signature) == WHO
    assert typed.recover_decision(signed, domain) == WHO


@given(receipts, domains)
def test_receipts_are_signed_as_the_standard_says(receipt: Receipt, domain: LedgerDomain) -> None:
    signed = typed.sign_receipt(receipt, KEY, domain)
    assert by_eth_account("Receipt", typed.receipt_message(signed), domain, signed.signature) == WHO
    assert typed.recover_receipt(signed, domain) == WHO


@given(anchors, domains)
def test_anchors_are_signed_as_the_standard_says(anchor: dict[str, Any], domain: LedgerDomain) -> None:
    signed = typed.sign_anchor(anchor, KEY, domain)
    assert by_eth_account("Anchor", typed.anchor_message(signed), domain, signed["signature"]) == WHO
    assert typed.recover_anchor(signed, domain) == WHO


@given(st.builds(Budget, names, names, st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.just(WHO)), domains)
def test_budgets_are_signed_as_the_standard_says(budget: Budget, domain: LedgerDomain) -> None:
    signed = spending.sign_budget(budget, KEY, domain)
    assert by_eth_account("Budget", spending.budget_message(signed), domain, signed.signature) == WHO
    assert spending.recover_budget(signed, domain) == WHO


@given(
    st.builds(Spend, digests, names, names, st.integers(0, 2**32 - 1), *[st.integers(0, 2**64 - 1)] * 2),
    domains,
)
def test_spending_is_signed_as_the_standard_says(spend: Spend, domain: LedgerDomain) -> None:
    signed = spending.sign_spend(spend, KEY, domain)
    assert by_eth_account("Spend", spending.spend_message(signed), domain, signed.signature) == WHO
    assert spending.recover_spend(signed, domain) == WHO


@given(decisions, decisions, domains)
def test_a_signature_counts_for_its_own_decision_only(one: Decision, other: Decision, domain: LedgerDomain) -> None:
    signed = typed.sign_decision(one, KEY, domain)
    moved = replace(other, signature=signed.signature)
    same = typed.decision_message(one) == typed.decision_message(other)
    assert (typed.recover_decision(moved, domain) == WHO) == same


@given(decisions, domains, domains)
def test_a_signature_counts_on_its_own_chain_and_contract_only(
    decision: Decision, one: LedgerDomain, other: LedgerDomain
) -> None:
    signed = typed.sign_decision(decision, KEY, one)
    assert (typed.recover_decision(signed, other) == WHO) == (one == other)


@given(decisions, domains, st.text())
def test_the_reason_is_not_signed_its_digest_is(decision: Decision, domain: LedgerDomain, reason: str) -> None:
    signed = typed.sign_decision(decision, KEY, domain)
    assert typed.recover_decision(replace(signed, reason=reason), domain) == WHO


@given(st.text(max_size=140))
def test_what_is_no_signature_is_an_error_that_repeats_nothing(text: str) -> None:
    with pytest.raises(LedgerError) as caught:
        typed.recover_hash(b"\1" * 32, text)
    assert len(text) < 20 or text not in caught.value.diagnostics()


def flip(signature: str, at: int) -> str:
    raw = bytearray.fromhex(signature[2:])
    raw[at] ^= 1
    return "0x" + raw.hex()


@given(decisions, st.integers(0, 64))
def test_a_flipped_bit_in_a_signature_shows(decision: Decision, at: int) -> None:
    domain = LedgerDomain(7, "0x" + "11" * 20)
    signed = typed.sign_decision(decision, KEY, domain)
    with suppress(LedgerError):  # no signature at all any more
        assert typed.recover_decision(replace(signed, signature=flip(signed.signature, at)), domain) != WHO


def test_a_steward_signs_only_as_oneself() -> None:
    decision = Decision("ab" * 32, "norway", True, 1, 2**31, "", "cd" * 32, "0x" + "22" * 20)
    with pytest.raises(LedgerError, match="not the steward's"):
        typed.sign_decision(decision, KEY, LedgerDomain(1, "0x" + "11" * 20))


@pytest.mark.parametrize("bad", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_digest_must_be_one(bad: str) -> None:
    decision = Decision(bad, "norway", True, 1, 2**31, "", "cd" * 32, WHO)
    with pytest.raises(LedgerError, match="not a digest"):
        typed.sign_decision(decision, KEY, LedgerDomain(1, "0x" + "11" * 20))


@pytest.mark.parametrize("change", [{"rounds": -1}, {"rounds": 2**32}, {"expires": 2**64}, {"approved": "yes"}])
def test_a_value_out_of_range_is_an_error(change: dict[str, Any]) -> None:
    decision = replace(Decision("ab" * 32, "norway", True, 1, 2**31, "", "cd" * 32, WHO), **change)
    with pytest.raises(LedgerError):
        typed.sign_decision(decision, KEY, LedgerDomain(1, "0x" + "11" * 20))


TYPE_OF: dict[str, tuple[str, str]] = {
    "Decision": ("Requests", "DECISION"),
    "Receipt": ("Rounds", "RECEIPT"),
    "Anchor": ("Rounds", "ANCHOR"),
    "Budget": ("Rounds", "BUDGET"),
    "Spend": ("Rounds", "SPEND"),
}


def test_the_contracts_have_the_same_types(embedded: World) -> None:
    for kind, (name, constant) in TYPE_OF.items():
        fields = ",".join(f"{solidity} {field}" for field, solidity in typed.TYPES[kind])
        assert embedded.ledger._ask(name, constant) == keccak(text=f"{kind}({fields})")
    no_contract_asks = {"Catalogue", "Delegation", "Head", "Standing", "SumKeys"}  # signed for auditors, and for sites
    assert set(typed.TYPES) - set(TYPE_OF) == no_contract_asks


def test_the_contracts_have_the_same_domain_and_roles(embedded: World) -> None:
    from fedkit.ledger.names import ROLES, key_role, steward_role

    ask: Callable[..., Any] = embedded.ledger._ask
    _, name, version, chain_id, address, _, _ = ask("Registry", "eip712Domain")
    domain = embedded.ledger.domain
    assert (name, version, chain_id, address.lower()) == ("fedkit", "1", domain.chain_id, domain.contract.lower())
    for role in ("researcher", "auditor", "authority"):
        assert ask("Registry", role.upper()) == ROLES[role]
    assert ask("Registry", "DEFAULT_ADMIN_ROLE") == ROLES["admin"]
    assert ask("Registry", "stewardOf", typed.name_id("norway")) == steward_role("norway")
    assert ask("Registry", "keyOf", typed.name_id("norway")) == key_role("norway")


def test_every_contract_error_reads_as_its_name() -> None:
    from eth_abi import encode

    from fedkit.ledger.contracts import NAMES, read_error

    samples = {
        "bytes32": b"\1" * 32,
        "address": "0x" + "11" * 20,
        "uint64": 3,
        "uint32": 3,
        "uint8": 3,
        "uint256": 3,
        "string": "x",
    }
    for name in NAMES:
        for part in contract(name).errors.values():
            data = part.key + encode(part.types, [samples[kind] for kind in part.types])
            assert read_error(data).startswith(f"{part.name}(")
    assert read_error(b"") == "no reason"
    assert "0xdeadbeef" in read_error(b"\xde\xad\xbe\xef")


standings = st.builds(
    lambda site, code, requests, expires: StandingApproval(
        *("What stands", site, code, code, "notes", code, {}, {}, (), ("research",), (), (), {"run": 1}),
        *(requests, 1, 1, 0, expires, WHO),
    ),
    names,
    digests,
    st.integers(1, 2**31 - 1),
    st.integers(1, 2**53 - 1),
)
delegations = st.builds(Delegation, names, st.just(WHO), st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex()),
    st.integers(0, 2**53))  # fmt: skip


@given(standings, domains)
def test_standing_approvals_are_signed_as_the_standard_says(approval: StandingApproval, domain: LedgerDomain) -> None:
    signed = standing.sign_standing(approval, KEY, domain)
    assert by_eth_account("Standing", standing.standing_message(signed), domain, signed.signature) == WHO
    assert standing.recover_standing(signed, domain) == WHO


@given(delegations, domains)
def test_delegations_are_signed_as_the_standard_says(delegation: Delegation, domain: LedgerDomain) -> None:
    signed = standing.sign_delegation(delegation, KEY, domain)
    assert by_eth_account("Delegation", standing.delegation_message(signed), domain, signed.signature) == WHO
    assert standing.recover_delegation(signed, domain) == WHO


@given(standings)
def test_who_is_not_named_signs_no_standing_approval(approval: StandingApproval) -> None:
    with pytest.raises(LedgerError, match="not the steward's"):
        standing.sign_standing(replace(approval, steward="0x" + "99" * 20), KEY, LedgerDomain(1, "0x" + "11" * 20))
