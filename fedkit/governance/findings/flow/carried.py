"""What a value carries from the notes: a set of words, and how looking into it, testing it and summing it up changes them.

The words, strongest first:

    text, id   the words of a note; what names it or its patient
    code       text as numbers: ord, hash, bytes, the place of a word in a list      packed   several letters in one number
    value      a number read out of a text
    test       an answer about texts ("x in note.text")      branch   chosen by such an answer
    notes, note, span, set   the objects themselves (set: what the worker hands over)
    tag, date, count, model  a category; a day; a number over many; what a model or library made of notes
and how many notes stand behind it:

    each      one value for every note or patient       single   of one note that was picked
    extreme   the greatest, least or any of all         index    a place in the list of notes; length: how many there are
    grouped   a collection for each category            keys     a mapping whose keys are words of notes
    scaled, weighed        on the way to packed
    cache, chance, error   of an earlier round; of chance; of an exception

References to local functions and classes travel the same way: "fn:3", "class:A", "is:A".
"""

from __future__ import annotations

Carried = frozenset[str]
NOTHING: Carried = frozenset()

TEXTS = frozenset({"text", "id"})
CODES = frozenset({"code", "packed"})
ANSWERS = frozenset({"test", "branch", "value"})
OBJECTS = frozenset({"notes", "note", "span", "set"})
HOW_MANY = frozenset({"single", "extreme", "chance", "error", "cache"})

#: What gives a single note away when it is left over after a loop.
STRONG = TEXTS | CODES | frozenset({"value", "note", "span"})

_OF_NOTES = {
    **dict.fromkeys(("text", "tokens"), "text"),
    **dict.fromkeys(("id", "patient", "meta"), "id"),
    **dict.fromkeys(("language", "author_role", "department", "type"), "tag"),
    "date": "date",
    **dict.fromkeys(("spans", "sections", "relations"), "span"),
    "sentences": "count",
}
_OF_SPANS = {
    **dict.fromkeys(("label", "name", "system", "code", "attributes", "concepts"), "tag"),
    **dict.fromkeys(("start", "end", "header_end", "head", "tail", "fragments"), "count"),
}


def is_reference(word: str) -> bool:
    return word.startswith(("fn:", "class:", "is:"))


def data(carried: Carried) -> Carried:
    """Without references."""
    return frozenset(w for w in carried if ":" not in w)


def attribute(owner: Carried, name: str) -> Carried:
    """`owner.name`"""
    found = set(owner & (HOW_MANY | {"each"}))
    known = False
    if "set" in owner and name in ("train", "dev", "test", "cache"):
        found.add("cache" if name == "cache" else "notes")
        known = True
    if owner & {"note", "notes"} and name in _OF_NOTES:
        found.add(_OF_NOTES[name])
        known = True
    if "span" in owner and name in _OF_SPANS:
        found.add(_OF_SPANS[name])
        known = True
    if not known:
        found |= owner - {"set"}
        if name in ("shape", "size", "ndim", "dtype", "device") and not owner & OBJECTS:
            return frozenset({"count"}) if data(owner) else NOTHING
    return frozenset(found)


def element(owner: Carried) -> Carried:
    """One element of a collection, as a loop gets it."""
    found = set(owner - {"each", "grouped", "keys"})
    if owner & {"notes", "set"}:
        found -= {"notes", "set"}
        found.add("note")
    if "keys" in owner:
        found.add("text")
    if "grouped" in owner:
        found.add("each")
    return frozenset(found)


def over_notes(iterated: Carried) -> bool:
    """Whether a loop over this goes from note to note (or patient to patient)."""
    return bool(iterated & {"notes", "set", "each", "index"})


def tested(carried: Carried) -> Carried:
    """The truth of a value, or a comparison with it."""
    found = set(carried & (HOW_MANY | {"each"}))
    if carried & (TEXTS | CODES | ANSWERS):
        found.add("test")
    elif data(carried):
        found.add("count")
    return frozenset(found)


def decides(condition: Carried) -> Carried:
    """What a branch on this condition adds to what is chosen in it; nothing if it is about sizes and categories alone."""
    if condition & {"test", "single", "extreme", "chance"}:
        return frozenset({"branch"}) | (condition & {"single", "extreme", "chance"})
    return NOTHING


def summed(carried: Carried) -> Carried:
    """A sum, mean or count of it: what is over many notes says nothing of one."""
    if not data(carried):
        return NOTHING
    keep = {"single", "packed", "weighed", "chance", "error", "cache", "model"}
    if "each" not in carried:
        keep.add("extreme")
    return frozenset({"count"}) | (carried & keep)


def extreme(carried: Carried) -> Carried:
    """The greatest or least of it, or whether any is true."""
    found = set(carried - {"each", "grouped", "keys"})
    if carried & {"each", "notes"}:
        found.add("extreme")
    return frozenset(found)


def packed(left: Carried, right: Carried) -> Carried:
    """left + right, where one side was scaled: digits of one number."""
    both = left | right
    if "scaled" in both and left and right:
        if left & CODES and right & CODES:
            return frozenset({"packed"})
        if left & (CODES | {"test", "count"}) and right & (CODES | {"test", "branch"}):
            return frozenset({"weighed"})
    return NOTHING
