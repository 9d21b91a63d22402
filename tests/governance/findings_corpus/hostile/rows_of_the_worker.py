# hostile: object model
# expect: refuse object model 15
# expect: warn object model 16
# expect: warn loads 17
# expect: refuse reach 18
# expect: warn object model 19
# expect: refuse reach 20
# expect: warn reach 20

import numpy as np
import transformers


def go(notes, weights, settings):
    rows = notes._rows
    base = settings["model"]._modules
    pipe = transformers.pipeline("ner")
    core = np._core
    name = getattr(base, "_parameters")
    return {"numbers": {"n": len(rows) + len(pipe) + len(core) + len(name) + len(getattr(np, "os"))}}
