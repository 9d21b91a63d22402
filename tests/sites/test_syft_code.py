"""A request as a PySyft function: PySyft's record is complete in itself, and the gate runs what the record holds."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from fedkit.digests import canonical
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.sites import syft_code


def request(text: str) -> CodeRequest:
    return CodeRequest(
        title=f"Title {text}",
        purpose="to test",
        researcher="0x" + "1" * 40,
        permit=DataPermit("p", "to test", ("notes",), "2099-01-01"),
        dataset="notes",
        source=f"def count(notes, weights, settings):\n    return {text!r}\n",
        environment="0" * 64,
        entries=(Entry("count", 1, OutputContract(numbers={"n": (0, 1)})),),
        settings={"text": text, "rate": 0.1, "whole": 1.0},
    )


@given(st.text(max_size=30))
def test_whoever_has_the_code_can_recompute_the_digest(text: str) -> None:
    asked = request(text)
    code = syft_code.source(asked, "north")
    assert code.isascii()
    function = ast.parse(code).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert [a.arg for a in function.args.args] == list(syft_code.ARGUMENTS)
    strings = [n.value for n in ast.walk(function) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert canonical(asked.to_json()).decode() in strings
    assert asked.digest in {syft_code.digest_of(s) for s in strings}
    assert function.name == syft_code.function_name(asked.digest)


def test_the_same_request_is_the_same_code_and_another_is_not() -> None:
    assert syft_code.source(request("a"), "north") == syft_code.source(request("a"), "north")
    assert syft_code.source(request("a"), "north") != syft_code.source(request("b"), "north")


def test_on_the_mock_asset_the_function_returns_without_a_gate() -> None:
    asked = request("a")
    space: dict[str, object] = {}
    exec(syft_code.source(asked, "north"), space)
    function = space[syft_code.function_name(asked.digest)]
    assert callable(function)
    assert function(syft_code.mock_handle("north", "notes"), '["count",1,"' + "0" * 64 + '"]') == "mock"
    assert "refused.access" in function("fedkit:north:notes:guessed", '["count",1,"' + "0" * 64 + '"]')
