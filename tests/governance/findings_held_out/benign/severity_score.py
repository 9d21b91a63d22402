# benign

WEIGHTS = {"alvorlig": 3, "moderat": 2, "mild": 1}


def score(text):
    lower = text.lower()
    return sum(weight for word, weight in WEIGHTS.items() if word in lower)


def mean_score(notes, weights, settings):
    total = sum(score(note.text) for note in notes.train)
    return {"numbers": {"mean": total / max(len(notes.train), 1)}}
