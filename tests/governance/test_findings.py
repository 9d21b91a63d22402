"""Static findings: hostile sources are refused, honest ones are not, and nothing makes the look itself fail."""

from __future__ import annotations

import ast
import copy
import json
import os
import random
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.environment import SOURCES
from fedkit.governance.findings import ALLOWED, find
from fedkit.governance.findings.code import Code
from fedkit.governance.findings.flow.statements import Flow
from fedkit.governance.findings.flow.values import TooTangled
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import Entry
from fedkit.ner.tasks import SOURCE, contracts, default_settings

HOSTILE = {
    "import os": "import",
    "import subprocess as s": "import",
    "from socket import socket": "import",
    "import ctypes": "import",
    "import pickle": "import",
    "import fedkit.sites.store": "import",
    "from fedkit import sites": "import",
    "from fedkit.sites.worker import WorkerPool": "import",
    "import syft": "import",
    "import numpy.ctypeslib": "reach",
    "from . import secrets": "import",
    "from numpy import *": "import",
    "from random import _os": "import",
    "import torchvision": "import",
    "import numpyish": "import",
    "eval('1')": "builtin",
    "e = eval\ne('1')": "builtin",
    "class A:\n    open = 1\n    def f(self):\n        return open('x')": "builtin",
    "exec(notes.train[0].text)": "builtin",
    "compile('1', '', 'eval')": "builtin",
    "__import__('os')": "object model",
    "open('/etc/passwd')": "builtin",
    "input()": "builtin",
    "globals()['__builtins__']": "builtin",
    "vars(notes)": "builtin",
    "().__class__.__bases__[0].__subclasses__()": "object model",
    "f.__globals__": "object model",
    "f.__code__": "object model",
    "notes.__dict__": "object model",
    "__builtins__": "object model",
    "__loader__": "object model",
    "getattr(notes, '__class__')": "object model",
    "getattr(notes, 'tr' + 'ain')": "object model",
    "getattr(notes, settings['name'])": "object model",
    "setattr(notes, name, 1)": "object model",
    "'{0.__class__}'.format(notes)": "object model",
    "(lambda: (yield))().gi_frame": "object model",
    "error.tb_frame": "object model",
    "frame.f_globals": "object model",
    "import numpy as np\nnp.load('x')": "reach",
    "import numpy as np\nnp.memmap('x')": "reach",
    "import numpy as np\nnp.ones(3).tofile('x')": "reach",
    "import torch\ntorch.load('x')": "reach",
    "import torch\ntorch.hub.load('x', 'y')": "reach",
    "import torch\ntorch.ops.load_library('x')": "reach",
    "import random\nrandom._os.system('true')": "reach",
    "import statistics\nstatistics.sys.modules": "reach",
    "import torch\ntorch.utils.cpp_extension.load_inline('x', 'y')": "reach",
    "import json\njson.codecs.open('x')": "reach",
    "from torch import load": "reach",
    "x = 1 # \u202e hidden": "invisible",
    "x = 1  # \u200b hidden": "invisible",
}

HONEST = {
    "the request of fedkit's own study": SOURCE,
    "a loop over notes": """
        import math
        from collections import Counter

        import numpy as np
        import torch
        from torch import nn

        RATE = 0.1


        class Model(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.linear = nn.Linear(size, 2)

            def forward(self, x):
                return self.linear(x)


        def train(notes, weights, settings):
            model = Model(4)
            counts = Counter(span.label for note in notes.train for span in note.spans)
            with torch.no_grad():
                out = model(torch.ones(1, 4)).numpy()
            open_spans = math.log(1 + sum(counts.values()))
            return {"tensors": {"w": out.astype(np.float32)}, "numbers": {"spans": open_spans}}
        """,
    "a walrus binds in the function around a comprehension": """
        def count(notes, weights, settings):
            lengths = [(input := len(note.text)) for note in notes.dev]
            return {"numbers": {"last": input * 0, "n": sum(lengths)}}
        """,
    "names that only look forbidden": """
        import re

        PATTERN = re.compile("ibux", re.I)


        def count(notes, weights, settings):
            input = weights["w"]
            ops, code = input.sum(), settings["code"]
            found = sum(bool(PATTERN.search(n.text)) for n in notes.dev)
            return {"tensors": {}, "numbers": {"n": float(ops) + len(code) + found}}
        """,
}


def rules(source: str, level: str) -> set[str]:
    return {f.rule for f in find(source) if f.level == level}


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_code_is_refused_by_the_rule_that_means_it(source: str) -> None:
    inside = "def go(notes, weights, settings):\n" + textwrap.indent(source, "    ") + "\n    return {}\n"
    for text in (source, inside) if "*" not in source else (source,):
        assert HOSTILE[source] in rules(text, "refuse"), text


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_is_not_refused(name: str) -> None:
    found = [f for f in find(textwrap.dedent(HONEST[name])) if f.level == "refuse"]
    assert found == []


