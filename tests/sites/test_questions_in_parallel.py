"""Fifty analysts ask twenty questions each at one moment: nothing is spent twice or beyond a budget, and nobody waits for ever.

The gate of the site is real, and so are accounts, requests, signed decisions and the tables that are asked. What is left out is
the way there, PySyft's call of the approved function: it ends in `called`, which is where this begins.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from warehouse_world import CANARY, born, make_patients

from fedkit.digests import canonical, digest
from fedkit.governance.accounts import AccountCard
from fedkit.governance.decision import Decision
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.ledger.spending import amount_of
from fedkit.sites import gate
from fedkit.sites.execution import Execution
from fedkit.sites.launch import launch
from fedkit.sites.parts import SiteParts
from fedkit.sites.passwords import MADE, hashed
from fedkit.templates import TEMPLATES

ANALYSTS, QUESTIONS, RHO = 50, 20, 0.01
#: Room for 15 questions of one person, for 12 of a project, and for 400 of everybody.
POLICY = {"preset": "teaching", "rho_user": 0.15, "rho_project": 0.12, "rho_in_all": 4.0}
PROJECT, EVERYBODY = 12, 400


@dataclass
class Asking:
    parts: SiteParts
    execution: Execution
    requests: dict[str, CodeRequest]

    def call(self, user: str, number: int) -> dict[str, Any]:
        """What PySyft's call of a user's approved function ends in: a receipt, or {"refused": …}."""
        text = canonical(self.requests[user].to_json()).decode()
        call = json.dumps(["query", number, born(1900 + number, RHO).digest])
        reply: dict[str, Any] = json.loads(gate.called(self.parts.handle, text, call))
        return reply

    def spent(self, column: str) -> dict[str, float]:
        query = f"SELECT {column}, SUM(rho) FROM usage GROUP BY {column}"
        return dict(self.parts.store.database.all(query))


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Everybody has an account, a permit, an approved data request, and twenty questions planned."""
    corpus = make_patients(tmp_path_factory.mktemp("corpus"), {"north": ("nb", 60)})
    with launch("crowd", tmp_path_factory.mktemp("crowd"), corpus=corpus, policy=POLICY) as federation:
        found = next(g for g in gate._by_handle.values() if g.parts.config.folder.is_relative_to(federation.folder))
        parts, execution, password = found.parts, found.execution, hashed("a password that nobody uses", MADE)
        requests, steward = {}, federation.keys.address("steward-north")
        for number in range(ANALYSTS):
            user, address = f"analyst-{number}", f"0x{number + 1:040x}"
            parts.access.accounts.ensure(AccountCard(user, "analyst", address=address, added_by="north"), password)
            permit = DataPermit(f"permit-{number}", "to test", ("notes",), "2099-01-01")
            template = TEMPLATES["warehouse"]
            settings = {**template.settings({"questions": QUESTIONS, "rho": 1.0}), "study": str(number)}
            about: dict[str, Any] = {"title": "T", "purpose": "to test", "researcher": address, "permit": permit}
            request = requests[user] = template.request(settings, **about)
            parts.store.add_request(request, user)
            until = int(time.time()) + 3600
            made = Decision(request.digest, "north", True, QUESTIONS, until, "", parts.journal.salted(""), steward)
            signed = federation.keys.sign_decision("steward-north", made, federation.ledger.domain)
            parts.store.add_decision(signed, {"query": QUESTIONS})
            for asked in range(1, QUESTIONS + 1):
                execution.answering.questions.keep(request.digest, born(1900 + asked, RHO), user)
        yield Asking(parts, execution, requests)


def test_nothing_is_spent_twice_or_beyond_a_budget_and_everybody_is_answered_or_refused(asking: Asking) -> None:
    replies: dict[str, list[dict[str, Any]]] = {}
    start = threading.Barrier(ANALYSTS)

    def one(user: str) -> None:
        start.wait()
        replies[user] = [asking.call(user, number) for number in range(1, QUESTIONS + 1)]

    threads = [threading.Thread(target=one, args=(user,), daemon=True) for user in asking.requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert len(replies) == ANALYSTS, "somebody still waits"
    answered = {user: [r for r in mine if "refused" not in r] for user, mine in replies.items()}
    assert {len(mine) for mine in replies.values()} == {QUESTIONS}
    assert sum(map(len, answered.values())) == EVERYBODY, "what the budget has room for is given out, to the last of it"
    assert max(map(len, answered.values())) <= PROJECT
    assert {r["refused"]["code"] for mine in replies.values() for r in mine if "refused" in r} == {"refused.limit"}

    # The account: one charge an answer, of every person, project and in all.
    assert asking.spent("dataset") == {"notes": pytest.approx(EVERYBODY * RHO)}
    for column in ("user", "project", "digest"):
        assert sum(asking.spent(column).values()) == pytest.approx(EVERYBODY * RHO)
    for user, mine in answered.items():
        assert asking.spent("user").get(user, 0.0) == pytest.approx(len(mine) * RHO)

    # The journal tells of each once, and so does what is signed for the ledger, without a gap.
    rows = [row for row in asking.parts.journal.rows() if row["act"] == "question.answered"]
    calls = Counter((row["fields"]["request"], row["fields"]["round"]) for row in rows)
    assert (len(calls), set(calls.values())) == (EVERYBODY, {1})
    assert {row["fields"]["cost"] for row in rows} == {amount_of(RHO)}
    last = next(r for mine in answered.values() for r in mine)
    spends = asking.execution.spending.statements(last["request"], "query", last["round"], 0)
    assert [spend.before for spend in spends] == [n * amount_of(RHO) for n in range(EVERYBODY)]
    assert CANARY not in json.dumps(replies)


def test_everybody_was_given_the_same_answer_to_the_same_question(asking: Asking) -> None:
    """Runs after whatever was asked above; by itself it asks once and again."""
    user = next(iter(asking.requests))
    given: dict[str, set[str]] = {}
    for row in asking.parts.journal.rows():
        if row["act"] == "question.answered":
            given.setdefault(row["fields"]["question"], set()).add(row["fields"]["outputs"])
    assert all(len(outputs) == 1 for outputs in given.values()), "noise that was drawn twice could be averaged away"
    first, again = asking.call(user, 1), asking.call(user, 1)
    assert first.get("signature") == again.get("signature")
    assert digest(first.get("outputs")) == digest(again.get("outputs"))
