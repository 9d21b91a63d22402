# benign

from fedkit.ner import tasks


def evaluate(notes, weights, settings):
    scores = tasks.evaluate(notes, weights, settings)
    return {"tensors": {}, "numbers": scores["numbers"]}
