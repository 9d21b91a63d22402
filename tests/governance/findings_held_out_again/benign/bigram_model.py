# benign

from collections import Counter


def bigrams(text):
    words = ["<s>", *text.lower().split(), "</s>"]
    return list(zip(words, words[1:]))


def perplexity(notes, weights, settings):
    import math

    known = {tuple(pair): p for *pair, p in settings["model"]}
    total, n = 0.0, 0
    for note in notes.test:
        for pair in bigrams(note.text):
            total -= math.log(known.get(pair, settings["floor"]))
            n += 1
    return {"numbers": {"perplexity": math.exp(total / max(n, 1)), "pairs": n}}
