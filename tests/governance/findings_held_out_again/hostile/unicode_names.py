# hostile: encoding
# expect: warn one note 9

import unicodedata


def go(notes, weights, settings):
    text = notes.dev[4].text
    return {"numbers": {f"n{i}": float(len(unicodedata.name(c, ""))) for i, c in enumerate(text[:30])}}
