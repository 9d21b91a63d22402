"""The words and signs of a typed question, by default deny, before anything is parsed.

sqlglot's grammar knows thirty databases, and some of its constructions take time that doubles with every bracket
(`STRUCT(STRUCT(…`). Here only those words pass that a question can have; everything else is refused with its own name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fedkit.errors import RequestError
from fedkit.warehouse.suggestions import shown

#: The most words and signs; how deep brackets, CASE and signs may be nested together; how many functions in each other.
MAX_TOKENS, MAX_DEPTH, MAX_FUNCTIONS = 2_000, 40, 3

#: sqlglot's names of the words and signs that a question can have. ROWS is here as what `write` calls a count of rows.
_ALLOWED = frozenset(
    [
        "SELECT", "FROM", "WHERE", "GROUP_BY", "ALIAS", "DISTINCT", "CASE", "WHEN", "THEN", "ELSE", "END", "ROWS",
        "AND", "OR", "NOT", "IN", "IS", "TRUE", "FALSE", "NULL", "BETWEEN", "LIKE", "DATE",
        "L_PAREN", "R_PAREN", "COMMA", "STAR", "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "DASH",
        "VAR", "IDENTIFIER", "STRING", "NUMBER",
    ]
)  # fmt: skip

#: Words behind which a bracket is no call of a function.
_NO_FUNCTIONS = frozenset(
    ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "DISTINCT", "IS", "LIKE"]
)

#: The functions of a question, and those for which the walk over the tree has a better sentence than "no place".
FUNCTIONS = frozenset(["COUNT", "SUM", "AVG", "VARIANCE", "VAR_SAMP", "STARTS_WITH"])
_EXPLAINED = frozenset(["MIN", "MAX", "MEDIAN", "QUANTILE_CONT", "PERCENTILE_CONT", "PERCENTILE_DISC", "LEAST", "GREATEST"])

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_INSTEAD = {
    "ORDER_BY": "an answer comes in the order of its groups",
    "LIMIT": "an answer has all its groups",
    "HAVING": "what leaves a site is decided by its rules, not by what came out",
    "JOIN": "person_id IN (SELECT person_id FROM …) is a condition on another view",
    "UNION": "ask two questions",
    "WITH": "one SELECT from one view",
    "DOT": "a question is about one view: columns have no name in front of them",
    "SEMICOLON": "ask one question at a time",
}


def check(tokens: Sequence[Any]) -> None:
    """Raises RequestError for a word or sign that no question has, or for too many of them. tokens: sqlglot's."""
    if len(tokens) > MAX_TOKENS:
        raise RequestError("this SQL is too long", expected=f"at most {MAX_TOKENS} words and signs", got=f"{len(tokens)}")
    if any(token.comments for token in tokens):
        raise RequestError(
            "a question has no comments", expected="SQL without -- and /* */", got="a comment", help="leave it out"
        )
    if tokens and _kind(tokens[0]) != "SELECT":
        raise RequestError("only a SELECT is a question", expected="one SELECT", got=shown(tokens[0].text))
    for place, token in enumerate(tokens):
        kind = _kind(token)
        last = kind == "SEMICOLON" and place == len(tokens) - 1
        if (kind not in _ALLOWED and not last) or (kind == "VAR" and not _NAME.fullmatch(token.text)):
            raise RequestError(
                f"{shown(token.text)} has no place in a question",
                expected="one SELECT of figures from one view",
                got=shown(token.text),
                help=_INSTEAD.get(kind, "see fedkit.warehouse.sql for what can be typed"),
            )
    _check_depth(tokens)


def _check_depth(tokens: Sequence[Any]) -> None:
    """How deep brackets, CASE, signs and functions are nested, and whether each function is one that there is."""
    open_brackets: list[bool] = []  # of a function or not
    cases = signs = 0
    for before, token in zip((None, *tokens), tokens, strict=False):
        kind = _kind(token)
        if kind == "L_PAREN":
            function = before is not None and _kind(before) not in _NO_FUNCTIONS and _names_something(before)
            if function and before.text.upper() not in FUNCTIONS | _EXPLAINED:
                got = f"the function {shown(before.text)}"
                raise RequestError(f"{got} has no place here", expected=f"one of {', '.join(sorted(FUNCTIONS))}", got=got)
            open_brackets.append(function)
        elif kind == "R_PAREN" and open_brackets:
            open_brackets.pop()
        cases += (kind == "CASE") - (kind == "END")
        signs = signs + 1 if kind in ("NOT", "DASH") else 0
        if len(open_brackets) + cases + signs > MAX_DEPTH or sum(open_brackets) > MAX_FUNCTIONS:
            raise RequestError("this SQL is nested too deep", expected=f"at most {MAX_DEPTH} levels", got="more")


def _kind(token: Any) -> str:
    return str(token.token_type.name)


def _names_something(token: Any) -> bool:
    return _kind(token) not in ("L_PAREN", "R_PAREN", "COMMA", "STAR", "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "DASH")
