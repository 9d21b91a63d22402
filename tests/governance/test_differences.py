"""Differences by meaning: layout is no change, any other change of a single piece is one, with its lines on both sides."""

from __future__ import annotations

import ast
import copy
import io
import random
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fedkit
from fedkit.governance.differences import LONGEST, NOTHING_CHANGED, Change, changes, difference, summary, version_before
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ner.tasks import SOURCE

PACKAGE = Path(fedkit.__file__).parent

#: Real code of many styles: what the properties below are tried on.
SOURCES = {
    path.name: path.read_text("utf-8")
    for path in [
        *sorted((PACKAGE / "ner").glob("*.py")),
        *(PACKAGE / "notes" / name for name in ("note.py", "context.py", "sentences.py", "language.py")),
    ]
    if path.name != "__init__.py"
}
names = st.sampled_from(sorted(SOURCES))
seeds = st.integers(0, 10**6)

OLD = '''
import numpy as np
from torch import nn

LR = 0.1


def train(notes, weights, settings):
    """Count the words of notes that hold an x."""
    total = 0
    for note in notes.train:
        if "x" in note.text and len(note.text) > 3:
            total += np.sum([len(word) for word in note.text.split()])
    return {"tensors": {}, "numbers": {"n": total * LR}}


def other(x):
    return nn.functional.relu(x)
'''

SAME = """
from torch.nn import functional as F
import torch
import numpy

# The order of definitions and the names of local variables are nobody's business.
LR = 0.1


def other(x):
    return F.relu(x)


def train(notes, weights, settings):
    t = 0
    for k in notes.train:
        if ("x" in k.text) and (len(k.text) > 3):
            t += numpy.sum([len(w) for w in k.text.split()])
    pass
    return {
        "tensors": {},
        "numbers": {"n": t * LR},
    }
"""


def reads(found: list[Change]) -> list[tuple[str, str, str]]:
    return [(c.kind, c.where, c.sentence) for c in found]


def test_layout_docstrings_local_names_spelling_of_imports_and_order_are_no_changes() -> None:
    assert changes(OLD, SAME) == []
    assert changes(SAME, OLD) == []
    assert summary([]) == NOTHING_CHANGED


@pytest.mark.parametrize(
    ("was", "becomes", "kind", "sentence"),
    [
        ("> 3", ">= 3", "operator", "in `train`, `>` became `>=`"),
        (" and ", " or ", "operator", "in `train`, `and` became `or`"),
        ("np.sum", "np.load", "call", "in `train`, `numpy.load` is called instead of `numpy.sum`"),
        ("LR = 0.1", "LR = 0.2", "constant", "in the constant `LR`, `0.1` became `0.2`"),
        ("total * LR", "total", "expression", "in `train`, `total * LR` became `total`"),
        ("return nn", "print(x)\n    return nn", "statement", "in `other`, `print(x)` is new"),
        ("other(x)", "other(x, z=1)", "function", "in `other`, the parameters `x` became `x, z=1`"),
        ("def other(x)", "def another(x)", "function", "the function `other` is called `another` now"),
        ("LR = 0.1", "LR = 0.1\nEXTRA = 5", "constant", "the constant `EXTRA = 5` is new"),
        ("LR = 0.1", "LR = 0.1\nprint(LR)", "code", "code that runs when the source is loaded, `print(LR)`, is new"),
        ("import numpy as np", "import numpy as np\nimport random", "import", "`random` is imported"),
    ],
)
def test_each_change_is_told_once_in_a_plain_sentence(was: str, becomes: str, kind: str, sentence: str) -> None:
    found = changes(OLD, OLD.replace(was, becomes, 1))
    assert [(c.kind, c.sentence.partition(";")[0]) for c in found] == [(kind, sentence)]


def test_a_name_that_is_still_called_was_not_merely_given_another() -> None:
    old = "def f():\n    return g()\n\n\ndef g():\n    return 1\n"
    assert [c.sentence for c in changes(old, old.replace("def g", "def h"))] == [
        "the function `g` is gone",
        "the function `h` is new",
    ]


def test_a_new_function_says_what_it_calls_and_one_that_is_gone_what_it_called() -> None:
    new = OLD + "\n\ndef send(x):\n    return np.load(open(x))\n"
    (come,) = changes(OLD, new)
    assert come.sentence == "the function `send` is new; it calls `numpy.load`, `open`"
    assert come.old_lines is None
    assert come.new_lines == (21, 22)
    (gone,) = changes(new, OLD)
    assert gone.sentence == "the function `send` is gone; it called `numpy.load`, `open`"
    assert (gone.old_lines, gone.new_lines) == ((21, 22), None)


