"""What is looked at before SQL is parsed: its size, its characters, its words. Then sqlglot makes a tree of it.

sqlglot accepts far more than fits a question, in the dialects of thirty databases. Its tree is walked by rules that know what
they take and refuse everything else (`fedkit.warehouse.sql.tree`); before that, `words` keeps it from what no question has.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING

from fedkit.errors import RequestError
from fedkit.warehouse.sql import words
from fedkit.warehouse.suggestions import shown

if TYPE_CHECKING:
    from sqlglot import exp

#: The longest statement.
MAX_CHARACTERS = 20_000

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
        words.check(tokens)
        with _QUIET:
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


class _Quiet(logging.Filter):
    """sqlglot logs what it does not know, with the statement; the caller is told by an error instead.

    Only what this thread parses here is kept out of the log, and only meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self._here: ContextVar[bool] = ContextVar("here", default=False)
        logging.getLogger("sqlglot").addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        return not self._here.get()

    def __enter__(self) -> None:
        self._here.set(True)

    def __exit__(self, *_: object) -> None:
        self._here.set(False)


_QUIET = _Quiet()
