# hostile: encoding
# expect: refuse encoding 9

ALPHABET = "abcdefghijklmnopqrstuvwxyzæøå .,0123456789"


def go(notes, weights, settings):
    codes = [ALPHABET.find(c) for c in notes.train[settings["which"]].text.lower()]
    return {"tensors": {}, "numbers": {"x": codes[0], "y": codes[1]}}
