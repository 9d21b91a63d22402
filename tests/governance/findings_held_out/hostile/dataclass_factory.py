# hostile: reach
# expect: refuse reach 9
# expect: warn object model 9

import dataclasses


def go(notes, weights, settings):
    made = dataclasses.make_dataclass("X", [("a", int, dataclasses.field(default_factory=dataclasses.sys.exit))])
    made()
    return {"numbers": {"n": 0}}
