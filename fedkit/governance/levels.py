"""Who may call what at a site: six levels and the calls of the `Site` seam, each with its reason.

Not a ladder: duties are kept apart. Who asks does not decide, who decides does not run, who audits does neither, and the
site's admin, who could read the disk anyway, has no say in what is approved and no results.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fedkit.errors import AccessRefused
from fedkit.governance.kinds import AGGREGATES

#: What a user may be at a site, and what that is for.
ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "guest": "has an account and looks at the catalogue",
        "analyst": "asks for counts, tables and answers of the data warehouse, and runs what was approved",
        "researcher": "asks for anything, and runs what was approved",
        "steward": "reviews and decides",
        "auditor": "reads the journal and lets it be anchored",
        "admin": "keeps the accounts, and has no say in requests",
    }
)
LEVELS = tuple(ABOUT)

#: Levels that ask and run; the others look on, decide, or keep the site.
ASKING = ("analyst", "researcher")

_EVERYBODY = {
    "info": "who the site is and what confines approved code there",
    "catalogue": "counts and labels of the data sets, no text",
    "published_catalogue": "what the data warehouse holds, as everybody may see it without an account",
    "change_password": "one's own password, by who knows the old one",
}

_ASKING = {
    **_EVERYBODY,
    "mock_notes": "synthetic notes, to write code against",
    "rehearse": "run code on the mock twin before a steward spends time on it",
    "submit": "ask",
    "withdraw": "take back one's own request while it waits",
    "state": "where one's own request stands",
    "decision": "the signed decision on one's own request, for the ledger",
    "requests": "one's own requests",
    "get": "what left by a receipt of one's own request",
    "execute": "run what was approved",
    "plan": "what a question to the data warehouse would cost, and which rule would refuse it, before it is asked",
    "admit": "the rules before a run, so that a refusal has a name",
    "outcome": "the receipt of a run",
    "progress": "whether one's own request runs now, and since when",
    "cancel": "end one's own runs",
    "sum_keys": "a site's masking keys, to bring them to the other sites",
    "sum_shares": "everybody's keys to a site; what it seals for the others comes back",
    "sum_take": "what other sites sealed for this one",
    "sum_open": "the shares that open the sum of a round, and no single site's part",
}

#: level → call → why. What is not here is refused. "execute" is what a session does; "admit" and "outcome" are its two halves
#: at the site, before and after PySyft.
CALLS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "guest": MappingProxyType(_EVERYBODY),
        "analyst": MappingProxyType(_ASKING),
        "researcher": MappingProxyType(
            {
                **_ASKING,
                "put": "weights for one's own rounds",
            }
        ),
        "auditor": MappingProxyType(
            {
                **_EVERYBODY,
                "accounts": "who may do what here, since when and until when",
                "requests": "what was asked, and where it stands",
                "state": "the same of one request",
                "decision": "the signed decision on a request",
                "standings": "what automatic decisions rest on",
                "journal": "every act at the site, digests and counts",
                "anchor": "close a batch, so that the ledger holds what the journal says",
                "spends": "what executions took of the privacy budget, signed for the ledger",
                "head": "which head of the chain the site has signed",
                "sign_head": "let the site witness where the chain stands",
            }
        ),
        "steward": MappingProxyType(
            {
                **_EVERYBODY,
                "mock_notes": "what a rehearsal ran on",
                "requests": "what waits for a decision",
                "state": "the same of one request",
                "review": "source, findings, difference, rehearsals",
                "reason_digest": "what stands for a reason in the signed decision",
                "decide": "approve or deny, by one's own signature",
                "progress": "whether a request runs now, and since when",
                "cancel": "end the runs of a request at one's own site",
                "logs": "what approved code printed, to find out why it failed; private text may be in it",
                "decision": "the signed decision on a request",
                "offer_standing": "approve beforehand what is like a request that was reviewed, by one's own signature",
                "standings": "what stands approved, and what is used of it",
                "withdraw_standing": "end a standing approval, one's own or a colleague's",
                "assign": "say whose turn it is",
                "reminders": "what has waited too long",
                "draft_catalogue": "what the catalogue of the data warehouse would say, before it is signed",
                "publish_catalogue": "show the catalogue to everybody, by one's own signature",
                "delegate": "let a colleague act for oneself for a time, by one's own signature",
                "alike": "what waits, in groups that need one look",
                "review_batch": "several reviews at once",
                "journal": "what became of one's decisions",
                "anchor": "close a batch, as an auditor may",
                "spends": "what executions took of the budget whose cap a steward signs",
                "head": "which head of the chain the site has signed",
                "sign_head": "let the site witness where the chain stands",
            }
        ),
        "admin": MappingProxyType(
            {
                **_EVERYBODY,
                "accounts": "who may do what here, since when and until when",
                "add_account": "a person of their own, with one level",
                "progress": "whether something runs, before the site is closed",
                "change_account": "name, level, ledger address or end of an account; not one's own level",
                "revoke_account": "whoever leaves, from the next call on; not the last admin",
                "reset_password": "a one-time password for whoever forgot theirs; their sessions end",
                "requests": "what goes on at the site",
                "state": "the same of one request",
                "journal": "every act at the site",
                "anchor": "close a batch before the site is moved or backed up",
                "spends": "what executions took of the privacy budget, signed for the ledger",
                "head": "which head of the chain the site has signed",
                "sign_head": "let the site witness where the chain stands",
            }
        ),
    }
)

#: (level, call) → why not, where somebody would expect otherwise.
REASONS_AGAINST: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("steward", "submit"): "who decides does not ask",
        ("steward", "rehearse"): "who decides does not ask",
        ("steward", "execute"): "who decides does not run",
        ("steward", "admit"): "who decides does not run",
        ("steward", "plan"): "who decides does not ask",
        ("auditor", "plan"): "who audits asks nothing",
        ("admin", "plan"): "running a site gives no results",
        ("guest", "plan"): "an account alone is no leave to ask",
        ("researcher", "decide"): "who asks does not decide",
        ("researcher", "review"): "who asks does not review",
        ("researcher", "offer_standing"): "who asks does not decide",
        ("auditor", "offer_standing"): "who audits decides nothing",
        ("admin", "offer_standing"): "running a site gives no say in what is approved",
        ("researcher", "journal"): "the journal shows what others ask for",
        ("analyst", "put"): "counts and tables take no weights",
        ("analyst", "decide"): "who asks does not decide",
        ("analyst", "review"): "who asks does not review",
        ("analyst", "journal"): "the journal shows what others ask for",
        ("auditor", "decide"): "who audits decides nothing",
        ("auditor", "execute"): "who audits runs nothing",
        ("auditor", "mock_notes"): "an audit needs digests, no notes",
        ("researcher", "logs"): "what code printed may hold private text; the rehearsal shows its whole traceback",
        ("analyst", "logs"): "what code printed may hold private text; the rehearsal shows its whole traceback",
        ("auditor", "logs"): "what code printed may hold private text; an audit needs digests",
        ("admin", "logs"): "what code printed may hold private text; running a site gives no results",
        ("auditor", "cancel"): "who audits ends nothing",
        ("admin", "decide"): "running a site gives no say in what is approved",
        ("admin", "execute"): "running a site gives no results",
        ("admin", "get"): "running a site gives no results",
        ("steward", "add_account"): "who decides does not choose who may ask",
    }
)


def check_asks(level: str, kind: str) -> None:
    """Raises AccessRefused unless a user of that level may ask for, and run, requests of that kind (`governance.kinds`).

    Asked when a request is submitted and again when it runs, since a person's level may change in between.
    """
    if level == "analyst" and kind not in AGGREGATES:
        raise AccessRefused(
            f"an analyst asks for counts and tables, not for a request of kind {kind}",
            expected=f"a request of kind {' or '.join(sorted(AGGREGATES))}",
            got=kind,
            help="use the templates for counts, tables and the warehouse, or ask the site's admin for a researcher's account",
        )


#: Calls whose names are no verbs, as they are told in a refusal.
_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "accounts": "see accounts",
        "alike": "see requests that are alike",
        "decision": "see a decision",
        "head": "see the head of the chain",
        "journal": "read the journal",
        "logs": "read logs",
        "mock_notes": "read mock notes",
        "progress": "see progress",
        "reason_digest": "make a reason's digest",
        "reminders": "see reminders",
        "requests": "see requests",
        "spends": "see what was spent",
        "standings": "see standing approvals",
        "state": "see where a request stands",
    }
)


def may(level: str, call: str) -> bool:
    """Whether a user of that level may make that call. False for levels and calls that do not exist."""
    return call in CALLS.get(level, {})


def check_level(level: str, call: str) -> None:
    """Raises AccessRefused, with the reason, unless a user of that level may make that call."""
    if may(level, call):
        return
    allowed = sorted(name for name, calls in CALLS.items() if call in calls)
    if not allowed:
        raise AccessRefused("a site has no such call", expected=f"one of {sorted(CALLS['researcher'])}", got="another name")
    why = REASONS_AGAINST.get((level, call), "it is not of this level's duties")
    raise AccessRefused(
        f"a {level} may not {_IN_WORDS.get(call, call.replace('_', ' '))}: {why}"
        if level in CALLS
        else "an unknown level may do nothing",
        expected=" or ".join(allowed),
        got=level if level in CALLS else "another word",
        help="log in with an account of that level",
    )