def test_the_studys_own_request_gives_a_steward_nothing_to_worry_about_but_says_what_it_does() -> None:
    found = find(SOURCE)
    assert {f.level for f in found} == {"note"}
    assert any("tasks.train_round" in f.message and "notes" in f.message for f in found)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("def f(n):\n    print(n)", "print"),
        ("def f(n):\n    raise ValueError(f'no {n}')", "error text"),
        ("def f(n):\n    raise ValueError('no ' + n)", "error text"),
        ("def f(n):\n    assert n, n", "error text"),
        ("def f(n):\n    while True:\n        pass", "loop"),
        ("def f(n):\n    global x\n    x = n", "state"),
        ("x = f()", "top level"),
        ("for x in range(3):\n    y = x", "top level"),
        ("def f(n):\n    try:\n        g()\n    except:\n        return 0", "errors"),
        ("class A:\n    def __del__(self):\n        pass", "object model"),
        ("def f(n):\n    return type(n, (), {})", "object model"),
    ],
)
def test_what_may_be_honest_is_a_warning(source: str, rule: str) -> None:
    assert rule in rules(source, "warn")
    assert not rules(source, "refuse")


def test_a_plain_error_and_a_bounded_loop_are_no_warnings() -> None:
    assert not rules("def f(n):\n    for x in range(n):\n        pass\n    raise ValueError('no labels')", "warn")


def test_notes_say_which_data_is_used_and_what_comes_back() -> None:
    source = textwrap.dedent("""
        def go(notes, weights, settings):
            words = sum(len(n.text.split()) for n in notes.test)
            notes.cache["words"] = words
            return {"tensors": {"w": weights["w"]}, "numbers": {"words": words, "loss": 0.0}}
    """)
    said = {(f.line, f.message) for f in find(source) if f.level == "note"}
    assert (3, "reads the test notes") in said
    assert (3, "reads the text of notes") in said
    assert (4, "keeps things at the site between rounds") in said
    assert (5, "gives back tensors: w") in said
    assert (5, "gives back numbers: words, loss") in said


def test_findings_stand_in_order_refuse_first_with_lines_of_the_source() -> None:
    found = find("print(1)\nimport os\nimport sys\n")
    assert [(f.level, f.line) for f in found][:3] == [("refuse", 2), ("refuse", 3), ("warn", 1)]


@pytest.mark.parametrize(
    "source",
    ["def f(:", "x = 1\x00", "(" * 5000 + ")" * 5000, "-" * 60_000 + "1", "x" * 300_000, "\ud800", "if 1:\n\tx\n        y"],
    ids=["syntax", "null", "parentheses", "minus", "long", "surrogate", "tabs"],
)
def test_what_cannot_be_read_is_refused_and_raises_nothing(source: str) -> None:
    assert "refuse" in {f.level for f in find(source)}


@given(st.text(max_size=200))
def test_no_text_at_all_makes_it_raise(source: str) -> None:
    for finding in find(source):
        assert finding.level in ("refuse", "warn", "note")
        assert finding.line >= 1


def test_what_may_be_imported_of_fedkit_is_what_the_environment_digest_covers() -> None:
    own = {name.removeprefix("fedkit.") for name in ALLOWED if name.startswith("fedkit.")}
    assert own == set(SOURCES)


# -- the room that an output contract leaves
GIVES = """
def go(notes, weights, settings):
    return {"tensors": {"w": make(settings)}, "numbers": {"n": len(notes.train)}}


def trained(notes, weights, settings):
    return {"tensors": {"w": weights["w"] + 1}, "numbers": {}}


def make(settings):
    return settings
"""


def sizes(source: str, *entries: Entry) -> list[tuple[str, int, str]]:
    return [(f.level, f.line, f.message) for f in find(source, entries) if f.rule == "size"]


def test_the_room_in_the_contract_is_told_and_tensors_that_no_training_fills_are_a_warning() -> None:
    room = OutputContract(tensors={"w": (10, 100)}, max_norm=5.0)
    assert sizes(GIVES, Entry("go", 3, room)) == [
        ("warn", 2, "go gives tensors and does not take or train weights: room for a text of 4,000 letters"),
        ("note", 2, "go may give back 1,000 numbers in tensors, 3 times"),
    ]
    assert sizes(GIVES, Entry("trained", 1, room)) == [("note", 6, "trained may give back 1,000 numbers in tensors, 1 time")]
    unbounded = Entry("trained", 1, OutputContract(tensors={"w": (2,)}))
    assert ("note", 6, "trained: no bound on the norm of its tensors") in sizes(GIVES, unbounded)


def test_hundreds_of_single_numbers_are_no_summary() -> None:
    def numbers(count: int) -> OutputContract:
        return OutputContract(numbers={f"n{i}": (0.0, 1.0) for i in range(count)})

    assert sizes(GIVES, Entry("go", 1, numbers(500))) == []
    assert sizes(GIVES, Entry("go", 1, numbers(501))) == [("warn", 2, "go may give back 501 single numbers, 1 time")]


