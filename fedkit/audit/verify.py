"""Verification of an evidence bundle: eighteen numbered checks, offline, trusting nobody.

The numbers and titles are those of docs/audit.md and of every report. Nothing is taken from the chain's word: an act counts by
the signature of who did it, and the rules of the contracts are applied once more here.

    report = verify(Path("runs/first/evidence"))
    print(report)                     # report.ok, report.to_json(), report.to_html()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fedkit.audit.acts import HOLDER, OPERATOR, Found, read_acts
from fedkit.audit.agreement import check_agreement, check_study, decided
from fedkit.audit.approvals import check_approvals
from fedkit.audit.averages import check_numbers, recompute
from fedkit.audit.deployments import replay_all
from fedkit.audit.evidence import Evidence, manifest, read
from fedkit.audit.journals import check_anchors, check_proofs, read_journals
from fedkit.audit.questions import check_questions
from fedkit.audit.report import Check, Finding, Report, plain
from fedkit.audit.rules import Replay
from fedkit.audit.witnesses import check_heads
from fedkit.ledger.blocks import Header
from fedkit.ledger.names import key_role
from fedkit.ledger.typed import name_id

TITLES: Mapping[int, str] = {
    1: "Manifest: every file is the one that was exported",
    2: "Chain: the blocks hash and link, and hold their transactions",
    3: "Contracts: they are fedkit's own, where the bundle says",
    4: "Records: each says what a signed call to the contracts said",
    5: "Roles: everybody had the role for what they did, at that time",
    6: "Decisions: each is signed by a steward of that site, in time, for what was asked",
    7: "Executions: each is signed by the site, under an approval and a permit that counted, of exactly that code",
    8: "Rounds: in order, from the right weights, no more than was granted",
    9: "Journals: rows are chained and hold nothing but what a journal may",
    10: "Anchors: signed by the site, without a gap, over exactly these rows",
    11: "Agreement: journals and ledger tell of the same decisions, executions, rounds and releases",
    12: "Request: code, environment, permit, decisions and numbers are those on the ledger",
    13: "Release: the model is what the last recorded round gave, and averages are averages",
    14: "Re-run: the chain, executed again, comes out the same",
    15: "Heads: every head that a site counter-signed is on this chain",
    16: "Budgets: what was spent adds up, is signed by the site, and stays below the steward's cap",
    17: "Approvals: automatic ones rest on a steward's standing approval, within its quotas; where two had to approve, two did",
    18: "Questions: each answer of the warehouse was planned and run, costs what was asked, and stays within its request",
}


def verify(bundle: Path, *, pin: str | None = None, keys: Mapping[str, str] | None = None) -> Report:
    """Check a bundle (folder or zip file).

    pin: a head that was written down before, "NUMBER:0xHASH" or "0xHASH".
    keys: site → address of its key, as the site itself tells it: no other key may have signed for it.
        Without either, a history that somebody wrote as a whole, with keys of his own making, cannot be told from a true one.
    Raises EvidenceError if it cannot be read as a bundle; everything else is a finding.
    """
    evidence = read(bundle)
    found: Found = {number: [] for number in TITLES}
    notes: dict[int, str] = {}
    check_manifest(evidence, found)  # 1
    foreign: set[int] = set()
    acts, headers = read_acts(evidence, found, pin, foreign)  # 2, 3, 4
    replay = replay_all(evidence, acts, foreign, found, notes)  # 3, 5, 6, 7, 8, 16, signatures of 10, models of 13
    check_keys(keys or {}, replay, found)  # 5
    journals, study = read_journals(evidence, replay, found)  # 9
    check_anchors(evidence, journals, study, replay, found, notes)  # 10
    check_proofs(evidence, journals, study, replay, found)  # 10
    for journal in journals.values():
        check_agreement(journal, replay, found, notes, evidence.request)  # 11, and the code of 7
    check_study(evidence, study, replay, found)  # 11
    check_request(evidence, replay, found)  # 12
    check_numbers(evidence, replay, found)  # 12
    check_release(evidence, replay, found, notes)  # 13
    again = check_run_again(evidence, headers, found, notes)  # 14
    check_heads(evidence, headers, journals, replay, found, notes)  # 15
    notes[16] = replay.spending()  # 16
    check_approvals(evidence, journals, replay, found, notes)  # 17
    check_questions(evidence, journals, replay, found, notes)  # 18
    head = f"{headers[-1].number}:{headers[-1].hash}" if headers else "none"
    notes[2] = f"{len(headers)} blocks, {len(acts)} acts; {'pinned' if pin else 'no head was given to compare with'}"
    checks = tuple(Check(n, title, tuple(found[n]), notes.get(n, ""), ran=again or n != 14) for n, title in TITLES.items())
    return Report(plain(evidence.name), plain(str(evidence.manifest["request"])), head, checks)


def check_manifest(evidence: Evidence, found: Found) -> None:
    """1: no file was changed, added or taken away since the export."""
    stated, actual = evidence.manifest["files"], manifest(evidence.files, "")["files"]
    for name in sorted(stated.keys() | actual.keys()):
        if stated.get(name) != actual.get(name):
            what = "was added" if name not in stated else "is missing" if name not in actual else "is not as it was exported"
            found[1].append(Finding(name, what, HOLDER))


def check_keys(keys: Mapping[str, str], replay: Replay, found: Found) -> None:
    """5: who signs for a site is who the site says."""
    for site, address in keys.items():
        registered = {account for role, account in replay.ever if role == key_role(site)}
        if {account.lower() for account in registered} != {address.lower()}:
            named = ", ".join(sorted(registered)) or "nobody"
            found[5].append(Finding(site, f"signs with {named} on this chain, not with {address}", f"the admin, or {OPERATOR}"))


def check_request(evidence: Evidence, replay: Replay, found: Found) -> None:
    """12: the request in the bundle, with its source, is the one that was submitted; so are the decisions."""
    request = evidence.request
    asked = replay.asked.get(bytes.fromhex(request.digest))
    if evidence.manifest["request"] != request.digest:
        found[12].append(Finding("request.json", "is not the request that the manifest names", HOLDER))
    if asked is None:
        found[12].append(Finding("request.json", "was never submitted to the ledger", f"the researcher, or {HOLDER}"))
        return
    said = {
        "codeDigest": request.code_digest,
        "environmentDigest": request.environment,
        "permit": request.permit.digest,
    }
    for name, value in said.items():
        if asked.digests[name].hex() != value:
            found[12].append(Finding("request.json", f"its {name} is not the one on the ledger", "the researcher"))
    if asked.entries != {name_id(entry.name): entry.executions for entry in request.entries}:
        found[12].append(Finding("request.json", "its entries are not those on the ledger", "the researcher"))
    if request.researcher.startswith("0x") and request.researcher != asked.researcher:
        found[12].append(
            Finding("request.json", f"names another researcher than {asked.researcher}, who submitted it", "the researcher")
        )
    on_ledger = {(evidence.names(decision["site"]), *decided(decision)) for decision, _ in replay.decisions}
    for decision in evidence.decisions:
        said_too = (decision.request, decision.rounds, decision.expires, decision.reason_digest, decision.steward)
        if (decision.site, *said_too) not in on_ledger:
            where = f"decisions.json, {decision.site}"
            found[12].append(Finding(where, "a decision that is not on the ledger", f"the researcher, or {HOLDER}"))


def check_release(evidence: Evidence, replay: Replay, found: Found, notes: dict[int, str]) -> None:
    """13: averages are computed again where weights are given. (That the model is the last aggregate, `Replay` has seen.)"""
    of_request = [model for model, _ in replay.releases if model["request"].hex() == evidence.request.digest]
    count = recompute(evidence, replay, found)
    averaged = sum(done.kind == "AVERAGED" and done.request == evidence.request.digest for done in replay.rounds)
    why = "updates are under masks" if evidence.request.secure_sum is not None else "no weights were given"
    told = f"{count} averages were computed again, of {averaged}" if count else f"{why}, so averages are the researcher's word"
    notes[13] = told if of_request else f"{told}; this request has no release yet"


def check_run_again(evidence: Evidence, headers: Sequence[Header], found: Found, notes: dict[int, str]) -> bool:
    """14: an embedded chain is executed again in memory; a node's chain, with a genesis of its own, is not (then False)."""
    if not headers or not headers[0].extra.startswith(b"fedkit"):
        notes[14] = "the chain is a node's, whose genesis is its own"
        return False
    try:
        from fedkit.ledger.evm import run_again
    except ImportError:
        notes[14] = "py-evm is not installed here"
        return False
    wrong = run_again(evidence.blocks[0].header, [(b.header, b.transactions) for b in evidence.blocks[1:]])
    if wrong:
        found[14].append(Finding("chain.json", wrong, f"{OPERATOR}, or {HOLDER}"))
    return True