def test_lines_are_those_of_either_side() -> None:
    (change,) = changes(OLD, "# one line more\n" + OLD.replace("> 3", "> 4"))
    assert (change.old_lines, change.new_lines) == ((12, 12), (13, 13))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A = 1\nB = A\nA = 2\n", "A = 1\nA = 2\nB = A\n"),
        ("A = 1\nB = A\n", "B = A\nA = 1\n"),
        ("def f():\n    return 1\ndef f():\n    return 2\n", "def f():\n    return 2\ndef f():\n    return 1\n"),
        ("print(1)\nprint(2)\n", "print(2)\nprint(1)\n"),
        ("X = []\nX.append(1)\n", "X = [1]\n"),
        ("def f(a, b):\n    x = a\n    y = b\n    return x - y\n", "def f(a, b):\n    x = a\n    y = b\n    return y - x\n"),
        ("def f(a):\n    x = a\n    return lambda: x\n", "def f(a):\n    y = a\n    return lambda: x\n"),
        ("def f(a):\n    return a\n", "def f(b):\n    return b\n"),
        ("import numpy as np\ndef f(x):\n    return np.sum(x)\n", "import numpy as np\ndef f(np):\n    return np.sum(np)\n"),
        ("def f():\n    return 1\n", "def f():\n    return 1.0\n"),
        ("def f():\n    return True\n", "def f():\n    return 1\n"),
        ("def f(x):\n    return f'{x}'\n", "def f(x):\n    return f'{x!r}'\n"),
        ("class A:\n    def f(self):\n        return 1\n", "class A:\n    @property\n    def f(self):\n        return 1\n"),
        ("def f():\n    global x\n    x = 1\n", "def f():\n    x = 1\n"),
        ("def f(x):\n    return [x for y in x]\n", "def f(x):\n    return [y for y in x]\n"),
        ("import numpy as np\nnp = 1\ndef f():\n    return np\n", "import numpy\nnp = 1\ndef f():\n    return numpy\n"),
        ("async def f():\n    return 1\n", "def f():\n    return 1\n"),
        (
            "def f(x):\n    try:\n        g(x)\n    except A as e:\n        h(e)\n",
            "def f(x):\n    try:\n        g(x)\n    except B as e:\n        h(e)\n",
        ),
        (
            "def f(x):\n    match x:\n        case {'a': b}:\n            return b\n",
            "def f(x):\n    match x:\n        case {'a': b}:\n            return x\n",
        ),
    ],
)
def test_what_looks_the_same_and_is_not(old: str, new: str) -> None:
    assert changes(old, new)
    assert changes(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(x):\n    return [y for y in x]\n", "def f(x):\n    return [z for z in x]\n"),
        ("f = lambda a: a + 1\n", "f = lambda b: (b + 1)\n"),
        ("def f(a):\n    x = a\n    return lambda: x\n", "def f(a):\n    y = a\n    return lambda: y\n"),
        (
            "def f(a):\n    def g(b):\n        return b\n    return g(a)\n",
            "def f(a):\n    def h(b):\n        return b\n    return h(a)\n",
        ),
        ("def f(a):\n    x, y = a, 1\n    return x + y\n", "def f(a):\n    y, x = a, 1\n    return y + x\n"),
        (
            "def f(x):\n    try:\n        g(x)\n    except A as e:\n        h(e)\n",
            "def f(x):\n    try:\n        g(x)\n    except A as no:\n        h(no)\n",
        ),
        (
            "def f(x):\n    match x:\n        case {'a': b}:\n            return b\n",
            "def f(x):\n    match x:\n        case {'a': c}:\n            return c\n",
        ),
        (
            "class A:\n    def f(self):\n        return 1\n    def g(self):\n        return 2\n",
            "class A:\n    def g(self):\n        return 2\n    def f(self):\n        return 1\n",
        ),
        ('def f():\n    """Old."""\n    return "a" "b"\n', 'def f():\n    """New\n    and longer."""\n    return "ab"\n'),
        ("A = 1\nB = 2\n", "B = 2\nA = 1\n"),
    ],
)
def test_what_looks_different_and_is_not(old: str, new: str) -> None:
    assert changes(old, new) == []


# -- properties, on real code
@given(names)
def test_printing_the_tree_anew_is_no_change(name: str) -> None:
    assert changes(SOURCES[name], ast.unparse(ast.parse(SOURCES[name]))) == []


