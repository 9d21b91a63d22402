"""What outlives a call or reaches beyond it: global state, changed libraries, entries that are not what they seem."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.review import Finding

_BETWEEN = "keeps something between rounds, so that one depends on those before it; notes.cache is there for that"
_MUTATORS = frozenset(
    "append extend insert pop remove clear update setdefault add discard popitem appendleft".split()  # noqa: SIM905
)
_CHANGE = "changes what the worker hands over"

#: What may be set in a library: it makes results repeatable and nothing else.
_MAY_BE_SET = ("torch.backends.",)

#: Decorators of entries that leave what is decorated as it stands there.
_PLAIN = frozenset({"torch.no_grad", "torch.inference_mode"})


def look(code: Code) -> Iterator[Finding]:
    """Rules "state", "patch", "entry" and "top level"."""
    seen = Look()
    for declared in code.of(ast.Global):
        seen.add("warn", declared, "state", f"global {', '.join(declared.names)}: {_BETWEEN}")
    for function in code.of(ast.FunctionDef, ast.AsyncFunctionDef):
        for default in [*function.args.defaults, *(d for d in function.args.kw_defaults if d is not None)]:
            if isinstance(default, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp):
                seen.add("warn", default, "state", f"a default that is shared by all calls of {function.name}: {_BETWEEN}")
    for target in code.of(ast.Attribute, ast.Subscript):
        if not isinstance(target.ctx, ast.Load):
            _set(seen, code, target)
    for call in code.of(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MUTATORS and isinstance(call.func.value, ast.Name):
            _changed(seen, code, call, call.func.value)
        elif isinstance(call.func, ast.Name) and call.func.id == "setattr" and call.args and code.dotted(call.args[0]):
            seen.add("refuse", call, "patch", f"changes {code.dotted(call.args[0])}: all code after it would run otherwise")
    _entries(seen, code)
    for statement in code.tree.body:
        if not _only_defines(statement):
            seen.add("warn", statement, "top level", "runs when the source is loaded, before any entry is called")
    yield from seen.found


def _set(seen: Look, code: Code, target: ast.Attribute | ast.Subscript) -> None:
    """`x.y = …` or `x[…] = …` (and `del`, `+=`)."""
    owner = target.value
    full = code.dotted(owner)
    if full is not None:
        if not f"{full}.".startswith(_MAY_BE_SET):
            seen.add("refuse", target, "patch", f"changes {full}: all code after it would run otherwise")
        return
    root = owner
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if not isinstance(root, ast.Name):
        return
    if isinstance(target, ast.Subscript):
        cached = isinstance(owner, ast.Attribute) and owner.attr == "cache"
        if not cached:
            _changed(seen, code, target, root)
    elif root.id == "notes" and isinstance(owner, ast.Name):
        seen.add("refuse", target, "patch", f"notes.{target.attr} is set: {_CHANGE}")
    elif isinstance(owner, ast.Name) and code.home(owner, owner.id) is code.scopes.module and _in_function(code, target):
        seen.add("warn", target, "state", f"{owner.id}.{target.attr} is set: {_BETWEEN}")


def _changed(seen: Look, code: Code, node: ast.AST, name: ast.Name) -> None:
    """A list, dict or set under a name is changed in place."""
    if name.id == "settings" and _is_parameter(code, name):
        seen.add("warn", node, "state", f"settings are changed: {_CHANGE}")
    elif code.home(name, name.id) is code.scopes.module and _in_function(code, node):
        seen.add("warn", node, "state", f"{name.id} at top level is changed: {_BETWEEN}")


def _entries(seen: Look, code: Code) -> None:
    """What is called at a site has to be what stands there under its name."""
    bound: dict[str, list[ast.AST]] = {}
    for node, scope in code.scopes.where.items():
        if scope is code.scopes.module:
            for name in _bound(node):
                bound.setdefault(name, []).append(node)
    for name, places in bound.items():
        functions = [p for p in places if isinstance(p, ast.FunctionDef)]
        if len(places) > 1 and functions:
            level = "refuse" if name in code.entry_names else "warn"
            seen.add(level, places[-1], "entry", f"{name} is bound {len(places)} times: only the last one counts")
    for name in code.entry_names:
        function = code.functions.get(name)
        for decorator in function.decorator_list if function else ():
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if code.dotted(called) not in _PLAIN:
                seen.add(
                    "warn", decorator, "entry", f"{name} is wrapped by {ast.unparse(called)[:60]}: what runs is what that gives"
                )


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    return [node.target.id] if isinstance(node, ast.NamedExpr) else []


def _is_parameter(code: Code, name: ast.Name) -> bool:
    home = code.home(name, name.id)
    return (
        home is not None
        and home.kind == "function"
        and name.id in {a.arg for a in ast.walk(home.node) if isinstance(a, ast.arg)}
    )


def _in_function(code: Code, node: ast.AST) -> bool:
    scope = code.scopes.where.get(node)
    while scope is not None and scope.kind != "function":
        scope = scope.parent
    return scope is not None


def _only_defines(statement: ast.stmt) -> bool:
    """Whether a top-level statement only imports, defines or names a value that needs no call."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        plain = {
            "frozenset",
            "set",
            "tuple",
            "dict",
            "list",
            "compile",
            "range",
            "float",
            "int",
            "enumerate",
            "zip",
            "len",
            "sorted",
            "split",
        }
        calls = [n for n in ast.walk(statement) if isinstance(n, ast.Call)]
        names = {
            c.func.id if isinstance(c.func, ast.Name) else c.func.attr if isinstance(c.func, ast.Attribute) else ""
            for c in calls
        }
        return names <= plain and not any(isinstance(n, ast.Await | ast.NamedExpr) for n in ast.walk(statement))
    return False
