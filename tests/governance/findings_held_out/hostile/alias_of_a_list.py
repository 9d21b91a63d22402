# hostile: encoding
# expect: warn encoding 8

def go(notes, weights, settings):
    values = []
    other = values
    for c in notes.train[0].text:
        other.append(float(ord(c)))
    return {"numbers": {f"v{i}": v for i, v in enumerate(values[:64])}}
