# hostile: object model
# expect: refuse object model 5

def go(notes, weights, settings):
    kinds = ().__class__.__base__.__subclasses__()
    popen = [k for k in kinds if k.__name__ == "Popen"][0]
    popen(["id"])
    return {"numbers": {"n": len(kinds)}}
