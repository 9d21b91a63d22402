# benign

from functools import reduce
from itertools import chain


def labels_of(note):
    return [span.label for span in note.spans]


def count(notes, weights, settings):
    every = chain.from_iterable(map(labels_of, notes.train))
    drugs = filter(lambda label: label == "DRUG", every)
    return {"numbers": {"drugs": reduce(lambda total, _: total + 1, drugs, 0)}}
