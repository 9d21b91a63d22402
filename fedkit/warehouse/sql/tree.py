"""Taking a parsed tree apart by default deny: every node has to be of an expected class and hold nothing but expected parts.

A part that a rule does not name and that is there is refused, whatever it is; so is what a later sqlglot may add to a node.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sqlglot import exp

from fedkit.errors import RequestError
from fedkit.warehouse.suggestions import shown

#: What sqlglot notes on a node beside what was typed, and what changes nothing of its meaning here.
_NOTES = {"big_int"}


def only(node: Any, kind: type[Any], *parts: str) -> Any:
    """The node, if it is exactly of this class and holds nothing but these parts. Raises RequestError."""
    if type(node) is not kind:
        refuse(node, f"{kind.__name__.upper()}")
    for name, part in node.args.items():
        if name not in parts and name not in _NOTES and part not in (None, False, []):
            raise RequestError(f"{name} has no place in a question", expected="one SELECT of figures from one view", got=name)
    return node


def refuse(node: Any, expected: str) -> NoReturn:
    """Raises RequestError: what is at this place is not what can be there."""
    got = node.key.upper() if isinstance(node, exp.Expression) else type(node).__name__
    if isinstance(node, exp.Anonymous):
        got = f"the function {shown(node.name)}"
    raise RequestError(f"{got} has no place here", expected=expected, got=got)


def identifier(node: Any) -> str:
    """A name: of a view, a column. Lower and upper case are alike, as in SQL, unless it is in double quotes."""
    found = only(node, exp.Identifier, "this", "quoted")
    if not isinstance(found.this, str) or not found.this.isascii():
        raise RequestError("not a name", expected="letters, digits and _", got=shown(found.this))
    return found.this if found.args.get("quoted") else found.this.lower()


def column(node: Any) -> str:
    """The name of a column, with nothing in front of it."""
    return identifier(only(node, exp.Column, "this").this)


def is_column(node: Any) -> bool:
    return type(node) is exp.Column


def unwrapped(node: Any) -> Any:
    """What is inside brackets."""
    while type(node) is exp.Paren:
        node = only(node, exp.Paren, "this").this
    return node


def constant(node: Any) -> str | int | float:
    """A string or a number, perhaps with a minus, perhaps with DATE in front of the string."""
    node = unwrapped(node)
    if type(node) is exp.Neg:
        inner = constant(only(node, exp.Neg, "this").this)
        if isinstance(inner, str):
            refuse(node, "a number")
        return -inner
    if type(node) is exp.Cast:
        return _date(node)
    if type(node) is exp.Boolean:
        return "yes" if only(node, exp.Boolean, "this").this else "no"
    found = only(node, exp.Literal, "this", "is_string")
    text = str(found.this)
    if found.args.get("is_string"):
        return text
    return number(text)


def number(text: str) -> int | float:
    """A number as it is typed: digits, perhaps a point or an exponent."""
    try:
        return int(text) if text.isdigit() and len(text) <= 20 else float(text)
    except ValueError:
        raise RequestError("not a number", expected="a number", got=shown(text)) from None


def _date(node: exp.Cast) -> str:
    """`DATE '2020-01-31'` is the only cast there is."""
    cast = only(node, exp.Cast, "this", "to")
    kind = only(cast.args["to"], exp.DataType, "this", "nested")
    literal = only(cast.this, exp.Literal, "this", "is_string")
    if kind.this != exp.DataType.Type.DATE or not literal.args.get("is_string"):
        refuse(node, "a constant; the only cast is DATE 'YYYY-MM-DD'")
    return str(literal.this)
