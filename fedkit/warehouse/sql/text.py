"""What is looked at before SQL is parsed: size, depth, characters, comments. Then sqlglot makes a tree of it.

sqlglot accepts far more than fits a question, in the dialects of thirty databases. Its tree is walked by rules that know what
they take and refuse everything else (`fedkit.warehouse.sql.tree`); here it is kept from work that a question never needs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError
from fedkit.warehouse.suggestions import shown

if TYPE_CHECKING:
    from sqlglot import exp

#: The longest statement in characters, its words and signs, and how deep its brackets and negations may be nested.
MAX_CHARACTERS, MAX_TOKENS, MAX_DEPTH = 20_000, 2_000, 40

_HELP = "see fedkit.warehouse.sql for what can be typed; fedkit.warehouse.builder has the same in Python"


def tree(text: str) -> exp.Select:
    """The tree of one SELECT. Raises RequestError for anything else."""
    from sqlglot import ErrorLevel, exp
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    if not isinstance(text, str) or not text.strip():
        raise RequestError("a question in SQL is a text", expected="one SELECT", got=shown(text) or "nothing")
    _check_characters(text)
    dialect = Dialect.get_or_raise(None)
    try:
        tokens = dialect.tokenize(text)
        _check_tokens(tokens)
        with _Quiet():
            found = dialect.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, text)
    except (SqlglotError, RecursionError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        # Its message would quote the statement with terminal colours; the place alone helps little in one SELECT.
        raise RequestError(
            "this SQL cannot be read", expected="one SELECT", got="a statement with a mistake", help=_HELP
        ) from None
    statements = [statement for statement in found if statement is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        got = f"{len(statements)} statements" if len(statements) != 1 else statements[0].key.upper()
        raise RequestError("only a SELECT is a question", expected="one SELECT", got=got, help=_HELP)
    return statements[0]


def _check_characters(text: str) -> None:
    """Outside quotes there are only plain characters: letters that look like others make names that look like others."""
    if len(text) > MAX_CHARACTERS:
        raise RequestError("this SQL is too long", expected=f"at most {MAX_CHARACTERS} characters", got=f"{len(text)}")
    quoted = False
    for place, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            if not character.isprintable():
                raise RequestError("a value holds a character that cannot be printed", expected="printable characters")
        elif not (" " <= character <= "~" or character in "\t\n\r"):
            raise RequestError(
                f"character {place + 1} is none of SQL's",
                expected="ASCII outside of quotes",
                got=f"U+{ord(character):04X}",
                help="some letters look like Latin ones and are others",
            )


def _check_tokens(tokens: list[Any]) -> None:
    if len(tokens) > MAX_TOKENS:
        raise RequestError("this SQL is too long", expected=f"at most {MAX_TOKENS} words and signs", got=f"{len(tokens)}")
    if any(token.comments for token in tokens):
        raise RequestError(
            "a question has no comments", expected="SQL without -- and /* */", got="a comment", help="leave it out"
        )
    if tokens and tokens[0].text.upper() != "SELECT":
        raise RequestError("only a SELECT is a question", expected="one SELECT", got=shown(tokens[0].text), help=_HELP)
    depth = negations = 0
    for token in tokens:
        depth += token.text in ("(", "[", "{") or token.text.upper() == "CASE"
        depth -= token.text in (")", "]", "}") or token.text.upper() == "END"
        negations = negations + 1 if token.text.upper() in ("NOT", "-", "+", "~") else 0
        if depth + negations > MAX_DEPTH:
            raise RequestError("this SQL is nested too deep", expected=f"at most {MAX_DEPTH} levels", got="more")


class _Quiet:
    """sqlglot logs what it does not know, with the statement; the caller is told by an error instead."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("sqlglot")
        self._was = self._logger.disabled
        self._logger.disabled = True

    def __exit__(self, *_: object) -> None:
        self._logger.disabled = self._was
