# benign

from collections import Counter


def evaluate(notes, weights, settings):
    lexicon = {word: label for label, words in settings["lexicon"].items() for word in words}
    scores = Counter()
    for note in notes.test:
        gold = {(s.start, s.label) for s in note.spans}
        guessed, at = set(), 0
        for word in note.text.split():
            at = note.text.index(word, at)
            if word.lower() in lexicon:
                guessed.add((at, lexicon[word.lower()]))
            at += len(word)
        for _, label in gold & guessed:
            scores[label, "tp"] += 1
        for _, label in guessed - gold:
            scores[label, "fp"] += 1
        for _, label in gold - guessed:
            scores[label, "fn"] += 1
    return {"numbers": {f"{kind}.{label}": scores[label, kind] for label in settings["labels"] for kind in ("tp", "fp", "fn")}}
