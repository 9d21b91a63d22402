# benign

import re

RULES = {"DRUG": re.compile(r"\b\w+(?:cillin|mycin|pril)\b"), "BODY_SITE": re.compile(r"\b(?:hofte|kne|skulder)\b")}


def spans_found(text):
    return {(m.start(), m.end(), label) for label, pattern in RULES.items() for m in pattern.finditer(text)}


def evaluate(notes, weights, settings):
    right = wrong = missed = 0
    for note in notes.test:
        gold = {(s.start, s.end, s.label) for s in note.spans}
        found = spans_found(note.text)
        right += len(gold & found)
        wrong += len(found - gold)
        missed += len(gold - found)
    return {"numbers": {"tp": right, "fp": wrong, "fn": missed}}
