# hostile: reach
# expect: refuse reach 5
# expect: refuse reach 9

from torch import hub


def go(notes, weights, settings):
    return {"numbers": {"n": len(hub.list("someone/repo"))}}
