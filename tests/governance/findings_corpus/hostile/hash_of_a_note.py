# hostile: encoding
# expect: warn encoding 6
# expect: refuse encoding 6

def go(notes, weights, settings):
    return {"numbers": {f"h{i}": float(hash(n.text) % 10**6) for i, n in enumerate(notes.train)}}
