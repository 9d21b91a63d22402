"""What a site keeps of questions: those that were planned, by digest and number; those that were answered, as they left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedkit.errors import DigestMismatch, RequestError
from fedkit.sites.database import Database
from fedkit.sites.gate_store import GateStore
from fedkit.sites.under_way import Key
from fedkit.sites.warehouse import questions as module
from fedkit.sites.warehouse.questions import Questions
from fedkit.sites.warehouse.released import Released, Whose
from fedkit.warehouse.predicates import Compare
from fedkit.warehouse.question import Measure, Question

REQUEST = "a" * 64


def question(year: int = 2020) -> Question:
    return Question("notes", (Measure("persons"),), Compare("year", "in", (year,)))


def key(number: int, asked: Question, request: str = REQUEST) -> Key:
    return (request, "query", number, asked.digest)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    store = GateStore(tmp_path / "gate.db")
    yield store.database
    store.close()


def charged(database: Database, call: Key) -> None:
    database.write("INSERT INTO runs VALUES (?, ?, ?, ?, 1, NULL)", *call)


def test_a_question_is_found_under_the_request_that_it_was_planned_under_and_no_other(database: Database) -> None:
    questions, asked = Questions(database), question()
    questions.keep(REQUEST, asked, "ann")
    assert questions.of(key(1, asked)) == asked
    for call in (key(1, asked, "b" * 64), key(1, question(1999))):
        with pytest.raises(DigestMismatch, match="no question with this digest was planned") as refused:
            questions.of(call)
        assert "plan" in str(refused.value.help)


def test_a_number_stands_for_one_question_and_the_same_may_be_asked_under_it_again(database: Database) -> None:
    questions, asked, other = Questions(database), question(), question(2021)
    for one in (asked, other):
        questions.keep(REQUEST, one, "ann")
    assert questions.next_number(REQUEST) == 1
    charged(database, key(1, asked))
    questions.check_number(key(1, asked))
    questions.check_number(key(2, other))
    questions.check_number(key(1, other, "b" * 64))
    with pytest.raises(RequestError, match="number 1 of this data request is another question"):
        questions.check_number(key(1, other))
    assert questions.next_number(REQUEST) == 2


@pytest.mark.parametrize("number", [-1, 0, 2**31, 2**60])
def test_a_number_that_the_ledger_does_not_have_is_none(database: Database, number: int) -> None:
    with pytest.raises(RequestError, match="not the number of a question"):
        Questions(database).check_number(key(number, question()))


def test_plans_that_were_never_asked_make_room_and_questions_that_were_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PLANNED", 3)
    questions = Questions(database)
    first = question(1950)
    questions.keep(REQUEST, first, "ann")
    charged(database, key(1, first))
    for year in range(2000, 2010):
        questions.keep(REQUEST, question(year), "ann")
    questions.keep("b" * 64, question(2000), "ann")
    kept = [year for year in range(2000, 2010) if questions.find(REQUEST, question(year).digest)]
    assert kept == [2007, 2008, 2009]
    assert questions.find(REQUEST, first.digest) == first
    assert questions.find("b" * 64, question(2000).digest) == question(2000)


def test_an_answer_leaves_again_as_it_left_the_first_time_whoever_asks(database: Database) -> None:
    released, asked = Released(database), question()
    ann, bob = Whose("notes", "ann", "p1"), Whose("notes", "bob", "p1")
    assert released.data("notes", "name") is None
    assert released.add(key(1, asked), ann, "name", asked, b"first", 1.0) == b"first"
    assert released.add(key(2, asked), ann, "name", asked, b"second", 2.0) == b"first"
    assert released.add(key(1, asked, "b" * 64), bob, "name", asked, b"third", 3.0) == b"first"
    assert released.data("notes", "name") == b"first"
    assert released.data("images", "name") is None


def test_it_is_given_again_to_the_same_person_under_the_same_permit_and_is_new_to_others(database: Database) -> None:
    released, asked = Released(database), question()
    calls = [
        (key(1, asked), Whose("notes", "ann", "p1"), False),
        (key(2, asked), Whose("notes", "ann", "p1"), True),
        (key(1, asked, "b" * 64), Whose("notes", "ann", "p2"), False),
        (key(1, asked, "c" * 64), Whose("notes", "bob", "p1"), False),
    ]
    for call, whose, before in calls:
        assert released.has(whose, "name") is before
        released.add(call, whose, "name", asked, b"data", 1.0)
        assert released.had_before(call) is before
        assert released.has(whose, "name")
    assert released.questions("notes", "ann") == [asked] * 3
    assert not released.had_before(key(9, asked))


def test_two_that_come_at_one_moment_are_given_one_answer(tmp_path: Path) -> None:
    store, asked = GateStore(tmp_path / "gate.db"), question()
    released, given = Released(store.database), []

    def one(number: int) -> None:
        whose = Whose("notes", f"user-{number}", "p1")
        given.append(released.add(key(number, asked), whose, "name", asked, bytes([number]), 1.0))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 8
    assert len(set(given)) == 1
    store.close()
