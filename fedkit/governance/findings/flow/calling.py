"""What calls carry: the source's own functions are followed, others are known by name or taken for a model's work."""

from __future__ import annotations

import ast
import builtins

from fedkit.governance.findings.flow import leaks
from fedkit.governance.findings.flow.calls import ENCODERS, result
from fedkit.governance.findings.flow.carried import CODES, NOTHING, TEXTS, Carried, data, decides, element, over_notes, tested
from fedkit.governance.findings.flow.values import PARTS, Frame, Values, name_of, plain

_BUILTINS = frozenset(dir(builtins))

#: Methods that put what they are given into what they are called on.
_FILLS = frozenset("append extend insert add update appendleft setdefault put fill_ copy_ push".split())  # noqa: SIM905

_CALLERS = frozenset(
    {
        "map",
        "filter",
        "reduce",
        "sorted",
        "sort",
        "groupby",
        "min",
        "max",
        "partial",
        "starmap",
        "accumulate",
        "apply_along_axis",
    }
)

#: A length that was chosen by an answer, or holds one; the place of a word alone is an honest bound.
_LONG = frozenset({"branch", "code", "packed", "weighed", "scaled"})

_STRONG_OR_COUNTED = TEXTS | CODES | {"count", "test", "branch", "value", "note", "span", "tag"}


