"""What is said when something of the notes is on its way out: a result, an error, a search for somebody, a text as numbers."""

from __future__ import annotations

import ast
import re

from fedkit.governance.findings.code import Look
from fedkit.governance.findings.flow.carried import ANSWERS, CODES, OBJECTS, TEXTS, Carried

#: A person's or a card's number, and words that look like a name.
_NUMBER = re.compile(r"\d{6,}|\d{6}[-+ ]\d{3,5}")
_NAME = re.compile(r"[A-ZÅÄÖÆØÕÜŠŽ][a-zåäöæøõüšžé]+(?:[ -][A-ZÅÄÖÆØÕÜŠŽ][a-zåäöæøõüšžé]+)+")


def result(seen: Look, node: ast.AST, part: str, name: str, carried: Carried) -> None:
    """Something is given back. Text that leaves as numbers is refused: no honest code needs it."""
    what = f"{part}: {name}" if name else part
    if carried & CODES or (carried & TEXTS and part != "tables"):
        said = "what names a note or patient" if "id" in carried and not carried & (CODES | {"text"}) else "text of notes"
        seen.add("refuse", node, "encoding", f"{what} is made of the {said}, letter by letter or as a whole")
        return
    if carried & TEXTS and "single" in carried:
        seen.add("warn", node, "one note", f"{what} holds words of one note that was picked")
    if "weighed" in carried:
        seen.add("warn", node, "encoding", f"{what} packs several answers about texts into one number")
    if "each" in carried:
        seen.add("warn", node, "per note", f"{what} has one value for every note or patient, so each can be told")
    if "single" in carried:
        seen.add("warn", node, "one note", f"{what} tells of one note that was picked, not of many")
    elif carried & (ANSWERS - {"value"}):
        seen.add("warn", node, "decides", f"{what} is decided by an answer about texts: one question about notes, one answer")
    elif "value" in carried:
        seen.add("warn", node, "one note", f"{what} is a number read from a text, not a sum over many")
    if "extreme" in carried:
        seen.add("warn", node, "extreme", f"{what} is the greatest, least or any of all notes: one note decides it")
    if carried & OBJECTS:
        seen.add("warn", node, "per note", f"{what} is made of notes in a way that does not show")
    if "chance" in carried:
        seen.add("warn", node, "chance", f"{what} depends on chance or on the clock: nobody can compute it again")
    if "error" in carried:
        seen.add("warn", node, "error text", f"{what} is made of an error, and errors can hold texts")


def returned(seen: Look, node: ast.AST, condition: Carried, line: int) -> None:
    """An entry returns under a condition."""
    if condition & {"test", "single", "extreme"}:
        seen.add("warn", node, "decides", f"what is given back depends on an answer about texts (line {line})")
    if "chance" in condition:
        seen.add("warn", node, "chance", f"what is given back depends on chance or on the clock (line {line})")
    if "cache" in condition:
        seen.add("warn", node, "state", f"what is given back depends on earlier rounds (line {line})")


def fails(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "errors", "whether it fails depends on the texts, and a failure can be seen")


def takes_long(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "time", "how long it takes depends on an answer about texts, and time can be seen")


def takes_much(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "time", "how much it takes depends on an answer about texts, and time can be seen")


def encodes(seen: Look, node: ast.AST, name: str) -> None:
    seen.add("warn", node, "encoding", f"{name}: turns text of notes into numbers; look where they go")


def builds(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "strings", "puts texts of notes together in a loop: a result needs no text")


def searches(seen: Look, node: ast.AST, text: str) -> None:
    """A fixed text is looked for in notes. That is what counts are made of, unless it is about somebody."""
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    if searches_somebody(seen, node, text):
        return
    if len(text) >= 40 and text.count(" ") >= 3:
        seen.add("warn", node, "search", f"looks for {shown!r}: words of one note rather than of many")
    else:
        seen.add("note", node, "search", f"looks for {shown!r} in texts")


def searches_somebody(seen: Look, node: ast.AST, text: str) -> bool:
    """Whether a text that is looked for reads like a person's name or number."""
    if not (_NUMBER.search(text) or _NAME.search(text)):
        return False
    seen.add("warn", node, "search", f"looks for {text[:60]!r}: that may be somebody's name or number")
    return True


def singles_out(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "one note", "compares what names a note or patient with a given value: it picks one")


def chosen_outside(seen: Look, node: ast.AST, name: str) -> None:
    seen.add("warn", node, "trigger", f"does something else where settings[{name!r}] has a given value: one site, round or run")


def too_tangled(seen: Look, node: ast.AST) -> None:
    seen.add("warn", node, "flow", "too tangled to follow what it does with the notes: ask for it to be written more simply")
