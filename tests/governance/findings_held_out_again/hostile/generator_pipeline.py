# hostile: encoding
# expect: warn encoding 12
# expect: refuse encoding 17

def letters(notes):
    for note in notes:
        yield from note.text


def codes(stream):
    for c in stream:
        yield ord(c) / 1000


def go(notes, weights, settings):
    stream = codes(letters(notes.train))
    return {"numbers": {f"v{i}": v for i, v in zip(range(100), stream)}}
