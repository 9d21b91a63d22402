"""What code reaches through libraries that it may import: files, the network, other processes, memory, foreign code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.review import Finding

#: Whatever they are reached through, these read or write files, load objects, or start something.
ANYWHERE = frozenset(
    {
        *("os", "sys", "subprocess", "socket", "ctypes", "pickle", "marshal", "shutil", "importlib", "builtins", "pathlib"),
        *("shelve", "tempfile", "multiprocessing", "threading", "ctypeslib", "f2py", "cpp_extension", "load_library", "urllib"),
        *("memmap", "fromfile", "tofile", "loadtxt", "savetxt", "genfromtxt", "savez", "savez_compressed", "from_file"),
        *(
            "fromregex",
            "open_memmap",
            "attrgetter",
            "methodcaller",
            "urlopen",
            "urlretrieve",
            "popen",
            "fork",
            "execv",
            "_exit",
        ),
        *("load_state_dict_from_url", "download_url_to_file", "load_inline", "push_to_hub", "save_pretrained", "sleep"),
        *(
            "settrace",
            "setprofile",
            "currentframe",
            "as_strided",
            "data_ptr",
            "vformat",
            "run_path",
            "run_module",
            "copyreg",
            "atexit",
        ),
    }
)

#: The same, but only where an import leads to it: honest objects have attributes of these names.
ON_IMPORTS = frozenset(
    {
        *(
            "load",
            "save",
            "hub",
            "jit",
            "ops",
            "classes",
            "package",
            "distributed",
            "serialization",
            "model_zoo",
            "tensorboard",
        ),
        *("io", "code", "gc", "signal", "inspect", "codecs", "warnings", "linecache", "weakref", "types", "operator"),
        *("onnx", "export", "library", "profiler", "bottleneck", "npyio", "DataSource", "distutils", "rundocs", "testing"),
        *("SystemRandom", "dump", "open", "urandom", "fx"),
    }
)

#: Whole names that honest objects and other libraries have as well.
_BY_NAME = (
    "torch.utils.benchmark",
    "torch.compile",
    "torch.utils.data.datapipes",
    "transformers.utils",
    "transformers.agents",
    "datetime.sys",
)

#: Parts of fedkit that read and write files: the worker hands over notes, and weights come and go by themselves.
_CLOSED = tuple(
    f"fedkit.{name}"
    for name in (
        *("notes.corpus", "notes.corpus_writer", "notes.store", "notes.importing", "notes.readers", "notes.writers"),
        *("notes.jsonl", "notes.resources", "notes.processing", "federation.checkpoint", "federation.rounds"),
    )
)

_WHY = "reaches files, other processes or code that nobody has reviewed"


def look(code: Code) -> Iterator[Finding]:
    """Rules "reach" and "loads"."""
    seen = Look()
    for node in code.of(ast.Attribute):
        if node.attr.lstrip("_") in ANYWHERE or node.attr in ANYWHERE:
            seen.add("refuse", node, "reach", f"{node.attr}: {_WHY}")
        if not isinstance(code.parents.get(node), ast.Attribute) and (full := code.dotted(node)):
            reaches(seen, node, full)
    for name in code.of(ast.Name):
        if isinstance(name.ctx, ast.Load) and not isinstance(code.parents.get(name), ast.Attribute):
            if code.is_module(name):
                seen.add("warn", name, "reach", f"hands on {name.id} as a whole: what is reached through it does not show")
            elif full := code.dotted(name):
                reaches(seen, name, full)
    for call in code.of(ast.Call):
        _call(seen, code, call)
    yield from seen.found


def reaches(seen: Look, node: ast.AST, full: str) -> None:
    """Rule "reach" for a dotted name that starts at an import."""
    for part in full.split(".")[1:]:
        if part in ON_IMPORTS or part.lstrip("_") in ANYWHERE or part in ANYWHERE:
            seen.add("refuse", node, "reach", f"{part}: {_WHY}")
        elif part.startswith("_") and not part.endswith("__"):
            seen.add(
                "refuse", node, "reach", f"{part}: a private part of {full.partition('.')[0]}; what it reaches is not known"
            )
    for closed in (*_BY_NAME, *_CLOSED):
        if full == closed or full.startswith(f"{closed}."):
            seen.add("refuse", node, "reach", f"{closed}: {_WHY}")


def _call(seen: Look, code: Code, call: ast.Call) -> None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    options = {k.arg: k.value for k in call.keywords if k.arg}
    trust = options.get("trust_remote_code")
    if trust is not None and not (isinstance(trust, ast.Constant) and trust.value is False):
        seen.add("refuse", call, "loads", "trust_remote_code: runs code that comes with a model")
    pickled = options.get("allow_pickle")
    if pickled is not None and not (isinstance(pickled, ast.Constant) and pickled.value is False):
        seen.add("refuse", call, "loads", "allow_pickle: runs code that comes with data")
    called = code.dotted(call.func) or ""
    if name in ("from_pretrained", "load_dataset", "snapshot_download", "hf_hub_download", "cached_file"):
        if "Embedding" not in ast.unparse(call.func):
            seen.add("warn", call, "loads", f"{name}: looks for files or the network; the worker has neither")
    elif called in ("transformers.pipeline", "transformers.Trainer", "transformers.TrainingArguments"):
        seen.add("warn", call, "loads", f"{called}: looks for files or the network, and writes; the worker has neither")
    if name in ("read", "write", "readlines", "writelines", "readline", "read_text", "write_text", "read_bytes", "write_bytes"):
        seen.add("warn", call, "reach", f"{name}: looks like a file or a socket")
    elif name in ("connect", "send", "sendall", "recv", "listen", "bind", "system", "spawn", "kill"):
        seen.add("warn", call, "reach", f"{name}: looks like a connection or another process")
