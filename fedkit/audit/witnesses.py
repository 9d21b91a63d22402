"""Check 15: the heads of the chain that sites counter-signed. Whoever runs a chain can rewrite it, but not what others signed.

The heads stand in heads.json and in the journals, in rows that are anchored themselves; each must be a block of this chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fedkit.audit.acts import HOLDER, OPERATOR, Found
from fedkit.audit.evidence import Evidence
from fedkit.audit.journals import CLOCKS, Kept, count_of, seconds_of
from fedkit.audit.report import Finding
from fedkit.audit.rules import Replay, site_stream
from fedkit.errors import LedgerError
from fedkit.ledger.blocks import Header
from fedkit.ledger.heads import SignedHead, recover_head
from fedkit.ledger.names import key_role
from fedkit.ledger.typed import LedgerDomain


def check_heads(
    evidence: Evidence,
    headers: Sequence[Header],
    journals: Mapping[str, Kept],
    replay: Replay,
    found: Found,
    notes: dict[int, str],
) -> None:
    """15: each head that a site signed is a block of this chain, and each site that ran the request signed one after its
    last anchor."""
    chain = {header.number: header for header in headers}
    newest: dict[str, int] = {}
    count = 0
    for head, where, who in _heads(evidence, journals):
        count += 1
        signers = [_signer(head, deployment.domain) for deployment in evidence.deployments]
        if not any((key_role(head.site), signer) in replay.ever for signer in signers):
            what = f"the head of block {head.number} is signed by {signers[-1]}, which is no key of {head.site}"
            found[15].append(Finding(where, what, who))
            continue
        block = chain.get(head.number)
        if block is None:
            what = f"{head.site} saw block {head.number}, and this chain ends before it: it was set back"
            found[15].append(Finding(where, what, OPERATOR))
        elif (block.hash, block.time) != (head.hash, head.time):
            what = f"{head.site} saw another block {head.number} than this chain has: rewritten, or two chains were shown"
            found[15].append(Finding(where, what, OPERATOR))
        newest[head.site] = max(newest.get(head.site, 0), head.number)
    for kept in journals.values():
        _check_clock(kept, chain, found)
    _check_fresh(evidence, replay, newest, found)
    notes[15] = f"{count} heads, signed by {len(newest)} sites"


def _heads(evidence: Evidence, journals: Mapping[str, Kept]) -> Iterator[tuple[SignedHead, str, str]]:
    """Every signed head, where it stands, and who could have changed it."""
    for head in evidence.heads:
        yield head, f"heads.json, {head.site}", HOLDER
    for site, kept in journals.items():
        for row in kept.of("head.signed"):
            f = row["fields"]
            number, time = count_of(f.get("number")), count_of(f.get("time"))
            head = SignedHead(site, number, f"0x{f.get('block')}", time, str(f.get("signature")))
            yield head, f"{site}, row {row.get('seq')}", kept.keeper


def _signer(head: SignedHead, domain: LedgerDomain) -> str:
    try:
        return recover_head(head, domain)
    except LedgerError:
        return "nobody"


def _check_fresh(evidence: Evidence, replay: Replay, newest: Mapping[str, int], found: Found) -> None:
    """Without a head after a site's last anchor, nobody could see that the chain was set back to there."""
    anchored = {anchor.stream: anchor.block for _, anchor in replay.anchors}
    ran = {evidence.names(ran.site) for ran in replay.executions if ran.request == evidence.request.digest}
    for site in sorted(ran):
        block = anchored.get(site_stream(site), 0)
        if newest.get(site, -1) < block:
            what = f"has signed no head since its journal was anchored in block {block}"
            found[15].append(Finding(site, what, f"the researcher, or {HOLDER}"))


def _check_clock(kept: Kept, chain: Mapping[int, Header], found: Found) -> None:
    """A site signs a head after its block was made; where its clock says otherwise, its times prove little."""
    for row in kept.of("head.signed"):
        block = chain.get(count_of(row["fields"].get("number")))
        made = block.clock if block is not None else None
        if made is not None and (late := made - seconds_of(row.get("time"))) > CLOCKS:
            what = f"signed a head {late / 60:.0f} minutes before its block was made: one of the clocks is wrong"
            who = f"the clock of {kept.name}, or of {OPERATOR}"
            found[15].append(Finding(f"{kept.name}, row {row.get('seq')}", what, who))
