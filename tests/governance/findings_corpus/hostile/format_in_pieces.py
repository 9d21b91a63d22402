# hostile: object model
# expect: refuse object model 6

def go(notes, weights, settings):
    template = "{0." + "_" * 2 + "class" + "_" * 2 + "}"
    shown = template.format(notes)
    return {"numbers": {"n": len(shown)}}
