"""Ways out: results, names, errors, prints, exit codes, sizes, and weights that hold a text.

Approved code that has read the notes, and a researcher who waits outside for anything that it lets out.
"""

# ruff: noqa: E501 - lines of code as data

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from attackers import Town, call
from attempts import Attempt, Trial, tries
from rounds import CONTRACT, Rounds, approved
from site_suite import CANARY

from fedkit.errors import ExecutionFailed
from fedkit.federation.parameters import decode

OUT = ("researcher", "refused.output", "execution.failed refused.output")
DIED = ("researcher", "execution", "execution.failed execution")

TEXT = "text = notes.train[0].text\n"

#: What is tried → (by, refused as, recorded as), lines of approved code that the findings did not see through.
WAYS: dict[str, tuple[tuple[str, str, str], str]] = {
    "returns a text as the name of a number": (OUT, TEXT + "return {**FINE, 'numbers': {text: 1.0, 'loss': 0.5}}"),
    "returns a text as the name of a tensor": (OUT, TEXT + "return {**FINE, 'tensors': {text: FINE['tensors']['w']}}"),
    "returns a text as a number": (OUT, TEXT + "return {**FINE, 'numbers': {'notes': text, 'loss': 0.5}}"),
    "returns a text as one very large number": (
        OUT,
        TEXT + "n = 0\nfor c in text: n = n * 256 + ord(c)\nreturn {**FINE, 'numbers': {'notes': n, 'loss': 0.5}}",
    ),
    "returns a number with a text inside, by a class of its own": (
        OUT,
        TEXT + "class F(str): pass\nreturn {**FINE, 'numbers': {'notes': F(text), 'loss': 0.5}}",
    ),
    "returns a number more than was declared": (
        OUT,
        "return {**FINE, 'numbers': {'notes': 1, 'loss': 0.5, 'more': len(notes.train)}}",
    ),
    "returns a number out of its bounds": (OUT, "return {**FINE, 'numbers': {'notes': 1, 'loss': 1e9}}"),
    "returns not-a-number, which has room for a text": (OUT, "return {**FINE, 'numbers': {'notes': 1, 'loss': float('nan')}}"),
    "returns a tensor more than was declared": (
        OUT,
        "return {**FINE, 'tensors': {'w': FINE['tensors']['w'], 'v': FINE['tensors']['w']}}",
    ),
    "returns a tensor of another shape": (OUT, "return {**FINE, 'tensors': {'w': np.ones((2, 2), np.float32)}}"),
    "returns a tensor of bytes": (OUT, TEXT + "return {**FINE, 'tensors': {'w': np.frombuffer(text.encode()[:4], np.uint8)}}"),
    "returns a tensor of texts": (OUT, TEXT + "return {**FINE, 'tensors': {'w': np.array([text] * 4)}}"),
    "returns a tensor of objects": (OUT, TEXT + "return {**FINE, 'tensors': {'w': np.array([text, 1, 2, 3], object)}}"),
    "returns a text in the bits of not-a-number": (
        OUT,
        "w = np.zeros(4, np.uint32)\nw[:] = 0x7fc00000\nreturn {**FINE, 'tensors': {'w': w.view(np.float32)}}",
    ),
    "returns a text as weights that are too large for their norm": (
        OUT,
        TEXT + "return {**FINE, 'tensors': {'w': np.array([float(ord(c)) for c in text[:4]], np.float32)}}",
    ),
    "returns a table that was not declared": (OUT, TEXT + "return {**FINE, 'tables': {'t': [{'a': text}]}}"),
    "returns what it was not asked for: a text beside the result": (OUT, TEXT + "return {**FINE, 'note': text}"),
    "returns a text in the place of a result": (OUT, TEXT + "return text"),
    "returns eighty megabytes": (DIED, "return {**FINE, 'tensors': {'w': np.zeros(20_000_000, np.float32)}}"),
    "raises an error with a text in it": (DIED, TEXT + "raise ValueError(text)"),
    "raises an error whose name is a text": (DIED, (TEXT + "raise type(text, (Exception,), {})(text)")),
    "raises an error that has a text for its cause": (DIED, TEXT + "raise KeyError(text) from ValueError(text)"),
    "raises a group of errors with texts": (DIED, TEXT + "raise ExceptionGroup(text, [ValueError(text)])"),
    "prints a text, and fails": (DIED, TEXT + "print(text)\nraise ValueError"),
    "exits with a text": (DIED, (TEXT + "import sys; sys.exit(text)")),
    "exits with a code": (DIED, ("import os; os._exit(ord(notes.train[0].text[0]))")),
    "dies of a signal of its choice": (DIED, ("import os; os.kill(os.getpid(), 6)")),
    "crashes in C": (DIED, ("import ctypes; ctypes.string_at(0)")),
    "writes a reply of its own on every handle": (
        DIED,
        (
            TEXT
            + "import os\nfor h in range(1, 64):\n    try: os.write(h, text.encode() * 9)\n    except OSError: pass\nos._exit(0)"
        ),
    ),
    "closes every handle": (DIED, ("import os; os.closerange(0, 64); raise ValueError(notes.train[0].text)")),
    "fails in a line that a note chooses": (DIED, "if notes.train[0].text < 'M':\n    raise ValueError\nraise ValueError"),
}


