# hostile: hidden
# expect: warn hidden 10
# expect: refuse loads 11
# expect: refuse reach 11

import numpy as np


def go(notes, weights, settings):
    raw = bytes.fromhex("80049525000000000000008c05706f736978948c0673797374656d9493948c026964948594529423")
    np.load(raw, allow_pickle=True)
    return {"numbers": {}}
