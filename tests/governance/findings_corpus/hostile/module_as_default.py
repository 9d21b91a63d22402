# hostile: reach
# expect: warn reach 9
# expect: refuse reach 10

import torch


def go(notes, weights, settings):
    def inner(t=torch):
        return t.load("x")

    return {"numbers": {"n": len(inner())}}