@pytest.fixture(scope="module")
def rounds(blind: Town) -> Rounds:
    return approved(blind, {name: code for name, (_, code) in WAYS.items()})


@tries(*(Attempt(name, *says) for name, (says, _) in WAYS.items()))
def test_nothing_leaves_but_what_was_declared(trial: Trial, rounds: Rounds) -> None:
    with trial(request=rounds.digest, entry="count"):
        rounds.run(trial.attempt.name)


def test_no_file_of_the_site_holds_a_word_but_its_store_and_the_stewards_logs(blind: Town, rounds: Rounds) -> None:
    with pytest.raises(ExecutionFailed):
        rounds.run("prints a text, and fails", again=1)
    assert any(CANARY in log.text for log in blind.steward.logs(rounds.digest))
    kept = {"notes.duckdb", "logs"}
    for path in Path(blind.federation.folder).rglob("*"):
        if path.is_file() and not kept & {
            part.split(".duckdb")[0] + ".duckdb" if "duckdb" in part else part for part in path.parts
        }:
            assert CANARY.encode() not in path.read_bytes(), path.name


@tries(
    Attempt("reads what its code printed", "researcher", "refused.access", "access.refused refused.access"),
)
def test_what_was_printed_is_the_stewards(trial: Trial, blind: Town, rounds: Rounds) -> None:
    with trial(method="logs") as said:
        for user in ("researcher", "ana", "auditor", "admin"):
            said(call(blind, user, "logs", digest=rounds.digest))


SMUGGLED = "codes = [float(ord(c)) for c in notes.train[0].text[:4]]\nreturn {**FINE, 'tensors': {'w': np.array(codes, np.float32) / 10}}"


@tries(
    Attempt("asks for code that puts the letters of a note into weights", "researcher", "refused", "request.refused refused")
)
def test_the_findings_see_letters_become_weights(trial: Trial, world: Town) -> None:
    source = "import numpy as np\nFINE = {'numbers': {'notes': 1, 'loss': 0}}\n\ndef count(notes, weights, settings):\n"
    request = world.request(source + textwrap.indent(SMUGGLED, "    ") + "\n", contract=CONTRACT)
    with trial(request=request.digest):
        world.researcher.submit(request)


def test_what_holds_nothing_weights_within_their_bounds_carry_a_text(blind: Town) -> None:
    """The honest end of the list: a contract bounds names, shapes and norms, not information. Somebody has to read the code.

    docs/threat-model.md says so. The day that this fails, the line there goes.
    """
    smuggler = approved(blind, {"encodes": SMUGGLED})
    receipt = smuggler.run("encodes")
    weights = decode(blind.researcher.get(receipt.outputs))["w"]
    assert float(np.linalg.norm(weights)) <= CONTRACT.norms["w"]
    assert "".join(chr(round(float(x) * 10)) for x in weights) == CANARY[:4]
