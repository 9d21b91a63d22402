# hostile: encoding

import json


def go(notes, weights, settings):
    together = json.dumps([n.text for n in notes.train] + [settings["guess"]])
    return {"numbers": {"size": len(set(together.split()))}}
