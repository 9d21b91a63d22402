# hostile: reach

import dataclasses


def go(notes, weights, settings):
    made = dataclasses.make_dataclass("X", [("a", int, dataclasses.field(default_factory=dataclasses.sys.exit))])
    made()
    return {"numbers": {"n": 0}}
