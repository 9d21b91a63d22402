# benign

import random


def sample_mean(notes, weights, settings):
    """The mean length over a random half of the notes, the same half every time."""
    rng = random.Random(settings["seed"])
    order = list(range(len(notes.train)))
    rng.shuffle(order)
    half = [len(notes.train[i].text) for i in order[: len(order) // 2]]
    return {"numbers": {"mean": sum(half) / max(len(half), 1)}}
