"""A training with noise pays for every round, at sites that run as processes: what it adds, once, never beyond the budget."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fedkit.config import FederationConfig, SiteEntry, write_config
from fedkit.digests import digest_folder
from fedkit.errors import ExecutionFailed, FedkitError, LimitReached, RequestError
from fedkit.federation.parameters import encode
from fedkit.federation.privacy.price import price
from fedkit.governance.decision import Decision, Receipt
from fedkit.governance.noise import epsilon
from fedkit.governance.policies.base import Context
from fedkit.governance.policies.privacy import PrivacyBudget
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.training_noise import TrainingNoise
from fedkit.ledger.spending import EPSILON
from fedkit.ner import tasks
from fedkit.notes.jsonl import dump_notes
from fedkit.notes.note import Note, Span
from fedkit.sites.base import Site
from fedkit.sites.launch import Federation, launch
from fedkit.study import Study
from fedkit.templates import Data, template

#: Notes to train on at each site, of so many patients and eight notes without one.
NOTES, PATIENTS = 40, 16
PLAN = {"sigma": 2.0, "clip": 1.0, "notes_per_step": 8, "steps_per_round": 2, "delta": 1e-5, "unit": "note"}
SMALL = {"kind": "hash-cnn", "d": 8, "rows": 32, "ngrams": 32, "layers": 1, "dropout": 0.0}


def cost(rounds: int, **plan: Any) -> float:
    """By hand, of a site with NOTES: what so many rounds cost together."""
    chosen = {**PLAN, **plan}
    units = NOTES if chosen["unit"] == "note" else PATIENTS + 8
    q = chosen["notes_per_step"] / units
    return price(chosen["sigma"], q, rounds * chosen["steps_per_round"], chosen["delta"])


def rho_of(limit: float) -> float:
    """The rho whose epsilon is this."""
    low, high = 0.0, limit
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon(middle) < limit else (low, middle)
    return high


#: A budget with room for six rounds and a half.
LIMIT = (cost(6) + cost(7)) / 2
TIGHT = {
    "small": {"preset": "teaching", "rho_user": rho_of(LIMIT)},
    "shared": {"preset": "teaching", "rho_in_all": rho_of(LIMIT)},
}
WIDE = {"wide": {"preset": "teaching", "noise": ["training"]}, "broad": {"preset": "teaching"}, "third": {"preset": "teaching"}}


@dataclass
class World:
    federation: Federation
    sessions: dict[tuple[str, str], Site] = field(default_factory=dict)

    def at(self, site: str, user: str = "researcher") -> Site:
        if (site, user) not in self.sessions:
            self.sessions[site, user] = self.federation.login(site, user)
        return self.sessions[site, user]

    def request(self, rounds: int = 20, source: str | None = None, **plan: Any) -> CodeRequest:
        made = template("training")
        training = {"lr": 1e-3, "privacy": {**PLAN, **plan} if plan.get("sigma", 1) else None}
        settings = made.settings({"rounds": rounds, "model": SMALL, "training": training}, Data(("DRUG",), {}))
        settings["study"] = secrets.token_hex(8)
        permit = DataPermit("permit-1", "to test", ("notes",), "2099-01-01")
        researcher = self.federation.researcher
        return made.request(settings, title="T", purpose="to test", researcher=researcher, permit=permit, source=source)

    def submitted(self, site: str, request: CodeRequest) -> CodeRequest:
        session = self.at(site)
        weights = session.put(encode(tasks.initial_parameters(request.settings)))
        for entry in request.entries:
            assert not session.rehearse(request, entry.name, weights).error
        session.submit(request)
        return request

    def approved(self, site: str, request: CodeRequest) -> CodeRequest:
        self.submitted(site, request)
        keys, steward = self.federation.keys, self.at(site, "steward")
        until, signer = int(time.time()) + 3600, keys.address(f"steward-{site}")
        made = Decision(request.digest, site, True, 20, until, "", steward.reason_digest(""), signer)
        steward.decide(keys.sign_decision(f"steward-{site}", made, self.federation.ledger.domain))
        return request

    def train(self, site: str, request: CodeRequest, round: int, session: Site | None = None) -> Receipt:
        session = session or self.at(site)
        weights = session.put(encode(tasks.initial_parameters(request.settings)))
        return session.execute(request.digest, "train_round", round, weights)

    def charged(self, site: str, request: CodeRequest) -> list[float]:
        """What each execution of the request took, as the site has it on disk."""
        file = self.federation.folder / "sites" / site / "gate.db"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT epsilon FROM usage WHERE digest = ? ORDER BY rowid", (request.digest,)).fetchall()
        return [row[0] for row in rows]

    def refusals(self, site: str, act: str, request: str, reason: str) -> int:
        rows = self.at(site, "auditor").journal()
        wanted = {"request": request, "reason": reason}
        return sum(row["act"] == act and all(row["fields"].get(k) == v for k, v in wanted.items()) for row in rows)


def folder_of(root: Path, sites: dict[str, Any]) -> tuple[Path, Path]:
    corpus, folder = root / "corpus", root / "federation"
    for site in sites:
        (corpus / site).mkdir(parents=True)
        notes = [
            Note(
                f"{site}-{n}",
                f"Zyxophon nr {n} fikk Paracet.",
                "nb",
                (Span(18 + len(str(n)), 25 + len(str(n)), "DRUG"),),
                patient=f"p{n % PATIENTS}" if n < NOTES - 8 else None if n < NOTES else "elsewhere",
            )
            for n in range(NOTES + 12)
        ]
        for split, part in (("train", notes[:NOTES]), ("dev", notes[NOTES : NOTES + 6]), ("test", notes[NOTES + 6 :])):
            (corpus / site / f"{split}.jsonl").write_bytes(dump_notes(part))
    entries = tuple(SiteEntry(site, site.title(), "nb", policy) for site, policy in sites.items())
    folder.mkdir()
    write_config(folder, FederationConfig("budgets", "notes", digest_folder(corpus, "*/*.jsonl"), entries))
    return folder, corpus


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, corpus = folder_of(tmp_path_factory.mktemp("budgets"), WIDE)
    with launch("budgets", folder, corpus=corpus, isolation="process") as federation:
        yield World(federation)


# -- what a round costs
def test_each_round_takes_what_it_adds_and_together_they_take_what_all_cost(wide: World) -> None:
    request = wide.approved("wide", wide.request())
    receipts = [wide.train("wide", request, number) for number in (1, 2, 3)]
    taken = wide.charged("wide", request)
    assert taken == pytest.approx([cost(1), cost(2) - cost(1), cost(3) - cost(2)])
    assert sum(taken) == pytest.approx(cost(3))
    assert cost(3) < 3 * cost(1)
    assert wide.train("wide", request, 2) == receipts[1], "a call that is repeated gets its old answer"
    assert wide.charged("wide", request) == taken
    spends = wide.at("wide", "auditor").spends(request.digest, "train_round", 3, 0)
    mine = [spend for spend in spends if spend.request == request.digest]
    assert [spend.amount / EPSILON for spend in mine] == pytest.approx(taken, abs=2 / EPSILON)
    assert all(spend.amount / EPSILON >= amount for spend, amount in zip(mine, taken, strict=True))


def test_by_patient_the_site_counts_its_patients(wide: World) -> None:
    request = wide.approved("wide", wide.request(unit="patient"))
    wide.train("wide", request, 1)
    assert wide.charged("wide", request) == pytest.approx([cost(1, unit="patient")])
    assert cost(1, unit="patient") > cost(1)


def test_code_that_fails_has_paid_once_for_all_its_attempts(wide: World) -> None:
    failing = tasks.SOURCE.replace(
        "    return tasks.train_round(notes, weights, settings)",
        '    if "Zyxophon" in notes.train[0].text:\n        raise ValueError(notes.train[0].text)\n'
        "    return tasks.train_round(notes, weights, settings)",
    )
    assert failing != tasks.SOURCE
    request = wide.approved("wide", wide.request(source=failing))
    for _ in range(2):
        with pytest.raises(ExecutionFailed) as failed:
            wide.train("wide", request, 1)
        assert "Zyxophon" not in failed.value.diagnostics()
    assert wide.charged("wide", request) == pytest.approx([cost(1)])


# -- the end of the budget
def racing(world: World, site: str, request: CodeRequest) -> tuple[list[Receipt], list[FedkitError]]:
    """Eight rounds at one moment, each by a session of its own: receipts and refusals."""
    done: list[Receipt] = []
    refused: list[FedkitError] = []

    def one(number: int) -> None:
        with closing(world.federation.login(site, "researcher")) as session:
            try:
                done.append(world.train(site, request, number, session))
            except FedkitError as error:
                refused.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, refused


def test_round_seven_of_twenty_is_refused_before_anything_runs_also_after_a_restart(tmp_path: Path) -> None:
    """Across a restart, notebooks and studies; and for eight calls at one moment, of which any six have room."""
    folder, corpus = folder_of(tmp_path, TIGHT)
    with launch("budgets", folder, corpus=corpus, isolation="process") as federation:
        world = World(federation)
        request = world.approved("small", world.request())
        for number in range(1, 4):
            world.train("small", request, number)
    with launch("budgets", folder, corpus=corpus, isolation="process") as federation:
        world = World(federation)
        for number in range(4, 7):
            world.train("small", request, number)
        another = world.approved("small", world.request())  # another notebook, another study: the same person's budget
        for call in (lambda: world.train("small", request, 7), lambda: world.train("small", another, 1)):
            with pytest.raises(LimitReached, match="this user's privacy budget is used up") as refused:
                call()
            assert "epsilon" in refused.value.expected
        assert sum(world.charged("small", request)) == pytest.approx(cost(6))
        assert world.charged("small", another) == []
        assert world.refusals("small", "execution.refused", request.digest, "refused.limit")
        started = [row for row in world.at("small", "auditor").journal() if row["act"] == "execution.started"]
        assert [row["fields"]["round"] for row in started] == [1, 2, 3, 4, 5, 6]
        raced = world.approved("shared", world.request())
        done, refusals = racing(world, "shared", raced)
        assert len(done) == 6, refusals
        assert {type(error) for error in refusals} == {LimitReached}
        assert all("the data set's privacy budget" in error.message for error in refusals)
        assert sum(world.charged("shared", raced)) == pytest.approx(cost(6))
        assert world.train("shared", raced, done[0].round) == done[0]


# -- what is declared is what runs
@pytest.mark.parametrize("change", [{"sigma": 9.0}, {"notes_per_step": 1}, {"steps_per_round": 1}, {"unit": "patient"}])
def test_a_price_for_another_plan_than_the_one_that_runs_is_refused_at_the_site_too(wide: World, change: Any) -> None:
    honest = wide.request()
    entries = (replace(honest.entries[0], noise=TrainingNoise(**{**honest.entries[0].noise.to_json(), **change})),)
    with pytest.raises(RequestError, match="is not the one that would run"):
        replace(honest, entries=(*entries, *honest.entries[1:]))
    forged = replace(honest)
    object.__setattr__(forged, "entries", (*entries, *honest.entries[1:]))
    with pytest.raises(RequestError, match="is not the one that would run"):
        wide.at("wide").submit(forged)
    assert wide.refusals("wide", "request.refused", forged.digest, "request") == 1


def test_noise_that_is_planned_must_be_declared_and_none_is_declared_for_free(wide: World) -> None:
    honest = wide.request()
    bare = tuple(replace(entry, noise=None) for entry in honest.entries)
    with pytest.raises(RequestError, match="does not declare"):
        replace(honest, entries=bare)
    plain = {**honest.settings, "training": {"lr": 1e-3}}
    with pytest.raises(RequestError, match="is not the one that would run"):
        replace(honest, settings=plain)
    with pytest.raises(RequestError, match="cannot declare"):
        replace(honest, entries=(honest.entries[0], replace(honest.entries[1], noise=honest.entries[0].noise)))


def test_a_site_may_ask_for_noise_in_every_training(wide: World) -> None:
    with pytest.raises(FedkitError, match="declares no privacy cost"):
        wide.at("wide").submit(wide.request(sigma=0))
    wide.submitted("broad", wide.request(sigma=0))


@pytest.mark.parametrize(
    "change", [{"sigma": 0.0}, {"sigma": float("nan")}, {"delta": 0.5}, {"delta": 0}, {"steps_per_round": 10**9}]
)
def test_noise_without_a_price_is_none(change: Any) -> None:
    with pytest.raises(RequestError, match="no such noise"):
        TrainingNoise(**{**{k: v for k, v in PLAN.items() if k != "clip"}, **change})


# -- under masks
def test_a_study_that_promises_an_epsilon_pays_it_at_every_site_under_masks_and_its_card_says_so(
    wide: World, tmp_path: Path
) -> None:
    study = Study(wide.federation, tmp_path / "study")
    try:
        settings = {"model": SMALL}
        plan = study.describe(title="T", purpose="to test", rounds=2, settings=settings, masked=True, epsilon=4, delta=1e-6)
        request = study.request()
        noise = request.entry("train_round").noise
        assert noise is not None
        assert (noise.delta, noise.unit, request.entry("evaluate").noise) == (1e-6, "note", None)
        study.rehearse()
        study.submit()
        for site in study.sites:
            study.decide(site, approved=True)
        result = study.run()
        assert [sorted(record.sites) for record in result.history] == [sorted(WIDE)] * 2
        for site in WIDE:
            assert sum(wide.charged(site, request)) == pytest.approx(plan["privacy"][site])
            assert 3.9 < plan["privacy"][site] <= 4.0
        card = (study.release() / "README.md").read_text("utf-8")
        assert "at most epsilon 4.00 at delta 1e-06" in card or "at most epsilon 3.9" in card
        assert "Not covered" in card
        assert "no differential privacy" not in card
    finally:
        study.close()


def test_a_count_and_a_training_take_of_one_budget() -> None:
    """The two meet in epsilon: what of a budget was spent on counts is not there for a training, and the other way round."""
    rule = PrivacyBudget(1.0, 0.0)
    asked: Any = SimpleNamespace(kind="training")
    spent, room = 0.25, epsilon(1.0) - epsilon(0.25)
    context = Context(asked, "", "", 1, "no", "0x", spent=spent, epsilon=room - 1e-6)
    rule.admits(context)
    with pytest.raises(LimitReached):
        rule.admits(replace(context, epsilon=room + 1e-6))
    after = replace(context, epsilon=0.0, epsilon_spent=room, cost=0.01)
    with pytest.raises(LimitReached):
        rule.admits(after)
    rule.admits(replace(after, epsilon_spent=0.0))
