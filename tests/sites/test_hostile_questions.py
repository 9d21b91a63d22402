"""Hostile SQL and hostile questions sent straight to a site, past the caller's side: none runs, each is journalled.

The site is a process of its own with its own tables, and who asks is a researcher with an approved data request.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from site_suite import World
from warehouse_world import CANARY, Warehouse, counted, make_patients, of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "warehouse"))
from hostile_corpus import hostile
from hostile_questions import HOSTILE, put

from fedkit.errors import FedkitError, OutputRefused
from fedkit.governance.request import CodeRequest
from fedkit.sites.launch import launch
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import Group, Question

#: Every second one, so that each place of a question gets many and the site is not busy for minutes.
STATEMENTS = [text for _, text in hostile() if len(text) < 20_000][::2]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    corpus, folder = make_patients(tmp_path_factory.mktemp("corpus")), tmp_path_factory.mktemp("hostile")
    with launch("hostile", folder, corpus=corpus, isolation="process", policy={"preset": "teaching"}) as federation:
        yield World(federation)


@pytest.fixture(scope="module")
def ask(world: World) -> Warehouse:
    return of(world)


@pytest.fixture
def request_(ask: Warehouse) -> CodeRequest:
    return ask.request(questions=1000)


def sent(ask: Warehouse, request: CodeRequest, question: Any) -> FedkitError | None:
    """The site's refusal of something in the place of a question; None if it made a plan of it."""
    try:
        ask.session._call("plan", digest=request.digest, question=question)  # type: ignore[attr-defined]
    except FedkitError as error:
        return error
    return None


def test_no_hostile_statement_is_planned_wherever_it_stands(world: World, ask: Warehouse, request_: CodeRequest) -> None:
    assert len(STATEMENTS) >= 150
    for number, text in enumerate(STATEMENTS):
        refusal = sent(ask, request_, put(text, number))
        assert refusal is not None, f"planned: {text[:80]}"
        assert refusal.code == "request", f"{refusal.code}: {text[:80]}"
        assert CANARY not in refusal.diagnostics()
    assert len(world.rows("question.refused", request=request_.digest)) == len(STATEMENTS)
    assert not world.rows("question.planned", request=request_.digest)
    assert not world.rows("execution.started", request=request_.digest)


def test_no_hostile_question_is_planned(world: World, ask: Warehouse, request_: CodeRequest) -> None:
    for question in HOSTILE:
        refusal = sent(ask, request_, question)
        assert refusal is not None, f"planned: {json.dumps(question)[:200]}"
        assert refusal.code == "request", f"{refusal.code}: {json.dumps(question)[:200]}"
        assert CANARY not in refusal.diagnostics()
    assert len(world.rows("question.refused", request=request_.digest)) == len(HOSTILE)
    assert not world.rows("question.planned", request=request_.digest)


def test_sql_in_the_place_of_a_word_is_a_word(ask: Warehouse, request_: CodeRequest) -> None:
    """A department may be called anything: what is typed there is compared, and found at nobody's."""
    words = [w for w in dict.fromkeys(STATEMENTS) if len(w) <= 64 and w.isprintable() and w == w.strip()][:60]
    words += [
        "x' OR '1'='1",
        "') OR 1=1 --",
        "x'; DROP TABLE person; --",
        "\\' OR 1=1 --",
        "'' OR ''=''",
        '" OR 1=1',
        "%",
        "_",
        "$1",
        "?",
    ]
    everybody = ask.ask(request_, 1, counted())
    odd = Compare("department", "in", tuple(words))
    try:
        rows = ask.ask(request_, 2, Question("notes", counted().measures, odd, (Group("department", values=tuple(words)),)))
    except OutputRefused:  # a site may say that a group of nobody is not shown
        rows = []
    assert rows == []
    again = ask.ask(ask.request(questions=2), 1, counted(Compare("birth_year", ">=", (1900,))))
    assert again == everybody != []
