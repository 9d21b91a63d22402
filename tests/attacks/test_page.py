"""The list of attempts, docs/attacks.md, and that it is complete."""

from __future__ import annotations

from attempts import FAMILIES, PAGE, Attempt, page

#: What stock PySyft 0.9.5 accepted, tried by real users against a running server, and the attempt that is about it.
ACCEPTED_BY_STOCK = {
    "the execution count is exceeded": "runs once more than was granted",
    "executing on a private object returns its data": "executes an operation on the private object",
    "logs return tracebacks and prints": "reads what others printed and the tracebacks of the server",
    "harmless code is shown, other code unlocked": "shows harmless code in a request that unlocks another function",
    "registration takes the role of an administrator": "makes an administrator",
    "sign-up can be opened": "opens sign-up for everybody",
    "the mock is overwritten": "overwrites the mock of the data set",
    "the mock is overwritten by a guest": "a stranger overwrites the mock of the data set",
    "users are looked up": "lists and looks up other users",
    "outputs are forged": "forges an entry of the output history",
    "outputs of others are read by the id of their code": "reads others' output history by code id",
    "twenty megabytes are uploaded without a name": "uploads twenty megabytes to PySyft",
    "a stranger uploads": "a stranger uploads an object",
    "approved code reads the node's key": "reads the key of its site",
    "policies are skipped where all arguments are one's own": "gives a handle of its own in the place of the data set",
    "code runs while a message is opened": "runs a program by a typing alias",
    "a signed message carries another one": "sends a signed message that carries another one, which PySyft obeys",
}


def attempts() -> list[Attempt]:
    page()
    return [attempt for family in FAMILIES.values() for attempt in family]


def test_the_page_lists_what_is_tried_and_nothing_else() -> None:
    assert PAGE.read_text("utf-8") == page(), "python tools/make_attacks_page.py"


def test_every_attempt_that_stock_pysyft_accepts_is_tried() -> None:
    names = {attempt.name for attempt in attempts()}
    assert set(ACCEPTED_BY_STOCK.values()) <= names


def test_each_of_those_who_could_try_does_and_many_things_are_tried() -> None:
    made = attempts()
    assert {attempt.by for attempt in made} >= {
        "researcher",
        "guest",
        "analyst",
        "steward",
        "admin",
        "auditor",
        "anybody",
        "relay",
    }
    assert len({(attempt.name, attempt.by) for attempt in made}) == len(made)
    assert len(made) >= 200
    recorded = [attempt for attempt in made if not attempt.recorded.startswith("no row: ")]
    assert len(recorded) > 0.95 * len(made)
