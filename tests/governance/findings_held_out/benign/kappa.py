# benign

from collections import Counter


def agreement(notes, weights, settings):
    """How well a list of words finds notes with a reaction."""
    words = tuple(settings["words"])
    table = Counter()
    for note in notes.test:
        gold = any(span.label == "REACTION" for span in note.spans)
        guess = any(word in note.text.lower() for word in words)
        table[gold, guess] += 1
    n = sum(table.values())
    agree = (table[True, True] + table[False, False]) / n
    yes = ((table[True, True] + table[True, False]) / n) * ((table[True, True] + table[False, True]) / n)
    no = ((table[False, True] + table[False, False]) / n) * ((table[True, False] + table[False, False]) / n)
    return {"numbers": {"kappa": (agree - yes - no) / (1 - yes - no), "n": n}}
