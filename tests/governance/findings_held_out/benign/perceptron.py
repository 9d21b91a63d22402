# benign

from collections import defaultdict


def features(tokens, i):
    word = tokens[i]
    yield f"w={word.lower()}"
    yield f"s={word[-3:].lower()}"
    yield f"p={tokens[i - 1].lower() if i else '<s>'}"


def train(notes, weights, settings):
    names = {name: i for i, name in enumerate(settings["features"])}
    w = weights["w"].copy()
    errors = 0
    for _ in range(settings["epochs"]):
        for note in notes.train:
            tokens = note.text.split()
            for i in range(len(tokens)):
                active = [names[f] for f in features(tokens, i) if f in names]
                guess = w[active].sum() > 0
                gold = any(s.label == "DRUG" and note.text_of(s).startswith(tokens[i]) for s in note.spans)
                if guess != gold:
                    errors += 1
                    w[active] += settings["rate"] if gold else -settings["rate"]
    return {"tensors": {"w": w}, "numbers": {"errors": errors}}
