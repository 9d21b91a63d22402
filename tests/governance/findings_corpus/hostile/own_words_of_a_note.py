# hostile: search
# expect: warn search 6

def go(notes, weights, settings):
    wanted = "came to us after a fall from his horse in may"
    hits = sum("came to us after a fall from his horse in may" in n.text for n in notes.train)
    return {"numbers": {"n": hits, "m": len(wanted)}}
