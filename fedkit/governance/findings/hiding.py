"""What is written so that a reader does not see it: invisible characters, look-alike names, escapes, long constants."""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
import unicodedata
from collections import Counter
from collections.abc import Iterator

from fedkit.governance.findings.code import Code, Look
from fedkit.governance.review import Finding

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\x00-\x08\x0b\x0e-\x1f\x7f]"
)
_ESCAPES = re.compile(
    r"(?:\\x[2-7][0-9a-fA-F]|\\u00[2-7][0-9a-fA-F]|\\U000000[2-7][0-9a-fA-F]|\\1[0-7]{2}|\\N\{LATIN [^}]*\}){3,}"
)
_FAR = re.compile(r"\S.*[;:]?\s{80,}\S|^\s{120,}\S")

#: Above these a constant holds more than a reader can judge.
LONG_TEXT, MANY_NUMBERS, WIDE_LINE = 400, 200, 400

#: Shannon entropy per character of a text without blanks: words have about 3.5 to 4, base64 5 and more.
RANDOM = 4.6


def look(code: Code) -> Iterator[Finding]:
    """Rules "invisible", "identifiers", "escapes" and "hidden"."""
    seen = Look()
    yield from in_text(code.source)
    for line, name in _identifiers(code.source):
        _identifier(seen, line, name)
    for constant in code.of(ast.Constant):
        if isinstance(constant.value, str | bytes) and constant not in code.docstrings:
            text = constant.value if isinstance(constant.value, str) else constant.value.decode("latin-1")
            _text(seen, constant, text)
        elif isinstance(constant.value, int) and constant.value.bit_length() > 128:
            seen.add("warn", constant, "hidden", "a number so long that it can hold a text or a program")
    for several in (*code.of(ast.List, ast.Tuple), *code.of(ast.Set)):
        numbers = [e for e in several.elts if isinstance(e, ast.Constant) and isinstance(e.value, int | float)]
        if len(numbers) > MANY_NUMBERS:
            seen.add("warn", several, "hidden", f"{len(numbers)} numbers in one place: they can hold a text or a program")
    for call in code.of(ast.Call):
        _decodes(seen, code, call)
    yield from seen.found


def in_text(source: str) -> Iterator[Finding]:
    """What shows in the lines themselves."""
    for number, line in enumerate(source.splitlines(), 1):
        if _INVISIBLE.search(line):
            yield Finding("refuse", number, "invisible", "characters that do not show or that reverse the reading direction")
        if len(line) < 20_000 and _ESCAPES.search(line):
            yield Finding("warn", number, "escapes", "letters written as escapes: somebody did not want them to be read")
        if len(line) > WIDE_LINE:
            yield Finding("warn", number, "hidden", f"a line of {len(line)} characters: nobody reads so far")
        elif _FAR.search(line):
            yield Finding("warn", number, "hidden", "code far to the right of what is seen")


def _identifiers(source: str) -> Iterator[tuple[int, str]]:
    """Names as they are written that are not plain ASCII: the tree has them normalised already."""
    if source.isascii():
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and not token.string.isascii():
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _identifier(seen: Look, line: int, name: str) -> None:
    if unicodedata.normalize("NFKC", name) != name and unicodedata.normalize("NFC", name) != unicodedata.normalize(
        "NFKC", name
    ):
        seen.add("refuse", line, "identifiers", f"{name!a}: Python reads another name than the one that is shown")
        return
    scripts = {unicodedata.name(c, "?").split(" ")[0] for c in name if c.isalpha()}
    if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}:
        seen.add("refuse", line, "identifiers", f"{name!a}: letters of different alphabets that look alike")
    elif scripts & {"CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC"}:
        seen.add("warn", line, "identifiers", f"{name!a}: a name in an alphabet whose letters look like Latin ones")


def _text(seen: Look, node: ast.Constant, text: str) -> None:
    words = max(text.split(), key=len, default="")
    if (
        len(words) >= 40
        and _entropy(words) > RANDOM
        and 4 * len(set(words)) < 3 * len(words)
        and not re.fullmatch(r"[\w-]*?(\w)\1{10,}.*", words)
    ):
        seen.add("warn", node, "hidden", "a text that looks like random characters: something may be packed in it")
    elif len(words) > LONG_TEXT:
        seen.add("warn", node, "hidden", f"a text of {len(words)} characters without a blank: something may be packed in it")
    elif re.fullmatch(r"(?:[0-9a-fA-F]{2}){16,}", words) and len(words) != 64:
        seen.add("warn", node, "hidden", "hexadecimal digits: something may be packed in them")


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _decodes(seen: Look, code: Code, call: ast.Call) -> None:
    """Texts that are made of something that does not read as one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "chr" and not code.shadowed(call, "chr"):
        seen.add("warn", call, "hidden", "letters made of numbers: what text it becomes does not show")
    elif name in (
        "fromhex",
        "b64decode",
        "b85decode",
        "a85decode",
        "decompress",
        "unhexlify",
        "rot13",
        "maketrans",
        "decode_escape",
    ):
        seen.add("warn", call, "hidden", f"{name}: makes a text of something that does not read as one")
    elif name == "decode" and call.args and code.text(call.args[0]) not in ("utf-8", "utf8", "latin-1", "ascii"):
        seen.add("warn", call, "hidden", "decode with an unusual or computed encoding: what text it becomes does not show")
    elif name == "translate" and call.args and isinstance(call.args[0], ast.Dict | ast.Call):
        seen.add("warn", call, "hidden", "replaces letters by others: what text it becomes does not show")
