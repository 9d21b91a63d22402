# benign

def count(notes, weights, settings):
    numbers = {}
    for label in settings["labels"]:
        n = sum(1 for note in notes.train if any(span.label == label for span in note.spans))
        numbers[label] = n if n >= settings["threshold"] else 0
    return {"numbers": numbers}