class Calling(Values):
    """Calls. `enter` follows one into a function."""

    def _call(self, node: ast.Call) -> Carried:
        name, full = name_of(node), self.code.dotted(node.func)
        called = self.value(node.func) if not isinstance(node.func, ast.Attribute) or full else self._attribute(node.func)
        given = [self.value(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        named = {k.arg or "**": self.value(k.value) for k in node.keywords if not (name == "dict" and k.arg in PARTS)}
        if name == "dict" and self.inside_entry:
            for keyword in node.keywords:
                if keyword.arg in PARTS:
                    self.gives(str(keyword.arg), keyword.value)
        local = sorted(w for w in called if w.startswith(("fn:", "class:")))
        if not isinstance(node.func, ast.Attribute):
            kinds = [self.classes.get(w[3:], {}) for w in sorted(called) if w.startswith("is:")]
            local += [methods[m] for methods in kinds for m in ("__call__", "forward") if m in methods]
        if local:
            return self._local(node, called, local, given, named)
        if name in _CALLERS:
            return self._caller(name, full, node, given, named)
        receiver = self.value(node.func.value) if isinstance(node.func, ast.Attribute) and full is None else None
        every = [*given, *named.values()]
        self._watch(node, name, full, receiver, every)
        if name in _FILLS and isinstance(node.func, ast.Attribute):
            self._fill(node.func.value, name, receiver or NOTHING, every, node.args)
        if name in ("setdefault", "pop", "get") and receiver and "grouped" in receiver:
            return element(receiver)
        own = isinstance(node.func, ast.Name) and (self.code.home(node.func, name) is not None or name not in _BUILTINS)
        bound = own and full is None
        if bound or (receiver is None and full is None and not isinstance(node.func, ast.Name)):
            whole = frozenset[str]().union(*every) | called
            return frozenset({"model"}) | (whole & {"single", "chance"}) if data(whole) else NOTHING
        found = result(name, full, receiver, every, several=len(given) > 1)
        if full and full.startswith(("random.", "numpy.random.")) and self._by_chance(full, node):
            found |= {"chance"}
        return found | {"is:Counter"} if name == "Counter" else found

    def _by_chance(self, full: str, node: ast.Call) -> bool:
        """Whether a call draws numbers that no seed in the source makes the same again."""
        library, _, name = full.rpartition(".")
        if name in ("Random", "default_rng", "RandomState", "PCG64", "MT19937", "Philox", "SFC64", "SeedSequence"):
            return not node.args and not node.keywords
        if name == "Generator":
            return False  # as repeatable as what it is given
        seeded = any(self.code.dotted(c.func) == f"{library}.seed" and c.args for c in self.code.of(ast.Call))
        return not seeded and name not in ("seed", "shuffle")

    def _local(
        self, node: ast.Call, called: Carried, local: list[str], given: list[Carried], named: dict[str, Carried]
    ) -> Carried:
        found: set[str] = set()
        for word in local:
            if word.startswith("class:"):
                kind = word[6:]
                own = frozenset({f"is:{kind}"}) | frozenset[str]().union(*given, *named.values())
                made = self.classes.get(kind, {}).get("__init__")
                found |= own | (self.enter(made, [own, *given], named)[1].get("self", NOTHING) if made else NOTHING)
                continue
            method = isinstance(node.func, ast.Attribute) and any(w.startswith("is:") for w in called)
            first = [plain(called)] if method or any(w.startswith("is:") for w in called) else []
            answer, after = self.enter(word, [*first, *given], named)
            found |= answer
            self._written_back(node, after, first)
        found |= called & {"branch", "single", "extreme", "chance"}
        return frozenset(found)

    def _written_back(self, node: ast.Call, after: Frame, first: list[Carried]) -> None:
        """What a function has put into the lists and dicts that it was given."""
        names = list(after)[len(first) :]
        for argument, name in zip(node.args, names, strict=False):
            if isinstance(argument, ast.Name) and data(after[name]) - self.value(argument):
                self.bind(argument, self.value(argument) | after[name])
        if first and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and after:
            self.bind(node.func.value, self.value(node.func.value) | next(iter(after.values())))

    def _caller(self, name: str, full: str | None, node: ast.Call, given: list[Carried], named: dict[str, Carried]) -> Carried:
        """map, sorted, reduce: a function that is handed on is called with the elements."""
        functions = [w for g in [*given, *named.values()] for w in sorted(g) if w.startswith("fn:")]
        values = [data(g) for g in [*given, *named.values()]]
        whole = frozenset[str]().union(*values)
        self.loops.append(over_notes(whole))
        try:
            answers = [self.enter(w, [element(v) for v in values if v] * 2, {})[0] for w in functions]
        finally:
            self.loops.pop()
        made = frozenset[str]().union(*answers)
        if name == "groupby":
            return element(whole) | ({"each"} if made & {"id"} else {"grouped"})
        if name in ("sorted", "sort") and made & {"test", "branch"}:
            whole |= decides(tested(made))  # the order tells
            if name == "sort" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                self.bind(node.func.value, self.value(node.func.value) | whole)
        if name in ("map", "starmap"):
            return (made if functions else whole) | ({"each"} if over_notes(whole) else NOTHING)
        if name == "reduce":
            return made | (whole & {"single"})
        if name in ("min", "max"):
            return result(name, full, None, values, several=len(given) > 1)
        return whole

    def _watch(self, node: ast.Call, name: str, full: str | None, receiver: Carried | None, given: list[Carried]) -> None:
        """Calls that are worth a word whatever becomes of their result."""
        both = frozenset[str]().union(*given) | (receiver or NOTHING)
        if name in ENCODERS and both & TEXTS and (full is None or not full.startswith("fedkit.")):
            leaks.encodes(self.seen, node, name)
        if name in ("index", "rindex", "remove") and both & TEXTS:
            self.may_fail = True
        if name == "join" and both & TEXTS and "each" in both:
            leaks.builds(self.seen, node)
        if name == "range" and both & _LONG:
            leaks.takes_long(self.seen, node)
        if name in ("zeros", "ones", "empty") and both & _LONG:
            leaks.takes_much(self.seen, node)
        fixed = [t for a in node.args[:1] if (t := self.code.text(a))]
        if fixed and "id" in both and name in ("startswith", "endswith", "match", "fullmatch", "search"):
            leaks.singles_out(self.seen, node)
        if full == "re.compile" and fixed:
            leaks.searches_somebody(self.seen, node, fixed[0])
        if (
            fixed
            and both & {"text"}
            and name in ("search", "match", "fullmatch", "findall", "finditer", "startswith", "count", "find")
        ):
            leaks.searches(self.seen, node, fixed[0])
        if full in ("datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow", "datetime.date.today"):
            self.seen.add("warn", node, "time", f"{full}: the clock; a result that depends on it cannot be computed again")

    def _fill(self, target: ast.expr, name: str, receiver: Carried, given: list[Carried], args: list[ast.expr]) -> None:
        """`target.append(x)` and the like."""
        whole = data(frozenset[str]().union(*given))
        words = set(whole)
        root, grouped = target, False
        while isinstance(root, ast.Subscript | ast.Attribute | ast.Call):
            inner = root.func if isinstance(root, ast.Call) else root.value
            keyed = (
                root.slice
                if isinstance(root, ast.Subscript)
                else root.args[0]
                if isinstance(root, ast.Call) and root.args
                else None
            )
            if keyed is not None:
                at = self.value(keyed)
                grouped = True
                words |= {"each"} if at & {"id", "note", "index"} else {"grouped", "keys"} if "text" in at else {"grouped"}
            root = inner
        if not isinstance(root, ast.Name):
            return
        if "is:Counter" in receiver and name == "update":
            words = {"count"} | ({"keys"} if whole & TEXTS else set())
        elif any(self.loops) and not grouped and whole & _STRONG_OR_COUNTED:
            words.add("each")
        if any(self.loops) and not whole:
            words.add("count")
        for condition, _ in self.conditions:
            words |= condition & {"single", "extreme", "chance"}
        self.bind(root, self.value(root) | words)
