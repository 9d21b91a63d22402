"""A request's kind bounds what its contracts may hold, and stands in no digest where it is the default."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedkit.errors import RequestError
from fedkit.governance.kinds import KINDS, QUERY, check_weights
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.table_contract import Count, TableContract

WEIGHTS = OutputContract({"w": (2, 3)}, {"loss": (0.0, 10.0)})
NUMBERS = OutputContract(numbers={"loss": (0.0, 10.0)})

TRAINING = CodeRequest(
    "Implants",
    "Find implants before an MRI",
    "0x" + "1" * 40,
    DataPermit("permit-1", "Find implants before an MRI", ("notes",), "2027-01-31"),
    "notes",
    "def train_round(notes, weights, settings):\n    return {}\n",
    "e" * 64,
    (Entry("train_round", 3, WEIGHTS),),
    {"rounds": 3, "labels": ["DRUG"]},
)


def with_contract(kind: str, contract: OutputContract) -> CodeRequest:
    return replace(TRAINING, kind=kind, entries=(Entry("train_round", 1, contract),))


def test_a_training_request_keeps_the_digest_it_had_before_there_were_kinds() -> None:
    assert TRAINING.digest == "084e059d16c56218dae0a3b261c3ce3452ffb72518f324d3dfa71f31f570205c"
    assert "kind" not in TRAINING.to_json()


def test_a_request_written_down_before_there_were_kinds_is_a_training() -> None:
    row = TRAINING.to_json()
    assert CodeRequest.from_json(row) == TRAINING
    assert CodeRequest.from_json(row).kind == "training"


def test_another_kind_is_another_request_and_survives_the_wire() -> None:
    evaluation = with_contract("evaluation", NUMBERS)
    assert evaluation.digest != with_contract("training", NUMBERS).digest
    assert CodeRequest.from_json(evaluation.to_json()) == evaluation


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"training"}))
def test_weights_come_out_of_a_training_only(kind: str) -> None:
    with pytest.raises(RequestError, match=f"more than a request of kind {kind} may") as caught:
        with_contract(kind, WEIGHTS)
    assert "tensors" in caught.value.got
    assert caught.value.help


@pytest.mark.parametrize("kind", ["count", "table"])
def test_a_bare_number_is_no_count_for_no_disclosure_rule_is_about_it(kind: str) -> None:
    with pytest.raises(RequestError) as caught:
        with_contract(kind, NUMBERS)
    assert (caught.value.expected, caught.value.got) == ("tables only", "numbers")


def test_a_kind_that_is_none_is_named() -> None:
    with pytest.raises(RequestError, match="no such kind") as caught:
        with_contract("harmless", NUMBERS)
    assert "analysis" in caught.value.expected


@pytest.mark.parametrize(("kind", "takes"), [(name, kind.weights) for name, kind in KINDS.items() if not kind.questions])
def test_only_training_and_evaluation_are_given_weights(kind: str, takes: bool) -> None:
    assert takes == (kind in ("training", "evaluation"))
    check_weights(kind, given=False)
    if takes:
        check_weights(kind, given=True)
    else:
        with pytest.raises(RequestError, match="takes no weights"):
            check_weights(kind, given=True)


def test_an_execution_that_answers_a_question_is_given_one() -> None:
    assert [name for name, kind in KINDS.items() if kind.questions] == [QUERY]
    check_weights(QUERY, given=True)
    with pytest.raises(RequestError, match="answers questions") as refused:
        check_weights(QUERY, given=False)
    assert "plan" in str(refused.value.help)


@pytest.mark.parametrize("contract", [NUMBERS, WEIGHTS, OutputContract(tables={"t": TableContract({"n": Count()})})])
def test_what_leaves_in_answer_to_a_question_is_declared_by_the_question_alone(contract: OutputContract) -> None:
    with pytest.raises(RequestError, match="more than a request of kind query") as refused:
        with_contract(QUERY, contract)
    assert refused.value.expected == "what each question declares"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def train_round(notes, weights, settings:\n    pass\n", "does not parse"),
        ("x = \0", "does not parse"),
        ("(" * 5000 + ")" * 5000, "does not parse"),
        ("def other(notes, weights, settings):\n    return {}\n", "train_round is no entry"),
        ("def train_round(notes):\n    return {}\n", "train_round is no entry"),
        ("if True:\n    def train_round(notes, weights, settings):\n        return {}\n", "train_round is no entry"),
    ],
)
def test_source_that_no_site_could_run_is_named_with_the_way_on(source: str, says: str) -> None:
    with pytest.raises(RequestError, match=says) as caught:
        replace(TRAINING, source=source)
    assert caught.value.expected
    assert caught.value.got
    assert caught.value.help


@pytest.mark.parametrize("value", [float("nan"), b"bytes", {1, 2}, 2**60, object()])
def test_settings_that_are_no_json_are_refused_when_the_request_is_made(value: object) -> None:
    with pytest.raises(RequestError, match="no plain JSON"):
        replace(TRAINING, settings={"value": value})