@given(names, seeds)
def test_comments_and_blank_lines_are_no_change(name: str, seed: int) -> None:
    rng = random.Random(seed)
    starts = {n.lineno for n in ast.walk(ast.parse(SOURCES[name])) if isinstance(n, ast.stmt)}
    lines = []
    for number, line in enumerate(SOURCES[name].splitlines(), 1):
        if number in starts and rng.random() < 0.2:
            lines += [rng.choice(["", "# a comment", "        # another, far to the right"])]
        lines.append(line)
    assert changes(SOURCES[name], "\n".join(lines)) == []


@settings(deadline=None)
@given(names, seeds)
def test_the_order_of_functions_is_no_change(name: str, seed: int) -> None:
    tree = ast.parse(SOURCES[name])
    defined = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    rest = [n for n in tree.body if not isinstance(n, ast.FunctionDef)]
    random.Random(seed).shuffle(defined)
    tree.body = rest + defined
    assert changes(SOURCES[name], ast.unparse(tree)) == []


def renamed(source: str, rng: random.Random) -> str | None:
    """The source with one local variable under another name, written with tokens and without fedkit's idea of scopes."""
    tree = ast.parse(source)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    function = rng.choice(functions) if functions else None
    if function is None:
        return None
    elsewhere = {n.arg for n in ast.walk(function) if isinstance(n, ast.arg | ast.keyword) and n.arg}
    elsewhere |= {n.attr for n in ast.walk(function) if isinstance(n, ast.Attribute)}
    elsewhere |= {a.asname or a.name for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
    bound = sorted({n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - elsewhere)
    used_in_strings = {n for n in bound for s in ast.walk(function) if isinstance(s, ast.JoinedStr) and n in ast.unparse(s)}
    bound = [n for n in bound if n not in used_in_strings]
    if not bound:
        return None
    name, lines = rng.choice(bound), source.splitlines(keepends=True)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.NAME and t.string == name]
    for token in reversed(tokens):
        row, at = token.start
        if function.lineno <= row <= (function.end_lineno or row):
            lines[row - 1] = lines[row - 1][:at] + "another_" + lines[row - 1][at:]
    return "".join(lines)


@settings(deadline=None)
@given(names, seeds)
def test_another_name_for_a_local_variable_is_no_change(name: str, seed: int) -> None:
    new = renamed(SOURCES[name], random.Random(seed))
    if new is not None:
        assert new != SOURCES[name]
        assert changes(SOURCES[name], new) == []


def mutants(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes of a tree that a mutation may touch: operators, constants, names that are read; no docstrings."""
    silent = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}
    for node in ast.walk(tree):
        constant = isinstance(node, ast.Constant) and type(node.value) in (int, float, str) and id(node) not in silent
        read = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if constant or read or isinstance(node, ast.BinOp | ast.Compare | ast.BoolOp):
            yield node


def mutate(node: ast.AST) -> None:
    match node:
        case ast.BinOp(op=op):
            node.op = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
        case ast.Compare(ops=[first, *rest]):
            node.ops = [ast.NotEq() if isinstance(first, ast.Eq) else ast.Eq(), *rest]
        case ast.BoolOp(op=op):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
        case ast.Constant(value=str(value)):
            node.value = value + "!"
        case ast.Constant(value=value):
            node.value = value + 1
        case ast.Name():
            node.id = "somebody_elses"


@settings(deadline=None, max_examples=100)
@given(names, seeds)
def test_any_single_mutation_is_exactly_one_change(name: str, seed: int) -> None:
    tree = ast.parse(SOURCES[name])
    new = copy.deepcopy(tree)
    candidates = list(mutants(new))
    mutate(candidates[seed % len(candidates)])
    if ast.dump(new) == ast.dump(tree):
        return
    found = changes(SOURCES[name], ast.unparse(new))
    assert len(found) == 1, reads(found)
    back = changes(ast.unparse(new), SOURCES[name])
    assert len(back) == 1, reads(back)


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_at_all_makes_it_raise_and_only_equal_texts_are_silent_if_they_do_not_parse(old: str, new: str) -> None:
    for change in changes(old, new):
        assert change.sentence
        assert Change.from_json(change.to_json()) == change


@pytest.mark.parametrize("source", ["(" * 5000 + ")" * 5000, "-" * 60_000 + "1", "x\n" * LONGEST, "\ud800", "x = 1\x00"])
def test_what_cannot_be_compared_says_so(source: str) -> None:
    assert [c.kind for c in changes("x = 1", source)] == ["source"]
    assert changes(source, source) == []


# -- requests
def request(**fields: object) -> CodeRequest:
    base = CodeRequest(
        title="Counting",
        purpose="research",
        researcher="0x" + "1" * 40,
        permit=DataPermit("p1", "research", ("notes",), "2027-01-01"),
        dataset="notes",
        source=SOURCE,
        environment="e" * 64,
        entries=(
            Entry("train_round", 12, OutputContract(tensors={"w": (4, 2)}, numbers={"loss": (0.0, 10.0)})),
            Entry("evaluate", 1, OutputContract(numbers={"tp": (0.0, 1e6)})),
        ),
        settings={"training": {"lr": 0.1, "epochs": 2}, "labels": ["DRUG"]},
    )
    return replace(base, **fields)  # type: ignore[arg-type]


def test_the_same_request_differs_in_nothing() -> None:
    assert changes(request(), request()) == []


@pytest.mark.parametrize(
    ("fields", "kind", "sentence"),
    [
        (
            {"settings": {"training": {"lr": 0.2, "epochs": 2}, "labels": ["DRUG"]}},
            "setting",
            "the setting `settings.training.lr` was 0.1, is 0.2",
        ),
        (
            {"settings": {"training": {"lr": 0.1}, "labels": ["DRUG"]}},
            "setting",
            "the setting `settings.training.epochs` is gone; it was 2",
        ),
        (
            {"settings": {"training": {"lr": 0.1, "epochs": 2}, "labels": ["DRUG", "NAME"]}},
            "setting",
            'the setting `settings.labels` was ["DRUG"], is ["DRUG", "NAME"]',
        ),
        ({"purpose": "care"}, "request", 'the request\'s `purpose` was "research", is "care"'),
        ({"environment": "f" * 64}, "request", f'the request\'s `environment` was "{"e" * 58}…, is "{"f" * 58}…'),
    ],
)
def test_what_stands_beside_the_source_is_compared_by_path(fields: dict[str, object], kind: str, sentence: str) -> None:
    assert [(c.kind, c.sentence) for c in changes(request(), request(**fields))] == [(kind, sentence)]


def test_entries_and_contracts_are_compared_by_name_whatever_their_order() -> None:
    old = request()
    assert changes(old, request(entries=old.entries[::-1])) == []
    train, evaluate = old.entries
    more = replace(train, executions=24, contract=OutputContract(tensors={"w": (4, 3)}, numbers={"loss": (0.0, 99.0)}))
    assert [c.sentence for c in changes(old, request(entries=(more, evaluate)))] == [
        "`train_round` may run 24 times, before 12",
        "what may leave: `train_round.tensors.w` was [4, 2], is [4, 3]",
        "what may leave: `train_round.numbers.loss` was [0.0, 10.0], is [0.0, 99.0]",
    ]
    assert [c.kind for c in changes(old, request(entries=(train,)))] == ["entry"]
    assert [c.sentence for c in changes(request(entries=(train,)), old)] == [
        "the entry `evaluate` is new: 1 execution, 1 number may leave by each"
    ]


def test_many_differences_of_a_kind_are_counted() -> None:
    found = changes(request(settings={}), request(settings={f"s{i}": i for i in range(20)}))
    assert len(found) == 9
    assert found[-1].sentence == "12 more differences in `settings`"


def test_a_request_is_compared_with_the_approved_one_that_it_is_most_likely_a_version_of() -> None:
    mine = request()
    latest = request(title="Another", source=SOURCE + "# other\n", researcher="0x" + "2" * 40, entries=mine.entries[:1])
    same_entries = request(title="Another", source=SOURCE + "# one more\n")
    same_title = request(source=SOURCE + "# as before\n", entries=mine.entries[:1])
    same_source = request(title="Another", settings={})
    assert version_before(mine, []) is None
    assert version_before(mine, [mine]) is None
    for number, best in enumerate([latest, same_entries, same_title, same_source], 1):
        assert version_before(mine, [latest, same_entries, same_title, same_source][:number]) is best
    assert version_before(mine, [same_title, replace(same_title, purpose="care")]) is same_title


# -- as text
def test_the_text_difference_shows_what_changed_and_nothing_for_the_same() -> None:
    assert difference(SOURCE, SOURCE) == ""
    changed = SOURCE.replace("notes, weights, settings)\n\n", "notes, weights, settings)  # changed\n\n", 1)
    text = difference(SOURCE, changed, "approved 1", "this 2")
    assert "--- approved 1" in text
    assert "+++ this 2" in text
    assert [line for line in text.splitlines() if line.startswith("+") and "# changed" in line]


@given(
    st.lists(st.sampled_from(["a = 1", "b = 2", "", "    c"]), max_size=8),
    st.lists(st.sampled_from(["a = 1", "d"]), max_size=8),
)
def test_only_equal_texts_differ_in_nothing(old: list[str], new: list[str]) -> None:
    assert (difference("\n".join(old), "\n".join(new)) == "") == ("\n".join(old).splitlines() == "\n".join(new).splitlines())