def test_the_shipped_training_with_its_own_contracts_is_nothing_to_warn_of() -> None:
    chosen = default_settings(["DRUG", "REACTION"])
    entries = tuple(Entry(name, 12, contract) for name, contract in contracts(chosen).items())
    assert {f.level for f in find(SOURCE, entries)} == {"note"}
    assert {f.rule for f in find(SOURCE, entries)} == {"fedkit", "size"}


def test_only_what_the_request_may_call_is_taken_for_an_entry() -> None:
    source = "def go(notes, weights, settings):\n    return {'numbers': {'n': max(len(n.text) for n in notes.train)}}\n"
    assert "extreme" in {f.rule for f in find(source)}
    assert "extreme" not in {f.rule for f in find(source, [Entry("other", 1, OutputContract())])}


# -- nothing makes it raise, and it stays quick
SNIPPETS = [p.read_text("utf-8") for p in sorted((Path(__file__).parent / "findings_corpus").rglob("*.py"))]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SNIPPETS), min_size=1, max_size=3), st.integers(0, 10**6))
def test_broken_pieces_of_real_snippets_make_it_raise_nothing(sources: list[str], seed: int) -> None:
    rng = random.Random(seed)
    lines = [line for source in sources for line in source.splitlines()]
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(lines))
        lines[at : at + 1] = rng.choice(
            [[], [lines[at]] * 2, [lines[rng.randrange(len(lines))]], [lines[at][: rng.randrange(40)]]]
        )
        if not lines:
            return
    assert all(f.line >= 1 and f.message for f in find("\n".join(lines)))


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(SNIPPETS), st.integers(0, 10**6))
def test_exchanged_parts_of_real_trees_make_it_raise_nothing(source: str, seed: int) -> None:
    rng = random.Random(seed)
    tree = ast.parse(source)
    places = [(n, f) for n in ast.walk(tree) for f, v in ast.iter_fields(n) if isinstance(v, ast.expr)]
    values = [getattr(n, f) for n, f in places]
    for node, field in rng.sample(places, min(3, len(places))):
        setattr(node, field, copy.deepcopy(rng.choice(values)))
    with suppress(ValueError, RecursionError):  # a tree that nobody could have written
        find(ast.unparse(tree))


TANGLED = {
    "calls that double": "\n".join(
        ["def f0(x):\n    return x"] + [f"def f{i}(x):\n    return f{i - 1}(x) + f{i - 1}([x])" for i in range(1, 60)]
    ),
    "closures that double": "def go(notes, weights, settings):\n"
    + "".join(f"    def g{i}(x, g=g{i - 1 if i else 0}):\n        return g(x) + g([x])\n" for i in range(200))
    + "    return g199(notes)",
    "loops in loops": "def go(notes, weights, settings):\n"
    + "".join(f"{'    ' * (i + 1)}for a{i} in notes.train:\n" for i in range(18))
    + "    " * 19
    + "x = a1",
    "branches": "def go(notes, weights, settings):\n"
    + "".join(f"    if notes.train[{i}].text: x{i} = x{i // 2}\n    else: x{i} = 1\n" for i in range(1200)),
    "a long sum": "x = " + " + ".join(["'a'"] * 900),
    "texts that grow": "A = '"
    + "a" * 1000
    + "'\n"
    + "x = "
    + ".replace('a', A)".join(["A"] + [""] * 9)
    + "\ny = '%99999999999s' % A",
    "wide": "x = [" + "1, " * 30_000 + "]",
    "deep classes": "".join(f"{'    ' * i}class A{i}:\n" for i in range(60)) + "    " * 60 + "pass",
    "recursion": "def go(notes, weights, settings):\n    return go(notes, go(weights, go, settings), go)",
    "a line": "x = 1; " * 14_000,
}


@pytest.mark.parametrize("name", TANGLED)
def test_what_is_made_to_be_slow_comes_to_an_end_after_a_bounded_number_of_steps(name: str) -> None:
    code = Code(TANGLED[name])
    flow = Flow(code)
    with suppress(TooTangled, RecursionError):
        flow.run()
    assert flow.steps <= Flow.MOST + 1_000
    find(TANGLED[name])


def test_what_is_too_tangled_to_follow_says_so() -> None:
    assert "flow" in rules(TANGLED["branches"], "warn")


def test_the_findings_are_the_same_in_every_process() -> None:
    """A standing approval names the warnings it was signed with, so they may not depend on how Python mixes its hashes."""
    code = "import json, sys; from fedkit.governance.findings import find; "
    code += "print(json.dumps([[[f.level, f.line, f.rule, f.message] for f in find(s)] for s in json.load(sys.stdin)]))"
    sources = json.dumps([*SNIPPETS, *TANGLED.values()])
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=sources,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


@pytest.mark.parametrize(
    "source", ["x = 0x" + "f" * 20_000, "y = range(0x" + "f" * 20_000 + ")", "x = {0x" + "f" * 9_000 + ": 1}"]
)
def test_numbers_too_long_to_print_are_no_trouble(source: str) -> None:
    assert {f.level for f in find(source)} & {"warn", "refuse"}
