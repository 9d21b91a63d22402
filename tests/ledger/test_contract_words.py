"""Whatever people write, none of it reaches the chain: not as text, not as the hash of a text that could be guessed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ledger_world import World

from fedkit.digests import digest, digest_bytes
from fedkit.governance.request import PURPOSES, CodeRequest, DataPermit
from fedkit.ledger.typed import name_id

#: What somebody might write where a form asks for words: names of people, numbers, other scripts, control characters.
words = st.text(min_size=6, max_size=40).filter(lambda text: text.strip() == text and len(set(text)) > 4)


def sent(world: World, since: int) -> bytes:
    """All that was sent to the chain and recorded by it after a block."""
    chain = world.ledger.chain
    blocks = [chain.block(number, full=True) for number in range(since + 1, chain.head().number + 1)]
    calls = [transaction["input"][2:] for block in blocks for transaction in block["transactions"]]
    logs = chain.logs([*world.ledger.deployment.contracts.values()], since + 1, chain.head().number)
    records = [part[2:] for log in logs for part in (*log["topics"], log["data"])]
    return bytes.fromhex("".join(calls + records))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("Kari Nordmann, 010170", "0412 345 678 call", "Ångström Øst", "implant removed", "prøve <b>tekst</b>", "research")
@given(words, words, words, words, words, st.sampled_from(PURPOSES))
def test_no_word_is_on_the_chain_nor_its_hash(
    embedded: World, title: str, purpose: str, permit: str, leave: str, reason: str, category: str
) -> None:
    since = embedded.ledger.head().number
    asked = embedded.request(title)
    request = CodeRequest(
        title, purpose, asked.researcher, DataPermit(permit, leave, ("notes",), "2090-12-31", category),
        "notes", asked.source, asked.environment, asked.entries, {"said": reason, "since": since},
    )  # fmt: skip
    embedded.submit(request)
    decision = embedded.decision(request, "norway", approved=False)
    denial = replace(decision, reason=reason, reason_digest=embedded.journals["norway"].salted(reason))
    embedded.ledger.decide(embedded.keys.sign_decision("steward-norway", denial, embedded.ledger.domain))
    held = sent(embedded, since)
    assert bytes.fromhex(request.digest) in held  # the search would find it
    assert name_id("norway") in held
    for text in (title, purpose, permit, leave, reason):
        for form in (text.encode(), text.encode("utf-16-le")):
            assert form not in held
        for guess in (digest(text), digest_bytes(text.encode()), name_id(text).hex()):
            assert bytes.fromhex(guess) not in held
