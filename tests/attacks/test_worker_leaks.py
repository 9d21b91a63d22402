"""Approved code that tries to carry a note's text out: in results, names, errors, or by writing to the pipes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from worker_world import SECRET, go, pool, store

from fedkit.errors import ExecutionFailed, FedkitError, OutputRefused
from fedkit.governance.output_contract import OutputContract
from fedkit.sites.worker import WorkerPool

__all__ = ["pool", "store"]  # fixtures

CONTRACT = OutputContract(tensors={"w": (4,)}, numbers={"loss": (0.0, 10.0)})
HEAD = """
import json, os, struct, threading
import numpy as np

def text(notes):
    return notes.train[0].text

def reply(header, body=b"", lengths=None):
    data = json.dumps(header).encode()
    head = struct.pack(">QQ", *(lengths or (len(data), len(body)))) + data + body
    for handle in range(3, 64):
        try:
            os.write(handle, head)
        except OSError:
            pass
"""


def leaves(pool: WorkerPool, store: Path, body: str, *, view: str = "private") -> str:
    """Everything that a site would hand on of this call: the checked result, or the error, as text."""
    try:
        result = go(pool, store, body, head=HEAD, view=view)
        CONTRACT.check(result.tensors, result.numbers)
    except FedkitError as error:
        return str(error.to_json()) + repr(error.__cause__) + ("" if error.__suppress_context__ else repr(error.__context__))
    return repr(result.tensors) + repr(result.numbers) + repr(result)


def test_an_honest_result_does_leave(pool: WorkerPool, store: Path) -> None:
    body = 'return {"tensors": {"w": np.ones(4, np.float32)}, "numbers": {"loss": 0.5}}'
    assert "0.5" in leaves(pool, store, body)


@pytest.mark.parametrize(
    "body",
    [
        'return {"numbers": {text(notes): 1.0}}',
        'return {"tensors": {text(notes): np.ones(4, np.float32)}}',
        'return {"numbers": {"loss": text(notes)}}',
        'return {"numbers": {"loss": [text(notes)]}}',
        'return {"numbers": {"loss": int.from_bytes(text(notes).encode(), "big")}}',
        'class F(float):\n    __repr__ = __str__ = lambda self: TEXT\nTEXT = text(notes)\nreturn {"numbers": {"loss": F(1.0)}}',
        'return {"tensors": {"w": np.array([text(notes)], object)}}',
        'return {"tensors": {"w": np.array([text(notes)])}}',
        'return {"tensors": {"w": np.frombuffer(text(notes).encode()[:16], np.uint8)}}',
        'return {"tensors": {"w": np.zeros(4, np.dtype([(text(notes), np.float32)]))}}',
        'return {"tensors": {"w": np.array(text(notes).encode()[:16])}}',
        'return {"tensors": {"w": np.ones(4, np.float64)}}',
        'return {"tensors": {"w": np.array(1, np.float32)}}',
        'return {"tensors": {"w": np.ones(4, np.float32).view(np.recarray)}, "numbers": {"loss": 1.0}, "text": text(notes)}',
        "w = np.zeros(4, np.uint32)\nw[:] = 0x7fc00000 | np.frombuffer(text(notes).encode()[:16], np.uint32) & 0x3fffff\n"
        'return {"tensors": {"w": w.view(np.float32)}, "numbers": {"loss": 1.0}}',
        "print(text(notes))\nraise ValueError(text(notes))",
        "class E(Exception): pass\nE.__name__ = E.__qualname__ = text(notes)\nraise E",
        'E = type(text(notes), (Exception,), {"__module__": "builtins"})\nraise E',
        'E = type(text(notes), (Exception,), {"__module__": "fedkit.errors"})\nraise E',
        "try:\n    raise ValueError(text(notes))\nexcept ValueError as e:\n    raise KeyError(text(notes)) from e",
        "raise ExceptionGroup(text(notes), [ValueError(text(notes))])",
        'exec(compile("\\n" * 3 + "raise ValueError", text(notes), "exec"))',
    ],
)
def test_no_text_leaves_in_a_result_or_an_error(pool: WorkerPool, store: Path, body: str) -> None:
    out = leaves(pool, store, body)
    for word in SECRET.split():
        assert word not in out


def test_not_a_number_is_refused_since_it_has_room_for_text(pool: WorkerPool, store: Path) -> None:
    result = go(pool, store, 'return {"tensors": {"w": np.full(4, np.nan, np.float32)}}', head=HEAD)
    with pytest.raises(OutputRefused, match="NaN"):
        OutputContract(tensors={"w": (4,)}).check(result.tensors, result.numbers)


def test_a_subclass_of_a_number_or_an_array_arrives_as_a_plain_one(pool: WorkerPool, store: Path) -> None:
    body = """
        class F(float):
            text = "Kari"
        class A(np.ndarray):
            pass
        array = np.ones(4, np.float32).view(A)
        array.text = text(notes)
        return {"tensors": {"w": array}, "numbers": {"loss": F(1)}}
    """
    result = go(pool, store, body, head=HEAD)
    assert type(result.tensors["w"]) is np.ndarray
    assert type(result.numbers["loss"]) is float


# -- the code talks to the pipe itself
@pytest.mark.parametrize(
    "body",
    [
        'reply({"call": 1, "failed": "error", "name": text(notes), "line": text(notes), "message": text(notes)})',
        'reply({"call": 1, "failed": "error", "name": "ValueError", "line": 10 ** 9, "message": text(notes)})',
        'reply({"call": 1, "failed": text(notes)})',
        'reply({"call": 1, "failed": "result", "message": text(notes)})',
        'reply({"call": 1, "failed": "memory", "name": text(notes), "message": text(notes)})',
        'reply({"call": 1, "numbers": {text(notes): 1}})',
        'reply({"call": 1, "numbers": {"loss": text(notes)}})',
        'reply({"call": 1, "numbers": text(notes)})',
        'reply({"call": text(notes), "numbers": {}})',
        'reply({"call": 2, "numbers": {}})',
        "reply([text(notes)])",
        'reply({"call": 1, "numbers": {}}, text(notes).encode())',
        'reply({"call": 1, "numbers": {}}, b"\\x80\\x04\\x95" + text(notes).encode())',
        "for handle in range(3, 64):\n    try: os.write(handle, text(notes).encode() * 100)\n    except OSError: pass",
        "os.closerange(3, 64)",
        "os.closerange(0, 64)",
        "os.dup2(1, 3); os.dup2(1, 4); os.dup2(1, 5)",
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\nraise ValueError(text(notes))",
        "import sys\nsys.stdout = sys.stderr = None\nraise ValueError(text(notes))",
        "import sys\nsys.exit(text(notes))",
        "import json\njson.dumps = lambda *a, **k: text(notes)\nreturn {}",
    ],
)
def test_scribbling_on_the_pipe_carries_no_text_and_ends_in_a_named_error(pool: WorkerPool, store: Path, body: str) -> None:
    out = leaves(pool, store, f"{body}\nreturn {{'numbers': {{'loss': 1.0}}}}" if "return" not in body else body)
    for word in SECRET.split():
        assert word not in out
    assert "'code'" in out


def test_a_length_that_lies_takes_no_memory_and_no_time(pool: WorkerPool, store: Path) -> None:
    for lengths in ("(2**63, 0)", "(10, 2**63)", "(2**64 - 1, 2**64 - 1)"):
        with pytest.raises(ExecutionFailed, match="form"):
            go(pool, store, f'reply({{}}, lengths={lengths})\nreturn {{"numbers": {{}}}}', head=HEAD)


def test_a_reply_made_ahead_does_not_answer_the_next_round(pool: WorkerPool, store: Path) -> None:
    """It would be the code's own word either way; but a round must not be answered before it ran."""
    body = 'if settings["round"] == 1: reply({"call": 1, "numbers": {"n": 1}}); reply({"call": 1, "numbers": {"n": 1}})\n'
    body += 'return {"numbers": {"n": 2}}'
    assert go(pool, store, body, head=HEAD, key="ahead", settings={"round": 1}).numbers == {"n": 1}
    with pytest.raises(ExecutionFailed, match="form"):
        go(pool, store, body, head=HEAD, key="ahead", settings={"round": 2})


def test_nothing_of_pickle_is_on_either_side() -> None:
    """An import of pickle (or of what unpickles) in these modules would be a way for code to run in the site's server."""
    import ast

    import fedkit.sites as sites

    folder = Path(next(iter(sites.__path__)))
    for name in ("worker", "forks", "exchange", "frames", "inside", "zygote"):
        tree = ast.parse((folder / f"{name}.py").read_text("utf-8"))
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
        modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert not {"pickle", "marshal", "shelve", "multiprocessing", "joblib"} & (imported | modules)
